"""The second look, in the order of the source: which rows are wrong, and the first of each pair."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray, firsts, within
from taxcheck.statistics.depths import Repeats
from taxcheck.statistics.hierarchy.chains import BEYOND_EDGES, REASONS, SHORTER_WAY, Chains
from taxcheck.statistics.hierarchy.closure import Closure
from taxcheck.statistics.hierarchy.compare import compare
from taxcheck.statistics.hierarchy.kind import Likeness
from taxcheck.statistics.hierarchy.pairset import PairSet
from taxcheck.statistics.hierarchy.slots import SlotSet
from taxcheck.statistics.offenders import (
    DefectState,
    Offenders,
    Sink,
    of_pairs,
    record,
    select,
)
from taxcheck.statistics.spool import SpooledBatch

_FALSE, _UNPROVEN = "false_ancestor_pair", "false_ancestor_pair.unproven"


def verdicts(
    batch: SpooledBatch,
    doubtful: IntArray,
    closure: Closure,
    chains: Chains,
    likeness: Likeness,
) -> Iterator[tuple[bool, Offenders]]:
    """Whether the doubtful rows of a batch are false, or else unproven, with why."""
    a, d = batch.ancestor[doubtful], batch.descendant[doubtful]
    slot, distance = closure.find(a, d)
    here = slot >= 0
    stated = None if batch.depth_diff is None else batch.depth_diff[doubtful]
    # another way up, through what is not known, can only be shorter than the known one
    shorter = here if stated is None else here & (stated < distance) & (stated > 0)
    possible = shorter | (~here & (closure.find(d, a)[0] < 0))
    if not likeness.strict:
        unproven = possible
    elif chains.forest is not None and chains.top is not None:
        known = here if stated is None else here | (stated <= chains.forest.depth[d])
        unproven = ~known & (chains.top[a] != chains.top[d])
        unproven |= ~here & within(chains.on_cycle, d)
    else:
        unproven = possible & (chains.doubt[d] > 0)
    supported = within(likeness.supported, d * max(len(chains.doubt), 1) + a)
    unproven |= supported
    for word, wrong in (("ancestry", ~unproven & ~here), ("distance", ~unproven & here)):
        if wrong.any():
            yield True, of_pairs(_FALSE, batch, doubtful[wrong], word)
    why = chains.why_unknown(a, d)
    reasons = np.where(why > 0, why, np.where(here, SHORTER_WAY, BEYOND_EDGES))
    for reason in np.unique(reasons[unproven]):
        chosen = doubtful[unproven & (reasons == reason)]
        yield False, of_pairs(_UNPROVEN, batch, chosen, REASONS[reason])


class Sweep:
    """A walk over all rows of some descendants in the order of the source.

    The first row of a pair owns it. There are so many ``rows``.
    """

    def __init__(
        self,
        known: PairSet,
        closure: Closure,
        chains: Chains,
        likeness: Likeness,
        turned: IntArray,
        sink: Sink | None,
        rows: int,
    ) -> None:
        self._known, self._closure, self._chains = known, closure, chains
        self._likeness = likeness
        self._turned, self._sink = turned, sink
        self._slots_seen = SlotSet(closure.size, rows)
        self._outside_seen = np.zeros(len(known.outside), dtype=bool)
        self.duplicates = DefectState.empty("duplicate_pair", "descendant_idx")
        self.reversed = DefectState.empty("reversed_pair", "descendant_idx")
        self.false, self.unproven = (
            DefectState.empty(name, "descendant_idx") for name in (_FALSE, _UNPROVEN)
        )
        n = len(chains.doubt)
        self.repeats = Repeats(np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64))

    def visit(self, batch: SpooledBatch) -> None:
        """Take the next batch."""
        keys = batch.descendant * self._known.n + batch.ancestor
        repeated = self._repeated(batch, keys)
        if repeated.any():
            record(of_pairs("duplicate_pair", batch, repeated), self.duplicates, self._sink)
            self.repeats.take(select(batch, repeated))
            batch, keys = select(batch, ~repeated), keys[~repeated]
        turned = within(self._turned, keys)
        if turned.any():
            record(of_pairs("reversed_pair", batch, turned), self.reversed, self._sink)
        compared = compare(batch, self._closure, self._known.n)
        self._slots_seen.add(compared.slots)
        if not len(compared.doubtful):
            return
        judged = verdicts(batch, compared.doubtful, self._closure, self._chains, self._likeness)
        for false, offenders in judged:
            record(offenders, self.false if false else self.unproven, self._sink)

    def _repeated(self, batch: SpooledBatch, keys: IntArray) -> BoolArray:
        """Rows whose pair an earlier row has."""
        repeated = np.ones(len(keys), dtype=bool)
        repeated[firsts(keys)] = False
        slot, _ = self._closure.find(batch.ancestor, batch.descendant)
        repeated |= self._slots_seen.contains(slot)
        outside = np.flatnonzero(slot < 0)
        where = np.searchsorted(self._known.outside, keys[outside])
        repeated[outside] |= self._outside_seen[where]
        self._outside_seen[where] = True
        return repeated
