"""Pairs held against a taxonomy: is each one true, and how many true ones are there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.finding import Defect
from taxcheck.statistics.hierarchy.forest import Forest
from taxcheck.statistics.hierarchy.slots import SlotSet
from taxcheck.statistics.offenders import DefectState, Offenders, Sink, record

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


def nearest_mapped(forest: Forest, weight: IntArray | BoolArray) -> IntArray:
    """The nearest taxon strictly above each with a weight, (taxa,); -1 where there is none."""
    nearest = np.full(len(weight), -1, dtype=np.int64)
    for level in forest.levels[1:]:
        parent = forest.parent[level]
        nearest[level] = np.where(weight[parent] > 0, parent, nearest[parent])
    return nearest


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
        self.forest, self.position, self._above = forest, position, above
        self._known, self._taxon, self._order, self._first = known, taxon, order, first

    def judge(
        self,
        pairs: Iterable[PairRows],
        held_out: Iterable[PairRows] | None = None,
        sink: Sink | None = None,
        lacking: Sink | None = None,
    ) -> tuple[Defect, int]:
        """Pairs that are not true, of those with both ends known; and how many true ones lack.

        Rows of ``held_out`` are not judged: they only count as present. ``lacking`` receives the
        true pairs that are not there.
        """
        false = DefectState.empty("disagrees_with_taxonomy", "descendant_idx")
        present = SlotSet(self.expected, LARGEST_BITMAP // 8)
        total = 0
        for rows, ancestor, descendant in pairs:
            true = self._true(ancestor, descendant)
            if true.all():
                total += len(rows)
                present.add(self._slot(ancestor, descendant))
                continue
            present.add(self._slot(ancestor[true], descendant[true]))
            _, denied = self.verdicts(ancestor, descendant)
            total += int(np.count_nonzero(true | denied))
            turned = self._true(descendant, ancestor)
            unrelated = denied & ~turned
            for chosen, reason in ((turned, "reversed"), (unrelated, "unrelated")):
                if chosen.any():
                    a, d = ancestor[chosen], descendant[chosen]
                    columns = {"ancestor_idx": a, "descendant_idx": d}
                    defect = "disagrees_with_taxonomy"
                    record(Offenders(defect, columns, (a, d), rows[chosen], reason), false, sink)
        for _, ancestor, descendant in held_out or ():
            true = self._true(ancestor, descendant)
            present.add(self._slot(ancestor[true], descendant[true]))
        count = self.expected - len(present)
        if lacking and count:
            nearest = nearest_mapped(self.forest, self.weight)
            for slots in present.absent_windows():
                ends = self._pairs(slots, nearest)
                columns = dict(zip(("ancestor_idx", "descendant_idx"), ends, strict=True))
                lacking(Offenders("disagrees_with_taxonomy.missing", columns, ends))
        return false.freeze(total), count

    def verdicts(self, ancestor: IntArray, descendant: IntArray) -> tuple[BoolArray, BoolArray]:
        """Which pairs are true, and which false, (k,) each; neither where an end is not known."""
        true = self._true(ancestor, descendant)
        known = (self._entry[ancestor] >= 0) & (self._entry[descendant] >= 0)
        return true, known & ~true

    def _true(self, ancestor: IntArray, descendant: IntArray) -> BoolArray:
        """Two comparisons a pair: the descendant lies inside the ancestor's stretch of the walk."""
        upper, lower = self._entry[ancestor], self._entry[descendant]
        # An unknown ancestor ends at -1, so nothing lies below it; an unknown descendant is at -1.
        result: BoolArray = (upper < lower) & (lower < self._end[ancestor])
        return result

    def _slot(self, ancestor: IntArray, descendant: IntArray) -> IntArray:
        """The slot of true pairs."""
        return self._first_slot[descendant] + self._place[ancestor]

    def _pairs(self, slots: IntArray, nearest: IntArray) -> tuple[IntArray, IntArray]:
        """(ancestor, descendant) of slots, both (k,)."""
        owner = np.searchsorted(self._first_slot[self._known], slots, side="right") - 1
        descendant, at = self._known[owner], self._taxon[owner].copy()
        place = slots - self._first_slot[descendant]
        climbing = np.arange(len(slots))
        while len(climbing):
            at[climbing] = nearest[at[climbing]]
            climbing = climbing[self._above[at[climbing]] > place[climbing]]
        return self._known[self._order[self._first[at] + place - self._above[at]]], descendant
