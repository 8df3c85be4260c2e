"""Rule by rule: new, fixed, worse, better or as before."""

from __future__ import annotations

from taxcheck.changes import Change, RuleChange, Side
from taxcheck.comparison.reading import Recorded
from taxcheck.comparison.shape import Judged

_JUDGED = {"pass": 0, "info": 0, "waived": 0, "warn": 1, "fail": 2}  # what counts, and how much
_FUZZ = 1e-9


def rule_changes(before: Recorded, after: Recorded, tolerance: float) -> tuple[RuleChange, ...]:
    """Every rule of either run, by id.

    ``tolerance`` is a part of the earlier value: 0.01 lets a count or a share grow by a hundredth.
    """
    old, new = before.rules, after.rules
    return tuple(
        RuleChange(
            id=id,
            name=(new.get(id) or old[id]).name,
            change=_change(old.get(id), new.get(id), tolerance),
            before=_side(old.get(id)),
            after=_side(new.get(id)),
        )
        for id in sorted(old.keys() | new.keys())
    )


def _side(rule: Judged | None) -> Side | None:
    if rule is None:
        return None
    return Side(rule.outcome, rule.count, rule.total, rule.share, rule.message)


def _change(old: Judged | None, new: Judged | None, tolerance: float) -> Change:
    was = _JUDGED.get(old.outcome) if old else None
    now = _JUDGED.get(new.outcome) if new else None
    if was is None or now is None or old is None or new is None:
        if now:
            return Change.NEW  # it was never judged before, and it fails
        if was is None:
            return Change.UNCHANGED if now is None else Change.GAINED
        return Change.LOST
    if new.outcome == "waived" and was:
        return Change.WAIVED
    if was != now:
        if not was:
            return Change.NEW
        return Change.FIXED if not now else Change.WORSE if now > was else Change.BETTER
    if not now:
        same = (old.outcome, old.count) == (new.outcome, new.count)
        return Change.UNCHANGED if same or new.outcome == "pass" else Change.DIFFERS
    return _by_amount(old, new, tolerance)


def _by_amount(old: Judged, new: Judged, tolerance: float) -> Change:
    """Two findings of one weight, by their share where both have one, else by their count."""
    by_share = old.total and new.total
    was, now = ((side.share if by_share else side.count) or 0 for side in (old, new))
    slack = abs(was) * tolerance + _FUZZ
    if now > was + slack:
        return Change.WORSE
    return Change.BETTER if now < was - slack else Change.UNCHANGED
