"""Two reports beside each other: what is new, fixed, worse or better, and how the data drifted."""
