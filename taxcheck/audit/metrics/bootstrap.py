"""Percentile bootstrap over sources, and the comparison of a score with its nulls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from taxcheck.audit.metrics.lists import Floats

LEVEL = 0.95
RESAMPLES = 2000
_CELLS = 1 << 18  # weights held at a time, which a cache holds


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its percentile bootstrap interval of LEVEL."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Beside:
    """A null: its value, and the interval of how much better the score is, source by source."""

    value: float
    better: Interval  # positive: the score is better, whichever way it runs


@dataclass(frozen=True, slots=True)
class Comparison:
    """A score beside its nulls."""

    score: Interval
    nulls: Mapping[str, Beside]


def resampled_means(
    values: Floats, rng: np.random.Generator, resamples: int, weights: Floats | None = None
) -> Floats:
    """Means of columns over resampled sources: values (s, m) -> (resamples, m).

    Sources are drawn with replacement, all columns with the same draws, which makes differences of
    columns paired (Efron & Tibshirani 1993, ch. 13). With ``weights`` (s,), sum of values / sum of
    weights: an average over edges, resampled by source, as the edges of a source hang together.
    """
    s = len(values)
    below = np.ones(s) if weights is None else weights
    out = np.empty((resamples, values.shape[1]))
    chunk = max(1, _CELLS // max(s, 1))
    for start in range(0, resamples, chunk):
        k = min(chunk, resamples - start)
        cells = rng.integers(0, s, (k, s)) + np.arange(0, k * s, s)[:, None]
        drawn = np.bincount(cells.ravel(), minlength=k * s).reshape(k, s).astype(np.float64)
        out[start : start + k] = (drawn @ values) / (drawn @ below)[:, None]
    return out


def interval(value: float, means: Floats) -> Interval:
    """An estimate with the quantiles of its resampled values (resamples,)."""
    return intervals(np.array([value]), means[:, None])[0]


def intervals(values: Floats, means: Floats) -> list[Interval]:
    """Estimates (m,) with the quantiles of their resampled values (resamples, m)."""
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0).tolist()
    return [Interval(*one) for one in zip(values.tolist(), low, high, strict=True)]


def mean_interval(
    values: Floats,
    rng: np.random.Generator,
    *,
    weights: Floats | None = None,
    resamples: int = RESAMPLES,
) -> Interval:
    """Mean of values (s,), or sum of values / sum of weights, with its interval."""
    return beats_nulls(values, {}, rng, weights=weights, resamples=resamples).score


def beats_nulls(
    values: Floats,
    nulls: Mapping[str, Floats],
    rng: np.random.Generator,
    *,
    weights: Floats | None = None,
    higher_is_better: bool = True,
    resamples: int = RESAMPLES,
) -> Comparison:
    """Hold per-source values (s,) against those of nulls, (s,) each, by a paired bootstrap.

    For MAP: the average precisions. For mean rank: the rank sums, ``weights`` the edges of each
    source and ``higher_is_better=False``. Sources without a value (NaN) in any column are left
    out; without sources everything is NaN, which beats nothing.
    """
    sign = 1.0 if higher_is_better else -1.0
    table = np.column_stack([values, *nulls.values()]).astype(np.float64)
    kept = np.isfinite(table).all(axis=1)
    table = table[kept]
    below = None if weights is None else np.asarray(weights, dtype=np.float64)[kept]
    if not len(table):
        nothing = Interval(np.nan, np.nan, np.nan)
        return Comparison(nothing, {name: Beside(np.nan, nothing) for name in nulls})
    point = table.sum(axis=0) / (len(table) if below is None else below.sum())
    means = resampled_means(table, rng, resamples, below)
    gap, gaps = sign * (point[0] - point[1:]), sign * (means[:, :1] - means[:, 1:])
    score, *better = intervals(np.r_[point[0], gap], np.column_stack([means[:, 0], gaps]))
    found = zip(nulls, point[1:].tolist(), better, strict=True)
    return Comparison(score, {name: Beside(value, beside) for name, value, beside in found})
