"""What each command does beyond a run."""
