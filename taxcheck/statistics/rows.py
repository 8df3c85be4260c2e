"""Rows of a batch of pairs: choosing some of them, and showing their cells."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from taxcheck.sources.batches import PairBatch
from taxcheck.statistics.values import BoolArray, IntArray

Columns = Mapping[str, npt.NDArray[np.generic]]


def cells(batch: PairBatch, chosen: BoolArray) -> Columns:
    """The offending cells of a batch, under the names that the report shows."""
    shown: dict[str, npt.NDArray[np.generic]] = {
        "ancestor_idx": batch.ancestor[chosen],
        "descendant_idx": batch.descendant[chosen],
    }
    for name in ("depth_diff", "ancestor_depth", "descendant_depth"):
        column = getattr(batch, name)
        if column is not None:
            shown[name] = column[chosen]
    return shown


def shown_identifiers(column: pa.Array) -> npt.NDArray[np.generic]:
    """Identifiers as they are shown: beside nulls, which become None, whole numbers stay whole."""
    if column.null_count and pa.types.is_integer(column.type):
        return np.asarray(column.to_pandas(integer_object_nulls=True))
    return np.asarray(column.to_numpy(zero_copy_only=False))


def select(batch: PairBatch, chosen: BoolArray) -> PairBatch:
    """The rows of a batch that a mask keeps."""

    def part(column: IntArray | None) -> IntArray | None:
        return None if column is None else column[chosen]

    def labels(column: pa.Array | None) -> pa.Array | None:
        return None if column is None else column.filter(pa.array(chosen))

    return PairBatch(
        batch.rows[chosen],
        batch.ancestor[chosen],
        batch.descendant[chosen],
        part(batch.depth_diff),
        part(batch.ancestor_depth),
        part(batch.descendant_depth),
        labels(batch.ancestor_taxid),
        labels(batch.descendant_taxid),
    )
