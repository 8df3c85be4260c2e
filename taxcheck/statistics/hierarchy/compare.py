"""Pairs held against a closure, batch by batch: a state that any number of workers can fold."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.statistics.hierarchy.closure import Closure
from taxcheck.statistics.hierarchy.pairset import PairSet
from taxcheck.statistics.hierarchy.slots import SlotSet
from taxcheck.statistics.passes import Shared
from taxcheck.statistics.spool import SpooledBatch


@dataclass(frozen=True, slots=True)
class ComparedPairs:
    """A batch held against the closure."""

    rows: int
    slots: IntArray  # of the pairs that the closure holds
    outside: IntArray  # keys of the others
    doubtful: IntArray  # positions of those that it does not hold at their stated distance
    suspects: IntArray  # their descendants


def compare(batch: SpooledBatch, closure: Closure, n: int) -> ComparedPairs:
    """Which pairs of n idx the closure holds."""
    slot, distance = closure.find(batch.ancestor, batch.descendant)
    held = slot >= 0
    doubtful = ~held
    if batch.depth_diff is not None:
        doubtful |= distance != batch.depth_diff
    at = np.flatnonzero(doubtful)
    suspects = batch.descendant[at]
    if held.all():
        return ComparedPairs(len(slot), slot, np.empty(0, np.int64), at, suspects)
    keys = batch.descendant[~held] * n + batch.ancestor[~held]
    return ComparedPairs(len(slot), slot[held], keys, at, suspects)


@dataclass(slots=True)
class ProofState:
    """A state: the pairs that were compared, duplicates included."""

    pairs: PairSet
    doubtful: int = 0  # rows that are not proved
    suspects: BoolArray | None = None  # (n,) the descendants of such rows; None: there are none

    @classmethod
    def empty(cls, n: int, slots: SlotSet) -> ProofState:
        """No pair of n idx yet; ``slots`` may be shared by the threads of a process."""
        return cls(PairSet.empty(n, slots))

    def update(self, compared: ComparedPairs) -> None:
        """Fold one batch."""
        self.pairs.add(compared.rows, compared.slots, compared.outside)
        self.doubtful += len(compared.doubtful)
        if len(compared.suspects):
            if self.suspects is None:
                self.suspects = np.zeros(self.pairs.n, dtype=np.bool_)
            self.suspects[compared.suspects] = True

    def merge(self, other: ProofState) -> ProofState:
        """Give the counts of both parts."""
        suspects = self.suspects if other.suspects is None else other.suspects
        if self.suspects is not None and other.suspects is not None:
            suspects = self.suspects | other.suspects
        pairs = self.pairs.merge(other.pairs)
        return ProofState(pairs, self.doubtful + other.doubtful, suspects)


class Comparison:
    """The second pass: every pair is held against the closure. A job; see ``statistics.passes``.

    The closure has ``size`` slots, and there are ``rows`` pairs; ``flat``: by ancestry alone. The
    states of one process mark the same slots.
    """

    def __init__(self, closure: Shared[Closure], size: int, rows: int, n: int, flat: bool) -> None:
        self._given = closure, size, rows, n, flat
        self._closure, self._n, self._flat = closure, n, flat
        self._slots = SlotSet(size, rows)

    def empty(self) -> ProofState:
        """No pair yet."""
        return ProofState.empty(self._n, self._slots)

    def read(self, batch: SpooledBatch) -> ComparedPairs:
        """Hold a batch against the closure."""
        batch = replace(batch, depth_diff=None) if self._flat else batch
        return compare(batch, self._closure.value, max(self._n, 1))

    def told(self, found: ComparedPairs) -> tuple[()]:
        """Nothing: which rows they are, only the sweep says."""
        del found
        return ()

    def __reduce__(self) -> tuple[type[Comparison], tuple[Shared[Closure], int, int, int, bool]]:
        """What is shipped: no slots, which whoever is given the job has of his own."""
        return Comparison, self._given
