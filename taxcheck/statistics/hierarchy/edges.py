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
from taxcheck.model.errors import InputError
from taxcheck.model.memory import LEAST, size_text, usual_memory
from taxcheck.policy.model import Dataset
from taxcheck.statistics.hierarchy.closure import Closure, ForestClosure, closure_of, reach_of
from taxcheck.statistics.hierarchy.dag import GraphClosure, Reach
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.hierarchy.slots import SlotSet
from taxcheck.statistics.pairs import PairState, PairTable

if TYPE_CHECKING:
    from scipy.sparse import csr_array

REDUCTION = "transitive reduction"
_ROW_BYTES = 40  # that a pair takes while the edges are looked for among all
_WAITING = 1 << 22  # pairs that are held before those that are there twice are left out
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


def edges_of(
    tables: Sequence[PairTable],
    dataset: Dataset,
    memory: int | None = None,
    without: IntArray | None = None,
) -> Edges:
    """The graph that the pairs of all tables imply, where a run may take ``memory`` bytes.

    A closure in which all distances are 1 is read as if it stated none. Pairs whose sorted keys,
    descendant * n + ancestor, are in ``without`` make no edge.
    """
    without = np.empty(0, np.int64) if without is None else without
    states = [table.state for table in tables]
    present = present_in(states)
    if dataset.pairs == "edges":
        graph = Graph.from_edges(*_all_pairs(tables, len(present)), present)
        return Edges(graph, closure_of(graph, memory), "declared edges")
    stated = None
    if states[0].depth is not None:
        stated = Graph.from_edges(*_but(without, *_direct(states), len(present)), present)
        if not all(map(_all_one, states)):
            return Edges(stated, closure_of(stated, memory), "depth_diff")
    read = _reduced(tables, present, memory, without)
    if stated is not None and not read.whole:
        del read
        return Edges(stated, closure_of(stated, memory), "depth_diff")
    if read.closure is None:
        return Edges(read.graph, closure_of(read.graph, memory), REDUCTION, stated is not None)
    return Edges(read.graph, read.closure, REDUCTION, stated is not None)


@dataclass(frozen=True, slots=True)
class _Reduced:
    graph: Graph
    closure: Closure | None  # None: yet to be made
    whole: bool  # whether the pairs are the closure, by and large, rather than its edges


def _reduced(
    tables: Sequence[PairTable], present: BoolArray, memory: int | None, without: IntArray
) -> _Reduced:
    """What the pairs imply without their distances, and whether they are its closure.

    Edges of a DAG may have shortcuts among them, and in a small one they may close it; so pairs
    are a closure, by and large, only where most of those that follow are there.
    """
    graph = None if len(without) else _forest_of(tables, present)
    if graph is not None:
        closure = closure_of(graph, memory)
        rows, edges = closure.expected, len(graph.parents)
        return _Reduced(graph, closure, _is_closure(rows, edges, rows))
    most = max(usual_memory() if memory is None else memory, LEAST) // _ROW_BYTES
    ancestor, descendant = _but(without, *_all_pairs(tables, len(present), most), len(present))
    pairs = len(ancestor)
    graph = Graph.from_edges(*transitive_reduction(ancestor, descendant, present), present)
    del ancestor, descendant
    reach = reach_of(graph, memory)
    if not isinstance(reach, Reach):
        whole = _is_closure(pairs, len(graph.parents), reach.expected)
        return _Reduced(graph, reach, whole)
    reduced = _without(graph, reach.shortcuts, reach.closure)
    whole = _is_closure(pairs, len(reduced.parents), reach.expected)
    # where pairs in between were missing, the distances are others without the shortcuts
    return _Reduced(reduced, reach.closure if reduced is graph else None, whole)


def _is_closure(pairs: int, edges: int, expected: int) -> bool:
    return 2 * (pairs - edges) > max(edges, expected - edges)


def _forest_of(tables: Sequence[PairTable], present: BoolArray) -> Graph | None:
    """The forest of which the pairs are exactly the closure, each there once; else None.

    As in ``tree_edges``, but the pairs are walked twice, and none is held.
    """
    above = np.sum([table.state.as_descendant for table in tables], axis=0)
    edges = [np.empty((2, 0), np.int64)]
    rows = 0
    for table in tables:
        for batch in table.spool.batches():
            direct = above[batch.ancestor] == above[batch.descendant] - 1
            edges.append(np.stack([batch.ancestor[direct], batch.descendant[direct]]))
            rows += edges[-1].shape[1]
            if rows > len(present):
                return None
    parents, children = np.concatenate(edges, axis=1)
    if rows != np.count_nonzero(above):
        return None
    graph = Graph.from_edges(parents, children, present)
    if graph.forest is None or (graph.forest.depth != above).any():
        return None
    closure = ForestClosure(graph.forest)
    seen = SlotSet(closure.size)  # there are as many rows: one that is there twice leaves one out
    for table in tables:
        for batch in table.spool.batches():
            slots, _ = closure.find(batch.ancestor, batch.descendant)
            if (slots < 0).any():
                return None
            seen.add(slots)
    return graph if len(seen) == closure.expected else None


def _all_one(state: PairState) -> bool:
    return state.depth is None or state.depth.histogram.freeze()[0].tolist() == [1]


def without_shortcuts(graph: Graph, closure: Closure) -> Graph:
    """The graph without edges to a parent of whom another parent descends; itself where none is.

    ``closure`` is that of the graph. Edges on a cycle stay, and prove no other one a shortcut.
    """
    if not isinstance(closure, GraphClosure):
        return graph
    return _without(graph, closure.shortcuts, closure)


def _without(graph: Graph, shortcuts: IntArray, closure: GraphClosure | None) -> Graph:
    if closure is not None and len(closure.beyond):
        shortcuts = np.sort(np.concatenate([shortcuts, _open_shortcuts(graph, closure)]))
    if not len(shortcuts):
        return graph
    kept = ~within(shortcuts, graph.children * graph.n + graph.parents)
    return Graph(graph.parents[kept], graph.children[kept], graph.present)


def _open_shortcuts(graph: Graph, closure: GraphClosure) -> IntArray:
    """Those of nodes that the closure does not hold whole, as far as their parents' are."""
    parents_of = graph.acyclic.parents_of
    nodes = closure.beyond[parents_of.counts[closure.beyond] > 1]
    found = [np.empty(0, np.int64)]
    for part in bounded(parents_of.counts[nodes] ** 2, _COMPARED):
        some = nodes[part]
        position, parent = parents_of.expand(some)
        edge, other = parents_of.expand(some[position])
        above, _ = closure.find(parent[edge], other)
        edges = distinct(edge[above >= 0])
        found.append(some[position[edges]] * graph.n + parent[edges])
    return np.concatenate(found)


def _direct(states: Sequence[PairState]) -> tuple[IntArray, IntArray]:
    """The depth-1 pairs in the order of the source: what is sorted there stays sorted."""
    found = [edges for state in states for edges in sorted(state.edges, key=lambda e: e[0])]
    nothing = np.empty(0, np.int64)
    return (
        np.concatenate([nothing, *(parents for _, parents, _ in found)]),
        np.concatenate([nothing, *(children for _, _, children in found)]),
    )


def _but(
    without: IntArray, ancestor: IntArray, descendant: IntArray, n: int
) -> tuple[IntArray, IntArray]:
    """The pairs, but for those whose sorted keys are given."""
    if not len(without):
        return ancestor, descendant
    kept = ~within(without, descendant * n + ancestor)
    return ancestor[kept], descendant[kept]


def _all_pairs(
    tables: Sequence[PairTable], n: int, most: int | None = None
) -> tuple[IntArray, IntArray]:
    """(ancestors, descendants) of all pairs, each once, by descendant, then ancestor.

    InputError where more than ``most`` differ, which cannot be held together.
    """
    held, waiting, rows = np.empty(0, np.int64), [np.empty(0, np.int64)], 0
    for batch in (batch for table in tables for batch in table.spool.batches()):
        waiting.append(distinct(batch.descendant * n + batch.ancestor))
        rows += len(waiting[-1])
        if rows > max(len(held), _WAITING):
            held, waiting, rows = distinct(np.concatenate([held, *waiting])), [], 0
            _expect_room(len(held), most, tables)
    held = distinct(np.concatenate([held, *waiting]))
    _expect_room(len(held), most, tables)
    descendant, ancestor = np.divmod(held, n)
    return ancestor, descendant


def _expect_room(pairs: int, most: int | None, tables: Sequence[PairTable]) -> None:
    if most is not None and pairs > most:
        rows = sum(len(table.spool) for table in tables)
        needed = size_text(rows * _ROW_BYTES)  # at most: how many are there twice is not known yet
        raise InputError(
            f"{rows:,} pairs without distances, which are not the closure of a tree: finding their "
            f"edges takes {needed}; give `memory` {needed}, or pairs with depth_diff"
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
