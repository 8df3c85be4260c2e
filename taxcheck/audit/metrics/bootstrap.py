"""Percentile bootstrap over sources, and the comparison of a score with its nulls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from taxcheck.audit.metrics.lists import Floats
from taxcheck.audit.metrics.strata import Drawn

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
    values: Floats, rng: np.random.Generator, resamples: int, drawn: Drawn | None = None
) -> Floats:
    """Means of columns over resampled sources: values (s, m) -> (resamples, m).

    Sources are drawn with replacement, all columns with the same draws, which makes differences of
    columns paired (Efron & Tibshirani 1993, ch. 13). Those of a stratified sample are drawn anew
    within their strata and weighted as they are there (ibid., ch. 8; Rao & Wu 1988).
    """
    s = len(values)
    stratum = np.zeros(s, dtype=np.int64) if drawn is None else drawn.stratum
    weights, total = _weights(s, drawn)
    order = np.argsort(stratum, kind="stable")
    sizes = [size for size in np.bincount(stratum).tolist() if size]
    starts = np.cumsum([0, *sizes]).tolist()
    weighted = (values * weights[:, None])[order]
    out = np.empty((resamples, values.shape[1]))
    chunk = max(1, _CELLS // max(s, 1))
    for start in range(0, resamples, chunk):
        k = min(chunk, resamples - start)
        parts = zip(starts, sizes, strict=False)
        cells = np.hstack([rng.integers(at, at + size, (k, size)) for at, size in parts])
        cells += np.arange(0, k * s, s)[:, None]
        counts = np.bincount(cells.ravel(), minlength=k * s).reshape(k, s).astype(np.float64)
        out[start : start + k] = (counts @ weighted) / total
    return out


def _weights(s: int, drawn: Drawn | None) -> tuple[Floats, float]:
    """How many sources each of (s,) stands for, and how many there are."""
    return (np.ones(s), float(s)) if drawn is None else (drawn.weights, float(drawn.total))


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
    edges: Floats | None = None,
    drawn: Drawn | None = None,
    resamples: int = RESAMPLES,
) -> Interval:
    """Mean of values (s,) over sources, or over ``edges`` (s,), with its interval."""
    return beats_nulls(values, {}, rng, edges=edges, drawn=drawn, resamples=resamples).score


def beats_nulls(
    values: Floats,
    nulls: Mapping[str, Floats],
    rng: np.random.Generator,
    *,
    edges: Floats | None = None,
    drawn: Drawn | None = None,
    higher_is_better: bool = True,
    resamples: int = RESAMPLES,
) -> Comparison:
    """Hold per-source values (s,) against those of nulls, (s,) each, by a paired bootstrap.

    For MAP: the average precisions. For mean rank: the rank sums, with the ``edges`` of each source
    and ``higher_is_better=False``; both are estimated as ``drawn`` says, without it over these
    sources as all there are. Sources without a value (NaN) in any column are left out then;
    without sources everything is NaN, which beats nothing.
    """
    sign = 1.0 if higher_is_better else -1.0
    table = np.column_stack([values, *nulls.values()]).astype(np.float64)
    if drawn is None:
        kept = np.isfinite(table).all(axis=1)
        table = table[kept]
        edges = None if edges is None else edges[kept]
    if not len(table):
        nothing = Interval(np.nan, np.nan, np.nan)
        return Comparison(nothing, {name: Beside(np.nan, nothing) for name in nulls})
    # Means over edges as means over sources: the excess over 1, edge by edge; see ``Drawn``.
    least, scale = 0.0, 1.0
    if edges is not None:
        table = table - edges[:, None]
        mean = edges.mean() if drawn is None else drawn.edges / drawn.total
        least, scale = 1.0, 1 / float(mean)
    weights, total = _weights(len(table), drawn)
    point = least + scale * (weights @ table) / total
    means = least + scale * resampled_means(table, rng, resamples, drawn)
    gap, gaps = sign * (point[0] - point[1:]), sign * (means[:, :1] - means[:, 1:])
    score, *better = intervals(np.r_[point[0], gap], np.column_stack([means[:, 0], gaps]))
    found = zip(nulls, point[1:].tolist(), better, strict=True)
    return Comparison(score, {name: Beside(value, beside) for name, value, beside in found})
