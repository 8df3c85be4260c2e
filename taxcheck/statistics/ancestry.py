"""Pairs held against a taxonomy: is each one true, and how many true ones are there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from taxcheck.rule import Defect
from taxcheck.statistics.hierarchy.forest import Forest
from taxcheck.statistics.samples import Offenders, Sink
from taxcheck.statistics.values import BoolArray, IntArray

PairRows = tuple[IntArray, IntArray, IntArray]  # source rows, ancestor idx, descendant idx; (k,)
Narrow = npt.NDArray[np.signedinteger[Any]]
LARGEST_BITMAP = 1 << 33  # bytes of address space; only the pages that pairs touch take memory


def mapped_above(forest: Forest, weight: IntArray) -> IntArray:
    """Number of mapped nodes strictly above each taxon, top down; ``weight`` counts those on it."""
    above = np.zeros_like(weight)
    for level in forest.levels[1:]:
        parent = forest.parent[level]
        above[level] = above[parent] + weight[parent]
    return above


@dataclass(slots=True)
class _Present:
    """Which pairs of the closure were seen; each has a slot, so that repeats count once."""

    bitmap: npt.NDArray[np.bool_] | None
    sorted_slots: IntArray

    @classmethod
    def of(cls, slots: int) -> _Present:
        small = slots <= LARGEST_BITMAP
        return cls(np.zeros(slots, np.bool_) if small else None, np.empty(0, np.int64))

    def add(self, slot: IntArray) -> None:
        if self.bitmap is not None:
            self.bitmap[slot] = True
        else:
            self.sorted_slots = np.union1d(self.sorted_slots, slot)

    def count(self) -> int:
        if self.bitmap is None:
            return len(self.sorted_slots)
        return int(np.count_nonzero(self.bitmap))


class Ancestry:
    """The closure that a forest of taxa implies among the mapped nodes, never written out.

    ``position`` (n_nodes,) is the taxon of every idx, -1 where it has none; two idx may share one.
    """

    def __init__(self, forest: Forest, position: IntArray) -> None:
        known = np.flatnonzero(position >= 0)
        taxon = position[known]
        weight = np.bincount(taxon, minlength=len(forest.parent))
        above = mapped_above(forest, weight)
        n = len(position)
        small = np.int32 if max(n, len(forest.parent)) < 2**31 else np.int64
        # By idx, and narrow, because every pair looks them up; -1 keeps unknown nodes out.
        self._entry: Narrow = np.full(n, -1, small)
        self._end: Narrow = np.full(n, -1, small)
        self._place: Narrow = np.zeros(n, small)
        self._first_slot = np.zeros(n, np.int64)
        self._entry[known] = forest.entry[taxon]
        self._end[known] = forest.entry[taxon] + forest.size[taxon]
        # An ancestor's place in its descendants' lineage: those above it, then those on its taxon.
        order = np.argsort(taxon, kind="stable")
        first = np.cumsum(weight) - weight
        twin = np.empty(len(known), np.int64)
        twin[order] = np.arange(len(known)) - first[taxon[order]]
        self._place[known] = above[taxon] + twin
        lineage = above[taxon]
        self._first_slot[known] = np.cumsum(lineage) - lineage
        self.expected = int(lineage.sum())
        self.weight = weight  # (taxa,) idx on each taxon

    def judge(
        self,
        pairs: Iterable[PairRows],
        held_out: Iterable[PairRows] | None = None,
        sink: Sink | None = None,
    ) -> tuple[Defect, int]:
        """Pairs that are not true, of those with both ends known; and how many true ones lack.

        Rows of ``held_out`` are not judged: they only count as present.
        """
        false = Offenders("disagrees_with_taxonomy", "descendant_idx", sink)
        present = _Present.of(self.expected)
        total = 0
        for rows, ancestor, descendant in pairs:
            true = self._true(ancestor, descendant)
            if true.all():
                total += len(rows)
                present.add(self._slot(ancestor, descendant))
                continue
            present.add(self._slot(ancestor[true], descendant[true]))
            known = (self._entry[ancestor] >= 0) & (self._entry[descendant] >= 0)
            total += int(np.count_nonzero(known))
            turned = self._true(descendant, ancestor)
            unrelated = known & ~true & ~turned
            for chosen, reason in ((turned, "reversed"), (unrelated, "unrelated")):
                cells = {"ancestor_idx": ancestor[chosen], "descendant_idx": descendant[chosen]}
                false.add(rows[chosen], cells, reason)
        for _, ancestor, descendant in held_out or ():
            true = self._true(ancestor, descendant)
            present.add(self._slot(ancestor[true], descendant[true]))
        return false.freeze(total), self.expected - present.count()

    def _true(self, ancestor: IntArray, descendant: IntArray) -> BoolArray:
        """Two comparisons a pair: the descendant lies inside the ancestor's stretch of the walk."""
        upper, lower = self._entry[ancestor], self._entry[descendant]
        # An unknown ancestor ends at -1, so nothing lies below it; an unknown descendant is at -1.
        result: BoolArray = (upper < lower) & (lower < self._end[ancestor])
        return result

    def _slot(self, ancestor: IntArray, descendant: IntArray) -> IntArray:
        """The slot of true pairs."""
        return self._first_slot[descendant] + self._place[ancestor]
