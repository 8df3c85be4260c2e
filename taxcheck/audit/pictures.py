"""Binning the audit's values for its pictures: bounded, whatever the size of the table."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from msgspec.structs import replace

from taxcheck.audit.coverage import EVIDENCE
from taxcheck.audit.placement import Placements
from taxcheck.audit.values import (
    CoverageOfTraining,
    EmbeddingStatistics,
    HeldOutScores,
    HierarchyScores,
    Hubs,
    Score,
    TrainingRecord,
)
from taxcheck.model.arrays import doubling
from taxcheck.model.geometry import Geometry
from taxcheck.model.pictures import (
    AuditPictures,
    Clade,
    Clades,
    Copies,
    CopyGroup,
    KOccurrence,
    Misplaced,
    Norms,
    Null,
    Projection,
    Radii,
    ScoreCard,
    Untrained,
)
from taxcheck.model.vocabulary import score as figure

_BINS, _DEPTHS, _CLADES, _NAMED, _GROUPS, _NULLS = 80, 120, 20, 14, 12, 12
_Z_BINS, _LEAST_EDGE = 60, 6.0


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
    training: TrainingRecord | None = None,
    names: Namer = by_idx,
    row_names: Namer | None = None,
    placement: Placements | None = None,
    held_out: HeldOutScores | None = None,
) -> AuditPictures:
    """All pictures that these values allow."""
    drawn = AuditPictures(
        table=_table(embeddings),
        dim=embeddings.dim,
        norms=_norms(embeddings),
        projection=projection,
        curve=None if training is None else training.curve,
        copies=_copies(embeddings, row_names or names),
    )
    if placement is not None:
        drawn = replace(drawn, misplaced=_misplaced(placement))
    if coverage is not None:
        levels = [level for level in coverage.updates_by_depth if level[1]][:_DEPTHS]
        drawn = replace(
            drawn,
            untrained=_untrained(coverage),
            updates_by_depth=tuple((d, n, idle / n) for d, n, idle, _ in levels),
        )
    if scores is not None:
        edges = [level for level in scores.monotone_by_depth if level[1]][:_DEPTHS]
        drawn = replace(
            drawn,
            radii=_radii(scores, embeddings.clip_radius),
            distances=tuple(scores.distance_bands.items())[:_GROUPS],
            scores=(*score_cards(scores), *held_out_cards(held_out)),
            clades=_clades(scores),
            inside_by_depth=tuple((d, n, 1 - share) for d, n, share in edges),
            hubs=None if scores.hubs is None else _hubs(scores.hubs, scores, names),
        )
    return drawn


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


def _misplaced(found: Placements) -> Misplaced:
    return Misplaced(
        judged=found.defect.total,
        named=found.defect.count,
        level=found.level,
        clades=tuple(clade for clade in found.by_clade if clade[1])[:_CLADES],
    )


def _untrained(coverage: CoverageOfTraining) -> Untrained:
    explanations = [item for item in coverage.by_explanation.items() if item[1]]
    evidence = sorted(coverage.by_evidence.items(), key=lambda item: EVIDENCE.index(item[0]))
    return Untrained(
        rows=coverage.rows,
        never=int(np.count_nonzero(coverage.never)),
        explanations=tuple(sorted(explanations, key=lambda item: -item[1]))[:_GROUPS],
        evidence=tuple(evidence)[:_GROUPS],
        clades=coverage.by_clade[:_CLADES],
        told_by=coverage.told_by,
        trained_known=coverage.trained_known,
    )


def _clip(embeddings: EmbeddingStatistics) -> float | None:
    """The clip as a norm of the unit ball."""
    if embeddings.clip_radius is None:
        return embeddings.reading.clip
    return math.tanh(embeddings.clip_radius / 2)


def _norms(embeddings: EmbeddingStatistics) -> Norms:
    seen = embeddings.saturation
    flat = embeddings.reading.geometry is Geometry.EUCLIDEAN
    percentiles = embeddings.norm_percentiles if flat else embeddings.radius_percentiles
    bins = embeddings.norm_histogram if flat else embeddings.radius_histogram
    clip = _clip(embeddings) if flat else embeddings.clip_radius
    return Norms(
        rows=0 if seen is None else seen.rows,
        percentiles=tuple(percentiles.items()),
        histogram=_merged(bins, _BINS),
        over=0 if seen is None else seen.rows_above,
        clip=clip if clip is not None and math.isfinite(clip) else None,
        at_clip=embeddings.at_clip,
        of="norm" if flat else "radius",
    )


def _merged(
    bins: tuple[tuple[float, float, int], ...], limit: int
) -> tuple[tuple[float, float, int], ...]:
    """At most ``limit`` bins, neighbours added together."""
    group = math.ceil(len(bins) / limit) if bins else 1
    chunks = [bins[at : at + group] for at in range(0, len(bins), group)]
    return tuple((chunk[0][0], chunk[-1][1], sum(rows for *_, rows in chunk)) for chunk in chunks)


def _radii(scores: HierarchyScores, clip: float | None) -> Radii | None:
    bands = [b for b in scores.radius_by_depth if all(math.isfinite(value) for value in b[1:])]
    if not bands:
        return None
    return Radii(
        bands=tuple((d, (a, b, c, e, f)) for d, a, b, c, e, f in bands[:_DEPTHS]),
        clip=clip,
        saturated=scores.saturated_levels,
    )


def _clades(scores: HierarchyScores) -> Clades | None:
    clades = [clade for clade in scores.clades if math.isfinite(clade.z)]
    if not clades:
        return None
    z = np.sort([clade.z for clade in clades])
    edge = max(float(np.abs(z).max()), _LEAST_EDGE) * 1.02
    counts, edges = np.histogram(z, bins=_Z_BINS, range=(-edge, edge))
    named = sorted(clades, key=lambda clade: (-abs(clade.z), clade.idx))[:_NAMED]
    return Clades(
        level=scores.spread_level,
        z=tuple(z.tolist()),
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
    return KOccurrence(
        k=hubs.k,
        sampled=hubs.sampled,
        skew=scores.hubness,
        greatest=(names([row])[0], often),
        bins=tuple(
            (low, high, sum(rows for times, rows in hubs.occurrences if low <= times <= high))
            for low, high in doubling(often)
        ),
    )


def score_cards(scores: HierarchyScores) -> Iterable[ScoreCard]:
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
        ("mean rank", scores.mean_rank, _single(scores.mean_rank)),
        ("class separation", scores.separation, separation),
    ]
    for label, score, remark in named:
        if score is not None and math.isfinite(score.value):
            yield _card(label, score, remark)


def held_out_cards(scores: HeldOutScores | None) -> Iterable[ScoreCard]:
    """What is scored of pairs that were held out, the deciding one first."""
    if scores is None:
        return
    beside = ""
    if scores.training is not None:
        beside = f"of the training pairs it is {figure(scores.training.value)}"
    yield _card("MAP, held out", scores.map, beside)
    for k, score in sorted(scores.hits.items()):
        yield _card(f"hits@{k}, held out", score, "")
    yield _card("mean rank, held out", scores.mean_rank, _single(scores.mean_rank))


def _single(mean_rank: Score | None) -> str:
    """What stands beside a mean rank, which few pairs may carry."""
    ranks = mean_rank.percentiles if mean_rank else {}
    if not {50, 99} <= ranks.keys():
        return ""
    middle, tail = figure(ranks[50]), figure(ranks[99])
    return f"of the single ranks the median is {middle}, the 99th percentile {tail}"


def _card(label: str, score: Score, remark: str) -> ScoreCard:
    nulls = [(name, null) for name, null in score.nulls.items() if math.isfinite(null.value)]
    marks = [score.value, score.low, score.high, *(null.value for _, null in nulls)]
    marks += [v for v in (score.trained_only, score.euclidean, score.ceiling) if v is not None]
    marks = [mark for mark in marks if math.isfinite(mark)]
    ranks, ratio = label.startswith("mean rank"), label == "class separation"
    lowest = 1.0 if ranks else -1.0 if min(marks) < 0 else 0.0
    return ScoreCard(
        label=label,
        value=score.value,
        low=score.low,
        high=score.high,
        nulls=tuple(Null(name, null.value, null.margin_low > 0) for name, null in nulls)[:_NULLS],
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
        compared=score.compared,
    )
