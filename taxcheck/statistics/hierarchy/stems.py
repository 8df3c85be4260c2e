"""A graph without cycles as a forest, and what joins its trees: edges to nodes of several parents.

A node with one parent has that parent and the parent's ancestors above it. So only the nodes with
several parents need lists of ancestors, *rows*; every other one has the nodes between it and the
root of its tree, and what is above that root. A tree in which a thousand of a hundred million nodes
have a second parent is a forest and a thousand short rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from taxcheck.model.arrays import Int32Array, IntArray, distinct
from taxcheck.statistics.hierarchy.forest import Forest
from taxcheck.statistics.hierarchy.graph import Graph, Neighbours


@dataclass(frozen=True)
class Stems:
    """The forest that is left, and the rows, each after all that are above it."""

    forest: Forest
    nodes: IntArray  # (rows,) the nodes with several parents
    row_of: Int32Array  # (n,) the row at the root of the node's tree; -1 where it has no parent
    parents: Neighbours  # of every row
    levels: IntArray  # (levels + 1,) rows before each level; those of a level are not related
    most: npt.NDArray[np.float64]  # (rows,) a bound of how many ancestors each has

    @classmethod
    def of(cls, graph: Graph) -> Stems:
        """Cut a graph that has no cycles."""
        several = graph.parent_counts > 1
        parent = np.full(graph.n, -1, dtype=np.int32)
        joining = several[graph.children]
        parent[graph.children[~joining]] = graph.parents[~joining]
        forest = Forest.from_parents(parent).slim()
        nodes = np.flatnonzero(several)
        row_of = np.full(graph.n, -1, dtype=np.int32)
        row_of[nodes] = np.arange(len(nodes))
        row_of = row_of[forest.tops()]
        row = np.searchsorted(nodes, graph.children[joining])
        order, levels = _by_level(row, row_of[graph.parents[joining]], len(nodes))
        rank = np.empty(len(nodes) + 1, dtype=np.int32)
        rank[order], rank[-1] = np.arange(len(nodes)), -1
        row_of = rank[row_of]
        nodes = nodes[order]
        parents = Neighbours.build(rank[row].astype(np.int64), graph.parents[joining], len(nodes))
        most = _bounds(forest, nodes, row_of, parents, levels)
        return cls(forest, nodes, row_of, parents, levels, most)


def _by_level(row: IntArray, above: Int32Array, rows: int) -> tuple[IntArray, IntArray]:
    """(rows in an order in which none is before one above it, rows before each level).

    Of each edge (k,) the row that it leads to, and the one above it, -1 for none.
    """
    inner = above >= 0
    row, upper = row[inner], above[inner].astype(np.int64)
    below = Neighbours.build(upper, row, rows)
    waiting = np.bincount(row, minlength=rows)
    level = np.flatnonzero(waiting == 0)
    order, sizes = [level[:0]], [0]
    while len(level):
        order.append(level)
        sizes.append(len(level))
        reached = below.expand(level)[1]
        np.subtract.at(waiting, reached, 1)
        level = distinct(reached[waiting[reached] == 0])
    return np.concatenate(order), np.cumsum(sizes)


def _bounds(
    forest: Forest, nodes: IntArray, row_of: Int32Array, parents: Neighbours, levels: IntArray
) -> npt.NDArray[np.float64]:
    """No more than all ways up have together, nor than there are nodes in trees further up."""
    most = np.zeros(len(nodes) + 1)  # the last one stands for a root without parents
    held = forest.size[nodes].astype(np.int64)
    free = len(forest.parent) - int(held.sum())
    above = np.r_[0, np.cumsum(held)]
    for start, end in pairwise(levels.tolist()):
        some = np.arange(start, end)
        position, x = parents.expand(some)
        ways = 1 + forest.depth[x] + most[row_of[x]]
        most[start:end] = np.minimum(
            np.bincount(position, weights=ways, minlength=len(some)), free + above[start]
        )
    return most[:-1]
