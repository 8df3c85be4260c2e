"""The rows of a table in the order of the mapping: by idx, or joined by the labels in the file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.geometry.space import Space
from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.errors import InputError, one_line
from taxcheck.sources.checkpoints.checkpoint import Checkpoint
from taxcheck.statistics.values import MappingStatistics


@dataclass(frozen=True, slots=True)
class Aligned:
    """A table by idx: ``row_of`` (n,) is each idx's row, -1 where the table has none."""

    checkpoint: Checkpoint
    row_of: IntArray
    by_labels: bool
    unmatched: int  # labels in the file that the mapping lacks

    @property
    def n(self) -> int:
        """Number of idx: of the mapping, or more where the table has more rows."""
        return len(self.row_of)

    @property
    def has_row(self) -> BoolArray:
        """Which idx have a row, (n,)."""
        return np.asarray(self.row_of >= 0)

    @property
    def owner(self) -> IntArray | None:
        """The idx of each row, (rows,), -1 for none; None where row k is idx k."""
        if not self.by_labels:
            return None
        found = np.full(self.checkpoint.rows, -1, dtype=np.int64)
        found[self.row_of[self.has_row]] = np.flatnonzero(self.has_row)
        return found

    def vectors(self, idx: IntArray) -> npt.NDArray[np.floating]:
        """Rows of idx that have one, (k, width)."""
        return np.asarray(self.checkpoint.vectors[self.row_of[idx]])

    def spread(self, values: npt.NDArray[np.generic] | None, fill: object) -> npt.NDArray | None:  # type: ignore[type-arg]
        """Values by row, (rows,), as values by idx, (n,); ``fill`` where there is no row."""
        if values is None:
            return None
        out = np.full(self.n, fill, dtype=values.dtype)
        out[self.has_row] = values[self.row_of[self.has_row]]
        return out

    def space(self, geometry: str | None = None) -> Space:
        """All idx as points; one without a row is no point. ``geometry`` reads them otherwise."""
        reading, has_row = self.checkpoint.reading, self.has_row
        found = Space.of(
            self.checkpoint.vectors, geometry or reading.geometry.value, reading.curvature
        )
        if self.n == found.n and has_row.all() and not self.by_labels:
            return found
        taken = found.take(np.maximum(self.row_of, 0))
        taken.radii[~has_row] = np.nan
        return taken


def align(checkpoint: Checkpoint, mapping: MappingStatistics | None) -> Aligned:
    """Join the table to the mapping; without one, or without labels, row k is idx k.

    A mapping that was derived from the pairs numbers their labels by appearance. A table without
    labels is then taken by the labels themselves, where they can be row numbers; InputError where
    they cannot, since nothing says which row is whose, and where no label is an identifier.
    """
    labels = checkpoint.labels
    if mapping is not None and mapping.derived and labels is None:
        numbers = mapping.identifiers.integers
        if numbers is None or int(numbers.max(initial=0)) >= checkpoint.rows:
            raise InputError(
                f"{checkpoint.path}: its rows have no labels, and the pairs' labels are no row "
                "numbers of it; give the `mapping` that it was trained with"
            )
        return Aligned(checkpoint, numbers, True, 0)
    if mapping is None or labels is None:
        n = max(checkpoint.rows, mapping.n_nodes if mapping is not None else 0)
        rows = np.arange(n)
        return Aligned(checkpoint, np.where(rows < checkpoint.rows, rows, -1), False, 0)
    idx = np.flatnonzero(mapping.mapped)
    known = mapping.identifiers.column(idx).cast(pa.string())
    place = pc.index_in(labels.cast(pa.string()), value_set=known).fill_null(-1)
    found = place.to_numpy(zero_copy_only=False)
    if not (found >= 0).any():
        raise InputError(
            f"{checkpoint.path}: none of its row labels ({_first(labels)}) is an identifier of the "
            f"{'pairs' if mapping.derived else 'mapping'} ({_first(known)}); give the `mapping` "
            "that it was trained with"
        )
    row_of = np.full(mapping.n_nodes, -1, dtype=np.int64)
    matched = np.flatnonzero(found >= 0)[::-1]  # the first row of a label wins
    row_of[idx[found[matched]]] = matched
    return Aligned(checkpoint, row_of, True, int(np.count_nonzero(found < 0)))


def _first(labels: pa.Array) -> str:
    shown = [one_line(str(label), 40) for label in labels.slice(0, 3).to_pylist()]
    return ", ".join([*shown, "..."] if len(labels) > 3 else shown)
