"""One reader for each kind of source; each gives a Hierarchy or one line of what is wrong."""
