"""What is measured while a run goes on: the ranking of sampled sources, and the norms."""

from __future__ import annotations

import numpy as np

from taxcheck.engine.config import TrainConfig
from taxcheck.engine.values import Floats, TrainingData
from taxcheck.geometry.space import Space
from taxcheck.metrics.lists import Lists
from taxcheck.metrics.ranking import rank

PERCENTILES = {"norm_p10": 10, "norm_p50": 50, "norm_p90": 90, "norm_p99": 99}
_SAMPLE = 0x5A3E  # keeps the sample's generator apart from others of the same seed


class Quality:
    """Measures a table; the sources are drawn once, so that two evaluations can be compared."""

    def __init__(self, data: TrainingData, config: TrainConfig) -> None:
        filled = np.flatnonzero(np.diff(data.starts))
        rng = np.random.default_rng([config.seed, _SAMPLE])
        drawn = rng.choice(filled, min(config.evaluate_sources, len(filled)), replace=False)
        self._positives = Lists.from_csr(data.starts, data.ancestors, np.sort(drawn))
        self._geometry, self._workers = config.geometry, config.workers or None

    def measure(self, table: Floats) -> dict[str, float]:
        """MAP and mean rank of the sample among all rows, and percentiles of all norms.

        The protocol of Nickel & Kiela 2017 (``metrics.ranking.Protocol.NICKEL``). Norms of every
        hyperbolic model are those of the ball, tanh(radius / 2).
        """
        space = Space.of(table, self._geometry)
        ranking = rank(space, self._positives, workers=self._workers)
        return {"map": ranking.map, "mean_rank": ranking.mean_rank} | norms(space)


def norms(space: Space) -> dict[str, float]:
    """Percentiles of the norms, as points of the unit ball or of flat space; NaN without points."""
    lengths = np.tanh(space.radii / 2) if space.hyperbolic else space.radii
    lengths = lengths[np.isfinite(lengths)]
    if not len(lengths):
        return dict.fromkeys([*PERCENTILES, "norm_max"], float("nan"))
    found = np.percentile(lengths, list(PERCENTILES.values()))
    named = zip(PERCENTILES, found.tolist(), strict=True)
    return {**dict(named), "norm_max": float(lengths.max())}
