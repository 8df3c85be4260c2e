"""Who is an ancestor of whom: built once from edges and pairs, asked for many nodes at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from taxcheck.arrays import distinct
from taxcheck.engine.values import Int32Array, IntArray, Related
from taxcheck.rule import Skip
from taxcheck.statistics.hierarchy.closure import GraphClosure
from taxcheck.statistics.hierarchy.forest import Forest
from taxcheck.statistics.hierarchy.graph import Graph

Ints = npt.NDArray[np.integer]
_BLOCK = 1 << 22


def is_ancestor(related: Related, a: Ints, d: Ints) -> npt.NDArray[np.bool_]:
    """Whether a is a proper ancestor of d; index arrays that broadcast, result of their shape.

    In a tree by the intervals of a depth-first walk (Tarjan 1972, doi:10.1137/0201010), else by
    halving the sorted ancestors of d.
    """
    if len(related.entry):
        steps = related.entry[d] - related.entry[a]
        return np.asarray((steps > 0) & (steps < related.size[a]))
    a, d = np.broadcast_arrays(a, d)
    low, end = related.starts[d], related.starts[d + 1]
    if not len(related.ancestors):
        return np.zeros(low.shape, dtype=bool)
    high = end
    last = len(related.ancestors) - 1
    for _ in range(int((high - low).max(initial=0)).bit_length()):
        middle = (low + high) >> 1
        under = (low < high) & (related.ancestors[np.minimum(middle, last)] < a)
        low, high = np.where(under, middle + 1, low), np.where(under, high, middle)
    return np.asarray((low < end) & (related.ancestors[np.minimum(low, last)] == a))


def related_of(graph: Graph, starts: IntArray, ancestors: Int32Array) -> Related:
    """The closure of the edges, and the pairs that it lacks where the data is damaged.

    ``ancestors[starts[d] : starts[d + 1]]`` are the ancestors of d in the pairs, ascending. Where
    the closure is too large to hold, the pairs stand alone.
    """
    nothing = np.empty(0, dtype=np.int32)
    if graph.forest is not None:
        tour = _tour(graph.forest)
        if _holds(tour, starts, ancestors):
            return tour
    try:
        slots = GraphClosure(graph)
    except Skip:
        return Related(nothing, nothing, starts, ancestors)
    above, below, _ = slots.pairs(np.arange(slots.expected))
    lists = _lists(below, above, graph.n)
    if not _holds(lists, starts, ancestors):
        n = max(graph.n, 1)
        below = np.r_[below, np.repeat(np.arange(graph.n), np.diff(starts))]
        below, above = np.divmod(distinct(below * n + np.r_[above, ancestors]), n)
        lists = _lists(below, above, graph.n)
    return lists


def blocks(starts: IntArray, size: int = _BLOCK) -> Iterator[tuple[int, int]]:
    """Cut nodes into ranges (first, end) that own about ``size`` entries each, in order."""
    n, first = len(starts) - 1, 0
    while first < n:
        end = int(np.searchsorted(starts, starts[first] + size, side="right")) - 1
        end = min(max(end, first + 1), n)
        yield first, end
        first = end


def _tour(forest: Forest) -> Related:
    n = len(forest.entry)
    nothing = np.empty(0, dtype=np.int32)
    return Related(forest.entry, forest.size, np.zeros(n + 1, dtype=np.int64), nothing)


def _lists(below: IntArray, above: IntArray, n: int) -> Related:
    nothing = np.empty(0, dtype=np.int32)
    starts = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(below, minlength=n), out=starts[1:])
    return Related(nothing, nothing, starts, above.astype(np.int32))


def _holds(related: Related, starts: IntArray, ancestors: Int32Array) -> bool:
    """Whether every pair is known; block by block."""
    for first, end in blocks(starts):
        d = np.repeat(np.arange(first, end), np.diff(starts[first : end + 1]))
        if not is_ancestor(related, ancestors[starts[first] : starts[end]], d).all():
            return False
    return True
