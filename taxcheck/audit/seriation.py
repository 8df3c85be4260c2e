"""Rows of a table on a circle: an order in which near directions are neighbours, from them alone.

A cell of rows is cut in two where that leaves the least spread within (Otsu's threshold along its
leading axis, doi:10.1109/TSMC.1979.4310076), and each half again. A cell lies so that its ends face
what lies beside it. Every cell is centred before it is measured, so that directions which differ in
their last digits alone, as far out in hyperbolic space, are told apart as well as others.
"""

from __future__ import annotations

import numpy as np

from taxcheck.model.arrays import FloatArray, IntArray, bounded, ranges

_STEPS = 8  # of the power iteration for a cell's leading axis
_LEAST = 16  # a cut leaves a sixteenth of a cell at least on each side, so that few rounds are due
_BLOCK = 1 << 18  # rows that are looked at together, or one cell of more


def seriate(points: FloatArray) -> IntArray:
    """The rows in the order of the circle, (n,); ``points`` are (n, d) and finite.

    It takes O(n log n) time, no more memory than a few blocks, and no random numbers. Equal rows
    stay side by side.
    """
    order = np.arange(len(points))
    starts, sizes = np.array([0]), np.array([len(points)])
    while len(starts := starts[sizes > 1]):
        sizes = sizes[sizes > 1]
        cells = [_cut(points, order, starts[part], sizes[part]) for part in bounded(sizes, _BLOCK)]
        starts, sizes = (np.concatenate(column) for column in zip(*cells, strict=True))
    return order


def _cut(
    points: FloatArray, order: IntArray, starts: IntArray, sizes: IntArray
) -> tuple[IntArray, IntArray]:
    """Sort some cells of ``order`` in place, each along its axis, and cut them: starts and sizes.

    A cell whose rows are all equal is left as it is, and not given back.
    """
    n, at = len(order), ranges(starts, sizes)
    cell = np.repeat(np.arange(len(starts)), sizes)
    first = np.cumsum(sizes) - sizes  # of each cell, among ``at``
    rows = order[at]
    x = points[rows]
    x -= (np.add.reduceat(x, first, axis=0) / sizes[:, None])[cell]
    square = np.einsum("ij,ij->i", x, x)
    widest = np.maximum.reduceat(square, first)
    x /= np.sqrt(np.where(widest > 0, widest, 1.0))[cell, None]
    axis = _axes(x, cell, first, square == widest[cell])
    beyond = points[order[(starts + sizes) % n]] - points[order[starts - 1]]
    axis *= np.where(np.einsum("ij,ij->i", axis, beyond) < 0, -1.0, 1.0)[:, None]
    along = np.einsum("ij,ij->i", x, axis[cell])
    sorting = np.argsort(cell + 0.4 * along, kind="stable")  # no two cells overlap: |along| <= 1
    order[at], along = rows[sorting], along[sorting]
    left = _cuts(along, cell, first, sizes)
    open_ = widest > 0
    starts, sizes, left = starts[open_], sizes[open_], left[open_]
    return np.concatenate([starts, starts + left]), np.concatenate([left, sizes - left])


def _axes(
    x: FloatArray,
    cell: IntArray,
    first: IntArray,
    farthest: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> FloatArray:
    """The leading axis of every cell, (cells, d), by power iteration from its ``farthest`` row."""
    places = np.where(farthest, np.arange(len(x)), len(x))
    axis = x[np.minimum.reduceat(places, first)]
    for _ in range(_STEPS):
        along = np.einsum("ij,ij->i", x, axis[cell])
        axis = np.add.reduceat(x * along[:, None], first, axis=0)
        length = np.linalg.norm(axis, axis=1, keepdims=True)
        axis /= np.where(length > 0, length, 1.0)
    return axis


def _cuts(along: FloatArray, cell: IntArray, first: IntArray, sizes: IntArray) -> IntArray:
    """How many rows of each cell, (cells,), lie before its best cut; ``along`` ascends in each.

    With k rows before the cut and m behind it, that are off the mean by a sum s and by -s, the
    spread within falls by s^2 (1/k + 1/m).
    """
    size = sizes[cell]
    before = np.arange(len(along)) - first[cell] + 1
    running = np.cumsum(along)
    off = running - (running[first] - along[first])[cell]
    behind = np.maximum(size - before, 1)
    gained = off**2 * (1 / before + 1 / behind)
    least = np.maximum(size // _LEAST, 1)
    gained[(before < least) | (size - before < least)] = -1.0
    best = gained == np.maximum.reduceat(gained, first)[cell]
    return np.asarray(np.minimum.reduceat(np.where(best, before, len(along) + 1), first))
