"""A forest with its Euler tour, built in NumPy without recursion.

Level by level that is O(nodes) work. Where there are very many levels, chains rather than trees,
all nodes find their place in the walk at once: they ask who comes next, then who comes two steps
after, four, eight (list ranking by pointer jumping, Wyllie 1979).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from taxcheck.model.arrays import BoolArray, Int32Array, IntArray, grouped, ranges

_SPARSE = 32  # where fewer than a node in 32 has a parent, those without are not walked
_DEEP = 2_000  # levels; of more, they are not walked one by one
_BLOCK = 1 << 22  # nodes that are looked at together
_CLIMB = 256  # steps that are climbed one by one


@dataclass(frozen=True)
class Forest:
    """Parents, depths and the intervals of a depth-first walk; arrays are (n,), by idx.

    a is an ancestor of d exactly when ``entry[a] < entry[d] < entry[a] + size[a]`` (the interval
    property of a depth-first walk, Tarjan 1972, doi:10.1137/0201010).
    """

    parent: Int32Array  # -1 at a root
    depth: Int32Array  # 0 at a root, -1 where unreached
    entry: Int32Array  # position in the walk
    size: Int32Array  # nodes in the subtree, itself included
    reached: BoolArray | None  # None: every node; else nodes not on or below a cycle
    _walked: tuple[IntArray, ...] | None = field(default=None, repr=False)

    @classmethod
    def from_parents(cls, parent: IntArray | Int32Array) -> Forest:
        """Build it from the parent of every node, (n,), -1 at a root; n below 2**31.

        Nodes on a cycle, or below one, hang from no root: they stay out and ``reached`` says so.
        """
        n = len(parent)
        children = np.flatnonzero(parent >= 0)
        if _SPARSE * len(children) < n:
            return cls._of_few(parent, children)
        del children
        by_parent = grouped(parent)
        children = np.bincount(parent + 1, minlength=n + 1)
        first = np.cumsum(children) - children  # position in by_parent of each parent's children
        level = by_parent[: children[0]]
        depth = np.full(n, -1, dtype=np.int32)
        levels: list[IntArray] = []
        while len(level):
            if len(levels) == _DEEP:
                return cls._deep(parent, by_parent, children[1:], first[1:])
            depth[level] = len(levels)
            levels.append(level)
            inner = level[children[level + 1] > 0]
            level = by_parent[ranges(first[inner + 1], children[inner + 1])]
        del by_parent, first, children
        size = np.ones(n, dtype=np.int32)
        for level in reversed(levels[1:]):
            np.add.at(size, parent[level], size[level])
        entry = np.zeros(n, dtype=np.int32)
        for k, level in enumerate(levels):
            before = np.cumsum(size[level]) - size[level]
            if k == 0:
                entry[level] = before
                continue
            above = parent[level]
            starts = np.flatnonzero(np.r_[True, above[1:] != above[:-1]])
            base = np.repeat(before[starts], np.diff(np.r_[starts, len(level)]))
            entry[level] = entry[above] + 1 + before - base
        reached = depth >= 0
        reached_all = None if reached.all() else reached
        return cls(parent.astype(np.int32), depth, entry, size, reached_all, tuple(levels))

    @classmethod
    def _deep(
        cls,
        parent: IntArray | Int32Array,
        by_parent: IntArray,
        children: IntArray,
        first: IntArray,
    ) -> Forest:
        """Build it where levels are many.

        ``by_parent[first[v] : first[v] + children[v]]`` are the children of v; roots come first.
        """
        n = len(parent)
        rounds = max(n, 2).bit_length()
        top = np.where(parent < 0, np.arange(n), parent)
        for _ in range(rounds):
            top = top[top]
        reached = parent[top] < 0
        # every node is entered and left: arcs v and n + v; 2n is the end, which follows itself
        end = 2 * n
        follows = np.full(end + 1, end, dtype=np.int64)
        inner = children > 0
        follows[:n] = n + np.arange(n)
        follows[:n][inner] = by_parent[first[inner]]
        up = follows[n:end]
        up[parent >= 0] = n + parent[parent >= 0]
        same = parent[by_parent[1:]] == parent[by_parent[:-1]]
        up[by_parent[:-1][same]] = by_parent[1:][same]
        # arcs from here to the end: those that enter in the lower half, those that leave above it
        left = np.ones(end + 1, dtype=np.int64)
        left[n:end], left[end] = 1 << 32, 0
        for _ in range(rounds + 1):
            left += left[follows]
            follows = follows[follows]
        whole = int(np.count_nonzero(reached))
        entering, leaving = left & 0xFFFFFFFF, left >> 32
        entry = whole - entering[:n]
        depth = entry - (whole - leaving[:n])
        size = entering[:n] - entering[n:end]
        for values, none in ((entry, 0), (depth, -1), (size, 1)):
            values[~reached] = none
        return cls(
            parent.astype(np.int32),
            depth.astype(np.int32),
            entry.astype(np.int32),
            size.astype(np.int32),
            None if reached.all() else reached,
        )

    @classmethod
    def _of_few(cls, parent: IntArray | Int32Array, children: IntArray) -> Forest:
        """Build it where most nodes stand alone: they come last in the walk."""
        n = len(parent)
        alone = np.ones(n, dtype=bool)
        alone[children] = alone[parent[children]] = False
        nodes = np.flatnonzero(~alone)
        small = np.full(len(nodes), -1, dtype=np.int64)
        small[np.searchsorted(nodes, children)] = np.searchsorted(nodes, parent[children])
        few = cls.from_parents(small)
        depth, size = np.zeros(n, dtype=np.int32), np.ones(n, dtype=np.int32)
        entry = np.cumsum(alone, dtype=np.int32) + np.int32(len(nodes) - 1)
        depth[nodes], size[nodes], entry[nodes] = few.depth, few.size, few.entry
        reached = None
        if few.reached is not None:
            reached = np.ones(n, dtype=bool)
            reached[nodes] = few.reached
        return cls(parent.astype(np.int32), depth, entry, size, reached)

    @cached_property
    def levels(self) -> tuple[IntArray, ...]:
        """Nodes of each depth, siblings side by side."""
        if self._walked is not None:
            return self._walked
        ends = np.cumsum(np.bincount(self.depth + 1))
        if len(ends) == 1:  # everything is on or below a cycle
            return ()
        return tuple(np.split(self._by_level[ends[0] :], ends[1:-1] - ends[0]))

    @cached_property
    def _by_level(self) -> IntArray:
        """All nodes by depth, unreached ones first, those of a depth as they come in the walk."""
        return np.argsort(self._place, kind="stable")

    @property
    def _place(self) -> IntArray:
        return self.depth.astype(np.int64) * len(self.depth) + self.entry

    def above(self, nodes: IntArray, steps: IntArray) -> IntArray:
        """The ancestor of each node so many steps above it, (k,); there is one."""
        if not len(nodes) or int(steps.max()) <= _CLIMB:
            found, left = nodes.copy(), steps.copy()
            while (climbing := left > 0).any():
                found[climbing] = self.parent[found[climbing]]
                left -= climbing
            return found
        # of the nodes at that depth, the last one that the walk has entered by then
        wanted = (self.depth[nodes] - steps) * len(self.depth) + self.entry[nodes]
        return self._by_level[np.searchsorted(self._places, wanted, side="right") - 1]

    @cached_property
    def _places(self) -> IntArray:
        return self._place[self._by_level]

    def __getstate__(self) -> dict[str, Any]:
        """What is shipped: nothing that follows from the rest."""
        kept = ("parent", "depth", "entry", "size", "reached")
        return {name: self.__dict__[name] for name in kept} | {"_walked": None}

    def slim(self) -> Forest:
        """The same without the levels that were walked, 8 bytes a node; they can be found anew."""
        return replace(self, _walked=None)

    def tops(self) -> IntArray:
        """The root of every node's tree, (n,); of an unreached node, itself."""
        top = np.arange(len(self.parent))
        roots = np.flatnonzero(self.depth == 0)
        if len(roots):
            roots = roots[np.argsort(self.entry[roots], kind="stable")]
            first = self.entry[roots]
            for at in range(0, len(top), _BLOCK):
                inner = at + np.flatnonzero(self.depth[at : at + _BLOCK] > 0)
                top[inner] = roots[np.searchsorted(first, self.entry[inner], side="right") - 1]
        return top
