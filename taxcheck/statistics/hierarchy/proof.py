"""The proof of the closure: nothing false, nothing missing, nothing twice.

A pair is proved when the closure holds it at its stated distance. In a tree it is false when an
intact chain of depth-1 pairs contradicts it: the chain of d is known up to its top, and contradicts
any other ancestor within its reach, and any under the same top. An ancestor from another tree,
further up than the chain reaches, only shows that the top lacks its parent.

In a DAG, and in what may be one, the absence of an edge contradicts nothing: false is only what
would close a cycle, and a distance longer than the way that the edges have. Any other pair that is
not proved is unproven, and so is what a broken chain or a cycle hides.

Counts come from one pass in any order. Only where something is wrong does a second one, in the
order of the source, say which rows they are: the first row of a pair owns it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray, within
from taxcheck.model.finding import Defect, Sample
from taxcheck.statistics.depths import Repeats
from taxcheck.statistics.hierarchy.chains import (
    BEYOND_EDGES,
    REASONS,
    SHORTER_WAY,
    Chains,
)
from taxcheck.statistics.hierarchy.closure import Closure
from taxcheck.statistics.hierarchy.kind import Likeness
from taxcheck.statistics.hierarchy.pairset import PairSet, SlotSet
from taxcheck.statistics.offenders import (
    SAMPLES,
    DefectState,
    Offenders,
    Sink,
    of_pairs,
    record,
    select,
)
from taxcheck.statistics.passes import Executor, Shared
from taxcheck.statistics.spool import KeptPairs, SpooledBatch
from taxcheck.statistics.values import ClosureStatistics

_FALSE, _UNPROVEN = "false_ancestor_pair", "false_ancestor_pair.unproven"


@dataclass(frozen=True, slots=True)
class ComparedPairs:
    """A batch held against the closure."""

    rows: int
    slots: IntArray  # of the pairs that the closure holds
    outside: IntArray  # keys of the others
    doubtful: IntArray  # positions of those that it does not hold at their stated distance


def compare(batch: SpooledBatch, closure: Closure, n: int) -> ComparedPairs:
    """Which pairs of n idx the closure holds."""
    slot, distance = closure.find(batch.ancestor, batch.descendant)
    held = slot >= 0
    doubtful = ~held
    if batch.depth_diff is not None:
        doubtful |= distance != batch.depth_diff
    if held.all():
        return ComparedPairs(len(slot), slot, np.empty(0, np.int64), np.flatnonzero(doubtful))
    keys = batch.descendant[~held] * n + batch.ancestor[~held]
    return ComparedPairs(len(slot), slot[held], keys, np.flatnonzero(doubtful))


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


@dataclass(slots=True)
class ProofState:
    """A state: the pairs that were compared, duplicates included."""

    pairs: PairSet
    doubtful: int = 0  # rows that are not proved

    @classmethod
    def empty(cls, n: int, slots: SlotSet) -> ProofState:
        """No pair of n idx yet; ``slots`` may be shared by the threads of a process."""
        return cls(PairSet.empty(n, slots))

    def update(self, compared: ComparedPairs) -> None:
        """Fold one batch."""
        self.pairs.add(compared.rows, compared.slots, compared.outside)
        self.doubtful += len(compared.doubtful)

    def merge(self, other: ProofState) -> ProofState:
        """Give the counts of both parts."""
        return ProofState(self.pairs.merge(other.pairs), self.doubtful + other.doubtful)


class Comparison:
    """The second pass: every pair is held against the closure. A job; see ``statistics.passes``.

    ``flat``: by ancestry alone. The states of one process mark the same slots.
    """

    def __init__(self, closure: Shared[Closure], expected: int, n: int, flat: bool) -> None:
        self._given = closure, expected, n, flat
        self._closure, self._n, self._flat = closure, n, flat
        self._slots = SlotSet(expected)

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

    def __reduce__(self) -> tuple[type[Comparison], tuple[Shared[Closure], int, int, bool]]:
        """What is shipped: no slots, which whoever is given the job has of his own."""
        return Comparison, self._given


class Sweep:
    """A walk over all pairs in the order of the source: the first row of a pair owns it."""

    def __init__(
        self,
        known: PairSet,
        closure: Closure,
        chains: Chains,
        likeness: Likeness,
        turned: IntArray,
        sink: Sink | None,
    ) -> None:
        self._known, self._closure, self._chains = known, closure, chains
        self._likeness = likeness
        self._turned, self._sink = turned, sink
        self._slots_seen = SlotSet(closure.expected)
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
        repeated[np.unique(keys, return_index=True)[1]] = False
        slot, _ = self._closure.find(batch.ancestor, batch.descendant)
        repeated |= self._slots_seen.contains(slot)
        outside = np.flatnonzero(slot < 0)
        where = np.searchsorted(self._known.outside, keys[outside])
        repeated[outside] |= self._outside_seen[where]
        self._outside_seen[where] = True
        return repeated


@dataclass(frozen=True, slots=True)
class Proof:
    """The statistics of the proof, the set of training pairs, and what duplicates had added.

    Also what it rests on, by which other pairs can be judged alike; ``flat``: by ancestry alone.
    """

    statistics: ClosureStatistics
    closure: Closure
    training: PairSet
    repeats: Repeats | None
    chains: Chains
    likeness: Likeness
    flat: bool


@dataclass(frozen=True, slots=True)
class Held:
    """Training and held-out pairs held against the closure of the edges."""

    training: ProofState
    every: PairSet  # the held-out ones too


def hold(
    training: KeptPairs,
    held_out: KeptPairs | None,
    closure: Closure,
    n: int,
    executor: Executor,
    flat: bool,
) -> Held:
    """Hold all pairs of n idx against the closure; ``flat``: by ancestry alone."""

    def compared(pairs: KeptPairs) -> ProofState:
        runner = executor.over(pairs)
        with runner.publish(closure) as shared:
            return runner.tree_reduce(Comparison(shared, closure.expected, n, flat), pairs)

    state = compared(training)
    if held_out is None:
        return Held(state, state.pairs)
    return Held(state, state.pairs.merge(compared(held_out).pairs))


def _batches(spool: KeptPairs, flat: bool) -> Iterator[SpooledBatch]:
    for batch in spool.batches():
        yield replace(batch, depth_diff=None) if flat else batch


def prove(
    spool: KeptPairs,
    held: Held,
    closure: Closure,
    chains: Chains,
    likeness: Likeness,
    flat: bool,
    sink: Sink | None,
) -> Proof:
    """Judge the training pairs that were held; held-out ones count towards completeness."""
    state, pairs = held.training, held.training.pairs
    count = len(pairs)
    turned = pairs.reversed_keys(closure)
    sweep = Sweep(pairs, closure, chains, likeness, turned, sink)
    again = count < pairs.rows or len(turned) > 0 or state.doubtful > 0
    if again:
        for batch in _batches(spool, flat):
            sweep.visit(batch)
    missing, by_depth = _missing(closure, held.every.slots, sink)
    statistics = ClosureStatistics(
        path=closure.path,
        expected=closure.expected,
        distinct=count,
        duplicates=sweep.duplicates.freeze(len(spool)),
        reversed=Defect(len(turned) // 2, count, sweep.reversed.freeze(count).samples),
        missing=missing,
        missing_by_depth=by_depth,
        false=sweep.false.freeze(count),
        unproven=sweep.unproven.freeze(count),
        open=chains.open(),
    )
    repeats = sweep.repeats if again else None
    return Proof(statistics, closure, pairs, repeats, chains, likeness, flat)


def _missing(closure: Closure, covered: SlotSet, sink: Sink | None) -> tuple[Defect, IntArray]:
    """The pairs of the closure that nobody covers, and how many there are at each distance."""
    count = closure.expected - len(covered)
    by_depth = np.zeros_like(closure.depths)
    if not count:
        return Defect(0, closure.expected), by_depth
    for slots in covered.absent_windows():
        by_depth += np.bincount(closure.distances(slots), minlength=len(by_depth))
        if sink and len(slots):
            a, d, k = closure.pairs(slots)
            columns = {"ancestor_idx": a, "descendant_idx": d, "distance": k}
            sink(Offenders("missing_ancestor_pair", columns, (a, d)))
    ancestor, descendant, distance = closure.pairs(covered.absent(SAMPLES))
    samples = tuple(
        Sample(
            values={"ancestor_idx": int(a), "descendant_idx": int(d), "distance": int(k)},
            node=int(d),
        )
        for a, d, k in zip(ancestor, descendant, distance, strict=True)
    )
    return Defect(count, closure.expected, samples), by_depth
