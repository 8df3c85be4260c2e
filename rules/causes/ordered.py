"""Pairs in the order in which they stand in the file, and whose rows stand together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from taxcheck.model.arrays import IntArray, within
from taxcheck.model.room import Room, Unasked
from taxcheck.statistics.offenders import select
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.spool import KeptPairs
from taxcheck.statistics.symptoms import Symptoms

from .lost import MISSING

MOST = 30_000_000  # pairs whose order is looked at
_ROW_BYTES = 100  # that each of them takes meanwhile
_LACKING = {MISSING, "coverage_gap", "missing_ancestor_pair", "missing_parent"}
_GROUPS = 10  # nodes, of fewer no order can be told


@dataclass(frozen=True)
class Ordered:
    """The pairs as they stand in the file, (k,) each; ``distance`` None where there is none."""

    rows: IntArray
    ancestor: IntArray
    descendant: IntArray
    distance: IntArray | None
    n: int

    @classmethod
    def of(
        cls, kept: KeptPairs, totals: PairState, symptoms: Symptoms, room: Room
    ) -> Ordered | None:
        """Without rows that repeat others; None where there are none.

        Unasked where rows may be lost, and there are too many to be looked at whole.
        """
        if not len(kept):
            return None
        try:
            room.look(len(kept), _ROW_BYTES, MOST)
        except Unasked:
            if _LACKING & {*symptoms}:
                raise
            return None
        again = symptoms.get("duplicate_pair")
        batches = [*kept.batches()]
        if again is not None and again.rows is not None:
            repeated = again.rows
            batches = [select(b, ~within(repeated, b.rows)) for b in batches]
        distances = [b.depth_diff for b in batches if b.depth_diff is not None]
        return cls(
            np.concatenate([b.rows for b in batches]),
            np.concatenate([b.ancestor for b in batches]),
            np.concatenate([b.descendant for b in batches]),
            np.concatenate(distances) if len(distances) == len(batches) else None,
            totals.origin.n,
        )

    @cached_property
    def groups(self) -> tuple[str, IntArray] | None:
        """By which end the rows stand together, and the rank of each node's group, (n,), -1 none.

        None where the nodes' rows are scattered.
        """
        for end, column in (("descendant", self.descendant), ("ancestor", self.ancestor)):
            heads = column[starts_of(column)]
            rank = np.full(self.n, -1, dtype=np.int64)
            rank[heads] = np.arange(len(heads))
            together = bool((rank[heads] == np.arange(len(heads))).all())
            if together and _GROUPS <= len(heads) < len(column):
                return end, rank
        return None

    @property
    def starts(self) -> tuple[IntArray, IntArray]:
        """(position of the first row, node) of each group, (g,); there are ``groups``."""
        assert self.groups is not None
        column = self.descendant if self.groups[0] == "descendant" else self.ancestor
        starts = starts_of(column)
        return starts, column[starts]


def starts_of(column: IntArray) -> IntArray:
    """Where rows begin that differ from the one before, (g,)."""
    return np.flatnonzero(np.r_[True, column[1:] != column[:-1]])
