"""What grows with the distance, from many sources to a block of candidates, with its rounding."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from taxcheck.audit.metrics.lists import Floats, IntArray
from taxcheck.geometry.space import Space
from taxcheck.model.arrays import BoolArray

Keys = npt.NDArray[np.float32]

# OpenBLAS computes a product of up to 2**18 multiplications in the calling thread. Beyond, its
# threads and ours wait for each other: measured, that costs 5 to 10 times the product.
_SERIAL = 1 << 18
_LARGEST = float(np.finfo(np.float32).max)


class Block:
    """Candidates that are neighbours by radius, so that none of them widens the others' bound."""

    def __init__(self, space: Space, rows: IntArray, sources: int) -> None:
        right = space.right(rows)
        self.rows = rows  # (b,)
        x, r = space.coordinates[rows], space.radii[rows]
        # (b,) rises where a row differs from the one before: rows in the origin are one run
        self._run = np.r_[0, np.cumsum((x[1:] != x[:-1]).any(axis=1) | (r[1:] != r[:-1]))]
        self._tiles = _tiles(right, sources)  # (tiles, d + 2, width), padded with zeros
        self._first = float(right[:, 0].max())  # the largest first factor
        # the largest norm of the factors after the second, which is 1
        self._rest = float(np.linalg.norm(right[:, 2:], axis=1).max())

    def room(self, sources: int) -> Keys:
        """Where the keys of that many sources are written."""
        tiles, _, width = self._tiles.shape
        return np.empty((sources, tiles * width), dtype=np.float32)

    def keys(self, left: Floats, room: Keys) -> Keys:
        """``Space.separation`` of sources, as left factors (k, d + 2), and the candidates, (k, b).

        Rounded as by ``rounded``.
        """
        k, width = len(left), self._tiles.shape[2]
        product = np.empty((k, width))
        huge = not self.size(left).max() <= _LARGEST  # or NaN
        for tile, factors in enumerate(self._tiles):  # one at a time stays in the cache
            np.matmul(left, factors, out=product)
            room[:k, tile * width : (tile + 1) * width] = rounded(product) if huge else product
        return room[:k, : len(self.rows)]

    def runs(self, at: IntArray) -> tuple[IntArray, IntArray]:
        """Ascending places (k,) as one row of each run of equal ones, and how many those are."""
        begin = np.flatnonzero(np.diff(self._run[at], prepend=-1))
        return self.rows[at[begin]], np.diff(begin, append=len(at))

    def size(self, left: Floats) -> Floats:
        """What no sum of the terms' magnitudes in ``left @ right`` exceeds, (k,)."""
        size = np.abs(left[:, 0]) * self._first + np.abs(left[:, 1])
        return np.asarray(size + np.linalg.norm(left[:, 2:], axis=1) * self._rest)

    def error(self, left: Floats) -> Floats:
        """Bound on the rounding of ``left @ right`` and of the exact formula, (k,).

        A dot product of m terms errs by at most m u sum |a_i b_i| (Higham, Accuracy and Stability
        of Numerical Algorithms, eq. 3.5); the factors and the exact formula add a few roundings.
        """
        return np.asarray((left.shape[1] + 16) * 2.0**-53 * self.size(left))


def product(left: Floats, right: Floats) -> Floats:
    """``left @ right``, (k, m) by (m, b), some rows at a time, which stays in this thread."""
    out = np.empty((len(left), right.shape[1]))
    step = max(_SERIAL // right.size, 1)
    for start in range(0, len(left), step):
        np.matmul(left[start : start + step], right, out=out[start : start + step])
    return out


def rounding(left: Floats, right: Floats) -> Floats:
    """Bound on the rounding of ``product``, (k, 1); see ``Block.error``."""
    size = np.abs(left) @ np.abs(right).max(axis=1, keepdims=True)
    return np.asarray((left.shape[1] + 16) * 2.0**-53 * size)


def _tiles(right: Floats, sources: int) -> Floats:
    """Cut right factors (b, m) into (tiles, m, width), each small enough for a serial product."""
    b, m = right.shape
    width = min(max(_SERIAL // (sources * m) // 8 * 8, 8), b)
    cut = np.zeros((-(-b // width), m, width))
    for tile, start in zip(cut, range(0, b, width), strict=True):
        part = right[start : start + width]
        tile[:, : len(part)] = part.T
    return cut


def rounded(values: Floats) -> Keys:
    """Values in float32, those beyond its range at its ends: compared again where it counts."""
    return np.clip(values, -_LARGEST, _LARGEST).astype(np.float32)


_FEW = 8  # compress where less than 1/8 of the keys matters
_SORTED = 1 << 12  # so few keys are sorted sooner than compared
_MANY = 28  # edges from which on halving the keys saves more comparisons than it costs


def count_below(keys: Keys, edges: Keys) -> IntArray:
    """How many keys (b,) lie below each of ascending edges (p,), strictly. NaN lies nowhere.

    Measured on 2**16 keys, comparing with every edge takes less than a sort for up to 40 of them,
    and halving the keys first gains from 28 on.
    """
    counts = np.zeros(len(edges), dtype=np.int64)
    _count(keys, edges, counts, np.empty(len(keys), dtype=bool))
    return counts


def _count(keys: Keys, edges: Keys, counts: IntArray, room: BoolArray, owned: bool = False) -> None:
    """Add to ``counts`` (p,); ``room`` is written over, and the keys too where they are owned."""
    for j in range(len(edges), 0, -1):  # from the farthest: what lies beyond it matters no more
        if len(keys) <= _SORTED:
            counts[:j] += np.sort(keys).searchsorted(edges[:j])  # NaN last
            return
        if j >= _MANY:
            _halve(keys if owned else keys.copy(), edges[:j], counts[:j], room)
            return
        below = np.less(keys, edges[j - 1], out=room[: len(keys)])
        count = np.count_nonzero(below)
        if not count:
            return
        counts[j - 1] += count
        if count * _FEW < len(keys):
            keys, owned = keys[below], True


def _halve(keys: Keys, edges: Keys, counts: IntArray, room: BoolArray) -> None:
    """The same by halves: an edge is compared with those keys alone among which it lies."""
    half = len(keys) // 2
    keys.partition(half)  # NaN last
    here = len(edges) if np.isnan(keys[half]) else int(edges.searchsorted(keys[half], "right"))
    _count(keys[:half], edges[:here], counts[:here], room, owned=True)
    counts[here:] += half
    _count(keys[half:], edges[here:], counts[here:], room, owned=True)


def in_bands(keys: Keys, lo: Keys, hi: Keys) -> IntArray:
    """Positions of the keys (b,) within some lo..hi, (p,) both and ascending."""
    bands: list[tuple[np.float32, np.float32]] = []
    for low, high in zip(lo, hi, strict=True):
        if bands and low <= bands[-1][1]:
            bands[-1] = (bands[-1][0], max(high, bands[-1][1]))
        else:
            bands.append((low, high))
    found = np.zeros(len(keys), dtype=bool)
    for low, high in bands:
        found |= (keys >= low) & (keys <= high)
    return np.flatnonzero(found)
