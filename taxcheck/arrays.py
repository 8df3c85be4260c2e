"""Small array idioms that NumPy lacks, or has in a slow form."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
Number = TypeVar("Number", bound=np.generic)


def distinct(values: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """The values that occur, ascending.

    ``np.unique`` gathers them in a hash table since NumPy 2.3, which on millions of distinct
    integers takes 70 times as long as this sort.
    """
    ordered = np.sort(values, axis=None)
    if len(ordered) < 2:
        return ordered
    return np.asarray(ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])])


def within(ordered: npt.NDArray[Number], values: npt.NDArray[Number]) -> npt.NDArray[np.bool_]:
    """Which values occur in a sorted array; shape of ``values``."""
    if not len(ordered):
        return np.zeros(len(values), dtype=bool)
    where = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    return np.asarray(ordered[where] == values)


def ranges(starts: IntArray, lengths: IntArray) -> IntArray:
    """Concatenate ``arange(start, start + length)`` over all pairs; shape (sum(lengths),)."""
    total = int(lengths.sum())
    ends = np.cumsum(lengths)
    return np.repeat(starts - (ends - lengths), lengths) + np.arange(total)


def smoothed(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Medians of a window of a tenth of a curve, (records,): single records do not decide."""
    width = max(len(values) // 10, 1)
    return np.array([np.median(values[max(k - width + 1, 0) : k + 1]) for k in range(len(values))])
