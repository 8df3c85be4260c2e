"""The pairs of a closure that no row has: how many, at which distances, and the first of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from taxcheck.model.arrays import IntArray
from taxcheck.model.finding import Defect, Sample
from taxcheck.statistics.hierarchy.closure import Closure
from taxcheck.statistics.hierarchy.slots import SlotSet
from taxcheck.statistics.offenders import SAMPLES, Offenders, Sink
from taxcheck.statistics.symptoms import wanted

_NARROW = 1 << 16  # slots that are looked at together where only the first ones are wanted
_DEFECT = "missing_ancestor_pair"
Pairs = tuple[IntArray, IntArray, IntArray]


def missing_pairs(closure: Closure, covered: SlotSet, sink: Sink | None) -> tuple[Defect, IntArray]:
    """The pairs of the closure that nobody covers, and how many there are at each distance.

    They are walked only where a sink wants them, or where they are fewer than those that are there.
    """
    there = len(covered)
    count = closure.expected - there
    by_depth = np.zeros_like(closure.depths)
    if not count:
        return Defect(0, closure.expected), by_depth
    told = wanted(sink, _DEFECT, count)
    if told or count < there:
        for a, d, k in _windows(closure, covered):
            by_depth += np.bincount(k, minlength=len(by_depth))
            if told and sink is not None:
                columns = {"ancestor_idx": a, "descendant_idx": d, "distance": k}
                sink(Offenders(_DEFECT, columns, (a, d)))
    else:
        by_depth += closure.depths
        for slots in covered.present_windows():
            by_depth -= np.bincount(closure.distances(slots), minlength=len(by_depth))
    samples = tuple(
        Sample(
            values={"ancestor_idx": int(a), "descendant_idx": int(d), "distance": int(k)},
            node=int(d),
        )
        for a, d, k in zip(*_first(closure, covered), strict=True)
    )
    return Defect(count, closure.expected, samples), by_depth


def _windows(closure: Closure, covered: SlotSet, width: int | None = None) -> Iterator[Pairs]:
    """All of them, by ascending slots, in bounded arrays."""
    for slots in covered.absent_windows(width):
        a, d, k = closure.pairs(slots)
        if closure.size != closure.expected and not (pair := k > 0).all():
            a, d, k = a[pair], d[pair], k[pair]
        if len(k):
            yield a, d, k


def _first(closure: Closure, covered: SlotSet) -> Pairs:
    """The first ``SAMPLES``, by descendant, then by distance or ancestor."""
    found: list[Pairs] = []
    enough = None
    for a, d, k in _windows(closure, covered, _NARROW):
        found.append((a, d, k))
        if enough is None and sum(len(part[0]) for part in found) >= SAMPLES:
            enough = int(np.concatenate([part[1] for part in found])[SAMPLES - 1])
        if enough is not None and int(d[-1]) > enough:
            break
    ancestor, descendant, distance = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.arange(len(ancestor))
    if closure.by_ancestor:
        order = np.lexsort((ancestor, descendant))
    order = order[:SAMPLES]
    return ancestor[order], descendant[order], distance[order]
