"""A forest with its Euler tour, built level by level in NumPy: O(nodes) work, no recursion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taxcheck.model.arrays import BoolArray, Int32Array, IntArray, ranges

_SPARSE = 32  # where fewer than a node in 32 has a parent, those without are not walked


@dataclass(frozen=True, slots=True)
class Forest:
    """Parents, depths and the intervals of a depth-first walk; arrays are (n,), by idx.

    a is an ancestor of d exactly when ``entry[a] < entry[d] < entry[a] + size[a]`` (the interval
    property of a depth-first walk, Tarjan 1972, doi:10.1137/0201010).
    """

    parent: Int32Array  # -1 at a root
    depth: Int32Array  # 0 at a root, -1 where unreached
    entry: Int32Array  # position in the walk
    size: Int32Array  # nodes in the subtree, itself included
    levels: tuple[IntArray, ...]  # nodes of each depth, siblings side by side
    reached: BoolArray | None  # None: every node; else nodes not on or below a cycle

    @classmethod
    def from_parents(cls, parent: IntArray | Int32Array) -> Forest:
        """Build it from the parent of every node, (n,), -1 at a root; n below 2**31.

        Nodes on a cycle, or below one, hang from no root: they stay out and ``reached`` says so.
        """
        n = len(parent)
        children = np.flatnonzero(parent >= 0)
        if _SPARSE * len(children) < n:
            return cls._of_few(parent, children)
        by_parent = np.argsort(parent, kind="stable")
        children = np.bincount(parent + 1, minlength=n + 1)
        first = np.cumsum(children) - children  # position in by_parent of each parent's children
        level = by_parent[: children[0]]
        depth = np.full(n, -1, dtype=np.int32)
        levels: list[IntArray] = []
        while len(level):
            depth[level] = len(levels)
            levels.append(level)
            inner = level[children[level + 1] > 0]
            level = by_parent[ranges(first[inner + 1], children[inner + 1])]
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
        return cls(parent.astype(np.int32), depth, entry, size, tuple(levels), reached_all)

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
        levels = [nodes[level] for level in few.levels]
        roots = alone
        for first in levels[:1]:  # there is none where all of them hang from a cycle
            roots[first] = True
        reached = None
        if few.reached is not None:
            reached = np.ones(n, dtype=bool)
            reached[nodes] = few.reached
        levels[:1] = [np.flatnonzero(roots)]
        return cls(parent.astype(np.int32), depth, entry, size, tuple(levels), reached)

    def tops(self) -> IntArray:
        """The root of every node's tree, (n,); of an unreached node, itself."""
        top = np.arange(len(self.parent))
        for level in self.levels[1:]:
            top[level] = top[self.parent[level]]
        return top
