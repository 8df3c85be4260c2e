"""Radius against depth: correlation, monotone edges, bands, saturated levels, the root."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from taxcheck.audit.metrics.depth import monotone_edges, radius_depth
from taxcheck.audit.values import HierarchyScores, NullScore, Score, five_of
from taxcheck.geometry.ball import radius_of_norm
from taxcheck.geometry.space import Space
from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.vocabulary import NEAR_CLIP
from taxcheck.sources.checkpoints.checkpoint import Reading
from taxcheck.statistics.hierarchy.graph import Graph

Band = tuple[int, float, float, float, float, float]

_SHUFFLES = 20
_NORMAL = 1.96


def radius_scores(
    scores: HierarchyScores,
    space: Space,
    graph: Graph,
    reading: Reading,
    trained: BoolArray,
    rng: np.random.Generator,
) -> HierarchyScores:
    """The scores with those that hold radii against depths, over all rows."""
    depth = graph.depths
    roots = graph.roots
    root = int(roots[0]) if len(roots) == 1 else None
    found = radius_depth(space, depth, root)
    edges = monotone_edges(space.radii, graph.parents, graph.children, depth)
    share = 1 - edges.share
    bands = _bands(space, depth)
    low, high = _of_correlation(found.spearman, found.rows)
    worst, best = _of_share(share, edges.edges)
    return replace(
        scores,
        spearman=Score(
            value=found.spearman,
            low=low,
            high=high,
            nulls={},
            protocol="radius as stored against depth, all rows",
            sources=found.rows,
            total=found.rows + found.lost,
            ceiling=found.ceiling,
            trained_only=None
            if trained.all()
            else radius_depth(space, np.where(trained, depth, -1)).spearman,
        )
        if found.rows > 1
        else None,
        spearman_recentred=None if np.isnan(found.recentred) else found.recentred,
        pearson_norm=found.pearson_norm,
        monotone_edges=Score(
            value=share,
            low=worst,
            high=best,
            nulls={"radii dealt at random": _dealt(space, graph, rng, share)},
            protocol="edges whose child lies farther from the centre, all edges between points",
            sources=edges.edges,
            total=edges.edges + edges.lost,
            trained_only=_monotone_among(space, graph, trained),
        )
        if edges.edges
        else None,
        monotone_by_depth=tuple(
            (int(level), int(total), 1 - wrong / total) for level, total, wrong in edges.by_depth
        ),
        root=_root(space, root),
        radius_by_depth=bands,
        saturated_levels=_saturated(bands, reading),
    )


def _monotone_among(space: Space, graph: Graph, trained: BoolArray) -> float | None:
    """The share of monotone edges with both ends trained; None where every row was trained."""
    if trained.all():
        return None
    both = trained[graph.parents] & trained[graph.children]
    found = monotone_edges(space.radii, graph.parents[both], graph.children[both], graph.depths)
    return 1 - found.share if found.edges else None


def _of_correlation(r: float, n: int) -> tuple[float, float]:
    """95 % interval of a rank correlation (Bonett & Wright 2000, doi:10.1007/BF02294183)."""
    if n < 4 or abs(r) >= 1 or np.isnan(r):
        return r, r
    spread = _NORMAL * float(np.sqrt((1 + r**2 / 2) / (n - 3)))
    centre = float(np.arctanh(r))
    return float(np.tanh(centre - spread)), float(np.tanh(centre + spread))


def _of_share(p: float, n: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
    if not n:
        return p, p
    z2 = _NORMAL**2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    spread = _NORMAL * float(np.sqrt(p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return centre - spread, centre + spread


def _dealt(space: Space, graph: Graph, rng: np.random.Generator, share: float) -> NullScore:
    """The share where the table's own radii are dealt to the nodes at random: about one half."""
    drawn = []
    for _ in range(_SHUFFLES if space.n < 100_000 else 3):
        radii = space.radii[rng.permutation(space.n)]
        drawn.append(1 - monotone_edges(radii, graph.parents, graph.children, graph.depths).share)
    return NullScore(float(np.mean(drawn)), share - float(np.max(drawn)))


def _bands(space: Space, depth: IntArray) -> tuple[Band, ...]:
    found = []
    sound = space.sound & (depth >= 0)
    rows = np.flatnonzero(sound)
    rows = rows[np.argsort(depth[rows], kind="stable")]
    ends = np.searchsorted(depth[rows], np.arange(int(depth.max(initial=-1)) + 2))
    for level, (begin, end) in enumerate(pairwise(ends)):
        if end > begin:
            found.append((level, *five_of(space.radii[rows[begin:end]])))
    return tuple(found)


def _saturated(bands: tuple[Band, ...], reading: Reading) -> float | None:
    """Share of depths whose median radius is within 2 % of the clip's."""
    if reading.unit_clip is None or not bands:
        return None
    limit = NEAR_CLIP * radius_of_norm(reading.unit_clip)
    return sum(band[3] >= limit for band in bands) / len(bands)


def _root(space: Space, root: int | None) -> tuple[int, float, int] | None:
    if root is None or not space.sound[root]:
        return None
    radius = float(space.radii[root])
    return root, radius, int(np.count_nonzero(space.radii < radius))
