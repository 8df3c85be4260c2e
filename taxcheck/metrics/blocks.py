"""Candidates in blocks, as right factors of matrix products whose rounding is bounded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taxcheck.geometry.space import Space
from taxcheck.metrics.lists import Floats, IntArray

# OpenBLAS computes a product of up to 2**18 multiplications in the calling thread. Beyond, its
# threads and ours wait for each other: measured, that costs 5 to 10 times the product.
_SERIAL = 1 << 18


@dataclass(frozen=True, slots=True)
class Tiling:
    """How many candidates and sources are compared at once; no result depends on it."""

    candidates: int = 1 << 15  # their float32 row stays in the second-level cache
    sources: int = 16  # share one product


DEFAULT = Tiling()


@dataclass(frozen=True, slots=True)
class Block:
    """Neighbouring candidates of the order by radius, and what is removed among them."""

    rows: IntArray  # (b,) candidates
    right: Floats  # (tiles, d + 2, width), the last tile padded with zeros
    removed_at: IntArray  # column of what is removed
    removed_of: IntArray  # its source, ascending
    first: float  # the largest first factor
    rest: float  # the largest norm of the factors after the second, which is 1

    @classmethod
    def build(
        cls, space: Space, rows: IntArray, tiling: Tiling, at: IntArray, of: IntArray
    ) -> Block:
        """Factors of ``rows`` (b,); what is removed is given as column and source."""
        right = space.right(rows)
        rest = np.linalg.norm(right[:, 2:], axis=1)
        tiles = _tiles(right, tiling.sources)
        return cls(rows, tiles, at, of, float(right[:, 0].max()), float(rest.max()))

    def error(self, left: Floats) -> Floats:
        """Bound on the rounding of ``left @ right`` and of the exact formula, (k,).

        A dot product of m terms errs by at most m u sum |a_i b_i| (Higham, Accuracy and Stability
        of Numerical Algorithms, eq. 3.5); the factors and the exact formula add a few roundings.
        """
        size = np.abs(left[:, 0]) * self.first + np.abs(left[:, 1])
        size += np.linalg.norm(left[:, 2:], axis=1) * self.rest
        return np.asarray((left.shape[1] + 16) * 2.0**-53 * size)


def _tiles(right: Floats, sources: int) -> Floats:
    """Cut right factors (b, m) into (tiles, m, width), each small enough for a serial product."""
    b, m = right.shape
    width = min(max(_SERIAL // (sources * m) // 8 * 8, 8), b)
    tiles = -(-b // width)
    padded = np.zeros((tiles * width, m))
    padded[:b] = right
    return np.ascontiguousarray(padded.reshape(tiles, width, m).transpose(0, 2, 1))
