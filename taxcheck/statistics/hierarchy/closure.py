"""The transitive closure of the parent-child graph, as numbered slots that pairs are held against.

A closure gives every (ancestor, descendant) pair that it contains a slot, 0 .. expected - 1, and
its distance. In a forest the slot is arithmetic on the Euler tour; in a DAG it is the position of
the pair's key among the sorted keys of all pairs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from taxcheck.model.arrays import Int32Array, IntArray, distinct
from taxcheck.model.finding import Skip
from taxcheck.statistics.hierarchy.forest import Forest
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.hierarchy.levels import ancestor_blocks

LARGEST_DAG_CLOSURE = 80_000_000  # ten bytes each, while the proof lasts
# Where it has more than this, it is held up to so many times the pairs that there are.
_LARGE, _TIMES = 12_000_000, 8


class Closure(Protocol):
    """What the proof asks of a closure."""

    path: str
    expected: int
    depths: IntArray  # [k] pairs at distance k
    beyond: IntArray  # nodes of whom it holds the parents alone, for there are too many pairs

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
    beyond: IntArray = np.empty(0, np.int64)

    def __init__(self, forest: Forest) -> None:
        self._forest = forest
        self._owners = np.flatnonzero(forest.depth > 0)
        depth = forest.depth[self._owners].astype(np.int64)
        ends = np.cumsum(depth)
        self.expected = int(ends[-1]) if len(ends) else 0
        self._first = ends - depth  # first slot of each owner
        # slot = first + (depth[d] - depth[a]) - 1: what depends on d alone is summed beforehand
        self._base = np.zeros(len(forest.depth), dtype=np.int64)
        self._base[self._owners] = ends - 1
        at_depth = np.bincount(depth, minlength=1)
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

    def __getstate__(self) -> dict[str, Any]:
        """What is shipped, 20 bytes a node: a copy can find, and nothing else."""
        slim = replace(self._forest, parent=self._forest.parent[:0], levels=())
        return {**self.__dict__, "_forest": slim, "_owners": None, "_first": None}

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
    """The closure of an acyclic graph: reachability and shortest distance, by block of nodes.

    Of a graph that implies more than ``most`` pairs it holds those of the first nodes; of the
    others, ``beyond``, only the edges.
    """

    path = "DAG: the sorted set of every node's ancestors, with shortest distances"

    def __init__(self, graph: Graph, most: int | None = None) -> None:
        most = LARGEST_DAG_CLOSURE if most is None else most
        self._n = max(graph.n, 1)
        self._keys = np.empty(0, np.int64)
        self._distances: npt.NDArray[np.integer] = np.empty(0, np.uint8)
        last = graph.n
        for block in ancestor_blocks(graph):
            key = block.nodes[block.row] * self._n + block.ancestor
            order = np.argsort(key)
            self._add(key[order], block.distance[order], int(block.distance[-1]))
            if len(self._keys) > most:
                last = int(block.nodes[-1])
                break
        rest = graph.children > last
        self._add(graph.children[rest] * self._n + graph.parents[rest], np.int32(1), 1)
        self.beyond = distinct(graph.children[rest])
        self.expected = len(self._keys)
        self.depths = np.bincount(self._distances, minlength=1)

    def _add(self, keys: IntArray, distances: Int32Array | np.int32, largest: int) -> None:
        """Append pairs; the arrays grow in place, where joining parts would hold them twice."""
        if largest > np.iinfo(self._distances.dtype).max:
            self._distances = self._distances.astype(np.int32)
        start = len(self._keys)
        self._keys.resize(start + len(keys), refcheck=False)
        self._distances.resize(start + len(keys), refcheck=False)
        self._keys[start:], self._distances[start:] = keys, distances

    def find(self, ancestor: IntArray, descendant: IntArray) -> tuple[IntArray, IntArray]:
        """(slot, distance) of each pair; both -1 where the closure does not hold it."""
        if not len(self._keys):
            nothing = np.full(len(ancestor), -1, dtype=np.int64)
            return nothing, nothing.copy()
        keys = descendant * self._n + ancestor
        slot = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        held = self._keys[slot] == keys
        distance = np.where(held, self.distances(slot), -1)
        return np.where(held, slot, -1), distance

    def pairs(self, slots: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """(ancestor, descendant, distance) of slots."""
        descendant, ancestor = np.divmod(self._keys[slots], self._n)
        return ancestor, descendant, self.distances(slots)

    def distances(self, slots: IntArray) -> IntArray:
        """The distance of slots."""
        return self._distances[slots].astype(np.int64)


def closure_of(graph: Graph, pairs: int | None = None) -> Closure:
    """The closure of a graph by the cheapest exact path, to be held against so many ``pairs``.

    Edges on a cycle imply nothing: one of them is false, and all pairs would follow from all.
    """
    graph = graph.acyclic
    if graph.forest is not None:
        return ForestClosure(graph.forest)
    most = None if pairs is None else min(max(_TIMES * pairs, _LARGE), LARGEST_DAG_CLOSURE)
    return GraphClosure(graph, most)


def whole_closure(graph: Graph) -> Closure:
    """The closure of a graph that has no cycles; Skip where it is too large to hold."""
    closure = closure_of(graph)
    if len(closure.beyond):
        raise Skip(
            f"the depth-1 pairs imply more than {LARGEST_DAG_CLOSURE:,} pairs "
            "in a graph that is no tree"
        )
    return closure
