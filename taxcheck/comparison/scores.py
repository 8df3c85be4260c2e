"""The scores of two audits beside each other, each with its interval."""

from __future__ import annotations

from collections.abc import Iterator

from taxcheck.changes import Change, ScoreChange
from taxcheck.comparison.reading import Recorded
from taxcheck.comparison.shape import Score

_LABELS = {
    "map": "MAP",
    "mean_rank": "mean rank",
    "spearman": "radius with depth (Spearman)",
    "monotone_edges": "child beyond its parent",
    "siblings": "siblings nearer (AUC)",
    "separation": "class separation",
}


def score_changes(before: Recorded, after: Recorded, tolerance: float) -> tuple[ScoreChange, ...]:
    """Every score that either run has, the deciding one first."""
    old, new = dict(_scores(before)), dict(_scores(after))
    return tuple(
        _change(label, old.get(label), new.get(label), tolerance)
        for label in dict.fromkeys([*new, *old])
    )


def _scores(report: Recorded) -> Iterator[tuple[str, Score]]:
    embeddings = report.statistics.embeddings
    if embeddings is None or embeddings.quality is None:
        return
    quality = embeddings.quality
    for key, label in _LABELS.items():
        if (single := getattr(quality, key)) is not None:
            yield label, single
        if key == "map":
            for group, said in ((quality.hits, "hits"), (quality.parent_hits, "parent hits")):
                for k, score in (group or {}).items():
                    if score:
                        yield f"{said}@{k}", score


def _change(label: str, old: Score | None, new: Score | None, tolerance: float) -> ScoreChange:
    was, now = (score.value if score else None for score in (old, new))
    told = new or old
    higher = told is None or told.higher_is_better
    change, note = Change.DIFFERS, ""
    if was is None or now is None or old is None or new is None:
        change = Change.LOST if now is None else Change.GAINED
        if was is None and now is None:
            change = Change.UNCHANGED
    elif old.protocol != new.protocol:
        note = f"not comparable: {old.protocol}, then {new.protocol}"
    else:
        gain = (now - was) * (1 if higher else -1)
        slack = abs(was) * tolerance + 1e-12
        change = Change.UNCHANGED
        if abs(gain) > slack:
            change = Change.BETTER if gain > 0 else Change.WORSE
        low, high = _interval(old), _interval(new)
        if change is not Change.UNCHANGED and low and high:
            apart = low[1] < high[0] or high[1] < low[0]
            note = "" if apart else "the intervals overlap"
    return ScoreChange(label, change, was, now, _interval(old), _interval(new), higher, note)


def _interval(score: Score | None) -> tuple[float, float] | None:
    low, high = score.ci if score else (None, None)
    return None if low is None or high is None else (low, high)
