"""Jobs: taken up with a lease, run in a child process with limits, kept as a run."""
