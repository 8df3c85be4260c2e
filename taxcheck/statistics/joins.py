"""Joins: beside which idx an identifier stands in the pairs, and which idx the mapping gives it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.sources.tables.cells import integers_of
from taxcheck.statistics.offenders import Column
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.values import Identifiers

UNKNOWN, UNSAID = -1, -2  # identifiers that the mapping lacks; ends without an identifier


@dataclass(frozen=True, slots=True)
class End:
    """One end of some rows, (k,) each: the idx, and the idx that its identifier has."""

    idx: IntArray
    meant: IntArray  # UNKNOWN, or UNSAID, where there is none

    def holds(self, renumbered: IntArray) -> BoolArray:
        """Whether idx that were numbered anew are those that are meant, or nothing says, (k,)."""
        return np.asarray((renumbered == self.meant) | (self.meant == UNSAID))

    @property
    def wrong(self) -> BoolArray:
        """Which are not as meant, (k,)."""
        return ~self.holds(self.idx)


@dataclass(frozen=True, slots=True)
class Joins:
    """The rows of one defect with both of their ends, (k,), in the order of the symptom."""

    ancestor: End
    descendant: End

    @property
    def ends(self) -> tuple[End, End]:
        """Both."""
        return self.ancestor, self.descendant

    def wrong(self) -> tuple[IntArray, IntArray]:
        """(idx, meant) of all ends that are joined wrongly and whose identifier is known."""
        chosen = [end.wrong & (end.meant >= 0) for end in self.ends]
        return (
            np.concatenate([end.idx[c] for end, c in zip(self.ends, chosen, strict=True)]),
            np.concatenate([end.meant[c] for end, c in zip(self.ends, chosen, strict=True)]),
        )


class Meaning:
    """From identifiers to the idx that a mapping gives them; they are sorted when first asked."""

    def __init__(self, identifiers: Identifiers) -> None:
        self._identifiers = identifiers

    @cached_property
    def _idx(self) -> IntArray:
        """The idx that have one, (k,), by their identifiers where these are integers."""
        integers, strings = self._identifiers.integers, self._identifiers.strings
        if integers is None:
            assert strings is not None
            return np.flatnonzero(np.array([s is not None for s in strings]))
        idx = np.flatnonzero(integers >= 0)
        return idx[np.argsort(integers[idx], kind="stable")]

    @cached_property
    def _integers(self) -> IntArray | None:
        integers = self._identifiers.integers
        return None if integers is None else integers[self._idx]

    @cached_property
    def _strings(self) -> pa.Array:
        assert self._identifiers.strings is not None
        return pa.array(self._identifiers.strings[self._idx], pa.string())

    def of(self, cells: Column) -> IntArray:
        """The idx of each identifier, (k,): UNKNOWN where the mapping has none, UNSAID of none."""
        values = pa.array(cells, from_pandas=True)
        empty = values.is_null().to_numpy(zero_copy_only=False)
        return np.where(empty, UNSAID, self._of(values))

    def _of(self, values: pa.Array) -> IntArray:
        if self._integers is None:
            place = pc.index_in(values.cast(pa.string()), self._strings).fill_null(-1).to_numpy()
            return np.where(place >= 0, self._idx[np.maximum(place, 0)], UNKNOWN)
        if not pa.types.is_integer(values.type):
            values = integers_of(pc.utf8_trim_whitespace(values.cast(pa.string())))
        numbers = values.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        if not len(self._integers):
            return np.full(len(numbers), UNKNOWN)
        at = np.minimum(np.searchsorted(self._integers, numbers), len(self._integers) - 1)
        return np.where(self._integers[at] == numbers, self._idx[at], UNKNOWN)


def joins_of(symptoms: Symptoms, defect: str, meaning: Meaning) -> Joins | None:
    """The joins of a defect's rows; None where it has none, or they have no identifiers."""
    if defect not in symptoms:
        return None
    symptom = symptoms[defect]
    ends = []
    for place, role in enumerate(("ancestor_taxid", "descendant_taxid")):
        idx, cells = symptom.nodes[place], symptom.column(role)
        known = symptom.column(role.replace("taxid", "meant"))
        if known is not None:
            ends.append(End(idx, known.astype(np.int64)))
        else:
            meant = np.full(len(idx), UNSAID) if cells is None else meaning.of(cells)
            ends.append(End(idx, meant))
    if all((end.meant == UNSAID).all() for end in ends):
        return None
    return Joins(*ends)
