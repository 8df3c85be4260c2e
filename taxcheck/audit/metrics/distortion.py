"""Distances in the space beside distances in the hierarchy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from taxcheck.audit.metrics.bootstrap import Interval, mean_interval
from taxcheck.audit.metrics.lists import Floats, IntArray, Ints
from taxcheck.geometry.space import Space

_PAIRS = 100_000


@dataclass(frozen=True, slots=True)
class Distortion:
    """Distortion over pairs; rho = distance in the space / distance in the hierarchy."""

    average: Interval  # mean |rho - 1|, as stored
    scaled: Interval  # mean |s rho - 1| with the best s
    scale: float  # that s: the weighted median of 1/rho with weights rho
    worst: float  # max rho / min rho: unchanged by scale; infinite where a distance is 0
    pairs: int  # that were measured
    lost: int  # pairs of which a row is no point, in no average


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

    low, high = (float(rho.min()), float(rho.max())) if len(rho) else (np.nan, np.nan)
    return Distortion(
        average=interval(np.abs(rho - 1)),
        scaled=interval(np.abs(scale * rho - 1)),
        scale=scale,
        worst=float("inf") if low == 0 else high / low,
        pairs=len(rho),
        lost=lost,
    )


def tree_distances(parent: Ints, depth: Ints, u: Ints, v: Ints) -> Floats:
    """Edges between nodes u and v (pairs,) of a forest, depth(u) + depth(v) - 2 depth(lca).

    ``parent`` (n,) is below 0 at a root. All pairs climb together, the deeper end first, so it
    takes O(pairs x depth). Infinite between two trees, and for nodes without a depth (below 0).
    """
    depth = np.asarray(depth)
    a, b = np.array(u, dtype=np.int64), np.array(v, dtype=np.int64)
    total = depth[a].astype(np.float64) + depth[b]
    a[depth[a] < 0], b[depth[b] < 0] = -1, -1
    while True:
        apart = np.flatnonzero((a != b) & (a >= 0) & (b >= 0))
        if not len(apart):
            break
        x, y = a[apart], b[apart]
        a[apart] = np.where(depth[x] >= depth[y], parent[x], x)
        b[apart] = np.where(depth[y] >= depth[x], parent[y], y)
    met = (a == b) & (a >= 0)
    lca = np.where(met, depth[np.maximum(a, 0)], 0)
    return np.where(met, total - 2 * lca, np.inf)


def pairs_of_rows(
    n: int, at_most: int, rng: np.random.Generator
) -> tuple[IntArray, IntArray, bool]:
    """(u, v, whether they are all): every pair u < v, or ``at_most`` drawn with replacement."""
    if n * (n - 1) // 2 <= at_most:
        u, v = np.triu_indices(n, 1)
        return u.astype(np.int64), v.astype(np.int64), True
    u = rng.integers(0, n, at_most)
    v = rng.integers(0, n - 1, at_most)
    return u, v + (v >= u), False


def sampled_distances(
    points: Callable[[IntArray], Space], n: int, rng: np.random.Generator
) -> Floats:
    """Distances of random pairs of n rows, or of all where they are no more; in ``Space``'s unit.

    ``points`` gives the space of some rows, so that a table need not be held as points whole; pairs
    with a row that is no point are left out.
    """
    if n < 2:
        return np.empty(0)
    u, v, _ = pairs_of_rows(n, _PAIRS, rng)
    rows, place = np.unique(np.concatenate([u, v]), return_inverse=True)
    distances = points(rows).distance(place[: len(u)], place[len(u) :])
    return np.asarray(distances[np.isfinite(distances)])
