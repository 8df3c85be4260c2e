"""A small sound audit, by hand: the builders' tree of four nodes, embedded and scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from taxcheck.audit.alignment_scores import Alignments, Scored
from taxcheck.audit.candidates import Way
from taxcheck.audit.curve import curve_of
from taxcheck.audit.geometry_scores import GeometryTold, ToldBy
from taxcheck.audit.metrics.kinship import RELATIONS
from taxcheck.audit.metrics.placement import Mixture, Placement
from taxcheck.audit.metrics.standing import Pools
from taxcheck.audit.placement import Placements
from taxcheck.audit.values import (
    PERCENTILES,
    CladeSpread,
    CoverageOfTraining,
    EmbeddingStatistics,
    HeldOutScores,
    HierarchyScores,
    NullScore,
    Score,
    TrainingRecord,
)
from taxcheck.model.finding import Unavailable
from taxcheck.model.result import RuleResult
from taxcheck.policy.model import Dataset, Policy, RulePolicy
from taxcheck.run.rules import run_rules
from taxcheck.sources.checkpoints.checkpoint import Facts, Geometry, Reading
from tests.rules import builders
from tests.rules.builders import RULES, some
from tests.rules.owed import hold

CLIP = 1 - 1e-5
# The incident's own table of norm percentiles; those it does not state lie on straight lines.
INCIDENT = np.interp(
    np.linspace(0, 100, 10_001),
    [0, 25, 50, 70, 75, 90, 99, 100],
    [0.1, 0.5742, 0.7094, 0.9, 0.9527, 0.9997, 0.99996, CLIP],
)


def radii_of(norms: Any) -> Any:
    """ln((1 + r) / (1 - r))."""
    norms = np.asarray(norms, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(norms < 1, np.log((1 + norms) / (1 - norms)), np.inf)


def reading(geometry: Geometry = Geometry.BALL, clip: float | None = CLIP) -> Reading:
    return Reading(geometry, 1.0, clip, "certain", ("given",))


def embedding(norms: Sequence[float] = (0.0, 0.5, 0.6, 0.8), **changes: Any) -> Any:
    """A table of two dimensions with these norms, in float32 unless said otherwise."""
    known = np.asarray(norms, dtype=np.float64)
    radii = radii_of(known)
    inside = np.isfinite(radii)
    rows = len(known)
    value = EmbeddingStatistics(
        rows=rows,
        dim=2,
        dtype="float32",
        reading=reading(),
        norms=known,
        radii=radii,
        norm_percentiles=dict(zip(PERCENTILES, np.percentile(known, PERCENTILES), strict=True)),
        radius_percentiles=dict(
            zip(PERCENTILES, np.percentile(radii[inside], PERCENTILES), strict=True)
        ),
        norm_histogram=(),
        clip_radius=float(radii_of(CLIP)),
        at_clip=0,
        non_finite=some(0, rows),
        outside=some(0, rows),
        duplicates=some(0, rows),
        same_direction=0,
        effective_rank=1.9,
        participation_ratio=1.8,
        direction_rank=1.95,
        unit_roundoff=2.0**-24,
        sampled_distances=np.array([0.5, 1.0, 2.0]),
        ceiling=2 * float(radii_of(CLIP)),
        sample="3 random pairs for distances, seed 0",
    )
    return replace(value, **changes)


def score(value: float = 0.8, null: float | None = 0.2, **changes: Any) -> Any:
    """A score and its best null, popularity; the margin's lower bound is .05 below their gap."""
    better = changes.get("higher_is_better", True)
    nulls = {}
    if null is not None:
        gap = value - null if better else null - value
        nulls = {
            "popularity": NullScore(null, gap - 0.05),
            "collapsed": NullScore(0.0 if better else 99.0, abs(value) if better else 99 - value),
        }
    known = Score(
        value=value,
        low=value - 0.02,
        high=value + 0.02,
        nulls=nulls,
        protocol="nickel",
        sources=2_000,
        total=82_114,
        optimum=1.0,
    )
    return replace(known, **changes)


def clade(label: str = "Asteroidea", z: float = 0.5, **changes: Any) -> Any:
    value = CladeSpread(
        idx=2, label=label, size=412, depth=3, spread=8.0, expected=8.2, z=z, never_trained=0.0
    )
    return replace(value, **changes)


def scores(**changes: Any) -> Any:
    value = HierarchyScores(
        seed=0,
        map=score(),
        mean_rank=score(4.0, 60.0, higher_is_better=False),
        hits={10: score(0.9)},
        parent_hits={1: score(0.5), 10: score(0.9)},
        spearman=score(0.6, None, ceiling=0.988),
        spearman_recentred=0.62,
        pearson_norm=0.1,
        monotone_edges=score(0.995, None, sources=3, total=3),
        monotone_by_depth=((1, 2, 1.0), (2, 1, 0.99)),
        siblings=score(0.9, 0.5),
        separation=score(1.7, 1.0, optimum=None),
        separation_successors=1.68,
        clades=tuple(clade(f"class {k}", z=2 - k / 5) for k in range(10)),
        clade_level="rank class",
        spread_level="subtrees of 10 nodes or more",
        hubness=27.0,
        root=(0, 0.0, 0),
        radius_by_depth=((0, 0.0, 0.0, 0.0, 0.0, 0.0), (1, 1.0, 1.1, 1.2, 1.3, 1.4)),
        saturated_levels=0.0,
        distance_bands={"sibling": (1.0, 2.0, 3.0, 4.0, 5.0)},
    )
    return replace(value, **changes)


def held_out_scores(**changes: Any) -> Any:
    value = HeldOutScores(
        pairs=600,
        in_training=0,
        untrained=0,
        map=score(0.5, 0.1, sources=300, total=300),
        mean_rank=score(9.0, 60.0, higher_is_better=False),
        hits={10: score(0.7, 0.2)},
        training=score(0.9, 0.4),
    )
    return replace(value, **changes)


def coverage(updates: Sequence[int] | None = (100, 200, 300, 50), **changes: Any) -> Any:
    counts = None if updates is None else np.array(updates, dtype=np.int64)
    rows = 4 if counts is None else len(counts)
    value = CoverageOfTraining(
        rows=rows,
        never=np.zeros(rows, dtype=bool),
        by_evidence={},
        by_explanation={},
        by_clade=(),
        defect=some(0, rows),
        updates=counts,
        updates_by_depth=((0, 1, 0, 100.0), (1, 2, 0, 250.0), (2, 1, 0, 50.0)),
    )
    return replace(value, **changes)


HISTORY = tuple(
    {"epoch": float(k), "loss": 4.0 / (k + 1), "map": k / 10, "norm_p90": 0.5, "nan_steps": 0.0}
    for k in range(10)
)
CONFIG = {
    "lambda_reg": 0.01,
    "max_norm": CLIP,
    "init_max_radius": 0.001,
    "early_stopping": 0,
    "best_by": "map",
}


def training(config: Mapping[str, Any] | None = None, **changes: Any) -> Any:
    """A run of 200 nodes in 2 dimensions; ``config`` changes or, with None, drops settings."""
    own = {**CONFIG, **(config or {})}
    facts = Facts(
        epoch=changes.pop("epoch", 9),
        stopped_early=changes.pop("stopped_early", False),
        config={key: value for key, value in own.items() if value is not None},
        history=changes.pop("history", HISTORY),
    )
    value = TrainingRecord(
        facts=facts,
        rows=200,
        dim=2,
        table_size_from_pairs=200,
        n_nodes=200,
        curve=curve_of(facts, changes.pop("clip", CLIP)),
    )
    return replace(value, **changes)


def alignment(*others: Scored, **changes: Any) -> Alignments:
    """A table that scores .8 as it was joined, over 96 nodes, and .1 shifted by one."""
    ways = others or (Scored("a shift by one", Way.SHIFT, 0.1, -0.8),)
    value = Alignments(Scored("Row k is idx k.", None, 0.8), ways, 0.02, 96, 1_000, some(0, 4))
    return replace(value, **changes)


def placement(bad: int = 0, judged: int = 1_000, **changes: Any) -> Any:
    """1,000 nodes that could be judged, so many of them misplaced, all in one of two clades."""
    share = bad / judged
    mixed = Mixture(judged, share, max(share - 0.005, 0.0), share + 0.005, 0.05)
    nothing = np.full((judged, len(RELATIONS)), np.nan)
    pools = Pools((), (), np.empty(0, int), np.empty(0, int), np.empty(0))
    place = Placement(np.arange(judged), judged, nothing, nothing[:, 0], nothing[:, 0], pools)
    value = Placements(
        place=place,
        mixture=mixed,
        trained=None,
        parent_rank=1.0,
        pool=256,
        named=np.arange(judged) < bad,
        defect=some(bad, judged),
        level="rank class",
        by_clade=(("Ophiuroidea", bad, 400), ("Asteroidea", 0, 600)),
        by_depth=((3, bad, judged),),
        by_pairs=((4, 7, bad, judged),),
        by_updates=(),
    )
    return replace(value, **changes)


def judge(id: str, thresholds: Mapping[str, float] | None = None, **given: Any) -> RuleResult:
    """Run one rule as the runner does; inputs that are not given are the sound ones.

    An input given as None is missing from the run.
    """
    makers = {
        "mapping": builders.mapping,
        "pairs": builders.pairs,
        "tree": builders.tree,
        "embedding": embedding,
        "coverage": coverage,
        "scores": scores,
        "training": training,
        "alignment": alignment,
        "geometry": lambda: GeometryTold(Geometry.BALL, ToldBy.STATED),
        "placement": placement,
        "held_out_scores": held_out_scores,
    }
    inputs = {name: given[name] if name in given else make() for name, make in makers.items()}
    inputs = {k: Unavailable(f"no {k} given") if v is None else v for k, v in inputs.items()}
    policy = Policy(
        dataset=given.get("dataset", Dataset()),
        rules={id: RulePolicy(thresholds=dict(thresholds or {}))},
    )
    (result,) = run_rules([RULES[id]], inputs, policy)
    return hold(result)
