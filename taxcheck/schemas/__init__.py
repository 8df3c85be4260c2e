"""Pandera schemas: the contract that every batch of an input is held to."""
