"""Gate, training, audit: the story of `taxcheck train`."""
