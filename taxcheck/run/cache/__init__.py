"""Results of earlier runs, kept in a folder: an unchanged dataset is answered at once."""
