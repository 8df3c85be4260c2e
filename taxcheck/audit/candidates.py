"""The ways in which rows may belong to idx: that which was used, and what people mistake for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.audit.alignment import Aligned
from taxcheck.audit.joins import joins_of
from taxcheck.model.arrays import IntArray
from taxcheck.model.errors import one_line
from taxcheck.sources.checkpoints.row_names import Meaning
from taxcheck.statistics.values import MappingStatistics

_SORTED = 1 << 20  # identifiers that are sorted as text; beyond, that order is not tried


class Way(StrEnum):
    """What kind of mistake another way would undo."""

    SHIFT = "shift"  # rows stand beside those they belong to
    ORDER = "order"  # rows stand in another order
    IDX = "idx"  # what was taken for identifiers are idx
    TRANSPOSED = "transposed"  # columns are the rows


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way: for each idx its row, (n,), -1 for none; of the columns where transposed."""

    name: str  # completes "under ..."
    way: Way
    row_of: IntArray
    ask: str | None = None  # what the field `labels` says to have rows joined so


def other_ways(table: Aligned, mapping: MappingStatistics, n: int) -> Iterator[Candidate]:
    """All ways but the one that was used, those with fewest assumptions first."""
    used, rows = table.row_of[:n], table.checkpoint.rows
    every = np.arange(n)
    for step in (1, -1):
        told = f"a shift by one (row k {'+' if step > 0 else '-'} 1 is idx k)"
        moved = np.where(used >= 0, used + step, -1)
        yield Candidate(told, Way.SHIFT, np.where(moved < rows, moved, -1))
    if table.by_labels:
        stands = np.where(every < rows, every, -1)
        yield Candidate("the order in which its rows stand", Way.ORDER, stands, "none")
    yield from _by_entries(table, mapping, n)
    last = min(n, rows) - 1
    yield Candidate("its rows reversed", Way.ORDER, np.where(every <= last, last - every, -1))
    for name, order in _orders(mapping):
        row_of = np.full(n, -1, dtype=np.int64)
        row_of[order] = np.arange(len(order))
        yield Candidate(f"the order of {name}", Way.ORDER, np.where(row_of < rows, row_of, -1))
    width = table.checkpoint.vectors.shape[1]
    if width == mapping.n_nodes != rows:
        yield Candidate("transposition", Way.TRANSPOSED, every)


def untried(mapping: MappingStatistics) -> tuple[str, ...]:
    """Ways that ``other_ways`` leaves out for what they would take, each with its reason."""
    if mapping.nodes <= _SORTED:
        return ()
    return (f"the order of identifiers as text, beyond {_SORTED:,} identifiers",)


def _by_entries(table: Aligned, mapping: MappingStatistics, n: int) -> Iterator[Candidate]:
    """What else the file says of its rows, and what its labels would say as idx."""
    for join in joins_of(table.checkpoint, mapping, every=True):
        row_of = np.full(n, -1, dtype=np.int64)
        rows = np.flatnonzero((join.idx >= 0) & (join.idx < n))[::-1]
        row_of[join.idx[rows]] = rows
        place = one_line(join.names.place, 60)
        labels = join.names.meaning is Meaning.IDENTIFIERS
        way = Way.IDX if labels and join.meaning is not Meaning.IDENTIFIERS else Way.ORDER
        yield Candidate(f"its {place} as {join.sense}", way, row_of, join.asked)


def _orders(mapping: MappingStatistics) -> Iterator[tuple[str, IntArray]]:
    """Orders in which identifiers are numbered, as their idx, (nodes,)."""
    idx = np.flatnonzero(mapping.mapped)
    integers = mapping.identifiers.integers
    if not untried(mapping):
        texts = mapping.identifiers.column(idx).cast(pa.string())
        yield "identifiers as text", idx[pc.sort_indices(texts).to_numpy()]
    if integers is not None:
        yield "identifiers as numbers", idx[np.argsort(integers[idx], kind="stable")]
    if not mapping.derived:
        yield "rows in the mapping's file", idx[np.argsort(mapping.row_of[idx], kind="stable")]
