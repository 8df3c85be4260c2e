"""Rows that are everybody's neighbour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taxcheck.audit.metrics.lists import IntArray
from taxcheck.geometry.space import Space

_BLOCK = 256


@dataclass(frozen=True, slots=True)
class Hubness:
    """How often each sampled row is among the k nearest of the others."""

    skew: float  # third standardised moment of the occurrences; NaN where they do not vary
    largest: int  # occurrences of the greatest hub
    k: int
    rows: IntArray  # (m,) the sample
    occurrences: IntArray  # (m,)


def hubness(space: Space, rng: np.random.Generator, *, k: int = 10, sample: int = 5000) -> Hubness:
    """Skewness of the k-occurrence N_k (Radovanovic et al. 2010, JMLR 11:2487) on sampled rows.

    Neighbours are looked for within the sample, so the figure compares tables at one sample size;
    rows that are no points are not drawn. Ties go to any.
    """
    sound = np.flatnonzero(space.sound)
    rows = np.sort(rng.choice(sound, min(sample, len(sound)), replace=False))
    m = len(rows)
    k = min(k, m - 1)
    if k < 1:
        return Hubness(float("nan"), 0, k, rows, np.zeros(m, dtype=np.int64))
    right = space.right(rows).T
    counts = np.zeros(m, dtype=np.int64)
    for start in range(0, m, _BLOCK):
        own = np.arange(start, min(start + _BLOCK, m))
        keys = space.left(rows[own]) @ right
        keys[own - start, own] = np.inf
        nearest = np.argpartition(keys, k - 1, axis=1)[:, :k]
        counts += np.bincount(nearest.ravel(), minlength=m)
    centred = counts - counts.mean()
    spread = float(np.sqrt(np.mean(centred**2)))
    skew = float(np.mean(centred**3)) / spread**3 if spread else float("nan")
    return Hubness(skew, int(counts.max()), k, rows, counts)
