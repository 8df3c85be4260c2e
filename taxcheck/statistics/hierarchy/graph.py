"""The graph of parent-child edges: compressed neighbour lists, cycles, components, depths.

Only graphs that are no forest ask for sparse matrices, which are imported when they do: they would
cost every run a third of a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from taxcheck.model.arrays import (
    BoolArray,
    Int32Array,
    IntArray,
    bounded,
    distinct,
    grouped,
    ranges,
)
from taxcheck.statistics.hierarchy.forest import Forest

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_PEELED = 64  # rounds in which childless nodes are taken away
_BLOCK = 1 << 20  # edges that are looked at together
_MANY = 1 << 24  # nodes, of which all that a graph can tell would take gigabytes


@dataclass(frozen=True, slots=True)
class Neighbours:
    """For every node a list of others: ``targets[starts[v] : starts[v + 1]]``."""

    starts: IntArray  # (n + 1,)
    targets: IntArray  # (edges,)

    @classmethod
    def build(cls, sources: IntArray, targets: IntArray, n: int) -> Neighbours:
        """Group ``targets`` by source; both (edges,), values below n."""
        order = grouped(sources)
        starts = np.zeros(n + 1, dtype=np.int64)
        np.cumsum(np.bincount(sources, minlength=n), out=starts[1:])
        return cls(starts, targets[order])

    def expand(self, nodes: IntArray) -> tuple[IntArray, IntArray]:
        """All neighbours of ``nodes``: (position in nodes, neighbour), one per edge."""
        lengths = self.starts[nodes + 1] - self.starts[nodes]
        return np.repeat(np.arange(len(nodes)), lengths), self.targets[
            ranges(self.starts[nodes], lengths)
        ]

    @property
    def counts(self) -> IntArray:
        """Number of neighbours of every node, (n,)."""
        return np.diff(self.starts)


@dataclass(frozen=True)
class Graph:
    """Distinct parent-child edges over nodes 0..n-1, of which ``present`` are in some pair."""

    parents: IntArray  # (edges,)
    children: IntArray  # (edges,)
    present: BoolArray  # (n,)

    @classmethod
    def from_edges(cls, parents: IntArray, children: IntArray, present: BoolArray) -> Graph:
        """Drop repeated edges and self loops, and sort them by child, then parent."""
        n = max(len(present), 1)
        keys = children * n + parents
        child, parent = children, parents
        if not (keys[1:] > keys[:-1]).all():
            child, parent = np.divmod(distinct(keys), n)
        proper = child != parent
        return cls(parent[proper], child[proper], present)

    @property
    def n(self) -> int:
        """Number of idx, used or not."""
        return len(self.present)

    @cached_property
    def parents_of(self) -> Neighbours:
        """The parents of every node."""
        if (self.children[1:] < self.children[:-1]).any():
            return Neighbours.build(self.children, self.parents, self.n)
        starts = np.zeros(self.n + 1, dtype=np.int64)
        np.cumsum(self.parent_counts, out=starts[1:])
        return Neighbours(starts, self.parents)

    @cached_property
    def children_of(self) -> Neighbours:
        """The children of every node."""
        return Neighbours.build(self.parents, self.children, self.n)

    def beside(self, nodes: IntArray, up: bool) -> Neighbours:
        """The parents, or children, of a few nodes, (k,) ascending, by their places."""
        own, other = (self.children, self.parents) if up else (self.parents, self.children)
        marked = np.zeros(self.n, dtype=bool)
        marked[nodes] = True
        chosen = np.flatnonzero(marked[own])
        return Neighbours.build(np.searchsorted(nodes, own[chosen]), other[chosen], len(nodes))

    def trimmed(self) -> Graph:
        """The same; of many nodes without what was found on the way, and can be found again."""
        return self if self.n < _MANY else Graph(self.parents, self.children, self.present)

    @cached_property
    def parent_counts(self) -> Int32Array:
        """Number of parents of every node, (n,)."""
        return np.bincount(self.children, minlength=self.n).astype(np.int32)

    @cached_property
    def forest(self) -> Forest | None:
        """The Euler tour, where every node has at most one parent and nothing is in a cycle."""
        if self.parent_counts.max(initial=0) > 1:
            return None
        parent = np.full(self.n, -1, dtype=np.int32)
        parent[self.children] = self.parents
        forest = Forest.from_parents(parent)
        return forest.slim() if forest.reached is None else None

    @cached_property
    def roots(self) -> IntArray:
        """Nodes in some pair that have no parent."""
        return np.flatnonzero(self.present & (self.parent_counts == 0))

    @cached_property
    def depths(self) -> IntArray:
        """Shortest distance from a root, (n,); -1 where no root is above, or in no pair."""
        if self.forest is not None:
            return np.where(self.present, self.forest.depth, -1).astype(np.int64)
        depth = np.full(self.n, -1, dtype=np.int64)
        level, k = self.roots, 0
        while len(level):
            depth[level] = k
            below = self.children_of.expand(level)[1]
            level, k = distinct(below[depth[below] < 0]), k + 1
        return depth

    def below(self, nodes: IntArray) -> BoolArray:
        """Mark ``nodes`` and everything under them, (n,)."""
        marked = np.zeros(self.n, dtype=bool)
        level = nodes
        while len(level):
            marked[level] = True
            children = self.children_of.expand(level)[1]
            level = distinct(children[~marked[children]])
        return marked

    @cached_property
    def _tangled(self) -> IntArray:
        """Places of the edges that may lie on cycles, (k,) ascending.

        A node without children is on none, nor is its parent once such children are gone: they are
        taken away a few times over, after which little is left of most graphs.
        """
        if self.forest is not None:
            return np.empty(0, np.int64)
        waiting = np.bincount(self.parents, minlength=self.n).astype(np.int32)
        gone = waiting == 0
        level = np.flatnonzero(gone)
        for _ in range(_PEELED):
            if not len(level):
                break
            freed = [np.empty(0, np.int64)]
            for part in bounded(self.parent_counts[level], _BLOCK):
                above = self.parents_of.expand(level[part])[1]
                np.subtract.at(waiting, above, 1)
                freed.append(distinct(above[waiting[above] == 0]))
            level = distinct(np.concatenate(freed))
            gone[level] = True
        return np.flatnonzero(~(gone[self.parents] | gone[self.children]))

    @cached_property
    def _knots(self) -> tuple[IntArray, IntArray, IntArray]:
        """(places of edges within a strong component, the nodes there, one cycle in order)."""
        some = self._tangled
        if not len(some):
            return (np.empty(0, np.int64),) * 3
        nodes, parents, children = _renamed(self.parents[some], self.children[some])
        component = connected(parents, children, len(nodes), "strong")
        inside = np.flatnonzero(component[parents] == component[children])
        cycle = _one_cycle(parents[inside], children[inside], component)
        return some[inside], distinct(nodes[parents[inside]]), nodes[cycle]

    def cycles(self) -> tuple[IntArray, IntArray]:
        """All nodes on cycles, and one cycle in order (parent before child); both may be empty."""
        return self._knots[1:]

    @cached_property
    def acyclic(self) -> Graph:
        """The graph without the edges that close cycles: those within a strong component."""
        inside = self._knots[0]
        if not len(inside):
            return self
        apart = np.ones(len(self.parents), dtype=bool)
        apart[inside] = False
        return Graph(self.parents[apart], self.children[apart], self.present)

    def components(self) -> tuple[IntArray, IntArray]:
        """Weakly connected components of the present nodes.

        (the component of every root, (roots,); how many nodes each component has)
        """
        if self.forest is not None:
            return np.arange(len(self.roots)), self.forest.size[self.roots].astype(np.int64)
        top = np.arange(self.n, dtype=np.int32)
        top[self.acyclic.children] = self.acyclic.parents  # of several parents one
        while _climbed(top):
            pass
        joined = np.flatnonzero(top[self.parents] != top[self.children])
        label = np.arange(self.n, dtype=np.int32)
        if len(joined):
            tops, one, other = _renamed(top[self.parents[joined]], top[self.children[joined]])
            same = connected(one, other, len(tops), "weak")
            label[tops] = tops[np.unique(same, return_index=True)[1]][same]
        sizes = np.zeros(self.n, dtype=np.int32)
        for at in range(0, self.n, _BLOCK):
            part = slice(at, at + _BLOCK)
            np.add.at(sizes, label[top[part][self.present[part]]], 1)
        rank = np.cumsum(sizes > 0) - 1
        return rank[label[top[self.roots]]], sizes[sizes > 0].astype(np.int64)


def connected(
    parents: IntArray, children: IntArray, n: int, connection: Literal["weak", "strong"]
) -> Int32Array:
    """The component of every node, (n,); ``parents`` and ``children`` are (edges,)."""
    from scipy.sparse.csgraph import connected_components

    _, label = connected_components(
        _matrix(parents, children, n), directed=True, connection=connection
    )
    return np.asarray(label, dtype=np.int32)


def _climbed(top: Int32Array) -> bool:
    """Replace the node above each, (n,), by the one above that; whether any was another one.

    In blocks, in place: whoever is looked up later may have climbed already, which is as well.
    """
    climbed = False
    for at in range(0, len(top), _BLOCK):
        part = top[at : at + _BLOCK]
        above = top[part]
        if not np.array_equal(above, part):
            climbed = True
            part[:] = above
    return climbed


def _renamed(
    parents: IntArray | Int32Array, children: IntArray | Int32Array
) -> tuple[IntArray, IntArray, IntArray]:
    """The nodes of edges, ascending, and the edges by the places of their ends among them."""
    nodes: IntArray = distinct(np.concatenate([parents, children])).astype(np.int64)
    return nodes, np.searchsorted(nodes, parents), np.searchsorted(nodes, children)


def _one_cycle(parents: IntArray, children: IntArray, component: Int32Array) -> IntArray:
    """A cycle in order (parent before child), through the first node of edges that lie on any."""
    from scipy.sparse.csgraph import breadth_first_order

    if not len(parents):
        return np.empty(0, np.int64)
    start, n = int(parents.min()), len(component)
    inside = component[parents] == component[start]
    order, predecessor = breadth_first_order(_matrix(parents[inside], children[inside], n), start)
    position = np.full(n, n, dtype=np.int64)
    position[order] = np.arange(len(order))
    back = parents[inside & (children == start)]
    path = [int(back[np.argmin(position[back])])]
    while path[-1] != start:
        path.append(int(predecessor[path[-1]]))
    return np.array(path[::-1], dtype=np.int64)


def _matrix(parents: IntArray, children: IntArray, n: int) -> csr_array:
    from scipy.sparse import csr_array

    return csr_array((np.ones(len(parents), dtype=np.int8), (parents, children)), shape=(n, n))
