"""The bounded batches in which tables walk through taxcheck."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

IntArray = npt.NDArray[np.int64]

BATCH_ROWS = 1 << 20


@dataclass(frozen=True, slots=True)
class RawBatch:
    """Cells as the file holds them, of any Arrow type, by the role that their column plays."""

    first_row: int  # as a person counts: line (header counted) of a text file, else record, from 1
    columns: Mapping[str, pa.Array]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(next(iter(self.columns.values())))


@dataclass(frozen=True, slots=True)
class MappingBatch:
    """Sound rows of the mapping."""

    rows: IntArray  # (n,) source row numbers
    identifiers: pa.Array  # (n,) int64, or string where the file holds text
    idx: IntArray  # (n,)


@dataclass(frozen=True, slots=True)
class PairBatch:
    """Sound rows of the pairs; a column that the file lacks is None."""

    rows: IntArray  # (n,) source row numbers
    ancestor: IntArray
    descendant: IntArray
    depth_diff: IntArray | None = None
    ancestor_depth: IntArray | None = None
    descendant_depth: IntArray | None = None
    ancestor_taxid: pa.Array | None = None  # int64 or string
    descendant_taxid: pa.Array | None = None


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Rows that break the schema, with their cells as the file holds them."""

    rows: IntArray  # (k,)
    reasons: tuple[str, ...]  # (k,) one short phrase a row: "ancestor_idx is negative"
    cells: Mapping[str, tuple[str | None, ...]]  # column role -> (k,) texts
