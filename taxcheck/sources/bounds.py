"""Bounds of the contract, over whole columns: what lies within them needs no second look.

Each function says whether every value is one that the schema accepts. False is no verdict: then
the schemas decide, row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import FloatArray, Whole

IDX_LIMIT = 2**31 - 1  # exclusive: no embedding table has more rows
DEPTH_LIMIT = 2**31  # exclusive, in absolute value


def idx_within(values: Whole) -> bool:
    """Whether all idx (n,) are rows that a table may have."""
    return not len(values) or bool(values.min() >= 0 and values.max() < IDX_LIMIT)


def depths_within(values: Whole) -> bool:
    """Whether all depths (n,) are some."""
    return not len(values) or bool(values.min() > -DEPTH_LIMIT and values.max() < DEPTH_LIMIT)


def identifiers_within(names: pa.Array) -> bool:
    """Whether no identifier (n,), int64 or text, may be a negative number."""
    if pa.types.is_integer(names.type):
        smallest = pc.min(names).as_py()
        return smallest is None or smallest >= 0
    return not pc.any(pc.starts_with(names, "-")).as_py()


def points_within(norm: FloatArray, outside: FloatArray) -> bool:
    """Whether all rows (n,) of an embedding table are finite points of the model."""
    return bool(np.isfinite(norm).all() and (outside < 1.0).all())


OF_TABLES: Mapping[str, Mapping[str, Callable[[Any], bool]]] = {
    "mapping": {"taxid": identifiers_within, "idx": idx_within},
    "pairs": {
        "ancestor": idx_within,
        "descendant": idx_within,
        "depth_diff": depths_within,
        "ancestor_depth": depths_within,
        "descendant_depth": depths_within,
    },
}
