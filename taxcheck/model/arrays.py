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
_BLOCK = 1 << 20
_PROBE = 1 << 12  # rows that show whether there are runs
# values: of an array that no cache holds, and so many sought that sorting them pays
_BEYOND_CACHE, _WORTH_SORTING = 1 << 18, 1 << 12
_RUN = 4  # rows that a run has, on average, where looking at its first one alone pays
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


def grouped(values: IntArray | Int32Array) -> IntArray:
    """The positions, (k,), that sort numbers from -1 to below 2**31, equal ones in their order.

    What ``np.argsort`` gives with ``kind="stable"``, in an eighth of the time: sorting the numbers
    themselves, each with its position below it, is vectorised.
    """
    keys = values.astype(np.int64)
    keys <<= 32  # in its own place, as all of this
    for at in range(0, len(keys), _BLOCK):
        part = keys[at : at + _BLOCK]
        part |= np.arange(at, at + len(part))
    keys.sort()
    keys &= (1 << 32) - 1
    return keys


def firsts(values: Whole) -> IntArray:
    """The position of the first of each value of 0 or more, by ascending value, (distinct,).

    What ``np.unique`` gives as ``return_index``, in a fraction of the time: as in ``grouped``.
    """
    bits = len(values).bit_length()
    if int(values.max(initial=0)) >> (63 - bits):
        return np.unique(values, return_index=True)[1]
    keys = values.astype(np.int64)
    keys <<= bits
    keys |= np.arange(len(keys))
    keys.sort()
    position = keys & ((1 << bits) - 1)
    keys >>= bits
    new = np.ones(len(keys), dtype=np.bool_)
    new[1:] = keys[1:] != keys[:-1]
    return position[new]


def changes(*columns: npt.NDArray[np.generic]) -> IntArray | None:
    """Where rows begin that differ from the row before, (k,); None where more than a few do."""
    if len(columns[0]) > 2 * _PROBE and _few(*(c[:_PROBE] for c in columns)) is None:
        return None
    return _few(*columns)


def _few(*columns: npt.NDArray[np.generic]) -> IntArray | None:
    new = np.ones(len(columns[0]), dtype=np.bool_)
    new[1:] = columns[0][1:] != columns[0][:-1]
    for column in columns[1:]:
        new[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(new) if _RUN * np.count_nonzero(new) < len(new) else None


def within(ordered: npt.NDArray[Number], values: npt.NDArray[Number]) -> npt.NDArray[np.bool_]:
    """Which values occur in a sorted array; shape of ``values``."""
    if not len(ordered):
        return np.zeros(len(values), dtype=bool)
    where = np.minimum(places(ordered, values), len(ordered) - 1)
    return np.asarray(ordered[where] == values)


def places(ordered: npt.NDArray[Number], values: npt.NDArray[Number]) -> IntArray:
    """Where values (k,) stand, or would stand, in a sorted array: (k,), by ``searchsorted``.

    Among many, values in ascending order are found in a tenth of the time: each search ends near
    the one before, and what it reads is in the cache.
    """
    if len(ordered) < _BEYOND_CACHE or len(values) < _WORTH_SORTING:
        return np.asarray(np.searchsorted(ordered, values))
    order = np.argsort(values)
    found = np.empty(len(values), dtype=np.int64)
    found[order] = np.searchsorted(ordered, values[order])
    return found


def ranges(starts: IntArray, lengths: IntArray) -> IntArray:
    """Concatenate ``arange(start, start + length)`` over all pairs; shape (sum(lengths),)."""
    total = int(lengths.sum())
    ends = np.cumsum(lengths)
    return np.repeat(starts - (ends - lengths), lengths) + np.arange(total)


def bounded(work: Whole, limit: int) -> Iterator[slice]:
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
