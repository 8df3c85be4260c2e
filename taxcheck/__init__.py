"""taxcheck: data validation and diagnostics for hierarchical embeddings of taxonomies."""

__version__ = "0.1.0"
