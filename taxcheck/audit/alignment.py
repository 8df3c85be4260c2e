"""The rows of a table in the order of the mapping: by idx, or joined by what the file says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from taxcheck.audit.joins import Join, joins_of
from taxcheck.geometry.space import Space
from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.errors import InputError, one_line
from taxcheck.model.vocabulary import plural
from taxcheck.sources.checkpoints.checkpoint import Checkpoint
from taxcheck.sources.checkpoints.row_names import NONE, misfit
from taxcheck.statistics.values import MappingStatistics


@dataclass(frozen=True, slots=True)
class Aligned:
    """A table by idx: ``row_of`` (n,) is each idx's row, -1 where the table has none."""

    checkpoint: Checkpoint
    row_of: IntArray
    by_labels: bool  # or by anything else but the rows' own numbers
    unmatched: int = 0  # labels in the file that the mapping lacks
    how: str = ""  # a sentence on what the join rests on
    by: str = "row k is idx k"  # the same in a few words
    left_out: tuple[str, ...] = ()  # and one on each thing that it left out, with its count
    unused: tuple[str, ...] = ()  # and one on what names rows, too, and was not needed
    repeated: int = 0  # rows whose label an earlier row has

    @property
    def shown(self) -> dict[str, str]:
        """How rows were joined and what was left out, by what each is called in a report."""
        left = {"left out": " ".join(self.left_out)} if self.left_out else {}
        return {"rows": self.by, **left}

    @property
    def n(self) -> int:
        """Number of idx: of the mapping, or more where the table has more rows."""
        return len(self.row_of)

    @property
    def told(self) -> tuple[str, ...]:
        """All that is told of the join beside what it rests on."""
        return (*self.left_out, *self.unused)

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
    """Join the table to the mapping; without one, or where nothing names the rows, row k is idx k.

    A mapping that was derived from the pairs numbers their labels by appearance. A table without
    labels is then taken by the labels themselves, where they can be row numbers. InputError where
    what the file says of its rows does not decide whose each is.
    """
    if mapping is None:
        return _as_it_stands(checkpoint, None)
    if checkpoint.misfits:
        raise misfit(checkpoint.path, checkpoint.misfits)
    if checkpoint.names:
        return _joined(checkpoint, mapping, joins_of(checkpoint, mapping))
    if not mapping.derived:
        return _as_it_stands(checkpoint, mapping)
    numbers = mapping.identifiers.integers
    if numbers is None or int(numbers.max(initial=0)) >= checkpoint.rows:
        raise InputError(
            f"{checkpoint.path}: its rows have no labels, and the pairs' labels are no row "
            "numbers of it; give the `mapping` that it was trained with"
        )
    how, by = "Rows are numbered by the labels of the pairs.", "rows by the labels of the pairs"
    return Aligned(checkpoint, numbers, True, how=how, by=by)


def _as_it_stands(checkpoint: Checkpoint, mapping: MappingStatistics | None) -> Aligned:
    n = max(checkpoint.rows, mapping.n_nodes if mapping is not None else 0)
    rows = np.arange(n)
    how = "Row k was taken for idx k: nothing in the file names its rows."
    if checkpoint.said == NONE:
        how = "Row k was taken for idx k, as `labels` says."
    elif checkpoint.names:
        how = (
            f"Row k was taken for idx k: {one_line(checkpoint.names[0].place, 60)} is not read "
            "without a `mapping`."
        )
    left: tuple[str, ...] = ()
    if mapping is not None and checkpoint.vectors.shape[1] == mapping.n_nodes != checkpoint.rows:
        left = (
            f"The table has {checkpoint.rows:,} rows and a column for each of {mapping.n_nodes:,} "
            "nodes: it may be transposed.",
        )
    row_of = np.where(rows < checkpoint.rows, rows, -1)
    return Aligned(checkpoint, row_of, False, how=how, left_out=left)


def _joined(checkpoint: Checkpoint, mapping: MappingStatistics, joins: list[Join]) -> Aligned:
    """The table joined by the best of what names its rows, if nothing contradicts it."""
    good = [join for join in joins if join.holds]
    if not good:
        raise _nobody(checkpoint, mapping, joins)
    good = [join for join in good if not join.counts_rows] or good
    best = max(good, key=lambda join: join.matched)
    for other in good:
        _agree(checkpoint, best, other)
    row_of = np.full(mapping.n_nodes, -1, dtype=np.int64)
    rows = np.flatnonzero(best.idx >= 0)[::-1]  # the first row of a label wins
    row_of[best.idx[rows]] = rows
    place = one_line(best.names.place, 60)
    left = dict.fromkeys(
        one_line(join.names.place, 60) for join in joins if join.names is not best.names
    )
    unused = (f"Not needed to join rows: {', '.join(left)}.",) if left else ()
    if best.plain:
        n = max(checkpoint.rows, mapping.n_nodes)
        every = np.arange(n)
        how = f"Row k was taken for idx k: {place} counts 0, 1, 2 ..."
        at = np.where(every < checkpoint.rows, every, -1)
        return Aligned(checkpoint, at, False, how=how, unused=unused)
    return Aligned(
        checkpoint,
        row_of,
        True,
        unmatched=best.unmatched,
        how=f"Rows were joined by {place}, taken as {best.sense}.",
        by=f"rows by {place} ({best.meaning})",
        left_out=tuple(_counts(best, row_of, mapping, place)),
        unused=unused,
        repeated=best.repeated,
    )


def _counts(join: Join, row_of: IntArray, mapping: MappingStatistics, place: str) -> Iterator[str]:
    """What the join left out, a sentence each."""
    if join.unmatched:
        yield f"{join.unmatched:,} labels of the table are not in the mapping."
    if join.missing:
        yield f"{plural(join.missing, 'row')} {have(join.missing)} no entry in {place}."
    if join.repeated:
        yield (
            f"{plural(join.repeated, 'row')} {have(join.repeated)} a label of {place} that an "
            "earlier row has: the first counts."
        )
    if lacking := int(np.count_nonzero(mapping.mapped & (row_of < 0))):
        yield f"{plural(lacking, 'node')} of the mapping {have(lacking)} no row in the table."


def have(count: int) -> str:
    """The verb of so many."""
    return "has" if count == 1 else "have"


def _agree(checkpoint: Checkpoint, best: Join, other: Join) -> None:
    """InputError where two things that name the rows name them differently."""
    both = (best.idx >= 0) & (other.idx >= 0)
    apart = np.flatnonzero(both & (best.idx != other.idx))
    if other is best or not len(apart) or 2 * other.matched < best.matched:
        return
    row = int(apart[0])
    one, two = (
        f"{one_line(join.names.place, 60)} ({join.names.values[row].as_py()}: idx {join.idx[row]})"
        for join in (best, other)
    )
    raise InputError(
        f"{checkpoint.path}: {one} and {two} say different things of row {row} and of "
        f"{len(apart) - 1:,} others; say which is meant: `labels` = {best.asked} or {other.asked}"
    )


def _nobody(checkpoint: Checkpoint, mapping: MappingStatistics, joins: list[Join]) -> InputError:
    """Why nothing in the file says whose each row is, with what would."""
    first = joins[0]
    place = one_line(first.names.place, 60)
    shown = _first(first.names.values)
    if first.asked_as:
        choices = " or ".join(f"`labels` = {join.asked}" for join in joins if join.asked_as)
        return InputError(
            f"{checkpoint.path}: {place} ({shown}) {first.asked_as}; say what it means: {choices} "
            "(`none`: row k is idx k)"
        )
    known = mapping.identifiers.column(np.flatnonzero(mapping.mapped)[:4])
    return InputError(
        f"{checkpoint.path}: none of its row labels ({shown}) in {place} is an identifier of the "
        f"{'pairs' if mapping.derived else 'mapping'} ({_first(known)}); give the `mapping` that "
        "it was trained with, or say with `labels` what names the rows (`none`: row k is idx k)"
    )


def _first(labels: pa.Array) -> str:
    shown = [one_line(str(label), 40) for label in labels.slice(0, 3).to_pylist()]
    return ", ".join([*shown, "..."] if len(labels) > 3 else shown)
