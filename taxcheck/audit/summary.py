"""The audit's values for machines: ``statistics.embeddings`` of the JSON report."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from taxcheck.audit.values import (
    CladeSpread,
    CoverageOfTraining,
    EmbeddingStatistics,
    HierarchyScores,
    Score,
)

_CLADES = 200


def summarize_audit(
    embeddings: EmbeddingStatistics,
    coverage: CoverageOfTraining | None = None,
    scores: HierarchyScores | None = None,
) -> dict[str, object]:
    """JSON-ready values of an embedding table; a part that was not computed is None."""
    reading = embeddings.reading
    finite = embeddings.norms[np.isfinite(embeddings.norms)]
    rows = max(len(finite), 1)
    return {
        "rows": embeddings.rows,
        "dim": embeddings.dim,
        "dtype": embeddings.dtype,
        "geometry": reading.geometry.value,
        "curvature": reading.curvature,
        "confidence": reading.confidence,
        "reasons": list(reading.reasons),
        "clip": {"norm": reading.clip, "radius": embeddings.clip_radius},
        "norms": {
            "percentiles": _percentiles(embeddings.norm_percentiles),
            "share_over_0.9": int(np.count_nonzero(finite > 0.9)) / rows,
            "share_at_clip": embeddings.at_clip / rows,
        },
        "radius": {"percentiles": _percentiles(embeddings.radius_percentiles)},
        "non_finite": embeddings.non_finite.count,
        "outside": embeddings.outside.count,
        "duplicates": embeddings.duplicates.count,
        "same_direction": embeddings.same_direction,
        "effective_rank": embeddings.effective_rank,
        "participation_ratio": embeddings.participation_ratio,
        "direction_rank": embeddings.direction_rank,
        "distance_ceiling": embeddings.ceiling,
        "sample": embeddings.sample,
        "never_trained": None if coverage is None else _never_trained(coverage),
        "quality": None if scores is None else _quality(scores),
        "clades": None if scores is None else [_clade(c) for c in scores.clades[:_CLADES]],
    }


def _percentiles(values: Mapping[int, float]) -> dict[str, object]:
    return {str(percentile): float(value) for percentile, value in values.items()}


def _never_trained(coverage: CoverageOfTraining) -> dict[str, object]:
    return {
        "total": int(np.count_nonzero(coverage.never)),
        "rows": coverage.rows,
        "by_evidence": dict(coverage.by_evidence),
        "by_explanation": dict(coverage.by_explanation),
        "by_both": _nested(coverage.by_both),
        "by_clade": [
            {"clade": clade, "never_trained": never, "nodes": nodes}
            for clade, never, nodes in coverage.by_clade[:_CLADES]
        ],
        "updates_by_depth": [
            {"depth": depth, "nodes": nodes, "without": without, "mean": mean}
            for depth, nodes, without, mean in coverage.updates_by_depth[:_CLADES]
        ],
    }


def _nested(counts: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    nested: dict[str, dict[str, int]] = {}
    for (explanation, evidence), rows in counts.items():
        nested.setdefault(explanation, {})[evidence] = rows
    return nested


def _quality(scores: HierarchyScores) -> dict[str, object]:
    return {
        "seed": scores.seed,
        "map": _score(scores.map),
        "mean_rank": _score(scores.mean_rank),
        "hits": {str(k): _score(score) for k, score in scores.hits.items()},
        "parent_hits": {str(k): _score(score) for k, score in scores.parent_hits.items()},
        "spearman": _score(scores.spearman),
        "spearman_recentred": scores.spearman_recentred,
        "pearson_norm": scores.pearson_norm,
        "monotone_edges": _score(scores.monotone_edges),
        "siblings": _score(scores.siblings),
        "separation": _score(scores.separation),
        "separation_successors": scores.separation_successors,
        "hubness": scores.hubness,
        "distortion": dict(scores.distortion),
        "root": None
        if scores.root is None
        else dict(zip(("idx", "radius", "nearer"), scores.root, strict=True)),
        "radius_by_depth": [
            {"depth": depth, "p5": a, "p25": b, "p50": c, "p75": d, "p95": e}
            for depth, a, b, c, d, e in scores.radius_by_depth[:_CLADES]
        ],
        "saturated_levels": scores.saturated_levels,
        "clade_level": scores.clade_level,
        "spread_level": scores.spread_level,
    }


def _score(score: Score | None) -> dict[str, object] | None:
    if score is None:
        return None
    return {
        "value": score.value,
        "ci": [score.low, score.high],
        "protocol": score.protocol,
        "sources": score.sources,
        "total": score.total,
        "compared_sources": score.sources if score.compared is None else score.compared,
        "higher_is_better": score.higher_is_better,
        "beats_every_null": score.beats_every_null,
        "nulls": {
            name: {"value": null.value, "margin_low": null.margin_low}
            for name, null in score.nulls.items()
        },
        "trained_only": score.trained_only,
        "euclidean": score.euclidean,
        "ceiling": score.ceiling,
    }


def _clade(clade: CladeSpread) -> dict[str, object]:
    return {
        "idx": clade.idx,
        "label": clade.label,
        "size": clade.size,
        "depth": clade.depth,
        "spread": clade.spread,
        "expected": clade.expected,
        "z": clade.z,
        "never_trained": clade.never_trained,
    }
