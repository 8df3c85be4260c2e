"""Equal rows of a table, found by hashing: exact, in O(rows) memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from taxcheck.model.arrays import IntArray, distinct
from taxcheck.sources.checkpoints.checkpoint import Checkpoint, Geometry

_CHUNK = 1 << 17
_ODD = np.uint64(0x9E3779B97F4A7C15)  # the golden ratio's bits: spreads neighbouring values
_GROUPS, _NAMED = 12, 4  # groups that are told, and rows of each
# Directions that differ by less than this count as one. Far out in hyperbolic space a child's
# direction is its parent's to many digits, and float64 still holds the rest.
_LEAST = {"float64": 1e-12}
_LEAST_OF_OTHERS = 1e-6


def first_of_equal(vectors: npt.NDArray[np.floating]) -> IntArray:
    """For every row an earlier row with the same numbers, (rows,); -1 where there is none.

    Rows with NaN are equal to nothing; 0.0 and -0.0 are equal.
    """
    hashes = np.empty(len(vectors), dtype=np.uint64)
    for start in range(0, len(vectors), _CHUNK):
        hashes[start : start + _CHUNK] = _hash(vectors[start : start + _CHUNK])
    found = np.full(len(vectors), -1, dtype=np.int64)
    if len(distinct(hashes)) == len(hashes):  # a sort of values takes a sixth of an argsort
        return found
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    alike = np.r_[False, ordered[1:] == ordered[:-1]]
    group = np.cumsum(~alike) - 1
    head = order[np.flatnonzero(~alike)][group]  # the first row of each group of equal hashes
    candidates = np.flatnonzero(alike)
    for start in range(0, len(candidates), _CHUNK):
        part = candidates[start : start + _CHUNK]
        rows, heads = order[part], head[part]
        same = (vectors[rows] == vectors[heads]).all(axis=1)
        found[rows[same]] = heads[same]
    return found


def largest_groups(first: IntArray) -> tuple[int, list[tuple[int, list[int]]]]:
    """How many groups of equal rows there are; of the largest the size and their first rows.

    ``first`` is what ``first_of_equal`` gives.
    """
    later = np.flatnonzero(first >= 0)
    heads, sizes = np.unique(first[later], return_counts=True)
    largest = []
    for k in np.lexsort((heads, -sizes))[:_GROUPS]:
        rows = later[first[later] == heads[k]][: _NAMED - 1]
        largest.append((int(sizes[k]) + 1, [int(heads[k]), *map(int, rows)]))
    return len(heads), largest


def rounded_directions(checkpoint: Checkpoint) -> int:
    """Finite rows whose direction from the origin an earlier row has, as far as the dtype tells."""
    seen, least = [], _LEAST.get(checkpoint.dtype, _LEAST_OF_OTHERS)
    for start in range(0, checkpoint.rows, _CHUNK):
        with np.errstate(invalid="ignore"):  # a signalling NaN is told as any NaN
            x = np.asarray(checkpoint.vectors[start : start + _CHUNK], dtype=np.float64)
        if checkpoint.reading.geometry is Geometry.LORENTZ:
            x = x[:, 1:]
        norm = np.linalg.norm(x, axis=1, keepdims=True)
        finite = np.isfinite(norm[:, 0])
        x, norm = x[finite], norm[finite]
        unit = np.divide(x, norm, out=np.zeros_like(x), where=norm > 0)
        seen.append(_hash(np.round(unit / least)))
    found = np.concatenate(seen) if seen else np.empty(0, dtype=np.uint64)
    return len(found) - len(distinct(found))


def _hash(rows: npt.NDArray[np.floating]) -> npt.NDArray[np.uint64]:
    bits = (np.asarray(rows, dtype=np.float64) + 0.0).view(np.uint64)
    found = np.zeros(len(rows), dtype=np.uint64)
    for column in bits.T:
        found = (found ^ column) * _ODD
        found ^= found >> np.uint64(29)
    return found
