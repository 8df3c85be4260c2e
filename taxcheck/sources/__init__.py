"""Tables, taxonomies and checkpoints as they walk in: read safely, in bounded batches."""
