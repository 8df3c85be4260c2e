"""A set of pairs held against a closure: a mark for each slot, and the keys of all others."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np

from taxcheck.arrays import distinct, within
from taxcheck.statistics.hierarchy.closure import Closure
from taxcheck.statistics.values import BoolArray, IntArray

_DENSE = 1 << 30
_WINDOW = 1 << 22


class SlotSet:
    """Slots 0 .. size - 1 that occur; one byte a slot, or sorted slots where that is too many."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._marks = np.zeros(size, dtype=bool) if size <= _DENSE else None
        self._parts: list[IntArray] = []
        self._lock = threading.Lock()

    def add(self, slots: IntArray) -> None:
        """Mark slots, (k,). Workers may do so at once: all of them write the same value."""
        if self._marks is not None:
            self._marks[slots] = True
        else:
            with self._lock:
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
            return (slots >= 0) & self._marks[slots] if self._size else slots >= 0
        return within(self._sorted, slots)

    def present(self) -> IntArray:
        """The slots that occur, ascending."""
        return np.flatnonzero(self._marks) if self._marks is not None else self._sorted

    def absent_windows(self) -> Iterator[IntArray]:
        """The slots that do not occur, ascending, in bounded arrays."""
        for start in range(0, self._size, _WINDOW):
            window = np.arange(start, min(start + _WINDOW, self._size))
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
        """Give the slots of both."""
        merged = SlotSet(0)
        merged._size = self._size
        if self._marks is not None and other._marks is not None:
            merged._marks = self._marks | other._marks
        else:
            merged._marks = None
            merged._parts = [self._sorted, other._sorted]
        return merged


class PairSet:
    """Distinct pairs: in the closure by slot, others by key, descendant * n + ancestor."""

    def __init__(self, closure: Closure, n: int) -> None:
        self.closure = closure
        self.n = max(n, 1)
        self.slots = SlotSet(closure.expected)
        self._outside = np.empty(0, np.int64)
        self._pending: list[IntArray] = []
        self.rows_held = 0
        self.rows_outside = 0
        self._lock = threading.Lock()

    def add(
        self, ancestor: IntArray, descendant: IntArray, slot: IntArray, held: BoolArray
    ) -> None:
        """Take a batch in, whose slots have been looked up; several workers may do so at once."""
        everything = bool(held.all())
        self.slots.add(slot if everything else slot[held])
        outside = ~held
        with self._lock:
            if everything:
                self.rows_held += len(slot)
                return
            keys = descendant[outside] * self.n + ancestor[outside]
            self._pending.append(keys)
            self.rows_outside += len(keys)
            self.rows_held += len(slot) - len(keys)

    @property
    def outside(self) -> IntArray:
        """Sorted distinct keys of the pairs that the closure does not hold."""
        if self._pending:
            self._outside = distinct(np.concatenate([self._outside, *self._pending]))
            self._pending.clear()
        return self._outside

    @property
    def rows(self) -> int:
        """Rows taken in, repeated ones too."""
        return self.rows_held + self.rows_outside

    def __len__(self) -> int:
        return len(self.slots) + len(self.outside)

    def contains(self, ancestor: IntArray, descendant: IntArray) -> BoolArray:
        """Which pairs are in the set; both (k,)."""
        slot, _ = self.closure.find(ancestor, descendant)
        return self.slots.contains(slot) | within(self.outside, descendant * self.n + ancestor)

    def reversed_keys(self, cyclic: bool) -> IntArray:
        """Sorted keys of all pairs whose reverse is in the set too, both directions.

        In a closure without cycles only one of the two can be held, so it is enough to look from
        the pairs outside.
        """
        outside = self.outside
        descendant, ancestor = np.divmod(outside, self.n)
        if cyclic:
            a, d, _ = self.closure.pairs(self.slots.present())
            ancestor, descendant = np.r_[ancestor, a], np.r_[descendant, d]
        both = self.contains(descendant, ancestor)
        a, d = ancestor[both], descendant[both]
        return distinct(np.r_[d * self.n + a, a * self.n + d])
