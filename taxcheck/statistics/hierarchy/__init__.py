"""The graph of parent-child pairs, its closure, and the proof of all pairs against it."""
