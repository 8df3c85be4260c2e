"""Pairs of a hierarchy, batch by batch: each descendant with its ancestors, nearest first.

A batch holds whole descendants, so memory is bounded by the batch and not by the closure.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from taxcheck.model.arrays import Int32Array, IntArray
from taxcheck.statistics.hierarchy.forest import Forest
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.hierarchy.levels import ancestor_blocks

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
    """A node has one ancestor at each distance, so the place of every pair is arithmetic."""
    owned = forest.depth if cap is None else np.minimum(forest.depth, cap)
    end = np.cumsum(owned, dtype=np.int64)
    first = 0
    while first < len(end):
        done = int(end[first - 1]) if first else 0
        last = max(int(np.searchsorted(end, done + rows, side="right")), first + 1)
        node = np.arange(first, last, dtype=np.int32)
        count = owned[first:last]
        place = end[first:last] - count - done
        ancestor = np.empty(int(end[last - 1]) - done, dtype=np.int32)
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
        yield ancestor, np.repeat(node, count), distance
        first = last


def _dag_pairs(graph: Graph, cap: int | None) -> Iterator[Pairs]:
    for block in ancestor_blocks(graph, cap):
        order = np.argsort(block.row, kind="stable")  # distances are in order, ancestors within
        descendant = block.nodes[block.row[order]]
        yield _int32(block.ancestor[order]), _int32(descendant), block.distance[order]


def _int32(values: IntArray) -> npt.NDArray[np.int32]:
    return values.astype(np.int32)
