"""Tables of identifiers and pairs, in bounded batches."""
