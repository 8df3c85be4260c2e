"""Where the passes over data are run: threads of this process, or a cluster."""
