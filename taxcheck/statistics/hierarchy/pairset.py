"""A set of pairs held against a closure: a mark for each slot, and the keys of all others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray, distinct, within
from taxcheck.statistics.hierarchy.closure import Closure
from taxcheck.statistics.state import refuse_unless

_DENSE = 1 << 30
_WINDOW = 1 << 22


class SlotSet:
    """Slots 0 .. size - 1 that occur; one byte a slot, or sorted slots beyond ``dense`` bytes.

    Of ``np.zeros`` only the pages that are written to take memory.
    """

    def __init__(self, size: int, dense: int | None = None) -> None:
        self.size = size
        small = size <= (_DENSE if dense is None else dense)
        self._marks = np.zeros(size, dtype=bool) if small else None
        self._parts: list[IntArray] = []

    @classmethod
    def empty(cls, size: int) -> SlotSet:
        """No slot yet."""
        return cls(size)

    def add(self, slots: IntArray) -> None:
        """Mark slots, (k,). Threads may do so at once: all of them write the same value."""
        if self._marks is not None:
            self._marks[slots] = True
        else:
            self._parts.append(distinct(slots))

    @property
    def _sorted(self) -> IntArray:
        if len(self._parts) != 1:
            joined = np.concatenate(self._parts) if self._parts else np.empty(0, np.int64)
            self._parts = [distinct(joined)]
        return self._parts[0]

    def __len__(self) -> int:
        if self._marks is not None:
            return int(np.count_nonzero(self._marks))
        return len(self._sorted)

    def contains(self, slots: IntArray) -> BoolArray:
        """Which slots occur; -1 never does."""
        if self._marks is not None:
            return (slots >= 0) & self._marks[slots] if self.size else slots >= 0
        return within(self._sorted, slots)

    def present(self) -> IntArray:
        """The slots that occur, ascending."""
        return np.flatnonzero(self._marks) if self._marks is not None else self._sorted

    def absent_windows(self) -> Iterator[IntArray]:
        """The slots that do not occur, ascending, in bounded arrays."""
        for start in range(0, self.size, _WINDOW):
            window = np.arange(start, min(start + _WINDOW, self.size))
            yield window[~self.contains(window)]

    def absent(self, limit: int) -> IntArray:
        """The first ``limit`` slots that do not occur."""
        found: list[IntArray] = []
        for window in self.absent_windows():
            found.append(window)
            if sum(map(len, found)) >= limit:
                break
        return np.concatenate(found)[:limit] if found else np.empty(0, np.int64)

    def merge(self, other: SlotSet) -> SlotSet:
        """Give the slots of both; BrokenError where they are slots of two closures."""
        refuse_unless(
            self.size == other.size, f"one has {self.size:,} slots, the other {other.size:,}"
        )
        merged = SlotSet(self.size, 0)
        if self._marks is not None and other._marks is not None:
            # threads of one process mark one array
            one = self._marks is other._marks
            merged._marks = self._marks if one else self._marks | other._marks
        else:
            merged._marks, merged._parts = None, [self.present(), other.present()]
        return merged

    def __getstate__(self) -> dict[str, Any]:
        """What is shipped: a bit a slot."""
        marks = None if self._marks is None else np.packbits(self._marks)
        return {"size": self.size, "_marks": marks, "_parts": self._parts}

    def __setstate__(self, shipped: dict[str, Any]) -> None:
        self.__dict__ |= shipped
        if self._marks is not None:
            self._marks = np.unpackbits(self._marks, count=self.size).astype(bool)


@dataclass(slots=True)
class PairSet:
    """Distinct pairs of n idx: in the closure by slot, others by key, descendant * n + ancestor."""

    n: int
    slots: SlotSet
    rows: int = 0  # taken in, repeated ones too
    _outside: list[IntArray] = field(default_factory=list)

    @classmethod
    def empty(cls, n: int, slots: SlotSet) -> PairSet:
        """No pair yet; ``slots`` may be shared by the threads of a process."""
        return cls(max(n, 1), slots)

    def add(self, rows: int, slots: IntArray, outside: IntArray) -> None:
        """Take rows in: the slots of those in the closure, and the keys of the others."""
        self.rows += rows
        self.slots.add(slots)
        if len(outside):
            self._outside.append(distinct(outside))

    def merge(self, other: PairSet) -> PairSet:
        """Give the pairs of both."""
        refuse_unless(self.n == other.n, f"one is of {self.n:,} idx, the other of {other.n:,}")
        return PairSet(
            self.n,
            self.slots.merge(other.slots),
            self.rows + other.rows,
            self._outside + other._outside,
        )

    @property
    def outside(self) -> IntArray:
        """Sorted distinct keys of the pairs that the closure does not hold."""
        if len(self._outside) != 1:
            self._outside = [distinct(np.concatenate([np.empty(0, np.int64), *self._outside]))]
        return self._outside[0]

    def __len__(self) -> int:
        return len(self.slots) + len(self.outside)

    def contains(self, closure: Closure, ancestor: IntArray, descendant: IntArray) -> BoolArray:
        """Which pairs are in the set; both (k,)."""
        slot, _ = closure.find(ancestor, descendant)
        return self.slots.contains(slot) | within(self.outside, descendant * self.n + ancestor)

    def reversed_keys(self, closure: Closure) -> IntArray:
        """Sorted keys of all pairs whose reverse is in the set too, both directions.

        Of the two the closure can hold only one, so it is enough to look from the pairs outside.
        """
        d, a = np.divmod(self.outside, self.n)
        both = self.contains(closure, d, a)
        a, d = a[both], d[both]
        return distinct(np.r_[d * self.n + a, a * self.n + d])
