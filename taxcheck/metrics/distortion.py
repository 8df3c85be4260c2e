"""How far distances in the space are from distances in the hierarchy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taxcheck.metrics.bootstrap import Interval, mean_interval
from taxcheck.metrics.lists import Floats


@dataclass(frozen=True, slots=True)
class Distortion:
    """Distortion over pairs; rho = distance in the space / distance in the hierarchy."""

    average: Interval  # mean |rho - 1|, as stored
    scaled: Interval  # mean |s rho - 1| with the best s
    scale: float  # that s: the weighted median of 1/rho with weights rho
    scale_squared: float  # sum rho / sum rho^2, which minimises mean (s rho - 1)^2
    worst: float  # max rho / min rho: unchanged by scale; infinite where a distance is 0
    pairs: int  # that were measured
    lost: int  # pairs of which a row is no point, in no average
    complete: bool  # all pairs were measured; else a sample, which the intervals speak of


def best_scale(rho: Floats) -> float:
    """The s that minimises sum |s rho - 1| over (pairs,).

    The sum is sum rho |s - 1/rho|: s is the median of 1/rho with weights rho. NaN if all are 0.
    """
    rho = rho[rho > 0]
    if not len(rho):
        return float("nan")
    order = np.argsort(-rho)  # 1/rho ascending
    weight = np.cumsum(rho[order])
    return float(1 / rho[order[np.searchsorted(weight, weight[-1] / 2)]])


def distortion(
    embedded: Floats, graph: Floats, rng: np.random.Generator, *, complete: bool = False
) -> Distortion:
    """Average distortion mean |d_E - d_G| / d_G and worst case (Sala et al. 2018, sec. 2).

    (arXiv:1804.03329.) Both (pairs,). Pairs that the hierarchy does not join (infinite), or joins
    at 0, are no pairs. The intervals resample pairs at the best scale of all of them; they have no
    width where ``complete`` says that these are all pairs.
    """
    joined = np.isfinite(graph) & (graph > 0)
    rho = embedded[joined] / graph[joined]
    lost = int(np.isnan(rho).sum())
    rho = rho[~np.isnan(rho)]
    scale = best_scale(rho)

    def interval(values: Floats) -> Interval:
        if not complete:
            return mean_interval(values, rng, resamples=500)
        value = float(values.mean()) if len(values) else float("nan")
        return Interval(value, value, value)

    square = float(rho @ rho)
    low, high = (float(rho.min()), float(rho.max())) if len(rho) else (np.nan, np.nan)
    return Distortion(
        average=interval(np.abs(rho - 1)),
        scaled=interval(np.abs(scale * rho - 1)),
        scale=scale,
        scale_squared=float(rho.sum()) / square if square else float("nan"),
        worst=float("inf") if low == 0 else high / low,
        pairs=len(rho),
        lost=lost,
        complete=complete,
    )
