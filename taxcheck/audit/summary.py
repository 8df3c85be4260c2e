"""The audit of a table as the plain numbers that a report holds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from taxcheck.audit.values import (
    CoverageOfTraining,
    EmbeddingStatistics,
    HeldOutScores,
    HierarchyScores,
    Score,
)
from taxcheck.model.statistics import (
    CladeSummary,
    Clip,
    HeldOutSummary,
    NormSummary,
    NullSummary,
    QualitySummary,
    RadiusAtDepth,
    RadiusSummary,
    RootSummary,
    ScoreSummary,
    TableSummary,
    UntrainedClade,
    UntrainedSummary,
    UpdatesAtDepth,
    summary_of,
)

_CLADES = 200


def summarize_audit(
    embeddings: EmbeddingStatistics,
    coverage: CoverageOfTraining | None = None,
    scores: HierarchyScores | None = None,
    held_out: HeldOutScores | None = None,
) -> TableSummary:
    """The numbers of an embedding table; a part that was not computed is None."""
    reading = embeddings.reading
    finite = embeddings.norms[np.isfinite(embeddings.norms)]
    clades = None if scores is None else scores.clades[:_CLADES]
    return summary_of(
        TableSummary,
        embeddings,
        geometry=reading.geometry.value,
        curvature=reading.curvature,
        confidence=reading.confidence,
        reasons=tuple(reading.reasons),
        clip=Clip(reading.clip, embeddings.clip_radius),
        norms=NormSummary(
            dict(embeddings.norm_percentiles),
            _share(int(np.count_nonzero(finite > 0.9)), len(finite)),
            _share(embeddings.at_clip, len(finite)),
        ),
        radius=RadiusSummary(dict(embeddings.radius_percentiles)),
        non_finite=embeddings.non_finite.count,
        outside=embeddings.outside.count,
        duplicates=embeddings.duplicates.count,
        distance_ceiling=embeddings.ceiling,
        never_trained=None if coverage is None else _never_trained(coverage),
        quality=None if scores is None else _quality(scores, held_out),
        clades=None if clades is None else tuple(summary_of(CladeSummary, c) for c in clades),
    )


def _share(count: int | None, rows: int) -> float | None:
    return count / rows if rows and count is not None else None


def _never_trained(coverage: CoverageOfTraining) -> UntrainedSummary:
    return UntrainedSummary(
        int(np.count_nonzero(coverage.never)),
        coverage.rows,
        dict(coverage.by_evidence),
        dict(coverage.by_explanation),
        _nested(coverage.by_both),
        tuple(UntrainedClade(*clade) for clade in coverage.by_clade[:_CLADES]),
        tuple(UpdatesAtDepth(*level) for level in coverage.updates_by_depth[:_CLADES]),
        coverage.told_by,
        coverage.trained_known,
    )


def _nested(counts: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    nested: dict[str, dict[str, int]] = {}
    for (explanation, evidence), rows in counts.items():
        nested.setdefault(explanation, {})[evidence] = rows
    return nested


def _quality(scores: HierarchyScores, held_out: HeldOutScores | None) -> QualitySummary:
    names = ("map", "mean_rank", "spearman", "monotone_edges", "siblings", "separation")
    return summary_of(
        QualitySummary,
        scores,
        **{name: _score(getattr(scores, name)) for name in names},
        hits={k: _score(score) for k, score in scores.hits.items()},
        parent_hits={k: _score(score) for k, score in scores.parent_hits.items()},
        held_out=None if held_out is None else _held_out(held_out),
        distortion=dict(scores.distortion),
        root=None if scores.root is None else RootSummary(*scores.root),
        radius_by_depth=tuple(RadiusAtDepth(*level) for level in scores.radius_by_depth[:_CLADES]),
    )


def _held_out(scores: HeldOutScores) -> HeldOutSummary:
    return summary_of(
        HeldOutSummary,
        scores,
        map=_score(scores.map),
        mean_rank=_score(scores.mean_rank),
        hits={k: _score(score) for k, score in scores.hits.items()},
    )


def _score(score: Score | None) -> ScoreSummary | None:
    if score is None:
        return None
    return summary_of(
        ScoreSummary,
        score,
        ci=(score.low, score.high),
        percentiles=dict(score.percentiles),
        compared_sources=score.sources if score.compared is None else score.compared,
        nulls={name: summary_of(NullSummary, null) for name, null in score.nulls.items()},
    )
