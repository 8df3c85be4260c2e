"""The closure of a graph that is no forest: a forest, and what is above the roots of its trees."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np

from taxcheck.model.arrays import IntArray
from taxcheck.statistics.hierarchy import lists, matrix
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.hierarchy.stems import Stems

_FEW = 1 << 24  # ancestors in lists that are made without a second thought
_AMPLE = 1 << 62
_BLOCK = 1 << 22  # nodes that are looked at together
_SPARE = 1.2  # times an estimate, lest it be too low
_LISTED = 4  # times what the lists would take may a matrix take: it is made and asked sooner


class Rows(Protocol):
    """The ancestors of the nodes with several parents."""

    path: str
    closed: int  # rows that are held whole; the others have their parents alone
    counts: IntArray  # (rows,) ancestors
    widths: IntArray  # (rows,) places, of which some may be no ancestor's
    shortcuts: IntArray  # row * n + parent of edges past another parent, ascending

    def find(self, row: IntArray, ancestor: IntArray) -> tuple[IntArray, IntArray]:
        """(place in the row, distance) of ancestors, (k,) each; both -1 where it has none."""

    def entries(self, row: IntArray, place: IntArray) -> tuple[IntArray, IntArray]:
        """(ancestor, distance) at places of rows, (k,) each; the distance is 0 where none is."""

    def histogram(self) -> tuple[IntArray, IntArray, IntArray]:
        """(row, distance, how many ancestors), (k,) each."""


@dataclass(frozen=True)
class Plan:
    """How the ancestors of the nodes with several parents are to be held, told before they are."""

    stems: Stems
    core: matrix.Core | None  # of a matrix, where one is to be made
    needs: int  # bytes, by a bound or an estimate

    @classmethod
    def of(cls, graph: Graph, memory: int) -> Plan:
        """The cheapest way for a graph without cycles, within about ``memory`` bytes."""
        stems = Stems.of(graph)
        bound = float(stems.most.sum()) * lists.BYTES
        if bound <= min(_FEW * lists.BYTES, memory):
            return cls(stems, None, int(bound))
        core = matrix.Core.of(graph, stems)
        if core is None:
            return cls(stems, None, int(bound))
        asked = bound
        if matrix.LABEL_BYTES * len(core.nodes) <= memory:
            asked = core.estimate(core.position[stems.nodes]) * lists.BYTES
        size = core.size()
        if size > _LISTED * asked:
            return cls(stems, None, int(min(bound, _SPARE * asked)))
        if size <= memory:
            return cls(stems, core, size)
        return cls(stems, None, int(min(bound, _SPARE * asked, size)))

    def held(self, memory: int) -> Rows:
        """The rows; where they are too many, as many lists as there is room for."""
        if self.core is not None:
            try:
                return matrix.Matrix(self.core, self.stems)
            except OverflowError:
                pass  # too deep for a byte
        return lists.Lists(self.stems, max(memory // lists.BYTES, 1))


@dataclass(frozen=True)
class Reach:
    """Who is above whom in a graph without cycles, as far as it fits into memory."""

    expected: int  # pairs
    shortcuts: IntArray  # child * n + parent, ascending
    closure: GraphClosure | None  # where it was made on the way

    @classmethod
    def of(cls, graph: Graph, memory: int) -> Reach:
        """In less time and memory than the closure, where there is a way."""
        plan = Plan.of(graph, memory)
        if plan.core is None:
            closure = GraphClosure(graph, memory, plan)
            return cls(closure.expected, closure.shortcuts, closure)
        child, parent, counts = plan.core.reach()
        nodes, stems = plan.core.nodes, plan.stems
        above = np.r_[counts[plan.core.position[stems.nodes]], 0][stems.row_of]
        expected = int(above.sum()) + int(stems.forest.depth.sum(dtype=np.int64))
        return cls(expected, np.sort(nodes[child] * graph.n + nodes[parent]), None)


class GraphClosure:
    """The closure of a graph without cycles, in at most about ``memory`` bytes.

    A node owns a slot for each node above it in its tree, nearest first, then one for each place
    in the row of the tree's root. Where the rows are too many to hold, ``beyond`` are the nodes of
    whom only the tree and the row's parents are known.
    """

    by_ancestor = True

    def __init__(self, graph: Graph, memory: int = _AMPLE, plan: Plan | None = None) -> None:
        plan = Plan.of(graph, memory) if plan is None else plan
        self._stems = stems = plan.stems
        forest, row_of = stems.forest, stems.row_of
        self._rows = plan.held(memory)
        # bytes that would hold all of it, where it is not held
        self.needs = plan.needs if self._rows.closed < len(stems.nodes) else 0
        self.path = f"DAG: two comparisons a pair on the walk of each tree, then {self._rows.path}"
        widths = np.r_[self._rows.widths, 0][row_of]
        widths += forest.depth
        self._first = np.cumsum(widths)
        self.size = int(self._first[-1]) if len(widths) else 0
        self._first -= widths
        del widths
        below = np.bincount(row_of + 1, minlength=len(stems.nodes) + 1)[1:]
        self.expected = int(forest.depth.sum(dtype=np.int64)) + int(self._rows.counts @ below)
        self.beyond: IntArray = np.flatnonzero(row_of >= self._rows.closed)
        self.depths = self._depths()
        row, parent = np.divmod(self._rows.shortcuts, max(graph.n, 1))
        self.shortcuts = np.sort(stems.nodes[row] * graph.n + parent)

    def _depths(self) -> IntArray:
        """[k] pairs at distance k: within trees, and from a tree's nodes to the row above it."""
        from scipy.sparse import csr_array

        stems = self._stems
        depth = stems.forest.depth
        at_least = np.cumsum(np.bincount(depth, minlength=1)[::-1])[::-1]
        row, distance, counts = self._rows.histogram()
        below = np.flatnonzero(stems.row_of >= 0)
        shape = int(depth.max(initial=0)) + 1, len(stems.nodes)
        ones = np.ones(len(below), dtype=np.int64)
        nodes = csr_array((ones, (depth[below], stems.row_of[below])), shape=shape)
        wide = int(distance.max(initial=0)) + 1
        table = csr_array((counts, (row, distance)), shape=(shape[1], wide))
        pairs = (nodes @ table).tocoo()
        whole = np.zeros(shape[0] + wide, dtype=np.int64)
        whole[1 : shape[0]] += at_least[1:]
        np.add.at(whole, pairs.coords[0].astype(np.int64) + pairs.coords[1], pairs.data)
        return np.trim_zeros(whole, "b") if whole.any() else whole[:1]

    def deepest(self) -> int:
        """The largest of all nodes' shortest distances from a root: ``Graph.depths``, unlisted."""
        stems = self._stems
        top = np.zeros(len(stems.nodes) + 1, dtype=np.int64)  # of each tree's root; the last: 0
        for start, end in pairwise(stems.levels.tolist()):
            position, x = stems.parents.expand(np.arange(start, end))
            first = np.flatnonzero(np.r_[True, position[1:] != position[:-1]])
            top[start:end] = np.minimum.reduceat(
                stems.forest.depth[x] + top[stems.row_of[x]], first
            )
            top[start:end] += 1
        deepest = 0
        for at in range(0, len(stems.row_of), _BLOCK):
            part = slice(at, at + _BLOCK)
            depth = stems.forest.depth[part] + top[stems.row_of[part]]
            deepest = max(deepest, int(depth.max(initial=0)))
        return deepest

    def find(self, ancestor: IntArray, descendant: IntArray) -> tuple[IntArray, IntArray]:
        """(slot, distance) of each pair; both -1 where the closure does not hold it."""
        forest = self._stems.forest
        steps = forest.entry[descendant] - forest.entry[ancestor]
        inside = (steps > 0) & (steps < forest.size[ancestor])
        distance = (forest.depth[descendant] - forest.depth[ancestor]).astype(np.int64)
        slot = self._first[descendant] + distance - 1
        if inside.all():
            return slot, distance
        slot[~inside] = distance[~inside] = -1
        row = self._stems.row_of[descendant]
        asked = np.flatnonzero(~inside & (row >= 0))
        below = descendant[asked]
        place, beyond = self._rows.find(row[asked].astype(np.int64), ancestor[asked])
        held = place >= 0
        asked, below = asked[held], below[held]
        deep = forest.depth[below]
        slot[asked] = self._first[below] + deep + place[held]
        distance[asked] = deep + beyond[held]
        return slot, distance

    def pairs(self, slots: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """(ancestor, descendant, distance) of slots; the distance is 0 where a slot is no pair."""
        stems = self._stems
        descendant = np.searchsorted(self._first, slots, side="right") - 1
        place, deep = slots - self._first[descendant], stems.forest.depth[descendant]
        ancestor, distance = np.empty_like(slots), place + 1
        near = place < deep
        ancestor[near] = stems.forest.above(descendant[near], distance[near])
        far = ~near
        row = stems.row_of[descendant[far]].astype(np.int64)
        ancestor[far], step = self._rows.entries(row, place[far] - deep[far])
        distance[far] = np.where(step > 0, step + deep[far], 0)
        return ancestor, descendant, distance

    def distances(self, slots: IntArray) -> IntArray:
        """The distance of slots; 0 where a slot is no pair."""
        stems = self._stems
        descendant = np.searchsorted(self._first, slots, side="right") - 1
        distance, deep = slots - self._first[descendant] + 1, stems.forest.depth[descendant]
        far = np.flatnonzero(distance > deep)
        row = stems.row_of[descendant[far]].astype(np.int64)
        step = self._rows.entries(row, distance[far] - 1 - deep[far])[1]
        distance[far] = np.where(step > 0, step + deep[far], 0)
        return np.asarray(distance)

    def spans(self) -> tuple[IntArray, IntArray]:
        """The first slot of every node, and how many it owns, (n,) each."""
        return self._first, np.diff(np.r_[self._first, self.size])
