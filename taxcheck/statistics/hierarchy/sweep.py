"""A second look at unsound pairs, in the order of the source, to say which rows they are."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from taxcheck.arrays import within
from taxcheck.statistics.depths import BELOW_ONE, DIFFERS, SHORTER, Histogram
from taxcheck.statistics.hierarchy.judgement import Chains, Judgement, choose, shown
from taxcheck.statistics.hierarchy.pairset import PairSet
from taxcheck.statistics.samples import Offenders, Sink
from taxcheck.statistics.spool import SpooledBatch
from taxcheck.statistics.values import BoolArray, IntArray


@dataclass(slots=True)
class Repeats:
    """What the rows beyond the first of their pair added to the statistics, to be taken out."""

    as_ancestor: IntArray
    as_descendant: IntArray
    depths: Histogram = field(default_factory=Histogram)
    flagged: dict[int, int] = field(default_factory=lambda: {BELOW_ONE: 0, DIFFERS: 0, SHORTER: 0})


class Sweep:
    """A walk over all pairs in the order of the source: the first row of a pair owns it."""

    def __init__(self, first: PairSet, chains: Chains, turned: IntArray, sink: Sink | None) -> None:
        n = first.n
        self._known, self._turned = first, turned
        self._outside_seen = np.zeros(len(first.outside), dtype=bool)
        self.judgement = Judgement(PairSet(first.closure, n), chains)
        self.judgement.false.sink = sink
        self.duplicates = Offenders("duplicate_pair", "descendant_idx", sink)
        self.reversed = Offenders("reversed_pair", "descendant_idx", sink)
        self.repeats = Repeats(np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64))

    def visit(self, batch: SpooledBatch) -> None:
        """Take the next batch."""
        keys = batch.descendant * self._known.n + batch.ancestor
        repeated = self._repeated(batch, keys)
        if repeated.any():
            self.duplicates.add(batch.rows[repeated], shown(batch, repeated))
            self._take_out(batch, repeated)
            own = ~repeated
            batch, keys = choose(batch, own), keys[own]
        turned = within(self._turned, keys)
        if turned.any():
            self.reversed.add(batch.rows[turned], shown(batch, turned))
        self.judgement.update(batch)

    def _repeated(self, batch: SpooledBatch, keys: IntArray) -> BoolArray:
        """Rows whose pair an earlier row has."""
        repeated = np.ones(len(keys), dtype=bool)
        repeated[np.unique(keys, return_index=True)[1]] = False
        slot, _ = self._known.closure.find(batch.ancestor, batch.descendant)
        repeated |= self.judgement.pairs.slots.contains(slot)
        outside = np.flatnonzero(slot < 0)
        where = np.searchsorted(self._known.outside, keys[outside])
        repeated[outside] |= self._outside_seen[where]
        self._outside_seen[where] = True
        return repeated

    def _take_out(self, batch: SpooledBatch, repeated: BoolArray) -> None:
        n = self._known.n
        self.repeats.as_ancestor += np.bincount(batch.ancestor[repeated], minlength=n)
        self.repeats.as_descendant += np.bincount(batch.descendant[repeated], minlength=n)
        if batch.depth_diff is not None:
            self.repeats.depths.add(batch.depth_diff[repeated])
        if batch.flags is not None:
            for flag in self.repeats.flagged:
                self.repeats.flagged[flag] += int(np.count_nonzero(batch.flags[repeated] & flag))
