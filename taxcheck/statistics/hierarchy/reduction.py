"""Edges of a closure that states no distances: its transitive reduction.

A pair (a, d) is an edge exactly when no third node c has (a, c) and (c, d) (Aho, Garey and
Ullman 1972, doi:10.1137/0201008). Where the pairs hold cycles no reduction is unique: pairs
within a strongly connected component are then all kept as edges, so that the cycle shows.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from taxcheck.statistics.hierarchy.closure import ForestClosure
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.values import BoolArray, IntArray

_PRODUCTS = 20_000_000  # multiplications a block of the sparse product may take


def transitive_reduction(
    ancestor: IntArray, descendant: IntArray, present: BoolArray
) -> tuple[IntArray, IntArray]:
    """(parents, children) of the reduction of distinct proper pairs, (k,) each; idx below n."""
    n = len(present)
    shortcut = _of_tree(ancestor, descendant, present)
    if shortcut is not None:
        return shortcut
    matrix = _matrix(descendant, ancestor, n)
    _, component = connected_components(matrix, directed=True, connection="strong")
    inside = component[ancestor] == component[descendant]
    if inside.any():
        matrix = _matrix(descendant[~inside], ancestor[~inside], n)
    parents, children = [ancestor[inside]], [descendant[inside]]
    counts = np.diff(matrix.indptr)
    work = np.cumsum(np.r_[0, np.asarray(matrix @ counts)])
    start = 0
    while start < n:
        limit = int(np.searchsorted(work, work[start] + _PRODUCTS))
        end = min(max(limit, start + 1), n)
        block = matrix[start:end]
        longer = block @ matrix
        longer.data[:] = 1
        direct = (block - block.multiply(longer)).tocoo()
        kept = direct.data != 0
        children.append(direct.coords[0][kept].astype(np.int64) + start)
        parents.append(direct.coords[1][kept].astype(np.int64))
        start = end
    return np.concatenate(parents), np.concatenate(children)


def _of_tree(
    ancestor: IntArray, descendant: IntArray, present: BoolArray
) -> tuple[IntArray, IntArray] | None:
    """The edges, where the pairs are exactly the closure of a forest; None where they are not.

    In such a closure a node has as many ancestors as it is deep, so its parent is the one
    ancestor that has one fewer; the closure of those edges then proves the guess.
    """
    above = np.bincount(descendant, minlength=len(present))
    direct = above[ancestor] == above[descendant] - 1
    parents, children = ancestor[direct], descendant[direct]
    if len(children) != np.count_nonzero(above):
        return None
    graph = Graph.from_edges(parents, children, present)
    if graph.forest is None or int(graph.forest.depth.sum()) != len(ancestor):
        return None
    slots, _ = ForestClosure(graph.forest).find(ancestor, descendant)
    return (parents, children) if (slots >= 0).all() else None


def _matrix(rows: IntArray, columns: IntArray, n: int) -> csr_array:
    return csr_array((np.ones(len(rows), dtype=np.int32), (rows, columns)), shape=(n, n))
