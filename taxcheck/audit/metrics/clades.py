"""Clades whose members lie farther apart than their size and depth let expect."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from taxcheck.audit.metrics.lists import Floats, IntArray, Ints
from taxcheck.geometry.space import Space

_ROUNDS = 50
_HUBER = 1.345  # 95 % efficiency under normal errors (Huber & Ronchetti 2009)
_PAIRS = 2_000_000
_LEAST = 0.03  # of the scale: where all clades fit this well, a sixth wider is not scattered
_POINT = 1e-3  # of the median spread: a clade that is tighter is one point
# Alike are clades whose depth differs by one at most, and whose height by half.
_ALIKE, _DEPTHS, _HEIGHTS = 5, 1.0, 1.5
_MAD = 1.4826  # makes the median absolute deviation estimate sigma of normal errors


@dataclass(frozen=True, slots=True)
class CladeSpread:
    """Spread of each clade against what was expected of it; arrays are (m,)."""

    clades: IntArray
    size: IntArray
    spread: Floats  # mean distance of two sampled members; NaN with fewer than two points
    expected: Floats  # by the robust regression and the clades alike; NaN where there are few
    z: Floats  # residual of the log in robust standard deviations, as of a normal variable; or NaN


def clade_spread(
    space: Space,
    clades: Ints,
    begin: Ints,
    end: Ints,
    members: Ints,
    depth: Ints,
    rng: np.random.Generator,
    *,
    sample: int | None = None,
) -> CladeSpread:
    """Mean pairwise distance of each clade's members, and its z against a robust regression.

    ``members[begin[i]:end[i]]`` are the rows below ``clades[i]``: nodes in the order of an Euler
    tour, or CSR lists. At most ``sample`` members of each are drawn, with their own pairs; None: as
    many as make two million pairs over all clades, 64 to 512.

    log spread = b0 + b1 log size + b2 depth + b3 height, where height is the sampled members' mean
    depth below the top; a top of unknown depth (below 0) has no expectation. In a tree metric two
    members are at most twice the height apart, log size stands for how it branches, depth for
    whatever the engine does differently far out. Fitted by Huber's M-estimator.

    No table is as regular as that, so clades are held against those like them, of about their depth
    and height: the median of their residuals is what the regression misses there. A clade with
    fewer than five of those has no z: what is told of it would be an extrapolation, which hangs on
    the far end of the table and on the precision that it is stored in.

    The scale is the MAD of what is left, so that the outliers looked for do not hide themselves,
    and 0.03 at least: a table may be so regular that differences nobody sees would be outliers. A
    regression of four coefficients leaves few clades hardly a residual, so that each is taken as
    Student's t with m - 4 degrees of freedom and told as the normal z of the same probability: a z
    of 5 is as rare among ten clades as among thousands.
    """
    clades, begin, end = (np.asarray(a, dtype=np.int64) for a in (clades, begin, end))
    level = np.asarray(depth, dtype=np.float64)
    m = len(clades)
    if sample is None:
        sample = int(np.clip(np.sqrt(2 * _PAIRS / max(m, 1)), 64, 512))
    spread, height = np.full(m, np.nan), np.full(m, np.nan)
    members, sound = np.asarray(members), space.sound
    for i in range(m):
        size = int(end[i] - begin[i])
        at = rng.choice(size, sample, replace=False) if size > sample else np.arange(size)
        rows = members[begin[i] + at]
        rows = rows[sound[rows]]
        if len(rows) < 2:
            continue
        spread[i] = space.between(rows, rows).sum() / (len(rows) * (len(rows) - 1))
        deep = level[rows][level[rows] >= 0]
        if len(deep) and level[clades[i]] >= 0:
            height[i] = deep.mean() - level[clades[i]]
    features = np.column_stack(
        [np.ones(m), np.log(np.maximum(end - begin, 1)), level[clades], height]
    )
    fitted = np.isfinite(height) & np.isfinite(spread)
    expected, z = np.full(m, np.nan), np.full(m, np.nan)
    if fitted.sum() > features.shape[1] and np.median(spread[fitted]) > 0:
        x, least = features[fitted], _POINT * np.median(spread[fitted])
        y = np.log(np.maximum(spread[fitted], least))
        beta = huber(x, y)
        missed = _among_alike(x[:, 2], x[:, 3], y - x @ beta)
        rest = y - x @ beta - missed
        told = np.abs(rest[np.isfinite(rest)])
        scale = max(_MAD * float(np.median(told)), _LEAST) if len(told) else _LEAST
        expected[fitted] = np.exp(x @ beta + missed)
        free = len(y) - x.shape[1]
        z[fitted] = as_normal(rest / scale * np.sqrt(free / len(y)), free)
    return CladeSpread(clades, end - begin, spread, expected, z)


def _among_alike(depth: Floats, height: Floats, rest: Floats) -> Floats:
    """The median residual of the clades like each, (m,); NaN where there are too few of them."""
    found = np.full(len(rest), np.nan)
    for i in range(len(rest)):
        alike = np.abs(depth - depth[i]) <= _DEPTHS
        alike &= (height <= _HEIGHTS * height[i]) & (height[i] <= _HEIGHTS * height)
        alike[i] = False
        if np.count_nonzero(alike) >= _ALIKE:
            found[i] = np.median(rest[alike])
    return found


def as_normal(t: Floats, free: int) -> Floats:
    """The normal deviates that are as improbable as Student's t (m,) with ``free`` degrees.

    Wallace 1959, doi:10.1214/aoms/1177706095: within 0.1 for t up to 50 from five degrees on.
    """
    size = np.sqrt(free * np.log1p(t * t / free)) * (8 * free + 1) / (8 * free + 3)
    return np.asarray(np.copysign(size, t))


def huber(x: Floats, y: Floats) -> Floats:
    """Huber's M-estimator by reweighted least squares; x (m, p), y (m,) -> (p,).

    Residuals beyond 1.345 robust standard deviations count as if they were at it. Columns that say
    the same share their coefficient (least norm).
    """
    weight: npt.NDArray[np.float64] = np.ones(len(y))
    beta: npt.NDArray[np.floating] = np.zeros(x.shape[1])
    for _ in range(_ROUNDS):
        root = np.sqrt(weight)
        new = np.linalg.lstsq(x * root[:, None], y * root, rcond=None)[0]
        rest = y - x @ new
        scale = _MAD * float(np.median(np.abs(rest)))
        if scale <= 1e-12 or np.allclose(new, beta, rtol=1e-9, atol=1e-12):
            return np.asarray(new)
        beta = new
        weight = np.minimum(1, _HUBER * scale / np.maximum(np.abs(rest), 1e-300))
    return np.asarray(beta)
