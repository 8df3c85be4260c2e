"""How much of a table a picture of it keeps: the nearest rows, and where the parent stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from taxcheck.geometry.space import Space
from taxcheck.model.arrays import FloatArray, IntArray

NEAREST = 10
_CELLS = 1 << 22  # distances that are held together


@dataclass(frozen=True, slots=True)
class Seen:
    """What sampled rows (m,) see around them, by the distances of one space."""

    nearest: IntArray  # (m, k) the nearest other rows; ties go to any
    parent_rank: FloatArray  # (m,) of the parent among all other rows, 1 is nearest; NaN: none


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """One picture held against its table, both by their own distances, among all rows."""

    kept: float  # share of the k nearest rows that are among the k nearest in the picture
    parent_rank: float  # median in the picture; NaN where no parent is known
    k: int
    sampled: int  # rows that were looked at


def look(space: Space, rows: IntArray, parent: IntArray, k: int = NEAREST) -> Seen:
    """The k nearest of each of ``rows`` (m,), and the rank of its parent, exactly, among all rows.

    ``parent`` is (n,), -1 for none. Rows that are equally near as the parent stand half before it,
    so that a table whose rows all coincide gains nothing. Rows that are no points are near nobody.
    """
    k = min(k, space.n - 1)
    nearest, ranks = np.empty((len(rows), max(k, 0)), dtype=np.int64), np.full(len(rows), np.nan)
    for part, apart in _distances(space, rows):
        own, above = np.arange(len(apart)), parent[rows[part]]
        known = (above >= 0) & np.isfinite(apart[own, above])
        to_parent = apart[own, above][known, None]
        nearer = np.count_nonzero(apart[known] < to_parent, axis=1)
        tied = np.count_nonzero(apart[known] == to_parent, axis=1) - 1
        ranks[np.flatnonzero(known) + part.start] = 1 + nearer + tied / 2
        if k > 0:
            nearest[part] = np.argpartition(apart, k - 1, axis=1)[:, :k]
    return Seen(nearest, ranks)


def held(table: Seen, picture: Seen) -> Faithfulness:
    """What the picture keeps of what the same rows see in the table."""
    m, k = table.nearest.shape
    both = np.sort(np.concatenate([table.nearest, picture.nearest], axis=1), axis=1)
    shared = np.count_nonzero(both[:, 1:] == both[:, :-1], axis=1)
    return Faithfulness(
        kept=float(shared.mean() / k) if m and k else float("nan"),
        parent_rank=median_rank(picture),
        k=k,
        sampled=m,
    )


def median_rank(seen: Seen) -> float:
    """The median rank of the parent; NaN where no parent is known."""
    known = seen.parent_rank[np.isfinite(seen.parent_rank)]
    return float(np.median(known)) if len(known) else float("nan")


def _distances(space: Space, rows: IntArray) -> Iterator[tuple[slice, FloatArray]]:
    """Distances of a few rows to all, of each to itself infinite, as to what is no point."""
    every, step = np.arange(space.n), max(1, _CELLS // max(space.n, 1))
    for start in range(0, len(rows), step):
        part = slice(start, min(start + step, len(rows)))
        apart = space.between(rows[part], every)
        apart[np.isnan(apart)] = np.inf
        apart[np.arange(len(apart)), rows[part]] = np.inf
        yield part, apart
