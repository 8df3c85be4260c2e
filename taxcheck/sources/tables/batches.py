"""The bounded batches in which tables walk through taxcheck."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from taxcheck.model.arrays import BoolArray, IntArray, Whole
from taxcheck.sources.tables.cells import CodeArray, Problem
from taxcheck.sources.tables.columns import HEADER_REASON, MALFORMED

BATCH_ROWS = 1 << 20


@dataclass(frozen=True, slots=True)
class RawBatch:
    """Cells as the file holds them, of any Arrow type, by the role that their column plays."""

    first_row: int  # as a person counts: line (header counted) of a text file, else record, from 1
    columns: Mapping[str, pa.Array]
    kept: IntArray | None = None  # (n,) numbers of its rows, where some between them are left out

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(next(iter(self.columns.values())))

    @property
    def numbers(self) -> IntArray:
        """The number of every row, (n,)."""
        if self.kept is not None:
            return self.kept
        return np.arange(self.first_row, self.first_row + self.rows, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class MappingBatch:
    """Sound rows of the mapping."""

    rows: IntArray  # (n,) source row numbers
    identifiers: pa.Array  # (n,) int64, or string where the file holds text
    idx: IntArray  # (n,)


@dataclass(frozen=True, slots=True)
class PairBatch:
    """Sound rows of the pairs; a column that the file lacks is None.

    Numbers have 32 bits, or 64 where rows were changed: whoever multiplies them widens them first.
    """

    rows: IntArray  # (n,) source row numbers
    ancestor: Whole
    descendant: Whole
    depth_diff: Whole | None = None
    ancestor_depth: Whole | None = None
    descendant_depth: Whole | None = None
    ancestor_taxid: pa.Array | None = None  # int64 or string
    descendant_taxid: pa.Array | None = None
    weight: pa.Array | None = None  # cells as the file holds them: a bad one is no bad row


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Rows that break the schema, with their cells as the file holds them."""

    rows: IntArray  # (k,)
    reasons: tuple[str, ...]  # (k,) one short phrase a row: "ancestor_idx is negative"
    cells: Mapping[str, tuple[str | None, ...]]  # column role -> (k,) texts


NOTHING_REFUSED = Quarantined(np.empty(0, dtype=np.int64), (), {})


class Reasons:
    """Why rows of a batch are refused: of several reasons the first counts."""

    def __init__(
        self, raw: RawBatch, headers: BoolArray | None, problems: Mapping[str, CodeArray]
    ) -> None:
        self._number = np.zeros(raw.rows, dtype=np.int64)  # place of a row's reason, 0 for none
        self._texts: list[str | None] = [None]
        if MALFORMED in raw.columns:
            told = raw.columns[MALFORMED].dictionary_encode()
            codes = told.indices.fill_null(-1).to_numpy()
            for number, text in enumerate(told.dictionary.to_pylist()):
                self.because(codes == number, text)
        if headers is not None:
            self.because(headers, HEADER_REASON)
        for role, codes in problems.items():
            for problem in Problem:
                if problem is not Problem.NONE:
                    self.because(codes == problem, f"{role} {problem.label}")

    def because(self, mask: BoolArray, text: str) -> None:
        """Refuse the rows of a mask (n,) that have no reason yet."""
        new = mask & (self._number == 0)
        if new.any():
            self._number[new] = len(self._texts)
            self._texts.append(text)

    @property
    def refused(self) -> BoolArray:
        """Which rows have a reason, (n,)."""
        return self._number > 0

    @property
    def of_rows(self) -> npt.NDArray[np.object_]:
        """The reason of every row, (n,), None for sound ones."""
        return np.array(self._texts, dtype=object)[self._number]
