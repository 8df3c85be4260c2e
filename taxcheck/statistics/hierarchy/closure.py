"""The transitive closure of the parent-child graph, as numbered slots that pairs are held against.

A closure gives every (ancestor, descendant) pair that it contains a slot, 0 .. expected - 1, and
its distance. In a forest the slot is arithmetic on the Euler tour; in a DAG, or a graph with
cycles, it is the position of the pair's key among the sorted keys of all pairs.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from taxcheck.arrays import distinct
from taxcheck.rule import Skip
from taxcheck.statistics.hierarchy.forest import Forest
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.values import IntArray

LARGEST_DAG_CLOSURE = 200_000_000
_BLOCK = 1 << 16


class Closure(Protocol):
    """What the proof asks of a closure."""

    path: str
    expected: int
    depths: IntArray  # [k] pairs at distance k

    def find(self, ancestor: IntArray, descendant: IntArray) -> tuple[IntArray, IntArray]:
        """(slot, distance) of each pair; both -1 where the closure does not hold it."""

    def distances(self, slots: IntArray) -> IntArray:
        """The distance of slots."""

    def pairs(self, slots: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """(ancestor, descendant, distance) of slots."""


class ForestClosure:
    """The closure of a forest: nothing is stored beyond a few numbers a node.

    The ancestors of d are at the distances 1 .. depth(d), one at each; so d owns depth(d)
    consecutive slots, and a pair's slot is its descendant's first slot plus distance - 1.
    """

    path = "tree: two comparisons a pair on the Euler tour of the depth-1 pairs"

    def __init__(self, forest: Forest) -> None:
        self._forest = forest
        depth = forest.depth
        ends = np.cumsum(depth, dtype=np.int64)
        self.expected = int(ends[-1]) if len(ends) else 0
        self._owners = np.flatnonzero(depth > 0)
        self._first = (ends - depth)[self._owners]  # first slot of each owner
        # slot = first + (depth[d] - depth[a]) - 1: what depends on d alone is summed beforehand
        self._base = ends - 1
        at_depth = np.bincount(depth) if len(depth) else np.zeros(1, dtype=np.int64)
        self.depths = np.r_[0, np.cumsum(at_depth[::-1])[::-1][1:]]

    def find(self, ancestor: IntArray, descendant: IntArray) -> tuple[IntArray, IntArray]:
        """(slot, distance) of each pair; both -1 where the closure does not hold it."""
        forest = self._forest
        steps = forest.entry[descendant] - forest.entry[ancestor]
        held = (steps > 0) & (steps < forest.size[ancestor])
        above = forest.depth[ancestor]
        slot = self._base[descendant] - above
        distance = (forest.depth[descendant] - above).astype(np.int64)
        if not held.all():
            slot[~held] = distance[~held] = -1
        return slot, distance

    def pairs(self, slots: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """(ancestor, descendant, distance) of slots."""
        owner = self._owner(slots)
        descendant, distance = self._owners[owner], slots - self._first[owner] + 1
        ancestor, left = descendant.copy(), distance.copy()
        while (climbing := left > 0).any():
            ancestor[climbing] = self._forest.parent[ancestor[climbing]]
            left -= climbing
        return ancestor, descendant, distance

    def distances(self, slots: IntArray) -> IntArray:
        """The distance of slots."""
        return slots - self._first[self._owner(slots)] + 1

    def _owner(self, slots: IntArray) -> IntArray:
        return np.searchsorted(self._first, slots, side="right") - 1


class GraphClosure:
    """The closure of any graph: reachability and shortest distance, node block by node block."""

    path = "DAG: the sorted set of every node's ancestors, with shortest distances"

    def __init__(self, graph: Graph) -> None:
        self._n = max(graph.n, 1)
        keys, distances, total = [], [], 0
        nodes = np.flatnonzero(graph.parent_counts > 0)
        for start in range(0, len(nodes), _BLOCK):
            block, distance = self._ancestors(graph, nodes[start : start + _BLOCK])
            total += len(block)
            if total > LARGEST_DAG_CLOSURE:
                raise Skip(
                    f"the depth-1 pairs imply more than {LARGEST_DAG_CLOSURE:,} pairs "
                    "in a graph that is no tree"
                )
            keys.append(block)
            distances.append(distance)
        self._keys = np.concatenate(keys) if keys else np.empty(0, np.int64)
        self._distances = np.concatenate(distances) if distances else np.empty(0, np.int32)
        self.expected = total
        self.depths = np.bincount(self._distances, minlength=1)

    def _ancestors(
        self, graph: Graph, nodes: IntArray
    ) -> tuple[IntArray, np.ndarray[tuple[int], np.dtype[np.int32]]]:
        """Sorted keys descendant * n + ancestor of a block of nodes, with distances."""
        known = level = np.empty(0, np.int64)
        found: list[tuple[IntArray, int]] = []
        at = np.arange(len(nodes))
        reached, distance = nodes, 0
        while len(reached):
            distance += 1
            position, parent = graph.parents_of.expand(reached)
            level = distinct(nodes[at[position]] * self._n + parent)
            level = level[level // self._n != level % self._n]
            if len(known):
                where = np.minimum(np.searchsorted(known, level), len(known) - 1)
                level = level[known[where] != level]
            found.append((level, distance))
            known = np.sort(np.concatenate([known, level]), kind="stable")
            at = np.searchsorted(nodes, level // self._n)
            reached = level % self._n
        keys = np.concatenate([k for k, _ in found])
        steps = np.concatenate([np.full(len(k), d, dtype=np.int32) for k, d in found])
        order = np.argsort(keys)
        return keys[order], steps[order]

    def find(self, ancestor: IntArray, descendant: IntArray) -> tuple[IntArray, IntArray]:
        """(slot, distance) of each pair; both -1 where the closure does not hold it."""
        if not len(self._keys):
            nothing = np.full(len(ancestor), -1, dtype=np.int64)
            return nothing, nothing.copy()
        keys = descendant * self._n + ancestor
        slot = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        held = self._keys[slot] == keys
        distance = np.where(held, self._distances[slot], -1)
        return np.where(held, slot, -1), distance

    def pairs(self, slots: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """(ancestor, descendant, distance) of slots."""
        descendant, ancestor = np.divmod(self._keys[slots], self._n)
        return ancestor, descendant, self.distances(slots)

    def distances(self, slots: IntArray) -> IntArray:
        """The distance of slots."""
        return self._distances[slots].astype(np.int64)


def closure_of(graph: Graph) -> Closure:
    """The closure of a graph by the cheapest exact path; Skip where it is too large to hold."""
    return ForestClosure(graph.forest) if graph.forest is not None else GraphClosure(graph)
