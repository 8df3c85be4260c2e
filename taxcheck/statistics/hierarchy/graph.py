"""The graph of parent-child edges: compressed neighbour lists, cycles, components, depths.

Only graphs that are no forest ask for sparse matrices, which are imported when they do: they would
cost every run a third of a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray, distinct, grouped, ranges
from taxcheck.statistics.hierarchy.forest import Forest

if TYPE_CHECKING:
    from scipy.sparse import csr_array


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
        return Neighbours.build(self.children, self.parents, self.n)

    @cached_property
    def children_of(self) -> Neighbours:
        """The children of every node."""
        return Neighbours.build(self.parents, self.children, self.n)

    @cached_property
    def parent_counts(self) -> IntArray:
        """Number of parents of every node, (n,)."""
        return np.bincount(self.children, minlength=self.n)

    @cached_property
    def forest(self) -> Forest | None:
        """The Euler tour, where every node has at most one parent and nothing is in a cycle."""
        if self.parent_counts.max(initial=0) > 1:
            return None
        parent = np.full(self.n, -1, dtype=np.int64)
        parent[self.children] = self.parents
        forest = Forest.from_parents(parent)
        return forest if forest.reached is None else None

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

    def cycles(self) -> tuple[IntArray, IntArray]:
        """All nodes on cycles, and one cycle in order (parent before child); both may be empty."""
        if self.acyclic is self:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        return cycles(self.parents, self.children, self.n)

    @cached_property
    def acyclic(self) -> Graph:
        """The graph without the edges that close cycles: those within a strong component."""
        if self.forest is not None:
            return self
        component = connected(self.parents, self.children, self.n, "strong")
        apart = component[self.parents] != component[self.children]
        return (
            self if apart.all() else Graph(self.parents[apart], self.children[apart], self.present)
        )

    def components(self) -> tuple[IntArray, IntArray]:
        """Weakly connected components of the present nodes: (label of every node, their sizes)."""
        if self.forest is not None:
            labels = np.full(self.n, -1, dtype=np.int64)
            labels[self.roots] = np.arange(len(self.roots))
            return labels[self.forest.tops()], self.forest.size[self.roots].astype(np.int64)
        label = connected(self.parents, self.children, self.n, "weak")
        used, label_of_present = np.unique(label[self.present], return_inverse=True)
        labels = np.full(self.n, -1, dtype=np.int64)
        labels[self.present] = label_of_present
        return labels, np.bincount(label_of_present, minlength=len(used))


def connected(
    parents: IntArray, children: IntArray, n: int, connection: Literal["weak", "strong"]
) -> IntArray:
    """The component of every node, (n,); ``parents`` and ``children`` are (edges,)."""
    from scipy.sparse.csgraph import connected_components

    _, label = connected_components(
        _matrix(parents, children, n), directed=True, connection=connection
    )
    return np.asarray(label, dtype=np.int64)


def cycles(parents: IntArray, children: IntArray, n: int) -> tuple[IntArray, IntArray]:
    """All nodes on cycles, and one cycle in order (parent before child); both may be empty."""
    from scipy.sparse.csgraph import breadth_first_order

    component = connected(parents, children, n, "strong")
    on_cycle = np.flatnonzero(np.bincount(component)[component] > 1)
    if not len(on_cycle):
        return on_cycle, on_cycle
    start = int(on_cycle[0])
    inside = (component[parents] == component[start]) & (component[children] == component[start])
    order, predecessor = breadth_first_order(_matrix(parents[inside], children[inside], n), start)
    position = np.full(n, n, dtype=np.int64)
    position[order] = np.arange(len(order))
    back = parents[inside & (children == start)]
    path = [int(back[np.argmin(position[back])])]
    while path[-1] != start:
        path.append(int(predecessor[path[-1]]))
    return on_cycle, np.array(path[::-1], dtype=np.int64)


def _matrix(parents: IntArray, children: IntArray, n: int) -> csr_array:
    from scipy.sparse import csr_array

    return csr_array((np.ones(len(parents), dtype=np.int8), (parents, children)), shape=(n, n))
