"""A trained table: by itself, beside its nulls, and joined with the data that it came from."""
