"""The proof of the closure: nothing false, nothing missing, nothing twice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taxcheck.rule import Defect, Sample
from taxcheck.statistics.hierarchy.closure import Closure
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.hierarchy.judgement import Chains, Judgement
from taxcheck.statistics.hierarchy.pairset import PairSet, SlotSet
from taxcheck.statistics.hierarchy.sweep import Repeats, Sweep
from taxcheck.statistics.samples import SAMPLES, Sink
from taxcheck.statistics.spool import PairSpool
from taxcheck.statistics.state import collect
from taxcheck.statistics.values import BoolArray, ClosureStatistics, IntArray


@dataclass(frozen=True, slots=True)
class Proof:
    """The statistics of the proof, the set of training pairs, and what duplicates had added."""

    statistics: ClosureStatistics
    training: PairSet
    repeats: Repeats | None


def prove(
    spool: PairSpool,
    held_out: PairSpool | None,
    graph: Graph,
    closure: Closure,
    is_descendant: BoolArray,
    workers: int,
    sink: Sink | None,
) -> Proof:
    """Hold every training pair against the closure; held-out pairs count towards completeness."""
    chains = Chains.of(graph, is_descendant)
    pairs = PairSet(closure, graph.n)
    judgement = collect(spool.batches(), lambda: Judgement(pairs, chains), workers)
    distinct = len(pairs)
    cyclic = graph.forest is None and len(graph.cycles()[0]) > 0
    turned = pairs.reversed_keys(cyclic)
    duplicates, repeats = Defect(0, len(spool)), None
    reversed_pairs = Defect(0, distinct)
    if distinct < pairs.rows or len(turned) or (sink and judgement.false.count):
        sweep = Sweep(pairs, chains, turned, sink)
        for batch in spool.batches():
            sweep.visit(batch)
        judgement, repeats = sweep.judgement, sweep.repeats
        duplicates = sweep.duplicates.freeze(len(spool))
        found = sweep.reversed.freeze(distinct)
        reversed_pairs = Defect(len(turned) // 2, distinct, found.samples)
    covered = pairs.slots
    if held_out is not None:
        others = PairSet(closure, graph.n)
        collect(held_out.batches(), lambda: Judgement(others, chains), workers)
        covered = covered.merge(others.slots)
    missing, by_depth = _missing(closure, covered, sink)
    statistics = ClosureStatistics(
        path=closure.path,
        expected=closure.expected,
        distinct=distinct,
        duplicates=duplicates,
        reversed=reversed_pairs,
        missing=missing,
        missing_by_depth=by_depth,
        false=judgement.false.freeze(distinct),
        unproven=judgement.unproven,
    )
    return Proof(statistics, pairs, repeats)


def _missing(closure: Closure, covered: SlotSet, sink: Sink | None) -> tuple[Defect, IntArray]:
    """The pairs of the closure that nobody covers, and how many there are at each distance."""
    count = closure.expected - len(covered)
    by_depth = np.zeros_like(closure.depths)
    if not count:
        return Defect(0, closure.expected), by_depth
    present = closure.distances(covered.present())
    by_depth = closure.depths - np.bincount(present, minlength=len(closure.depths))
    ancestor, descendant, distance = closure.pairs(covered.absent(SAMPLES))
    samples = tuple(
        Sample(
            values={"ancestor_idx": int(a), "descendant_idx": int(d), "distance": int(k)},
            node=int(d),
        )
        for a, d, k in zip(ancestor, descendant, distance, strict=True)
    )
    if sink:
        for slots in covered.absent_windows():
            a, d, k = closure.pairs(slots)
            sink(
                "missing_ancestor_pair",
                {"ancestor_idx": a, "descendant_idx": d, "distance": k},
            )
    return Defect(count, closure.expected, samples), by_depth
