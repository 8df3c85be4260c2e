"""From what the gate found to a dataset that passes it: planned, shown, then written whole."""
