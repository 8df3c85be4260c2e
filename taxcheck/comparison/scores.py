"""The scores of two audits beside each other, each with its interval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from taxcheck.changes import Change, ScoreChange
from taxcheck.comparison.reading import Recorded

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


def _scores(report: Recorded) -> Iterator[tuple[str, Mapping[str, Any]]]:
    quality = report.section("embeddings").get("quality") or {}
    for key, label in _LABELS.items():
        if quality.get(key):
            yield label, quality[key]
        if key == "map":
            for group, said in (("hits", "hits"), ("parent_hits", "parent hits")):
                for k, score in (quality.get(group) or {}).items():
                    if score:
                        yield f"{said}@{k}", score


def _change(
    label: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, tolerance: float
) -> ScoreChange:
    was, now = (score["value"] if score else None for score in (old, new))
    higher = bool((new or old or {}).get("higher_is_better", True))
    change, note = Change.DIFFERS, ""
    if was is None or now is None or old is None or new is None:
        change = Change.LOST if now is None else Change.GAINED
        if was is None and now is None:
            change = Change.UNCHANGED
    elif old["protocol"] != new["protocol"]:
        note = f"not comparable: {old['protocol']}, then {new['protocol']}"
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


def _interval(score: Mapping[str, Any] | None) -> tuple[float, float] | None:
    ends = score["ci"] if score else None
    return None if not ends or None in ends else (ends[0], ends[1])
