"""How many dimensions a table uses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taxcheck.geometry.space import Space
from taxcheck.metrics.lists import Floats

_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Singular values and two counts of the dimensions in use, of at most ``dim``."""

    singular: Floats  # (d,) falling
    effective_rank: float  # exp of the entropy of the singular values
    participation: float  # (sum of squares)^2 / sum of fourth powers
    rows: int  # that were used: finite ones


def spectrum(rows: Floats) -> Spectrum:
    """Spectrum of rows (n, d), NaN rows left out; both counts are NaN where all is 0.

    Effective rank: exp(-sum p log p), p = sigma / sum sigma (Roy & Vetterli 2007, EUSIPCO).
    Participation ratio: (sum sigma^2)^2 / sum sigma^4. Rows are not centred: the origin is the
    hierarchy's top, and a table drawn out along one ray has one dimension.
    """
    d = rows.shape[1]
    gram, used = np.zeros((d, d)), 0
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        block = block[np.isfinite(block).all(axis=1)]
        gram += block.T @ block
        used += len(block)
    power = np.maximum(np.linalg.eigvalsh(gram)[::-1], 0)
    # A Gram matrix holds squares: what is below its rounding is no direction.
    power[power < power.max(initial=0) * d * 2.0**-52] = 0
    sigma = np.sqrt(power)
    if not sigma.sum():
        return Spectrum(sigma, float("nan"), float("nan"), used)
    p = sigma[sigma > 0] / sigma.sum()
    effective = float(np.exp(-np.sum(p * np.log(p))))
    participation = float(power.sum() ** 2 / np.sum(power**2))
    return Spectrum(sigma, effective, participation, used)


def of_log_map(space: Space) -> Spectrum:
    """Spectrum of log-map coordinates at the origin: radii count."""
    return spectrum(space.tangent())


def of_directions(space: Space) -> Spectrum:
    """Spectrum of unit directions: every row counts the same, wherever it lies."""
    return spectrum(space.directions())
