"""Small array idioms that NumPy lacks, or has in a slow form."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from taxcheck.model.vocabulary import FAR, NEAR

IntArray = npt.NDArray[np.int64]
Int32Array = npt.NDArray[np.int32]  # where n is many and values stay below 2**31
Whole = npt.NDArray[np.signedinteger]  # of 32 bits or of 64
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
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


def bounded(work: IntArray, limit: int) -> Iterator[slice]:
    """Slices of the positions of ``work``, (k,), each of about ``limit`` of it and one at least."""
    done = np.cumsum(work)
    cuts = np.searchsorted(done, np.arange(limit, int(done[-1]) if len(done) else 0, limit))
    for start, end in pairwise(distinct(np.r_[0, cuts, len(work)]).tolist()):
        yield slice(start, end)


def in_ranges(depths: IntArray, weights: npt.NDArray[Number]) -> npt.NDArray[np.float64]:
    """The weight of each of the DEPTH_RANGES, (3,), from that of each depth, (k,) both."""
    near, far = depths <= NEAR, depths > FAR
    return np.array([weights[part].sum() for part in (near, ~near & ~far, far)], dtype=np.float64)


def doubling(largest: int) -> list[tuple[int, int]]:
    """Ranges (first, last) of counts up to ``largest``: 0, 1, 2 to 3, 4 to 7 and so on."""
    return [(1 << k >> 1, (1 << k) - 1) for k in range(largest.bit_length() + 1)]


def smoothed(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Medians of a window of a tenth of a curve, (records,): single records do not decide."""
    width = max(len(values) // 10, 1)
    return np.array([np.median(values[max(k - width + 1, 0) : k + 1]) for k in range(len(values))])
