"""Values of an audit, made by hand: what statistics and metrics would hand to the pictures.

They are plausible and not measured.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from taxcheck.audit.curve import curve_of
from taxcheck.audit.values import (
    PERCENTILES,
    CladeSpread,
    EmbeddingStatistics,
    HierarchyScores,
    Hubs,
    NullScore,
    Score,
    TrainingRecord,
)
from taxcheck.model.finding import Defect
from taxcheck.sources.checkpoints.checkpoint import Facts, Geometry, Reading

NONE = Defect(0, 0)


def embeddings(
    norms: np.ndarray, dim: int, clip: float, geometry: Geometry = Geometry.BALL, **changes: object
) -> EmbeddingStatistics:
    counts, edges = np.histogram(norms, bins=50, range=(0.0, 1.0))
    radii = 2 * np.arctanh(norms)
    found, ends = np.histogram(radii, bins=50, range=(0.0, float(radii.max())))
    values: dict[str, object] = {
        "rows": len(norms),
        "dim": dim,
        "dtype": "float32",
        "reading": Reading(geometry, 1.0, clip, "likely", ("the largest norm is below 1",)),
        "norms": norms,
        "radii": radii,
        "norm_percentiles": {p: float(np.percentile(norms, p)) for p in PERCENTILES},
        "radius_percentiles": {p: float(np.percentile(radii, p)) for p in PERCENTILES},
        "norm_histogram": tuple(
            (float(a), float(b), int(n))
            for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True)
        ),
        "radius_histogram": tuple(
            zip(ends[:-1].tolist(), ends[1:].tolist(), found.tolist(), strict=True)
        ),
        "clip_radius": float(2 * np.arctanh(clip)),
        "at_clip": int(np.count_nonzero(norms >= clip - 1e-9)),
        "non_finite": NONE,
        "outside": NONE,
        "duplicates": NONE,
        "same_direction": 0,
        "effective_rank": 6.4,
        "participation_ratio": 4.9,
        "direction_rank": 8.1,
        "unit_roundoff": 2.0**-24,
        "sampled_distances": np.zeros(0),
        "ceiling": float(4 * np.arctanh(clip)),
        "sample": "10,000 random pairs, seed 0",
    } | changes
    return EmbeddingStatistics(**values)  # type: ignore[arg-type]


def training(loss: Sequence[float], **settings: object) -> TrainingRecord:
    """A run that recorded its loss, norms that grow, and three steps of NaN at epoch 60."""
    history = tuple(
        {
            "epoch": float(k + 1),
            "loss": value,
            "norm_p90": 1 - 0.7 ** (1 + k / 4),
            "norm_max": 1 - 0.5 ** (2 + k / 8),
        }
        | ({"nan_steps": 3.0} if k == 59 else {})
        for k, value in enumerate(loss)
    )
    facts = Facts(history=history, config=settings)  # type: ignore[arg-type]
    return TrainingRecord(facts, 92290, 10, None, None, curve_of(facts, None))


def score(
    value: float, width: float, nulls: dict[str, float], *, lower: bool = False, **changes: object
) -> Score:
    return Score(
        value=value,
        low=value - width,
        high=value + width,
        nulls={
            name: NullScore(null, (null - value if lower else value - null) - width)
            for name, null in nulls.items()
        },
        protocol="nickel: sources are descendants, positives their ancestors, candidates all "
        "other nodes; ties take their mean rank",
        sources=2000,
        total=81867,
        higher_is_better=not lower,
        **changes,  # type: ignore[arg-type]
    )


def scores(good: bool) -> HierarchyScores:
    deepest = 37 if not good else 14
    sizes = np.linspace(0, 1, deepest + 1)
    rng = np.random.default_rng(4)
    middle = (
        np.minimum(0.4 + 16 * sizes, 12.2) if not good else 2 * np.arctanh(0.05 + 0.8 * sizes) * 1.6
    )
    radius = tuple(
        (d, *(float(np.clip(m + o, 0, 12.2)) for o in (-1.6, -0.6, 0.0, 0.5, 1.1)))
        for d, m in enumerate(middle)
    )
    nulls = {"depth-aware init": 0.11, "shuffled within depth": 0.16, "popularity": 0.31}
    few = {"depth-aware init": 0.02, "shuffled within depth": 0.03}
    clades = [
        CladeSpread(i, f"Clade {i}", 40 + i, 5, 4.0 + z / 8, 4.0, z, 0.02)
        for i, z in enumerate(rng.normal(0, 1.0, 160))
    ]
    if not good:
        clades += [
            CladeSpread(901, "Streptomyces", 2310, 6, 14.9, 5.1, 9.8, 0.954),
            CladeSpread(902, "Candida", 433, 9, 13.2, 4.6, 8.1, 0.947),
            CladeSpread(903, "Staphylococcus", 1180, 6, 11.8, 5.0, 6.4, 0.595),
            CladeSpread(904, "Pseudomonas", 2781, 6, 10.4, 5.2, 5.2, 0.591),
            CladeSpread(905, "Enterobacteria phage T4 sensu lato", 88, 4, 1.1, 4.4, -4.4, 0.0),
        ]
    gain = 0.0 if good else 0.42
    return HierarchyScores(
        seed=0,
        map=score(
            0.78 - gain, 0.012, nulls, trained_only=0.79 - gain / 3, euclidean=0.7 - gain * 0.9
        ),
        mean_rank=score(
            25.3 if good else 1904.0, 1.9, {"popularity": 210.0, "depth-aware init": 8123.0},
            lower=True, euclidean=61.0 if good else 2600.0,
        ),
        hits={1: score(0.71 - gain, 0.015, few), 10: score(0.93 - gain, 0.01, few)},
        parent_hits={1: score(0.42 - gain * 0.8, 0.02, few), 10: score(0.81 - gain, 0.01, few)},
        spearman=score(0.962, 0.004, {"depth-aware init": 0.987}, ceiling=0.988),
        spearman_recentred=0.958,
        pearson_norm=0.65,
        monotone_edges=score(0.94 - gain / 2, 0.004, {"shuffled within depth": 0.91}),
        monotone_by_depth=tuple(
            (d, 9000 // d, 0.97 - gain * d / deepest) for d in range(1, deepest + 1)
        ),
        siblings=score(0.97 - gain, 0.006, {"shuffled within depth": 0.5, "collapsed": 0.5}),
        separation=score(2.31 - gain * 2.5, 0.06, {"shuffled within depth": 1.0}),
        separation_successors=1.68,
        clades=tuple(sorted(clades, key=lambda c: -abs(c.z))),
        clade_level="rank class",
        spread_level="subtrees of 10 nodes or more",
        hubness=1.4,
        hubs=Hubs(10, 5000, (7, 812), ((0, 1204), (1, 900), (6, 2500), (40, 395), (812, 1))),
        distortion={"average": 0.31},
        root=(0, 0.02, 0),
        radius_by_depth=radius,  # type: ignore[arg-type]
        saturated_levels=0.0 if good else 0.27,
        distance_bands={
            "parent and child": (0.4, 0.8, 1.2, 1.9, 3.4),
            "siblings": (0.5, 1.2, 1.9, 2.8, 4.4),
            "random nodes": (3.1, 6.0, 7.9, 9.6, 11.8),
        },
    )  # fmt: skip
