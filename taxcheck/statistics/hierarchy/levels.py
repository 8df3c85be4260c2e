"""Every node's ancestors with their shortest distances, in blocks of nodes that fit in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from taxcheck.model.arrays import Int32Array, IntArray, distinct
from taxcheck.statistics.hierarchy.graph import Graph

_NODES = 1 << 13  # of the first block; the next ones follow how many pairs it had
_PAIRS = 1 << 21  # of a block; of one node there may be more


@dataclass(frozen=True, slots=True)
class AncestorBlock:
    """All ancestors of some nodes, ordered by distance, then node, then ancestor."""

    nodes: IntArray  # (k,) ascending
    row: IntArray  # (pairs,) position of the descendant in ``nodes``
    ancestor: IntArray
    distance: Int32Array


def ancestor_blocks(
    graph: Graph, cap: int | None = None, first: int = 0, last: int | None = None
) -> Iterator[AncestorBlock]:
    """The ancestors of the nodes first..last - 1 of an acyclic graph, up to ``cap`` levels.

    By ascending node; None is all from the first on.
    """
    nodes = first + np.flatnonzero(graph.parent_counts[first:last] > 0)
    start, size = 0, _NODES
    while start < len(nodes):
        block = _ancestors(graph, nodes[start : start + size], cap)
        if block is None:
            size = (min(size, len(nodes) - start) + 1) // 2
            continue
        yield block
        start += len(block.nodes)
        if 4 * len(block.row) < _PAIRS:
            size *= 2


def _ancestors(graph: Graph, nodes: IntArray, cap: int | None) -> AncestorBlock | None:
    """The ancestors of ``nodes``, level by level; None where they are too many to hold."""
    n = max(graph.n, 1)
    known = np.empty(0, np.int64)  # keys row * n + ancestor, sorted
    found: list[IntArray] = []
    row, reached = np.arange(len(nodes)), nodes
    while len(reached) and (cap is None or len(found) < cap):
        position, parent = graph.parents_of.expand(reached)
        level = distinct(row[position] * n + parent)
        if len(known):
            where = np.minimum(np.searchsorted(known, level), len(known) - 1)
            level = level[known[where] != level]
        found.append(level)
        known = np.sort(np.concatenate([known, level]), kind="stable")
        if len(known) > _PAIRS and len(nodes) > 1:
            return None
        row, reached = np.divmod(level, n)
    row, ancestor = np.divmod(np.concatenate(found), n)
    steps = np.arange(1, len(found) + 1, dtype=np.int32)
    return AncestorBlock(nodes, row, ancestor, np.repeat(steps, [len(level) for level in found]))
