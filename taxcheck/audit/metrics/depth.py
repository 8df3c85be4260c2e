"""Whether the radius follows the depth, and every child is farther out than its parent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taxcheck.audit.metrics.lists import Floats, Ints
from taxcheck.geometry.space import Space


@dataclass(frozen=True, slots=True)
class RadiusDepth:
    """Correlations of the distance from the centre with depth; NaN where nothing varies."""

    spearman: float  # radius as stored
    recentred: float  # distance from the root's row instead; NaN without a root
    ceiling: float  # the most that distinct radii can reach with these tied depths
    pearson_norm: float  # of norms in the unit ball (flat: norms), to compare with published r
    rows: int  # that have a radius and a depth
    lost: int  # that have a depth and are no point


def pearson(x: Floats, y: Floats) -> float:
    """Correlation of (n,) and (n,); NaN where one of them is constant or n < 2."""
    if len(x) < 2:
        return float("nan")
    x, y = x - x.mean(), y - y.mean()
    scale = np.sqrt(float(x @ x) * float(y @ y))
    return float(x @ y / scale) if scale > 0 else float("nan")


def spearman(x: Floats | Ints, y: Floats | Ints) -> float:
    """Spearman's rho: the correlation of mid-ranks (Kendall 1945, doi:10.2307/2332303)."""
    return pearson(mid_ranks(x), mid_ranks(y))


def mid_ranks(x: Floats | Ints) -> Floats:
    """Ranks 1..n of (n,), equal values at the mean of theirs; no NaN."""
    _, of, ties = np.unique(x, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(ties) - (ties - 1) / 2)[of])


def ceiling_under_ties(depth: Ints) -> float:
    """The largest Spearman's rho of distinct values with these: sqrt(1 - sum(t^3-t)/(n^3-n)).

    In the best order distinct ranks average to the mid-rank within every tie of t depths, so their
    covariance with the mid-ranks is the mid-ranks' variance, which ties shrink by sum(t^3-t)/12n.
    """
    _, ties = np.unique(depth, return_counts=True)
    n, t = float(len(depth)), ties.astype(np.float64)
    if n < 2 or len(t) < 2:
        return float("nan")
    return float(np.sqrt(1 - np.sum(t**3 - t) / (n**3 - n)))


def radius_depth(space: Space, depth: Ints, root: int | None = None) -> RadiusDepth:
    """Correlate radii with depth (n,), below 0 where a node has none; ``root``: the only one."""
    known = np.asarray(depth) >= 0
    kept = known & space.sound
    level, radii = np.asarray(depth, dtype=np.float64)[kept], space.radii[kept]
    norms = np.tanh(radii / 2) if space.hyperbolic else radii
    recentred = float("nan")
    if root is not None and space.sound[root]:
        recentred = spearman(space.from_row(root)[kept], level)
    return RadiusDepth(
        spearman=spearman(radii, level),
        recentred=recentred,
        ceiling=ceiling_under_ties(np.asarray(depth)[kept]),
        pearson_norm=pearson(norms, level),
        rows=int(kept.sum()),
        lost=int((known & ~kept).sum()),
    )


@dataclass(frozen=True, slots=True)
class MonotoneEdges:
    """Edges whose child is no farther from the centre than its parent."""

    edges: int  # that were compared
    inverted: int
    by_depth: tuple[tuple[int, int, int], ...]  # (depth of the child, edges, inverted)
    lost: int = 0  # edges left out, as an end of theirs has no radius

    @property
    def share(self) -> float:
        """Inverted edges among all; NaN without edges."""
        return self.inverted / self.edges if self.edges else float("nan")


def monotone_edges(radii: Floats, parents: Ints, children: Ints, depth: Ints) -> MonotoneEdges:
    """Compare both ends of edges (edges,) by radii (n,), stored or ``Space.from_row`` of a root.

    An equal radius counts as inverted. An edge to or from a row that is no point (NaN) has no order
    and is left out.
    """
    above, below = radii[parents], radii[children]
    ordered = np.flatnonzero(np.isfinite(above) & np.isfinite(below))
    inverted = ~(below[ordered] > above[ordered])
    level = np.asarray(depth)[np.asarray(children)[ordered]]
    levels, of = np.unique(level, return_inverse=True)
    total = np.bincount(of, minlength=len(levels))
    wrong = np.bincount(of[inverted], minlength=len(levels))
    return MonotoneEdges(
        edges=len(ordered),
        inverted=int(inverted.sum()),
        by_depth=tuple(zip(levels.tolist(), total.tolist(), wrong.tolist(), strict=True)),
        lost=len(above) - len(ordered),
    )
