"""Embedding tables of every engine, read without running anything in the file."""
