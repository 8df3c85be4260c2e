"""How many dimensions a table uses: second moments of rows, folded in any order, and two ranks."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from taxcheck.audit.metrics.lists import Floats


def effective_rank(power: Floats) -> float:
    """exp(-sum p log p), p = sigma / sum sigma, of squared singular values sigma^2 (d,).

    Roy & Vetterli 2007, EUSIPCO. 0 where all are 0, NaN where they are NaN.
    """
    sigma = np.sqrt(power[power > 0])
    if not len(sigma):
        return float(power.sum())
    p = sigma / sigma.sum()
    return float(np.exp(-np.sum(p * np.log(p))))


def participation_ratio(power: Floats) -> float:
    """(sum of squares)^2 / sum of fourth powers of singular values, from their squares (d,).

    1 for a line, d for a ball; 0 where all are 0, NaN where they are NaN.
    """
    squares = float(np.sum(power**2))
    return float(power.sum() ** 2 / squares) if squares > 0 else float(power.sum())


# Variance below this part of the mean square is what rounding the mean leaves.
_ROUNDING = 2.0**-60


@dataclass(slots=True)
class SpectrumState:
    """Means and scatter of parts by their first row; they are joined in that order when read.

    Rows are centred, so that rows around one far point are seen to fill nothing.
    """

    dim: int
    parts: dict[int, tuple[int, Floats, Floats]] = field(default_factory=dict)

    def update(self, first_row: int, rows: Floats) -> None:
        """Fold rows (k, dim) in."""
        if len(rows):
            mean = rows.mean(axis=0)
            around = rows - mean
            self.parts[first_row] = (len(rows), mean, around.T @ around)

    def merge(self, other: SpectrumState) -> SpectrumState:
        """Give the moments of both parts."""
        return SpectrumState(self.dim, self.parts | other.parts)

    def eigenvalues(self) -> Floats:
        """Variances along the principal axes, (dim,), descending; NaN where there are no rows."""
        parts = [self.parts[first] for first in sorted(self.parts)]
        if not parts:
            return np.full(self.dim, np.nan)
        count = sum(k for k, _, _ in parts)
        mean = sum((k / count * own for k, own, _ in parts), np.zeros(self.dim))
        scatter = np.zeros((self.dim, self.dim))
        for k, own, around in parts:  # Chan, Golub & LeVeque 1983, doi:10.2307/2683386
            scatter += around + k * np.outer(own - mean, own - mean)
        found = np.linalg.eigvalsh(scatter / count)[::-1]
        reach = float(np.trace(scatter)) / count + float(mean @ mean)
        return np.where(found > _ROUNDING * reach, found, 0.0)
