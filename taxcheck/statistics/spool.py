"""The pairs that passed: kept compactly, so that the source itself is read only once.

Where a cluster has read them they are read again instead (``run.again``). In a spool a pair takes 8
bytes, one more for a distance below 256 (else four), and four for a weight. Up to ``MEMORY_LIMIT``
bytes stay in memory, which holds 80 million pairs without weights; what comes after lies in an
anonymous temporary file, and reading it back is bounded by one batch.
"""

from __future__ import annotations

import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.errors import InputError
from taxcheck.sources.tables.weights import Weights
from taxcheck.statistics.passes import Partition

MEMORY_LIMIT = 720 << 20

Column = npt.NDArray[np.generic]
Marks = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class SpooledBatch:
    """Pairs as they come back: rows as in the source, ascending within a batch."""

    rows: IntArray  # (n,)
    ancestor: IntArray
    descendant: IntArray
    depth_diff: IntArray | None
    marks: Marks | None  # given by the writer; None: all zero
    weight: Weights | None = None

    def below(self, descendants: BoolArray) -> Iterator[SpooledBatch]:
        """The pairs of some descendants, marked (n,); nothing where there are none."""
        chosen = descendants[self.descendant]
        if chosen.all():
            yield self
        elif chosen.any():
            columns: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
            taken: dict[str, Any] = {n: c if c is None else c[chosen] for n, c in columns.items()}
            yield SpooledBatch(**taken)


@dataclass(frozen=True, slots=True)
class _Stored:
    """One column of one batch: in memory, or where it lies in the file."""

    dtype: np.dtype[np.generic]
    array: Column | None
    offset: int = -1


@dataclass(frozen=True, slots=True)
class _Entry:
    first_row: int
    pairs: int
    columns: dict[str, _Stored]


class KeptPairs(ABC):
    """The sound pairs of a table, in the order of the source, as often as they are asked for."""

    def __init__(self, has_depth: bool, has_weights: bool = False) -> None:
        self.has_depth, self.has_weights = has_depth, has_weights

    @abstractmethod
    def __len__(self) -> int:
        """How many there are."""

    @abstractmethod
    def batches(self) -> Iterator[SpooledBatch]:
        """All of them, by ascending rows."""

    @abstractmethod
    def partitions(self) -> Sequence[Partition[SpooledBatch]] | None:
        """The same in parts that any process can read; None where only this one can."""

    def below(self, descendants: BoolArray) -> Iterator[SpooledBatch]:
        """The pairs of some descendants, marked (n,), by ascending rows."""
        yield from (one for batch in self.batches() for one in batch.below(descendants))

    def first_rows(self, nodes: IntArray) -> IntArray:
        """The first row in which each of a few nodes (k,) stands, (k,); -1 where none does."""
        rows = np.full(len(nodes), -1, dtype=np.int64)
        for batch in self.batches():
            for k in np.flatnonzero(rows < 0):
                here = (batch.ancestor == nodes[k]) | (batch.descendant == nodes[k])
                at = int(here.argmax())
                rows[k] = batch.rows[at] if here[at] else -1
            if (rows >= 0).all():
                break
        return rows

    def weights(self) -> Weights:
        """The weights of all pairs, (pairs,), in the order of the batches."""
        columns = (batch.weight for batch in self.batches())
        return np.concatenate([np.empty(0, np.float32), *(c for c in columns if c is not None)])


class PairSpool(KeptPairs):
    """Pairs at hand: written by several workers at once, then read back."""

    def __init__(self, has_depth: bool, has_weights: bool = False) -> None:
        super().__init__(has_depth, has_weights)
        self._entries: list[_Entry] = []
        self._lock = threading.Lock()
        self._in_memory = 0
        self._file: IO[bytes] | None = None
        self._end = 0

    def __len__(self) -> int:
        return sum(entry.pairs for entry in self._entries)

    def append(
        self,
        rows: IntArray,
        ancestor: IntArray,
        descendant: IntArray,
        depth_diff: IntArray | None,
        marks: Marks | None = None,
        weight: Weights | None = None,
    ) -> None:
        """Keep a batch; idx and distances are below 2**31. InputError where the disk is full."""
        if not len(rows):
            return
        columns: dict[str, Column] = {
            "ancestor": ancestor.astype(np.int32, copy=False),
            "descendant": descendant.astype(np.int32, copy=False),
        }
        if depth_diff is not None:
            small = depth_diff.min() >= 0 and depth_diff.max() < 256
            columns["depth_diff"] = depth_diff.astype(np.uint8 if small else np.int32, copy=False)
        if int(rows[-1]) - int(rows[0]) + 1 != len(rows):
            columns["rows"] = rows
        if marks is not None:
            columns["marks"] = marks
        if weight is not None:
            columns["weight"] = weight
        with self._lock:
            stored = {name: self._keep(column) for name, column in columns.items()}
            self._entries.append(_Entry(int(rows[0]), len(rows), stored))

    def _keep(self, column: Column) -> _Stored:
        if self._in_memory + column.nbytes <= MEMORY_LIMIT:
            self._in_memory += column.nbytes
            return _Stored(column.dtype, column)
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115
            offset = self._file.seek(self._end)
            self._file.write(np.ascontiguousarray(column).data)
            self._end = self._file.tell()
        except OSError as error:
            raise InputError(
                f"no room for more than {len(self):,} pairs in {tempfile.gettempdir()}: "
                f"{error.strerror}; set TMPDIR to a folder with more space"
            ) from None
        return _Stored(column.dtype, None, offset)

    def batches(self) -> Iterator[SpooledBatch]:
        """Read everything back, by ascending rows."""
        for entry in sorted(self._entries, key=lambda e: e.first_row):
            with self._lock:
                columns = {name: self._take(c, entry.pairs) for name, c in entry.columns.items()}
            rows = columns.get("rows")
            diff, marks, weight = (columns.get(c) for c in ("depth_diff", "marks", "weight"))
            yield SpooledBatch(
                np.arange(entry.first_row, entry.first_row + entry.pairs)
                if rows is None
                else rows.astype(np.int64),
                columns["ancestor"].astype(np.int64),
                columns["descendant"].astype(np.int64),
                None if diff is None else diff.astype(np.int64),
                None if marks is None else marks.astype(np.uint8),
                None if weight is None else weight.astype(np.float32),
            )

    def partitions(self) -> None:
        """None: no other process can read it."""

    def _take(self, stored: _Stored, pairs: int) -> Column:
        if stored.array is not None:
            return stored.array
        assert self._file is not None
        self._file.seek(stored.offset)
        return np.frombuffer(self._file.read(pairs * stored.dtype.itemsize), dtype=stored.dtype)

    def close(self) -> None:
        """Give the memory and the temporary file back."""
        self._entries.clear()
        if self._file is not None:
            self._file.close()
