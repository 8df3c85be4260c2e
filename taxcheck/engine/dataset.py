"""The pairs as the engine trains on them: grouped by descendant, with the hierarchy they imply.

Nothing is kept per pair but its ancestor (4 bytes), its distance (2) and, where there is a column
of weights, its weight (4). Pairs are grouped by counting, never by comparing them.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_array

from taxcheck.arrays import distinct, ranges
from taxcheck.engine.related import related_of
from taxcheck.engine.values import Int32Array, IntArray, TrainingData
from taxcheck.errors import InputError
from taxcheck.intake import read_mapping, read_pairs
from taxcheck.sources.inputs import TableSource, open_mapping, open_pairs
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.hierarchy.reduction import transitive_reduction
from taxcheck.statistics.spool import PairSpool

Ints = npt.NDArray[np.integer]
Floats = npt.NDArray[np.floating]
Distances = npt.NDArray[np.int16]
_FARTHEST = np.iinfo(np.int16).max


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
    present = starts[1:] > starts[:-1]
    present[a] = True
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
        related=related_of(graph, starts, a),
    )


def from_spool(spool: PairSpool, n_nodes: int, *, weights: Floats | None = None) -> TrainingData:
    """The pairs that a gate has read; ``weights`` in the order of the spool, see ``weights_of``."""
    total = len(spool)
    a, d = np.empty(total, dtype=np.int32), np.empty(total, dtype=np.int32)
    steps = np.empty(total, dtype=np.int16) if spool.has_depth else None
    at = 0
    for batch in spool.batches():
        part = slice(at, at + len(batch.ancestor))
        a[part], d[part] = batch.ancestor, batch.descendant
        if steps is not None and batch.depth_diff is not None:
            steps[part] = _as_distances(batch.depth_diff)
        at = part.stop
    return training_data(a, d, steps, n_nodes, weights=weights)


def from_tables(
    mapping_path: str | None,
    pairs_path: str,
    table_from: Literal["mapping", "pairs"] = "mapping",
    *,
    workers: int = 2,
) -> TrainingData:
    """Read a mapping and pairs of any format that the gate reads; bad rows are left out.

    Without a mapping one is derived from the pairs' labels. ``table_from`` "pairs" sizes the table
    by the largest idx in the pairs. InputError where no row is sound.
    """
    with ExitStack() as resources:
        mapping = None
        if mapping_path is not None:
            mapping = read_mapping(open_mapping(mapping_path), workers, None)
        source = open_pairs(pairs_path, mapping_given=mapping is not None)
        intake = read_pairs(source, None, mapping, workers, None, resources)
        state, n = intake.training, intake.mapping.n_nodes
        if table_from == "pairs":
            n = int(np.flatnonzero(state.as_ancestor + state.as_descendant).max(initial=-1)) + 1
        weights = weights_of(source, state.spool) if intake.has_weights else None
        return from_spool(state.spool, n, weights=weights)


def weights_of(source: TableSource, spool: PairSpool) -> npt.NDArray[np.float32]:
    """The weights column of the spooled pairs, in the spool's order; reads that column alone.

    InputError where a cell is no number of 0 or more.
    """
    first = 0
    columns: list[npt.NDArray[np.float32]] = []
    for batch in source.batches(only={"weight"}):
        first = first if columns else batch.first_row
        try:
            cells = pc.cast(batch.columns["weight"], pa.float32())
        except pa.ArrowInvalid as error:
            raise InputError(f"{source.table.path}: weight: {error}") from None
        columns.append(cells.fill_null(np.nan).to_numpy(zero_copy_only=False))
    every: npt.NDArray[np.float32] = np.concatenate([np.empty(0, np.float32), *columns])
    rows = [batch.rows - first for batch in spool.batches()]
    found = np.asarray(every[np.concatenate([np.empty(0, np.int64), *rows])])
    if not (np.isfinite(found).all() and (found >= 0).all()):
        raise InputError(f"{source.table.path}: weight: a cell is no number of 0 or more")
    return found


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
    starts = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(d, minlength=n), out=starts[1:])
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
