"""Holding a report against the one of an earlier run: only what is new or worse counts."""

from __future__ import annotations

from msgspec.structs import replace

from taxcheck.commands.compare.compare import (
    OtherSchemaError,
    cause_changes,
    incomparable,
    read_report,
    report_of,
    rule_changes,
    score_changes,
)
from taxcheck.model.change import Baseline, BaselineState
from taxcheck.model.paths import is_there
from taxcheck.model.report import Report


def against(
    report: Report, path: str, tolerance: float, fetched: bytes | str | None = None
) -> Report:
    """The report with what changed since a baseline.

    ``fetched`` is what a service has at that address, or why it has nothing. Where there is no
    baseline, or it cannot be compared, the report says so and everything counts as new; a finding
    of the baseline that is no longer judged counts all the same.
    Raises InputError where the file is there and is no report.
    """
    if fetched is None and not is_there(path):
        fetched = "the file does not exist"
    if isinstance(fetched, str):
        missing = Baseline(path, BaselineState.MISSING, tolerance, (fetched,))
        return replace(report, baseline=missing)
    try:
        before = read_report(path) if fetched is None else report_of(path, fetched)
    except OtherSchemaError as error:
        reason = str(error).removeprefix(f"{path}: ").rstrip(".")
        other = Baseline(path, BaselineState.NOT_COMPARABLE, tolerance, (reason,))
        return replace(report, baseline=other)
    reasons = incomparable(before, report)
    state = BaselineState.NOT_COMPARABLE if reasons else BaselineState.COMPARED
    rules = rule_changes(before, report, tolerance)
    baseline = Baseline(
        path,
        state,
        tolerance,
        reasons,
        created=before.created,
        rules=tuple(rule for rule in rules if rule.lost or not reasons),
        causes=() if reasons else cause_changes(before, report),
        scores=() if reasons else score_changes(before, report, tolerance),
    )
    changes = {} if reasons else {rule.id: rule.change for rule in rules}
    results = tuple(replace(r, change=changes.get(r.id)) for r in report.results)
    told = {cause.name: cause.change for cause in baseline.causes}
    causes = tuple(replace(c, change=told.get(c.name)) for c in report.causes)
    return replace(report, results=results, causes=causes, baseline=baseline)
