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

    Rows are not centred: the origin is the hierarchy's top, and a table drawn out along one ray
    has one dimension.
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
    return Spectrum(sigma, effective_rank(power), participation_ratio(power), used)


def effective_rank(power: Floats) -> float:
    """exp(-sum p log p), p = sigma / sum sigma, of squared singular values sigma^2 (d,).

    Roy & Vetterli 2007, EUSIPCO. NaN where all are 0.
    """
    sigma = np.sqrt(power[power > 0])
    if not len(sigma):
        return float("nan")
    p = sigma / sigma.sum()
    return float(np.exp(-np.sum(p * np.log(p))))


def participation_ratio(power: Floats) -> float:
    """(sum of squares)^2 / sum of fourth powers of singular values, from their squares (d,).

    1 for a line, d for a ball; NaN where all are 0.
    """
    squares = float(np.sum(power**2))
    return float(power.sum() ** 2 / squares) if squares > 0 else float("nan")


def of_log_map(space: Space) -> Spectrum:
    """Spectrum of log-map coordinates at the origin: radii count."""
    return spectrum(space.tangent())


def of_directions(space: Space) -> Spectrum:
    """Spectrum of unit directions: every row counts the same, wherever it lies."""
    return spectrum(space.directions())
