"""How often each node occurs, in as few bytes as the counts need, in memory and when shipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from taxcheck.model.arrays import IntArray, Whole, changes
from taxcheck.statistics.state import refuse_unless

NARROW = int(np.iinfo(np.int32).max)  # what a count of 32 bits can hold

Packed = tuple[int, str, int, npt.NDArray[np.integer] | None, Whole]


@dataclass(slots=True)
class Counts:
    """A state: of each of n idx the number of its occurrences.

    No count exceeds their ``total``: as long as that fits, each takes 32 bits.
    """

    each: Whole  # (n,)
    total: int = 0

    @classmethod
    def empty(cls, n: int) -> Counts:
        """Nothing counted yet, of n idx."""
        return cls(np.zeros(n, dtype=np.int32))

    def add(self, idx: IntArray) -> None:
        """Count occurrences, (k,); each idx is from 0 to n - 1."""
        if not len(idx):
            return
        self.total += len(idx)
        self.each = _roomy(self.each, self.total)
        one = self.each.dtype.type(1)
        runs = changes(idx)  # the descendants of a closure mostly stand side by side
        if runs is not None:
            lengths = np.diff(runs, append=len(idx)).astype(self.each.dtype)
            np.add.at(self.each, idx[runs], lengths)
            return
        first, last = int(idx.min()), int(idx.max())
        if last - first < len(idx):
            self.each[first : last + 1] += np.bincount(idx - first).astype(self.each.dtype)
        else:  # arrays as long as all counts would cost more than single additions
            np.add.at(self.each, idx, one)

    def merge(self, other: Counts) -> Counts:
        """Give the counts of both parts."""
        n, others = len(self.each), len(other.each)
        refuse_unless(n == others, f"one is of {n:,} idx, the other of {others:,}")
        total = self.total + other.total
        return Counts(_roomy(self.each, total) + other.each, total)

    def freeze(self) -> Whole:
        """The counts, (n,), to be read only; no sum of several of them leaves their width."""
        counts = self.each.view()
        counts.flags.writeable = False
        return counts

    def __getstate__(self) -> tuple[Packed, int]:
        """What is shipped: a part of the data names few of all nodes, and each a few times."""
        return packed(self.each, 0), self.total

    def __setstate__(self, shipped: tuple[Packed, int]) -> None:
        self.each, self.total = unpacked(shipped[0], 0), shipped[1]


def _roomy(each: Whole, total: int) -> Whole:
    """Counts of which each can become so many."""
    return each if total <= NARROW else each.astype(np.int64, copy=False)


def packed(values: Whole, blank: int) -> Packed:
    """Values of nodes, (n,), most of which are ``blank``: the others alone, as narrow as they are.

    Where the others stand side by side their place is not told one by one.
    """
    at = np.flatnonzero(values != blank)
    first, last = (int(at[0]), int(at[-1]) + 1) if len(at) else (0, 0)
    window = values[first:last]
    low, high = (int(window.min()), int(window.max())) if len(window) else (0, 0)
    kinds = (np.int8, np.int16, np.int32, np.int64)
    kind = np.dtype(next(k for k in kinds if np.iinfo(k).min <= low and high <= np.iinfo(k).max))
    places: npt.NDArray[np.integer] | None = None
    if len(at) * (4 + kind.itemsize) < len(window) * kind.itemsize:
        window, places = values[at], (at - first).astype(np.uint32)
    return len(values), values.dtype.str, first, places, window.astype(kind)


def unpacked(shipped: Packed, blank: int) -> Whole:
    """The values again, (n,)."""
    n, kind, first, places, values = shipped
    found: Whole = np.full(n, blank, dtype=np.dtype(kind))
    where: Any = slice(first, first + len(values))
    if places is not None:
        where = places.astype(np.int64) + first
    found[where] = values
    return found
