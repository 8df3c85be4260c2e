"""Strangers: identifiers that stand in the pairs, and that the mapping lacks."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from taxcheck.model.arrays import IntArray


@dataclass(frozen=True, slots=True)
class Strangers:
    """Labels of pairs that hold labels in place of idx, in the order of their first rows."""

    labels: pa.Array  # (k,) string, distinct
    idx: IntArray  # (k,) by which the pairs are followed: beyond all of the mapping
