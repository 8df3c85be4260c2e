"""Cells of a column of weights become numbers, or are named as what no training can use."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.sources.tables.cells import EMPTY_WORDS, CodeArray

Weights = npt.NDArray[np.float32]
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$|^[+-]?(inf|infinity)$"


class Unusable(IntEnum):
    """Why no pair can be drawn by a cell."""

    NONE = 0
    EMPTY = 1
    NO_NUMBER = 2
    INFINITE = 3
    NEGATIVE = 4

    @property
    def label(self) -> str:
        """For people: "weight is empty"."""
        return _LABELS[self]


_LABELS = {
    Unusable.NONE: "weight is sound",
    Unusable.EMPTY: "weight is empty",
    Unusable.NO_NUMBER: "weight is no number",
    Unusable.INFINITE: "weight is infinite, or too large for 32 bits",
    Unusable.NEGATIVE: "weight is negative",
}


@dataclass(frozen=True, slots=True)
class ReadWeights:
    """Weights as training takes them, and why some of them cannot be used."""

    values: Weights  # (n,), NaN where there is no number
    unusable: CodeArray  # (n,) of Unusable


def read_weights(cells: pa.Array) -> ReadWeights:
    """(n,) cells of any type; a weight is a finite number of 0 or more in 32 bits."""
    empty = cells.is_null().to_numpy(zero_copy_only=False)
    if pa.types.is_string(cells.type):
        text = pc.utf8_lower(pc.utf8_trim_whitespace(cells))
        # A word for nothing is an empty cell; "nan" is one that somebody computed.
        blank = pc.and_not(pc.is_in(text, pa.array(EMPTY_WORDS)), pc.equal(text, "nan"))
        empty |= pc.fill_null(blank, True).to_numpy(zero_copy_only=False)
        number = pc.match_substring_regex(text, _NUMBER)
        cells = pc.if_else(number, text, None)
    elif pa.types.is_boolean(cells.type) or pa.types.is_null(cells.type):
        cells = pa.nulls(len(cells), pa.float64())
    wide = pc.fill_null(cells.cast(pa.float64(), safe=False), np.nan)
    wide = wide.to_numpy(zero_copy_only=False)
    with np.errstate(over="ignore"):
        values = wide.astype(np.float32)
    codes = np.zeros(len(values), dtype=np.uint8)
    codes[values < 0] = Unusable.NEGATIVE
    codes[np.isinf(values)] = Unusable.INFINITE
    codes[np.isnan(values)] = Unusable.NO_NUMBER
    codes[empty] = Unusable.EMPTY
    return ReadWeights(values, codes)
