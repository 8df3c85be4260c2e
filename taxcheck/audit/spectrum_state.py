"""Second moments of rows, folded in any order, and the ranks that follow from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from taxcheck.audit.values import FloatArray
from taxcheck.metrics.spectrum import effective_rank, participation_ratio

# Variance below this part of the mean square is what rounding the mean leaves.
_ROUNDING = 2.0**-60


@dataclass(slots=True)
class SpectrumState:
    """Means and scatter of parts by their first row; they are joined in that order when read.

    Rows are centred, so that rows around one far point are seen to fill nothing. Both ranks are 0
    where rows do not vary, and NaN where there are none.
    """

    dim: int
    parts: dict[int, tuple[int, FloatArray, FloatArray]] = field(default_factory=dict)

    @classmethod
    def empty(cls, dim: int) -> SpectrumState:
        """No rows yet."""
        return cls(dim)

    def update(self, first_row: int, rows: FloatArray) -> None:
        """Fold rows (k, dim) in."""
        if len(rows):
            mean = rows.mean(axis=0)
            around = rows - mean
            self.parts[first_row] = (len(rows), mean, around.T @ around)

    def merge(self, other: SpectrumState) -> SpectrumState:
        """Give the moments of both parts."""
        return SpectrumState(self.dim, self.parts | other.parts)

    def eigenvalues(self) -> FloatArray:
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

    def effective_rank(self) -> float:
        """See ``metrics.spectrum.effective_rank``."""
        return self._of(effective_rank)

    def participation_ratio(self) -> float:
        """See ``metrics.spectrum.participation_ratio``."""
        return self._of(participation_ratio)

    def _of(self, measure: Callable[[FloatArray], float]) -> float:
        variances = self.eigenvalues()
        if variances.size and not variances.any():
            return 0.0
        return measure(variances)
