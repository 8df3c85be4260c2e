"""The candidates that stand nearest to a source: what is left to teach once most are far away."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from taxcheck.engine.config import TrainConfig
from taxcheck.engine.related import is_ancestor
from taxcheck.engine.values import Floats, Int32Array, Negatives, TrainingData, Work
from taxcheck.geometry.space import Space

_SCANNED = 100_000  # candidates that a source is held against; of more, so many are drawn


def refined(negatives: Negatives, config: TrainConfig) -> Negatives:
    """The negatives of refinement: those of before, and the nearest candidates."""
    window = config.refine_window * config.refine_temperature
    return replace(negatives, nearest=config.refine_nearest, window=window)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A table's candidates as they stood at one moment, w = d + 2 factors each; see ``Space``."""

    space: Space
    ids: Int32Array  # (m,)
    rights: Floats  # (m, w)

    @classmethod
    def of(
        cls, table: Floats, config: TrainConfig, pool: Int32Array, rng: np.random.Generator
    ) -> Snapshot:
        """Take all of ``pool``, or a part of it drawn by ``rng`` where it is large."""
        if len(pool) > _SCANNED:
            pool = np.sort(rng.choice(pool, _SCANNED, replace=False))
        space = Space.of(table, config.geometry)
        return cls(space, pool, space.right(pool))

    def nearest(self, data: TrainingData, work: Work, negatives: Negatives) -> Int32Array:
        """Up to ``negatives.nearest`` candidates of every source, (s, nearest), nearest first.

        Those no farther than ``negatives.window`` beyond the farthest positive; -1 fills the row,
        and stands where a candidate is the source or an ancestor of it.
        """
        owner = np.repeat(np.arange(len(work.sources)), np.diff(work.starts))
        far = np.zeros(len(work.sources))
        np.maximum.at(far, owner, self.space.distance(work.sources[owner], work.positives))
        reach = far + negatives.window
        largest = 2 * np.sinh(reach / 2) ** 2 if self.space.hyperbolic else reach**2
        apart = self.space.left(work.sources) @ self.rights.T  # (s, m)
        most = min(negatives.nearest, len(self.ids))
        at = np.argpartition(apart, most - 1, axis=1)[:, :most]
        values = np.take_along_axis(apart, at, axis=1)
        order = np.argsort(values, axis=1, kind="stable")
        at = np.take_along_axis(at, order, axis=1)
        values = np.take_along_axis(values, order, axis=1)
        found, sources = self.ids[at], work.sources[:, None]
        out = values >= largest[:, None]
        out |= (found == sources) | is_ancestor(data.related, found, sources)
        return np.where(out, np.int32(-1), found)
