"""A set of pairs held against a closure: a mark for each slot, and the keys of all others."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray, distinct, within
from taxcheck.statistics.hierarchy.closure import Closure
from taxcheck.statistics.hierarchy.slots import SlotSet
from taxcheck.statistics.state import refuse_unless


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
