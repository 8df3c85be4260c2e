"""Binning the audit's values for its pictures: bounded, whatever the size of the table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from taxcheck.audit.values import (
    CoverageOfTraining,
    EmbeddingStatistics,
    HierarchyScores,
    Score,
)
from taxcheck.audit_bins import (
    AuditPictures,
    Clade,
    Clades,
    Norms,
    Null,
    Projection,
    Radii,
    ScoreCard,
    Untrained,
)

# The norms of the incident's table, from its own diagnosis of 13 November 2025, "Boundary
# Compression"; it gives no 10th percentile.
INCIDENT_NORMS = (
    (0, 0.1000),
    (25, 0.5742),
    (50, 0.7094),
    (75, 0.9527),
    (90, 0.9997),
    (99, 1.0000),
    (100, 1.0000),
)
# The same document's repaired start and regularizer: norm 0.05 + depth / max_depth * 0.80.
TARGET_AT_ROOT, TARGET_GROWTH = 0.05, 0.80
_HIGH_NORM = 0.9  # the norm above which the same document counts rows
_BINS, _DEPTHS, _CLADES, _NAMED, _GROUPS = 80, 120, 20, 14, 12
_Z_BINS = 60
_EVIDENCE = (
    "recorded updates",
    "optimizer state",
    "equal to the initial table",
    "in no pair",
    "inside the init box",
)


def draw_audit(
    embeddings: EmbeddingStatistics,
    coverage: CoverageOfTraining | None = None,
    scores: HierarchyScores | None = None,
    projection: Projection | None = None,
    outlier: float = 3.5,
) -> AuditPictures:
    """All pictures that these values allow; ``outlier`` is the |z| beyond which HIER005 finds."""
    return AuditPictures(
        table=_table(embeddings),
        dim=embeddings.dim,
        untrained=None if coverage is None else _untrained(coverage),
        norms=_norms(embeddings),
        radii=None if scores is None else _radii(scores, embeddings.clip_radius),
        distances=()
        if scores is None
        else tuple((str(label), band) for label, band in scores.distance_bands.items())[:_GROUPS],
        scores=() if scores is None else tuple(_cards(scores)),
        clades=None if scores is None else _clades(scores, outlier),
        projection=projection,
        inside_by_depth=()
        if scores is None
        else tuple((d, n, 1 - share) for d, n, share in scores.monotone_by_depth if n)[:_DEPTHS],
        updates_by_depth=()
        if coverage is None
        else tuple((d, n, none / n) for d, n, none, _ in coverage.updates_by_depth if n)[:_DEPTHS],
    )


def _table(embeddings: EmbeddingStatistics) -> tuple[tuple[str, str], ...]:
    reading = embeddings.reading
    clip = _clip(embeddings)
    return (
        ("rows", f"{embeddings.rows:,}"),
        ("dimensions", f"{embeddings.dim:,}"),
        ("geometry", f"{reading.geometry.value}, curvature {-reading.curvature:g}"),
        ("how sure", reading.confidence),
        ("stored as", embeddings.dtype),
        ("clip", "unknown" if clip is None else f"norm {clip:.7g}"),
        ("effective rank", f"{embeddings.effective_rank:.1f}"),
    )


def _untrained(coverage: CoverageOfTraining) -> Untrained:
    def rank(item: tuple[str, int]) -> int:
        return _EVIDENCE.index(item[0]) if item[0] in _EVIDENCE else len(_EVIDENCE)

    def held(counts: Mapping[str, int]) -> list[tuple[str, int]]:
        return [(str(label), int(rows)) for label, rows in counts.items() if rows]

    return Untrained(
        rows=coverage.rows,
        never=int(np.count_nonzero(coverage.never)),
        explanations=tuple(sorted(held(coverage.by_explanation), key=lambda i: -i[1]))[:_GROUPS],
        evidence=tuple(sorted(held(coverage.by_evidence), key=rank))[:_GROUPS],
        clades=coverage.by_clade[:_CLADES],
    )


def _clip(embeddings: EmbeddingStatistics) -> float | None:
    """The clip as a norm of the unit ball."""
    if embeddings.clip_radius is None:
        return embeddings.reading.clip
    return math.tanh(embeddings.clip_radius / 2)


def _norms(embeddings: EmbeddingStatistics) -> Norms:
    norms = embeddings.norms[np.isfinite(embeddings.norms)]
    return Norms(
        rows=len(norms),
        percentiles=tuple((int(p), float(v)) for p, v in embeddings.norm_percentiles.items()),
        incident=INCIDENT_NORMS,
        histogram=_merged(embeddings.norm_histogram, _BINS),
        over=int(np.count_nonzero(norms > _HIGH_NORM)),
        clip=_clip(embeddings),
        at_clip=embeddings.at_clip,
    )


def _merged(
    bins: tuple[tuple[float, float, int], ...], limit: int
) -> tuple[tuple[float, float, int], ...]:
    """At most ``limit`` bins, neighbours added together."""
    group = math.ceil(len(bins) / limit) if bins else 1
    chunks = [bins[at : at + group] for at in range(0, len(bins), group)]
    return tuple(
        (float(chunk[0][0]), float(chunk[-1][1]), sum(int(rows) for *_, rows in chunk))
        for chunk in chunks
    )


def _radii(scores: HierarchyScores, clip: float | None) -> Radii | None:
    bands = [b for b in scores.radius_by_depth if all(math.isfinite(value) for value in b[1:])]
    if not bands:
        return None
    deepest = max(int(depth) for depth, *_ in bands)
    return Radii(
        bands=tuple((int(d), (a, b, c, e, f)) for d, a, b, c, e, f in bands[:_DEPTHS]),
        target=tuple((int(d), target_radius(int(d), deepest)) for d, *_ in bands[:_DEPTHS]),
        clip=clip,
        saturated=scores.saturated_levels,
    )


def target_radius(depth: int, max_depth: int) -> float:
    """Hyperbolic radius 2 artanh(norm) of the norm that the repaired start gives a depth."""
    share = depth / max_depth if max_depth else 0.0
    return 2 * math.atanh(TARGET_AT_ROOT + share * TARGET_GROWTH)


def _cards(scores: HierarchyScores) -> Iterable[ScoreCard]:
    """Every score that was computed, the deciding one first."""
    spearman = []
    if scores.spearman_recentred is not None:
        spearman.append(f"re-centred on the root {scores.spearman_recentred:.3f}")
    if scores.pearson_norm is not None:
        spearman.append(f"Pearson of depth with the norm {scores.pearson_norm:+.3f}")
    separation = ""
    if scores.separation_successors is not None:
        separation = f"in the order-dependent form {scores.separation_successors:.2f}"
    named: list[tuple[str, Score | None, str]] = [
        ("MAP", scores.map, ""),
        *((f"hits@{k}", score, "") for k, score in sorted(scores.hits.items())),
        *((f"parent hits@{k}", score, "") for k, score in sorted(scores.parent_hits.items())),
        ("radius with depth (Spearman)", scores.spearman, "; ".join(spearman)),
        ("child beyond its parent", scores.monotone_edges, ""),
        ("siblings nearer (AUC)", scores.siblings, ""),
        ("mean rank", scores.mean_rank, ""),
        ("class separation", scores.separation, separation),
    ]
    for label, score, remark in named:
        if score is not None and math.isfinite(score.value):
            yield _card(label, score, remark)


def _card(label: str, score: Score, remark: str) -> ScoreCard:
    nulls = [(str(name), null) for name, null in score.nulls.items() if math.isfinite(null.value)]
    marks = [score.value, score.low, score.high, *(null.value for _, null in nulls)]
    marks += [v for v in (score.trained_only, score.euclidean, score.ceiling) if v is not None]
    marks = [mark for mark in marks if math.isfinite(mark)]
    ranks, ratio = label == "mean rank", label == "class separation"
    lowest = 1.0 if ranks else -1.0 if min(marks) < 0 else 0.0
    return ScoreCard(
        label=label,
        value=score.value,
        low=score.low,
        high=score.high,
        nulls=tuple(Null(name, null.value, null.margin_low > 0) for name, null in nulls)[:_GROUPS],
        protocol=score.protocol,
        sources=score.sources,
        total=score.total,
        lowest=lowest,
        highest=max(*marks, 2.0) if ranks else max(marks) * 1.1 if ratio else max(*marks, 1.0),
        logarithmic=ranks,
        higher_is_better=score.higher_is_better,
        trained_only=score.trained_only,
        euclidean=score.euclidean,
        ceiling=score.ceiling,
        remark=remark,
    )


def _clades(scores: HierarchyScores, outlier: float) -> Clades | None:
    clades = [clade for clade in scores.clades if math.isfinite(clade.z)]
    if not clades:
        return None
    z = np.array([clade.z for clade in clades])
    edge = max(float(np.abs(z).max()), outlier) * 1.02
    counts, edges = np.histogram(z, bins=_Z_BINS, range=(-edge, edge))
    named = sorted(clades, key=lambda clade: (-abs(clade.z), clade.idx))[:_NAMED]
    return Clades(
        level=scores.clade_level,
        total=len(clades),
        threshold=outlier,
        outliers=int(np.count_nonzero(np.abs(z) > outlier)),
        wider=int(np.count_nonzero(z > outlier)),
        named=tuple(
            Clade(c.label, c.size, c.depth, c.spread, c.expected, c.z, c.never_trained)
            for c in named
        ),
        scores=tuple(
            (float(a), float(b), int(n))
            for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True)
        ),
    )
