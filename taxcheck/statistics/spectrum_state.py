"""Second moments of rows, folded in any order, and the ranks that follow from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from taxcheck.metrics.spectrum import effective_rank, participation_ratio
from taxcheck.statistics.audit_values import FloatArray


@dataclass(slots=True)
class SpectrumState:
    """Gram matrices of parts by their first row; they are added in that order when read.

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
        self.parts[first_row] = (len(rows), rows.sum(axis=0), rows.T @ rows)

    def merge(self, other: SpectrumState) -> SpectrumState:
        """Give the moments of both parts."""
        return SpectrumState(self.dim, self.parts | other.parts)

    def eigenvalues(self) -> FloatArray:
        """Variances along the principal axes, (dim,), descending; NaN where there are no rows."""
        count, total = 0, np.zeros(self.dim)
        gram = np.zeros((self.dim, self.dim))
        for first in sorted(self.parts):
            k, summed, products = self.parts[first]
            count, total, gram = count + k, total + summed, gram + products
        if not count:
            return np.full(self.dim, np.nan)
        mean = total / count
        covariance = gram / count - np.outer(mean, mean)
        found = np.linalg.eigvalsh(covariance)[::-1]
        # What cancels between the two moments, or in their sums, is no variance.
        noise = float(np.trace(gram)) / count * (self.dim + count**0.5) * 2.0**-52
        return np.where(found > noise, found, 0.0)

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
