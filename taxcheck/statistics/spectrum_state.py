"""Second moments of rows, folded in any order, and the ranks that follow from them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from taxcheck.statistics.audit_values import FloatArray


@dataclass(slots=True)
class SpectrumState:
    """Gram matrices of parts by their first row; they are added in that order when read."""

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
        """Variances along the principal axes, (dim,), descending; zeros where there are no rows."""
        count, total = 0, np.zeros(self.dim)
        gram = np.zeros((self.dim, self.dim))
        for first in sorted(self.parts):
            k, summed, products = self.parts[first]
            count, total, gram = count + k, total + summed, gram + products
        if not count:
            return np.zeros(self.dim)
        mean = total / count
        covariance = gram / count - np.outer(mean, mean)
        return np.asarray(np.maximum(np.linalg.eigvalsh(covariance)[::-1], 0.0))

    def effective_rank(self) -> float:
        """Exp of the entropy of the normalised singular values (Roy & Vetterli 2007)."""
        singular = np.sqrt(self.eigenvalues())
        if not singular.sum():
            return 0.0
        share = singular[singular > 0] / singular.sum()
        return float(np.exp(-(share * np.log(share)).sum()))

    def participation_ratio(self) -> float:
        """(sum of variances)^2 over the sum of their squares: 1 for a line, dim for a ball."""
        variances = self.eigenvalues()
        squares = float((variances**2).sum())
        return float(variances.sum() ** 2 / squares) if squares else 0.0
