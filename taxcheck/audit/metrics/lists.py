"""For every source a list of rows: the positives of a ranking, or what it leaves out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from taxcheck.model.arrays import BoolArray, distinct, ranges

IntArray = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Lists:
    """``targets[starts[k] : starts[k + 1]]`` belong to ``sources[k]``: ascending and distinct."""

    sources: IntArray  # (s,)
    starts: IntArray  # (s + 1,)
    targets: IntArray  # (edges,)
    n: int  # rows of the table

    @classmethod
    def from_pairs(
        cls, sources: Ints, targets: Ints, n: int, among: Ints | None = None, loops: bool = False
    ) -> Lists:
        """Group ``targets`` (edges,) by source; repeated pairs count once, self loops not at all.

        Sources are those of some pair, ascending; with ``among`` (s,) these, in that order, and
        empty lists stay. ValueError where a number is outside 0..n-1.
        """
        s, t = np.asarray(sources, dtype=np.int64), np.asarray(targets, dtype=np.int64)
        for values in (s, t):
            if len(values) and not (values.min() >= 0 and values.max() < n):
                found = f"{values.min():,} to {values.max():,}"
                raise ValueError(f"rows are numbered 0 to {n - 1:,}; got {found}")
        if among is not None:
            chosen = np.asarray(among, dtype=np.int64)
            place = np.full(n, -1, dtype=np.int64)
            place[chosen] = np.arange(len(chosen))
            kept = place[s] >= 0
            s, t = place[s[kept]], t[kept]
            loop = chosen[s] == t
        else:
            loop = s == t
        if not loops:
            s, t = s[~loop], t[~loop]
        key = s * n + t
        if len(key) > 1 and not (np.diff(key) > 0).all():
            key = distinct(key)
        owner, t = np.divmod(key, max(n, 1))
        if among is None:
            chosen, owner = np.unique(owner, return_inverse=True)
        counts = np.bincount(owner, minlength=len(chosen))
        return cls(chosen, np.r_[0, np.cumsum(counts)], t, n)

    @classmethod
    def from_csr(cls, starts: Ints, targets: Ints, among: Ints | None = None) -> Lists:
        """Lists of all nodes, ``starts`` (n + 1,); of some with ``among``, at their cost alone."""
        first = np.asarray(starts, dtype=np.int64)
        n = len(first) - 1
        rows = np.arange(n) if among is None else np.asarray(among, dtype=np.int64)
        lengths = first[rows + 1] - first[rows]
        at = ranges(first[rows], lengths)
        return cls.from_pairs(np.repeat(rows, lengths), np.asarray(targets)[at], n, among)

    @property
    def lengths(self) -> IntArray:
        """Number of targets of each source, (s,)."""
        return np.diff(self.starts)

    @property
    def owner(self) -> IntArray:
        """Position in ``sources`` of every target, (edges,)."""
        return np.repeat(np.arange(len(self.sources)), self.lengths)

    def sample(self, size: int, rng: np.random.Generator) -> Lists:
        """At most ``size`` sources with a non-empty list, drawn without replacement, ascending."""
        filled = np.flatnonzero(self.lengths)
        if size >= len(filled) and len(filled) == len(self.sources):
            return self
        drawn = np.sort(rng.choice(filled, min(size, len(filled)), replace=False))
        return self.some(drawn)

    def some(self, positions: Ints) -> Lists:
        """The lists at ``positions`` of sources."""
        lengths = self.lengths[positions]
        at = ranges(self.starts[positions], lengths)
        starts = np.r_[0, np.cumsum(lengths)]
        return Lists(self.sources[positions], starts, self.targets[at], self.n)

    def among(self, rows: BoolArray) -> tuple[Lists, IntArray, IntArray]:
        """The lists among some rows alone, ``rows`` (n,), and which edges and sources are left.

        Sources that are no such rows, or keep no target, are gone.
        """
        owner = self.owner
        edges = np.flatnonzero(rows[self.sources[owner]] & rows[self.targets])
        lengths = np.bincount(owner[edges], minlength=len(self.sources))
        left = np.flatnonzero(lengths)
        starts = np.r_[0, np.cumsum(lengths[left])]
        return Lists(self.sources[left], starts, self.targets[edges], self.n), edges, left

    def keys(self) -> IntArray:
        """``position * n + target`` of every entry, ascending, (edges,)."""
        return self.owner * self.n + self.targets


def merge(n: int, sources: IntArray, parts: list[IntArray]) -> Lists:
    """Lists of the same sources joined from their keys; what is in several parts is held once."""
    key = distinct(np.concatenate(parts)) if parts else np.empty(0, np.int64)
    owner, targets = np.divmod(key, max(n, 1))
    starts = np.r_[0, np.cumsum(np.bincount(owner, minlength=len(sources)))]
    return Lists(sources, starts, targets, n)
