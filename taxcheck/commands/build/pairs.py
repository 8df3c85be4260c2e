"""Pairs of a hierarchy, batch by batch: each descendant with its ancestors, nearest first.

A batch holds whole descendants, so memory is bounded by the batch and not by the closure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from taxcheck.model.arrays import Int32Array, IntArray
from taxcheck.statistics.hierarchy.forest import Forest
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.hierarchy.levels import ancestor_blocks
from taxcheck.statistics.passes import Executor, Shared

PAIR_SCHEMA = pa.schema(
    [
        (name, pa.int32())
        for name in (
            "ancestor_idx",
            "descendant_idx",
            "depth_diff",
            "ancestor_depth",
            "descendant_depth",
        )
    ]
)
BATCH_ROWS = 1 << 20
_DAG_NODES = 1 << 13  # of a block that another process closes

Pairs = tuple[Int32Array, Int32Array, Int32Array]  # ancestor, descendant, distance


def closure_batches(
    graph: Graph, cap: int | None = None, rows: int = BATCH_ROWS
) -> Iterator[pa.RecordBatch]:
    """Every (ancestor, descendant) pair of an acyclic graph once, with its distance and depths.

    Ordered by descendant, then distance, then ancestor. ``cap`` keeps pairs at most so many levels
    apart (1: the edges). In a graph that is no forest the distance is the shortest, and a depth is
    the shortest way from any root. Batches hold about ``rows`` rows.
    """
    depth = depths_of(graph)
    for pairs in closure_blocks(graph, cap, rows):
        yield from as_batches(pairs, depth, rows)


@dataclass(frozen=True, slots=True)
class _Source:
    """What all blocks are made of."""

    hierarchy: Forest | Graph
    depth: Int32Array  # (n,)


@dataclass(frozen=True, slots=True)
class _Block:
    """The pairs of the descendants first..last - 1, wherever they are made."""

    source: Shared[_Source]
    cap: int | None
    rows: int

    def __call__(self, span: tuple[int, int]) -> list[pa.RecordBatch]:
        source = self.source.value
        if isinstance(source.hierarchy, Forest):
            blocks = iter([_forest_block(source.hierarchy, self.cap, *span)])
        else:
            blocks = _dag_pairs(source.hierarchy, self.cap, *span)
        return [b for pairs in blocks for b in as_batches(pairs, source.depth, self.rows)]


def closure_by(
    executor: Executor, graph: Graph, cap: int | None = None, rows: int = BATCH_ROWS
) -> Iterator[pa.RecordBatch]:
    """What ``closure_batches`` gives, by blocks of descendants that others close.

    Of a forest the batches are the same ones; of a DAG the rows are, and batches are cut elsewhere.
    """
    if graph.forest is None:
        hierarchy: Forest | Graph = Graph(graph.parents, graph.children, graph.present)
        spans = [(k, min(k + _DAG_NODES, graph.n)) for k in range(0, graph.n, _DAG_NODES)]
    else:
        hierarchy, spans = graph.forest.slim(), list(_spans(graph.forest, cap, rows))
    with executor.publish(_Source(hierarchy, depths_of(graph))) as shared:
        for batches in executor.map(_Block(shared, cap, rows), spans):
            yield from batches


def closure_blocks(graph: Graph, cap: int | None = None, rows: int = BATCH_ROWS) -> Iterator[Pairs]:
    """The same pairs as arrays; a block holds all pairs of its descendants."""
    forest = graph.forest
    if forest is None:
        yield from _dag_pairs(graph, cap)
    else:
        yield from _forest_pairs(forest, cap, rows)


def as_batches(pairs: Pairs, depth: Int32Array, rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
    """A block of pairs as the columns of the file."""
    for first in range(0, len(pairs[0]), rows):
        a, d, k = (column[first : first + rows] for column in pairs)
        yield pa.record_batch([a, d, k, depth[a], depth[d]], schema=PAIR_SCHEMA)


def depths_of(graph: Graph) -> Int32Array:
    """(n,) the shortest way from any root."""
    forest = graph.forest
    return (graph.depths if forest is None else forest.depth).astype(np.int32)


def count_pairs(forest: Forest, cap: int | None = None) -> int:
    """How many pairs ``closure_batches`` will give for a forest."""
    depth = forest.depth if cap is None else np.minimum(forest.depth, cap)
    return int(depth.sum(dtype=np.int64))


def _forest_pairs(forest: Forest, cap: int | None, rows: int) -> Iterator[Pairs]:
    for first, last in _spans(forest, cap, rows):
        yield _forest_block(forest, cap, first, last)


def _spans(forest: Forest, cap: int | None, rows: int) -> Iterator[tuple[int, int]]:
    """First node, and the one after the last, of blocks of about so many rows."""
    end = np.cumsum(_owned(forest, cap, 0, None), dtype=np.int64)
    first = 0
    while first < len(end):
        done = int(end[first - 1]) if first else 0
        last = max(int(np.searchsorted(end, done + rows, side="right")), first + 1)
        yield first, last
        first = last


def _owned(forest: Forest, cap: int | None, first: int, last: int | None) -> Int32Array:
    depth = forest.depth[first:last]
    return depth if cap is None else np.minimum(depth, cap)


def _forest_block(forest: Forest, cap: int | None, first: int, last: int) -> Pairs:
    """A node has one ancestor at each distance, so the place of every pair is arithmetic."""
    node = np.arange(first, last, dtype=np.int32)
    count = _owned(forest, cap, first, last)
    end = np.cumsum(count, dtype=np.int64)
    place = end - count
    ancestor = np.empty(int(end[-1]), dtype=np.int32)
    distance = np.empty_like(ancestor)
    above, left = node, count
    step = 0
    while len(above):
        alive = left > step
        if not alive.all():
            above, left, place = above[alive], left[alive], place[alive]
        above = forest.parent[above]
        ancestor[place] = above
        step += 1
        distance[place] = step
        place = place + 1
    return ancestor, np.repeat(node, count), distance


def _dag_pairs(
    graph: Graph, cap: int | None, first: int = 0, last: int | None = None
) -> Iterator[Pairs]:
    for block in ancestor_blocks(graph, cap, first, last):
        order = np.argsort(block.row, kind="stable")  # distances are in order, ancestors within
        descendant = block.nodes[block.row[order]]
        yield _int32(block.ancestor[order]), _int32(descendant), block.distance[order]


def _int32(values: IntArray) -> npt.NDArray[np.int32]:
    return values.astype(np.int32)
