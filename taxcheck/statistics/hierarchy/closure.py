"""The transitive closure of the parent-child graph, as numbered slots that pairs are held against.

A closure gives every (ancestor, descendant) pair that it contains a slot and its distance. The
slots of a node are consecutive, and those of nodes ascend with their idx.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from taxcheck.model.arrays import IntArray
from taxcheck.model.finding import Skip
from taxcheck.model.memory import size_text, usual_memory
from taxcheck.statistics.hierarchy.dag import GraphClosure, Reach
from taxcheck.statistics.hierarchy.forest import Forest
from taxcheck.statistics.hierarchy.graph import Graph

_SHARE = 3  # part of the memory that a closure may take; pairs, nodes and marks take theirs


class Closure(Protocol):
    """What the proof asks of a closure."""

    path: str
    expected: int  # pairs
    size: int  # slots; in a matrix there are some that are no pair's
    depths: IntArray  # [k] pairs at distance k
    beyond: IntArray  # nodes of whom it holds only a part, for there are too many pairs
    by_ancestor: bool  # whether what lacks is listed by ancestor rather than by distance
    needs: int  # bytes that would hold all of it, where there are such nodes

    def find(self, ancestor: IntArray, descendant: IntArray) -> tuple[IntArray, IntArray]:
        """(slot, distance) of each pair; both -1 where the closure does not hold it."""

    def distances(self, slots: IntArray) -> IntArray:
        """The distance of slots; 0 where a slot is no pair's."""

    def pairs(self, slots: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """(ancestor, descendant, distance) of slots; the distance is 0 where one is no pair's."""

    def spans(self) -> tuple[IntArray, IntArray]:
        """The first slot of every node, and how many it owns, (n,) each."""


class ForestClosure:
    """The closure of a forest: nothing is stored beyond a few numbers a node.

    The ancestors of d are at the distances 1 .. depth(d), one at each; so d owns depth(d)
    consecutive slots, and a pair's slot is its descendant's first slot plus distance - 1.
    """

    path = "tree: two comparisons a pair on the Euler tour of the depth-1 pairs"
    beyond: IntArray = np.empty(0, np.int64)
    needs = 0
    by_ancestor = False

    def __init__(self, forest: Forest) -> None:
        self._forest = forest
        depth = np.maximum(forest.depth, 0)
        # slot = first + (depth[d] - depth[a]) - 1: what depends on d alone is summed beforehand
        self._base = np.cumsum(depth, dtype=np.int64)
        self.expected = self.size = int(self._base[-1]) if len(depth) else 0
        self._base -= 1
        at_depth = np.bincount(depth, minlength=1)
        at_depth[0] = 0
        self.depths = np.r_[0, np.cumsum(at_depth[::-1])[::-1][1:]]

    @cached_property
    def _owners(self) -> IntArray:
        """The nodes that own slots, those with a parent."""
        return np.flatnonzero(self._forest.depth > 0)

    @cached_property
    def _first(self) -> IntArray:
        """The first slot of each owner."""
        return self._base[self._owners] - self._forest.depth[self._owners] + 1

    def find(self, ancestor: IntArray, descendant: IntArray) -> tuple[IntArray, IntArray]:
        """(slot, distance) of each pair; both -1 where the closure does not hold it."""
        forest = self._forest
        steps = forest.entry.take(descendant) - forest.entry.take(ancestor)
        held = (steps > 0) & (steps < forest.size.take(ancestor))
        above = forest.depth.take(ancestor)
        slot = self._base.take(descendant) - above
        distance = (forest.depth.take(descendant) - above).astype(np.int64)
        if not held.all():
            slot[~held] = distance[~held] = -1
        return slot, distance

    def __getstate__(self) -> dict[str, Any]:
        """What is shipped, 20 bytes a node: a copy can find, and nothing else."""
        slim = replace(self._forest, parent=self._forest.parent[:0], _walked=None)
        return {**self.__dict__, "_forest": slim, "_owners": None, "_first": None}

    def pairs(self, slots: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """(ancestor, descendant, distance) of slots."""
        owner = self._owner(slots)
        descendant, distance = self._owners[owner], slots - self._first[owner] + 1
        return self._forest.above(descendant, distance), descendant, distance

    def distances(self, slots: IntArray) -> IntArray:
        """The distance of slots."""
        return slots - self._first[self._owner(slots)] + 1

    def spans(self) -> tuple[IntArray, IntArray]:
        """The first slot of every node, and how many it owns, (n,) each."""
        depth = np.maximum(self._forest.depth, 0).astype(np.int64)
        return np.cumsum(depth) - depth, depth

    def _owner(self, slots: IntArray) -> IntArray:
        return np.searchsorted(self._first, slots, side="right") - 1


def closure_of(graph: Graph, memory: int | None = None) -> Closure:
    """The closure of a graph by the cheapest exact path, where a run may take ``memory`` bytes.

    Edges on a cycle imply nothing: one of them is false, and all pairs would follow from all.
    """
    graph = graph.acyclic
    if graph.forest is not None:
        return ForestClosure(graph.forest)
    return GraphClosure(graph, _part(memory))


def reach_of(graph: Graph, memory: int | None = None) -> Reach | ForestClosure:
    """Who is above whom; of a forest its closure tells."""
    graph = graph.acyclic
    if graph.forest is not None:
        return ForestClosure(graph.forest)
    return Reach.of(graph, _part(memory))


def _part(memory: int | None) -> int:
    return (usual_memory() if memory is None else memory) // _SHARE


def memory_for(closure: Closure) -> int:
    """Bytes that a run must be given to hold all of a closure."""
    return _SHARE * closure.needs


def whole_closure(graph: Graph, memory: int | None = None) -> Closure:
    """The closure of a graph that has no cycles; Skip where it is too large to hold."""
    closure = closure_of(graph, memory)
    if len(closure.beyond):
        raise Skip(
            "the depth-1 pairs imply more pairs, in a graph that is no tree, than fit into memory; "
            f"with `memory` {size_text(memory_for(closure))} they would"
        )
    return closure
