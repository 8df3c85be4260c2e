"""Holding a report against the one of an earlier run: only what is new or worse counts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from taxcheck.changes import Baseline, BaselineState
from taxcheck.comparison.reading import Recorded, read_report, recorded
from taxcheck.comparison.rules import rule_changes
from taxcheck.comparison.scores import score_changes
from taxcheck.errors import InputError
from taxcheck.registry import load_renderers
from taxcheck.report import RenderOptions, Report


def as_recorded(report: Report) -> Recorded:
    """A report in the form in which it is written down."""
    return recorded("this run", json.loads(load_renderers()["json"](report, RenderOptions())))


def against(report: Report, path: str, tolerance: float) -> Report:
    """The report with what changed since a baseline.

    Where there is no such file, or it cannot be compared, the report says so and everything counts
    as new. Raises InputError where the file is there and is no report.
    """
    if not Path(path).exists():
        missing = Baseline(path, BaselineState.MISSING, tolerance, ("the file does not exist",))
        return replace(report, baseline=missing)
    try:
        before = read_report(path)
    except InputError as error:
        if "cannot be compared" not in str(error):
            raise
        reason = str(error).removeprefix(f"{path}: ").rstrip(".")
        return replace(
            report,
            baseline=Baseline(path, BaselineState.NOT_COMPARABLE, tolerance, (reason,)),
        )
    after = as_recorded(report)
    reasons = incomparable(before, after)
    state = BaselineState.NOT_COMPARABLE if reasons else BaselineState.COMPARED
    rules = () if reasons else rule_changes(before, after, tolerance)
    baseline = Baseline(
        path,
        state,
        tolerance,
        reasons,
        created=before.content.created or "",
        rules=rules,
        scores=() if reasons else score_changes(before, after, tolerance),
    )
    changes = {rule.id: rule.change for rule in rules}
    results = tuple(replace(r, change=changes.get(r.rule.id)) for r in report.results)
    return replace(report, results=results, baseline=baseline)


def incomparable(before: Recorded, after: Recorded) -> tuple[str, ...]:
    """Why a verdict on one run says nothing against another; empty where it does."""
    reasons = []
    if before.version != after.version:
        reasons.append(f"written by taxcheck {before.version}, this is {after.version}")
    if before.roles != after.roles:
        reasons.append(
            f"it read {', '.join(sorted(before.roles)) or 'nothing'}, "
            f"this run {', '.join(sorted(after.roles)) or 'nothing'}"
        )
    old, new = (run.content.policy.differences for run in (before, after))
    changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    if changed:
        reasons.append(f"the policy differs in {', '.join(changed)}")
    return tuple(reasons)
