"""Scores as the report's cards: with the ends of their axis, and what is read beside them."""

from __future__ import annotations

import math
from collections.abc import Iterable

from taxcheck.audit.values import HierarchyScores, Score
from taxcheck.audit_bins import Null, ScoreCard

_NULLS = 12


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
