"""The pairs as the engine trains on them: grouped by descendant, with the hierarchy they imply.

Nothing is kept per pair but its ancestor (4 bytes), its distance (2) and, where there is a column
of weights, its weight (4). Pairs are grouped by counting, never by comparing them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from taxcheck.model.arrays import Int32Array, IntArray, bounded, distinct, ranges
from taxcheck.model.errors import InputError
from taxcheck.model.finding import Skip, known
from taxcheck.run.gather import Gathered
from taxcheck.statistics.hierarchy.closure import whole_closure
from taxcheck.statistics.hierarchy.edges import transitive_reduction
from taxcheck.statistics.hierarchy.graph import Graph

Ints = npt.NDArray[np.integer]
Floats = npt.NDArray[np.floating]
Distances = npt.NDArray[np.int16]
_FARTHEST = np.iinfo(np.int16).max
_LARGEST = 80_000_000  # pairs of a closure that training holds beside its own
BLOCK = 1 << 22  # pairs that are looked at together


@dataclass(frozen=True, slots=True)
class Ancestry:
    """Who is an ancestor of whom, in a form that is asked in constant or logarithmic time.

    In a tree ``entry`` and ``size`` are its Euler tour: a is above d exactly when
    ``entry[a] < entry[d] < entry[a] + size[a]``. In a DAG they are empty and the sorted
    ``ancestors[starts[d] : starts[d + 1]]`` decide.
    """

    entry: Int32Array  # (n,) or empty
    size: Int32Array  # (n,) or empty
    starts: IntArray  # (n + 1,)
    ancestors: Int32Array  # (pairs of the closure,), ascending within each descendant

    def is_above(self, a: Ints, d: Ints) -> npt.NDArray[np.bool_]:
        """Whether a is a proper ancestor of d; index arrays that broadcast, result of their shape.

        In a tree by the intervals of a depth-first walk (Tarjan 1972, doi:10.1137/0201010), else by
        halving the sorted ancestors of d.
        """
        if len(self.entry):
            steps = self.entry[d] - self.entry[a]
            return np.asarray((steps > 0) & (steps < self.size[a]))
        a, d = np.broadcast_arrays(a, d)
        low, end = self.starts[d], self.starts[d + 1]
        if not len(self.ancestors):
            return np.zeros(low.shape, dtype=bool)
        high = end
        last = len(self.ancestors) - 1
        for _ in range(int((high - low).max(initial=0)).bit_length()):
            middle = (low + high) >> 1
            under = (low < high) & (self.ancestors[np.minimum(middle, last)] < a)
            low, high = np.where(under, middle + 1, low), np.where(under, high, middle)
        return np.asarray((low < end) & (self.ancestors[np.minimum(low, last)] == a))


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The pairs by descendant, and the hierarchy that they imply; nodes are 0..n_nodes-1."""

    n_nodes: int  # rows of the table
    starts: IntArray  # (n + 1,) into ancestors and distances
    ancestors: Int32Array  # (pairs,), ascending within each descendant
    distances: npt.NDArray[np.int16]  # (pairs,) depth_diff; 1 everywhere where it is unknown
    weights: npt.NDArray[np.float32] | None  # (pairs,) of a weights column
    depth: Int32Array  # (n,) longest distance below a root; 0 at roots and in no pair
    parent: Int32Array  # (n,) the deepest parent; -1 at roots
    several_parents: int  # nodes with more than one
    ancestry: Ancestry

    @property
    def pairs(self) -> int:
        """How many pairs there are."""
        return len(self.ancestors)

    @property
    def paired(self) -> npt.NDArray[np.bool_]:
        """Which nodes are in some pair, (n,)."""
        return _paired(self.starts, self.ancestors)


def training_data(
    ancestors: Ints,
    descendants: Ints,
    distances: Ints | None,
    n_nodes: int,
    *,
    weights: Floats | None = None,
) -> TrainingData:
    """Pairs (pairs,) of a table with ``n_nodes`` rows; ``distances`` and ``weights`` beside them.

    Repeated pairs stay; self-pairs go. Edges are the pairs at distance 1, and the nearest ancestors
    of a node that has none there; without distances, the transitive reduction. A distance below 1
    counts as 1, but states no edge. On a cycle and below it depths are 0 and parents -1.
    ValueError where shapes differ, an idx is outside the table or a weight is negative or no
    number.
    """
    columns = [c for c in (descendants, distances, weights) if c is not None]
    if any(np.shape(column) != np.shape(ancestors) for column in columns):
        raise ValueError("ancestors, descendants, distances and weights differ in length")
    for name, idx in (("ancestor", ancestors), ("descendant", descendants)):
        if len(idx) and not 0 <= int(idx.min()) <= int(idx.max()) < n_nodes:
            raise ValueError(f"an idx of the {name}s is outside the table's {n_nodes:,} rows")
    if weights is not None and not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError("weights must be 0 or more")
    a, d = ancestors.astype(np.int32, copy=False), descendants.astype(np.int32, copy=False)
    steps = None if distances is None else _as_distances(distances)
    if (same := a == d).any():
        a, d = a[~same], d[~same]
        steps = None if steps is None else steps[~same]
        weights = None if weights is None else weights[~same]
    starts, a, steps, weights = _grouped(a, d, steps, weights, n_nodes)
    present = _paired(starts, a)
    parents, children, step = _edges(starts, a, steps, present)
    graph = Graph.from_edges(parents, children, present)
    parent, depth = _levels(graph, step)
    return TrainingData(
        n_nodes=n_nodes,
        starts=starts,
        ancestors=a,
        distances=np.ones(len(a), np.int16) if steps is None else np.maximum(steps, 1, out=steps),
        weights=None if weights is None else weights.astype(np.float32),
        depth=depth,
        parent=parent,
        several_parents=int(np.count_nonzero(graph.parent_counts > 1)),
        ancestry=_ancestry(graph, starts, a),
    )


def from_gathered(
    data: Gathered, table_from: Literal["mapping", "pairs"] = "mapping"
) -> TrainingData:
    """The pairs that a gate has read, without its bad rows; nothing is read again.

    ``table_from`` "pairs" sizes the table by the largest idx in the pairs. InputError where no pair
    is left, or a weight cannot be used.
    """
    pairs, intake = known(data.evidence.pairs), data.intake
    assert pairs is not None  # training takes pairs
    assert intake is not None
    spool = intake.training.spool
    if not len(spool):
        raise InputError("no pair is left to train on; gate.html says what is wrong with them")
    a, d = np.empty(len(spool), dtype=np.int32), np.empty(len(spool), dtype=np.int32)
    steps = np.empty(len(spool), dtype=np.int16) if spool.has_depth else None
    at = 0
    for batch in spool.batches():
        part = slice(at, at + len(batch.ancestor))
        a[part], d[part] = batch.ancestor, batch.descendant
        if steps is not None and batch.depth_diff is not None:
            steps[part] = _as_distances(batch.depth_diff)
        at = part.stop
    n_nodes = pairs.table_size if table_from == "pairs" else intake.mapping.n_nodes
    return training_data(a, d, steps, n_nodes, weights=intake.weights())


def _paired(starts: IntArray, ancestors: Int32Array) -> npt.NDArray[np.bool_]:
    paired = np.diff(starts) > 0
    paired[ancestors] = True
    return np.asarray(paired)


def _as_distances(steps: Ints) -> Distances:
    """As int16, those below 1 as 0: they are damaged, and state no edge."""
    if steps.dtype == np.int16 and int(steps.min(initial=0)) >= 0:
        return steps.astype(np.int16)
    return np.clip(steps, 0, _FARTHEST).astype(np.int16)


def _grouped(
    a: Int32Array,
    d: Int32Array,
    steps: Distances | None,
    weights: Floats | None,
    n: int,
) -> tuple[IntArray, Int32Array, Distances | None, Floats | None]:
    """Group by descendant, ancestors ascending: (starts, ancestors, distances, weights).

    A matrix with one entry a pair, turned from rows to columns, is a counting sort that scipy has.
    """
    starts = np.r_[0, np.cumsum(np.bincount(d, minlength=n))]
    if not (d[1:] >= d[:-1]).all():
        ones = np.ones(len(d), dtype=np.int8)
        pairs = csr_array((ones, d, np.arange(len(d) + 1)), shape=(len(d), n))
        order = pairs.tocsc().indices
        a = a[order]
        steps = None if steps is None else steps[order]
        weights = None if weights is None else weights[order]
    carried = np.arange(len(a)) if weights is not None or steps is None else steps
    table = csr_array((carried, a, starts), shape=(n, n), copy=True)
    table.sort_indices()
    a = table.indices.astype(np.int32, copy=False)
    if weights is None:
        return starts, a, None if steps is None else table.data, None
    order = table.data
    return starts, a, None if steps is None else steps[order], weights[order]


def _edges(
    starts: IntArray, a: Int32Array, steps: Distances | None, present: npt.NDArray[np.bool_]
) -> tuple[IntArray, IntArray, IntArray]:
    """(parents, children) of the edges, and how many levels each node is below its parents."""
    counts = np.diff(starts)
    step = np.ones(len(counts), dtype=np.int64)
    if steps is None:
        owner = np.repeat(np.arange(len(counts)), counts)
        fresh = np.ones(len(a), dtype=bool)
        fresh[1:] = (a[1:] != a[:-1]) | (owner[1:] != owner[:-1])
        parents, children = transitive_reduction(a[fresh].astype(np.int64), owner[fresh], present)
        return parents, children, step
    direct = np.flatnonzero(steps == 1)
    children = np.searchsorted(starts, direct, side="right") - 1
    without = counts > 0
    without[children] = False
    broken = np.flatnonzero(without)
    if len(broken):
        among = ranges(starts[broken], counts[broken])
        distance = np.maximum(steps[among].astype(np.int64), 1)
        owner = np.repeat(broken, counts[broken])
        step[broken] = np.minimum.reduceat(distance, np.cumsum(counts[broken]) - counts[broken])
        nearest = distance == step[owner]
        direct = np.r_[direct, among[nearest]]
        children = np.r_[children, owner[nearest]]
    return a[direct].astype(np.int64), children, step


def _levels(graph: Graph, step: IntArray) -> tuple[Int32Array, Int32Array]:
    """The deepest parent and the longest distance below a root, (n,) each; see TrainingData."""
    depth = np.zeros(graph.n, dtype=np.int64)
    if graph.forest is not None:
        for level in graph.forest.levels[1:]:
            depth[level] = depth[graph.forest.parent[level]] + step[level]
        return graph.forest.parent, depth.astype(np.int32)
    waiting = graph.parent_counts.copy()
    settled = np.zeros(graph.n, dtype=bool)
    level = np.flatnonzero(waiting == 0)
    while len(level):
        settled[level] = True
        position, child = graph.children_of.expand(level)
        np.maximum.at(depth, child, depth[level[position]] + step[child])
        np.subtract.at(waiting, child, 1)
        level = distinct(child[waiting[child] == 0])
    depth[~settled] = 0
    parent = np.full(graph.n, -1, dtype=np.int64)
    counts = graph.parent_counts
    first = np.flatnonzero(counts)
    if len(first):
        # edges are sorted by child, then parent: of equally deep parents the smallest idx wins
        key = depth[graph.parents] * graph.n + (graph.n - 1 - graph.parents)
        best = np.maximum.reduceat(key, np.cumsum(counts[first]) - counts[first])
        parent[first] = graph.n - 1 - best % graph.n
    parent[~settled] = -1
    return parent.astype(np.int32), depth.astype(np.int32)


def _ancestry(graph: Graph, starts: IntArray, ancestors: Int32Array) -> Ancestry:
    """The closure of the edges, and the pairs that it lacks where the data is damaged.

    ``ancestors[starts[d] : starts[d + 1]]`` are the ancestors of d in the pairs, ascending. Where
    the closure is too large to hold, the pairs stand alone.
    """
    nothing = np.empty(0, dtype=np.int32)
    if graph.forest is not None:
        forest = graph.forest
        tour = Ancestry(forest.entry, forest.size, np.zeros(graph.n + 1, np.int64), nothing)
        if _holds(tour, starts, ancestors):
            return tour
    try:
        slots = whole_closure(graph)
    except Skip:
        return Ancestry(nothing, nothing, starts, ancestors)
    if slots.expected > _LARGEST:
        return Ancestry(nothing, nothing, starts, ancestors)
    n = max(graph.n, 1)
    above, below, steps = slots.pairs(np.arange(slots.size))
    keys = np.sort((below * n + above)[steps > 0])
    lists = _lists(*np.divmod(keys, n), graph.n)
    if not _holds(lists, starts, ancestors):
        owner = np.repeat(np.arange(graph.n), np.diff(starts))
        keys = distinct(np.r_[keys, owner * n + ancestors])
        lists = _lists(*np.divmod(keys, n), graph.n)
    return lists


def _lists(below: IntArray, above: IntArray, n: int) -> Ancestry:
    nothing = np.empty(0, dtype=np.int32)
    starts = np.r_[0, np.cumsum(np.bincount(below, minlength=n))]
    return Ancestry(nothing, nothing, starts, above.astype(np.int32))


def _holds(ancestry: Ancestry, starts: IntArray, ancestors: Int32Array) -> bool:
    """Whether every pair is known; block by block."""
    counts = np.diff(starts)
    for part in bounded(counts, BLOCK):
        d = np.repeat(np.arange(part.start, part.stop), counts[part])
        if not ancestry.is_above(ancestors[starts[part.start] : starts[part.stop]], d).all():
            return False
    return True
