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

from dataclasses import dataclass, replace

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.finding import Defect
from taxcheck.statistics.depths import Repeats
from taxcheck.statistics.hierarchy.chains import Chains
from taxcheck.statistics.hierarchy.closure import Closure, memory_for
from taxcheck.statistics.hierarchy.compare import Comparison, ProofState
from taxcheck.statistics.hierarchy.kind import Likeness
from taxcheck.statistics.hierarchy.missing import missing_pairs
from taxcheck.statistics.hierarchy.pairset import PairSet
from taxcheck.statistics.hierarchy.sweep import Sweep
from taxcheck.statistics.offenders import Sink
from taxcheck.statistics.passes import Executor
from taxcheck.statistics.spool import KeptPairs
from taxcheck.statistics.values import ClosureStatistics


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
            job = Comparison(shared, closure.size, len(pairs), n, flat)
            return runner.tree_reduce(job, pairs)

    state = compared(training)
    if held_out is None:
        return Held(state, state.pairs)
    return Held(state, state.pairs.merge(compared(held_out).pairs))


def prove(
    spool: KeptPairs,
    held: Held,
    closure: Closure,
    chains: Chains,
    likeness: Likeness,
    flat: bool,
    sink: Sink | None,
    rows_below: IntArray,
) -> Proof:
    """Judge the training pairs that were held; held-out ones count towards completeness.

    ``rows_below`` (n,) are the training rows in which each node is the descendant.
    """
    pairs = held.training.pairs
    count = len(pairs)
    turned = pairs.reversed_keys(closure)
    suspects = _suspects(held.training, closure, turned, rows_below)
    rows = 0 if suspects is None else int(rows_below[suspects].sum())
    sweep = Sweep(pairs, closure, chains, likeness, turned, sink, rows)
    if suspects is not None:
        for batch in spool.below(suspects):
            sweep.visit(replace(batch, depth_diff=None) if flat else batch)
    missing, by_depth = missing_pairs(closure, held.every.slots, sink)
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
        needs=memory_for(closure),
    )
    repeats = None if suspects is None else sweep.repeats
    return Proof(statistics, closure, pairs, repeats, chains, likeness, flat)


def _suspects(
    state: ProofState, closure: Closure, turned: IntArray, rows_below: IntArray
) -> BoolArray | None:
    """The descendants (n,) of all rows that a second look may find wrong; None: there are none.

    A node has as many distinct pairs as it has marks, and as many duplicates as it has rows beyond.
    """
    pairs, suspects = state.pairs, state.suspects
    if len(pairs) == pairs.rows and not len(turned):
        return suspects
    suspects = np.zeros(pairs.n, dtype=bool) if suspects is None else suspects.copy()
    suspects[turned // pairs.n] = True
    if len(pairs) < pairs.rows:
        distinct = pairs.slots.counts(*closure.spans())
        distinct += np.bincount(pairs.outside // pairs.n, minlength=len(distinct))
        suspects[: len(distinct)] |= rows_below > distinct
    return suspects
