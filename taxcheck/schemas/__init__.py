"""Pandera schemas: the contract that every batch of an input is held to."""

from __future__ import annotations

from taxcheck.schemas.contract import contract
from taxcheck.schemas.mapping import MAPPING_SCHEMA, apply_mapping
from taxcheck.schemas.pairs import PAIRS_SCHEMA, apply_pairs

__all__ = ["MAPPING_SCHEMA", "PAIRS_SCHEMA", "apply_mapping", "apply_pairs", "contract"]
