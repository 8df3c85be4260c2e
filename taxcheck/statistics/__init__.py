"""Mergeable statistics of the data, and the frozen values that rules judge."""
