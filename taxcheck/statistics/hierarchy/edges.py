"""Which pairs are the edges of the hierarchy: those at distance 1, or the transitive reduction.

In the reduction a pair (a, d) is an edge exactly when no third node c has (a, c) and (c, d) (Aho,
Garey and Ullman 1972, doi:10.1137/0201008). Where the pairs hold cycles no reduction is unique:
pairs within a strongly connected component are then all kept as edges, so that the cycle shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray, bounded, distinct, within
from taxcheck.policy.model import Dataset
from taxcheck.statistics.hierarchy.closure import Closure, ForestClosure, closure_of
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.pairs import PairState, PairTable

if TYPE_CHECKING:
    from scipy.sparse import csr_array

REDUCTION = "transitive reduction"
_COMPARED = 1 << 21  # pairs of parents that are compared at once
_PRODUCTS = 20_000_000  # multiplications a block of the sparse product may take


def present_in(states: Sequence[PairState]) -> BoolArray:
    """Which idx are in some pair of the states, (n,)."""
    present = np.zeros(states[0].origin.n, dtype=bool)
    for state in states:
        present |= (state.above.each > 0) | (state.below.each > 0)
    return present


@dataclass(frozen=True, slots=True)
class Edges:
    """The graph that the pairs imply, its closure, and where its edges come from."""

    graph: Graph
    closure: Closure
    source: str  # "depth_diff", REDUCTION or "declared edges"
    flat: bool = False  # the distances are all 1, though pairs follow from others


def edges_of(tables: Sequence[PairTable], dataset: Dataset) -> Edges:
    """The graph that the pairs of all tables imply.

    A closure in which all distances are 1 is read as if it stated none.
    """
    states = [table.state for table in tables]
    present, rows = present_in(states), sum(len(table.spool) for table in tables)
    if dataset.pairs == "edges":
        graph = Graph.from_edges(*_all_pairs(tables), present)
        return Edges(graph, closure_of(graph, rows), "declared edges")
    stated = None
    if states[0].depth is not None:
        graph = Graph.from_edges(*_direct(states), present)
        stated = Edges(graph, closure_of(graph, rows), "depth_diff")
        if not all(map(_all_one, states)):
            return stated
    a, d = _all_pairs(tables)
    descendant, ancestor = np.divmod(distinct(d * len(present) + a), len(present))
    graph = Graph.from_edges(*transitive_reduction(ancestor, descendant, present), present)
    closure = closure_of(graph, rows)
    reduced = without_shortcuts(graph, closure)
    if reduced is not graph:  # pairs in between were missing
        graph, closure = reduced, closure_of(reduced, rows)
    if stated is not None and not _is_closure(len(ancestor), graph, closure):
        return stated
    return Edges(graph, closure, REDUCTION, stated is not None)


def _is_closure(pairs: int, graph: Graph, closure: Closure) -> bool:
    """Whether so many pairs are the closure of a graph, by and large, rather than its edges.

    Edges of a DAG may have shortcuts among them, and in a small one they may close it.
    """
    edges = len(graph.parents)
    return 2 * (pairs - edges) > max(edges, closure.expected - edges)


def _all_one(state: PairState) -> bool:
    return state.depth is None or state.depth.histogram.freeze()[0].tolist() == [1]


def without_shortcuts(graph: Graph, closure: Closure) -> Graph:
    """The graph without edges to a parent of whom another parent descends; itself where none is.

    ``closure`` is that of the graph. Edges on a cycle stay, and prove no other one a shortcut.
    """
    acyclic = graph.acyclic
    nodes = np.flatnonzero(acyclic.parent_counts > 1)
    found = []
    for part in bounded(acyclic.parent_counts[nodes] ** 2, _COMPARED):
        some = nodes[part]
        position, parent = acyclic.parents_of.expand(some)
        edge, other = acyclic.parents_of.expand(some[position])
        above, _ = closure.find(parent[edge], other)
        edges = distinct(edge[above >= 0])
        found.append(some[position[edges]] * graph.n + parent[edges])
    shortcuts = np.concatenate([np.empty(0, np.int64), *found])
    if not len(shortcuts):
        return graph
    kept = ~within(shortcuts, graph.children * graph.n + graph.parents)
    return Graph(graph.parents[kept], graph.children[kept], graph.present)


def _direct(states: Sequence[PairState]) -> tuple[IntArray, IntArray]:
    """The depth-1 pairs in the order of the source: what is sorted there stays sorted."""
    found = [edges for state in states for edges in sorted(state.edges, key=lambda e: e[0])]
    nothing = np.empty(0, np.int64)
    return (
        np.concatenate([nothing, *(parents for _, parents, _ in found)]),
        np.concatenate([nothing, *(children for _, _, children in found)]),
    )


def _all_pairs(tables: Sequence[PairTable]) -> tuple[IntArray, IntArray]:
    batches = [batch for table in tables for batch in table.spool.batches()]
    if not batches:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return (
        np.concatenate([b.ancestor for b in batches]),
        np.concatenate([b.descendant for b in batches]),
    )


def transitive_reduction(
    ancestor: IntArray, descendant: IntArray, present: BoolArray
) -> tuple[IntArray, IntArray]:
    """(parents, children) of the reduction of distinct proper pairs, (k,) each; idx below n."""
    n = len(present)
    shortcut = tree_edges(ancestor, descendant, present)
    if shortcut is not None:
        return shortcut
    from scipy.sparse.csgraph import connected_components  # only when needed: a third of a second

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


def tree_edges(
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
    from scipy.sparse import csr_array

    return csr_array((np.ones(len(rows), dtype=np.int32), (rows, columns)), shape=(n, n))
