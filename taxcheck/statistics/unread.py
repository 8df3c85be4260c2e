"""Rows of the pairs that were left out, though their cells say which idx they mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.sources.tables.cells import SENTINEL, whole_numbers
from taxcheck.statistics.joins import UNSAID, End, Joins, Meaning
from taxcheck.statistics.symptoms import Symptoms

ROLES = ("ancestor", "descendant")
_NO_IDX = (" is negative", " is larger than any table")


@dataclass(frozen=True, slots=True)
class Unread:
    """Rows whose two ends are whole numbers, of which one is no idx of any table, (k,) each."""

    chosen: BoolArray  # (all,) which they are among the rows that are invalid
    rows: IntArray
    joins: Joins  # the numbers as they stand there, and the idx that identifiers beside them mean

    @classmethod
    def of(cls, symptoms: Symptoms, meaning: Meaning | None) -> Unread | None:
        """Those of the pairs; None where there are none."""
        symptom = symptoms.get("invalid_pair_row")
        if symptom is None or symptom.rows is None:
            return None
        because = [symptom.because(r) for r in symptom.reasons if r and r.endswith(_NO_IDX)]
        cells = [c for role in ROLES if (c := symptom.column(role)) is not None]
        if not because or len(cells) < len(ROLES):
            return None
        chosen: BoolArray = np.logical_or.reduce(because)
        at = np.flatnonzero(chosen)
        numbers = [whole_numbers(pa.array(column[at], pa.string())).values for column in cells]
        legible = (numbers[0] != SENTINEL) & (numbers[1] != SENTINEL)
        chosen[at[~legible]] = False
        at = at[legible]
        ends = []
        for role, idx in zip(ROLES, numbers, strict=True):
            beside = symptom.column(f"{role}_taxid")
            meant = np.full(len(at), UNSAID)
            if beside is not None and meaning is not None:
                meant = meaning.of(beside[at])
            ends.append(End(idx[legible], meant))
        return cls(chosen, symptom.rows[at], Joins(*ends)) if len(at) else None
