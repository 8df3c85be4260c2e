"""A sample of nodes whose ancestors are ranked, as a table is read and as it might be."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from taxcheck.audit.metrics.lists import Lists
from taxcheck.geometry.space import Space
from taxcheck.model.arrays import IntArray
from taxcheck.model.geometry import Geometry
from taxcheck.sources.checkpoints.checkpoint import Checkpoint
from taxcheck.sources.checkpoints.geometry import Stated, reading_of

_POOL = 1_000
_SURE = 3.0  # standard errors that something better is better by

Floats = npt.NDArray[np.float64]


def least(difference: Floats) -> float:
    """What the mean of a difference over sources, (sources,), is at least: by 3 standard errors."""
    if len(difference) < 2:
        return 0.0
    return float(difference.mean() - _SURE * difference.std(ddof=1) / np.sqrt(len(difference)))


@dataclass(frozen=True, slots=True)
class Trial:
    """Sources with their ancestors, and the nodes among which these are ranked."""

    checkpoint: Checkpoint
    sources: IntArray
    nodes: IntArray  # ascending
    positive: npt.NDArray[np.bool_]  # (sources, nodes)

    @classmethod
    def of(cls, checkpoint: Checkpoint, above: Lists, n: int, rng: np.random.Generator) -> Trial:
        """With a sample of nodes, and every ancestor among them."""
        drawn = rng.choice(n, min(_POOL, n), replace=False)
        nodes = np.unique(np.concatenate([drawn, above.targets]))
        positive = np.zeros((len(above.sources), len(nodes)), dtype=bool)
        positive[above.owner, np.searchsorted(nodes, above.targets)] = True
        return cls(checkpoint, above.sources, nodes, positive)

    def every(self, step: int) -> Trial:
        """The same of one source in so many."""
        return replace(self, sources=self.sources[::step], positive=self.positive[::step])

    def precision(
        self, row_of: IntArray, *, transposed: bool = False, geometry: Geometry | None = None
    ) -> Floats:
        """The average precision of each source's ancestors under a way, (sources,).

        ``geometry`` reads the rows as points of another space. Ties go against the ancestor, so
        that a table of one point scores nothing. A node without a row lies behind all others.
        """
        both = np.concatenate([self.sources, self.nodes])
        space, known = self._space(row_of[both], transposed, geometry)
        count = len(self.sources)
        at = np.arange(len(both))
        apart = np.full((count, len(self.nodes)), np.inf)
        apart[np.ix_(known[:count], known[count:])] = space.between(
            at[: known[:count].sum()], at[known[:count].sum() : known.sum()]
        )
        apart[~np.isfinite(apart)] = np.inf
        apart[self.sources[:, None] == self.nodes] = np.nan  # no candidate of its own
        return self._average(apart)

    def _space(
        self, rows: IntArray, transposed: bool, geometry: Geometry | None
    ) -> tuple[Space, npt.NDArray[np.bool_]]:
        """The points of those rows that there are, and which these are."""
        known = rows >= 0
        if not transposed:
            reading = self.checkpoint.reading
            vectors = self.checkpoint.vectors[rows[known]]
        else:
            vectors = np.ascontiguousarray(self.checkpoint.vectors[:, rows[known]].T)
            reading = reading_of(vectors, self.checkpoint.dtype, Stated())
        return Space.of(vectors, geometry or reading.geometry, reading.curvature), known

    def _average(self, apart: Floats) -> Floats:
        """The average precision of each row of distances (sources, nodes), NaN for itself."""
        order = np.lexsort((self.positive, apart))  # ties: ancestors last; NaN behind all others
        far, wanted = (np.take_along_axis(a, order, 1) for a in (apart, self.positive))
        hits = wanted & np.isfinite(far)
        place = np.arange(1, apart.shape[1] + 1)
        precise = np.where(hits, np.cumsum(hits, axis=1) / place, 0.0)
        found: Floats = precise.sum(axis=1) / np.maximum(self.positive.sum(axis=1), 1)
        return found
