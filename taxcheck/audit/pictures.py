"""Binning the audit's values for its pictures: bounded, whatever the size of the table."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from taxcheck.audit.cards import score_cards
from taxcheck.audit.coverage import EVIDENCE
from taxcheck.audit.curve import curve_of
from taxcheck.audit.values import (
    CoverageOfTraining,
    EmbeddingStatistics,
    HierarchyScores,
    Hubs,
    TrainingRecord,
)
from taxcheck.audit_bins import (
    AuditPictures,
    Clade,
    Clades,
    Copies,
    CopyGroup,
    KOccurrence,
    Norms,
    Projection,
    Radii,
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


# What rows are called, in their order.
Namer = Callable[[Sequence[int]], Sequence[str]]


def by_idx(rows: Sequence[int]) -> Sequence[str]:
    """Rows by their number, where nothing else is known."""
    return [f"idx {row}" for row in rows]


def draw_audit(
    embeddings: EmbeddingStatistics,
    coverage: CoverageOfTraining | None = None,
    scores: HierarchyScores | None = None,
    projection: Projection | None = None,
    outlier: float = 6.0,
    training: TrainingRecord | None = None,
    names: Namer = by_idx,
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
        scores=() if scores is None else tuple(score_cards(scores)),
        clades=None if scores is None else _clades(scores, outlier),
        projection=projection,
        inside_by_depth=()
        if scores is None
        else tuple((d, n, 1 - share) for d, n, share in scores.monotone_by_depth if n)[:_DEPTHS],
        updates_by_depth=()
        if coverage is None
        else tuple((d, n, none / n) for d, n, none, _ in coverage.updates_by_depth if n)[:_DEPTHS],
        curve=None if training is None else curve_of(training, embeddings.reading.clip),
        copies=_copies(embeddings, names),
        hubs=None if scores is None or scores.hubs is None else _hubs(scores.hubs, scores, names),
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
        return EVIDENCE.index(item[0]) if item[0] in EVIDENCE else len(EVIDENCE)

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


def _clades(scores: HierarchyScores, outlier: float) -> Clades | None:
    clades = [clade for clade in scores.clades if math.isfinite(clade.z)]
    if not clades:
        return None
    z = np.array([clade.z for clade in clades])
    edge = max(float(np.abs(z).max()), outlier) * 1.02
    counts, edges = np.histogram(z, bins=_Z_BINS, range=(-edge, edge))
    named = sorted(clades, key=lambda clade: (-abs(clade.z), clade.idx))[:_NAMED]
    return Clades(
        level=scores.spread_level,
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


def _copies(embeddings: EmbeddingStatistics, names: Namer) -> Copies | None:
    if not embeddings.copy_groups:
        return None
    return Copies(
        rows=embeddings.rows,
        copied=embeddings.duplicates.count,
        groups=embeddings.copy_groups,
        largest=tuple(
            CopyGroup(group.size, tuple(names(group.rows)), group.norm)
            for group in embeddings.largest_copies
        ),
    )


def _hubs(hubs: Hubs, scores: HierarchyScores, names: Namer) -> KOccurrence:
    row, often = hubs.greatest
    bins, low = [(0, 0)], 1
    while low <= often:
        bins.append((low, 2 * low - 1))
        low *= 2
    return KOccurrence(
        k=hubs.k,
        sampled=hubs.sampled,
        skew=scores.hubness,
        greatest=(names([row])[0], often),
        bins=tuple(
            (low, high, sum(rows for times, rows in hubs.occurrences if low <= times <= high))
            for low, high in bins
        ),
    )
