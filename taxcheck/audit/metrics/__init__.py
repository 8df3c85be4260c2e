"""Measures of an embedding against a hierarchy; they know no file and no rule."""
