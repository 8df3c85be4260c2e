"""The report for machines: strict JSON whose shape ``report.schema.json`` states."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from taxcheck.changes import Baseline, Change, ScoreChange
from taxcheck.report import SCHEMA_VERSION, InputSummary, RenderOptions, Report, RuleResult
from taxcheck.rule import Outcome, Sample
from taxcheck.waivers import WaiverStatus

from .text import bare

SCHEMA = Path(__file__).with_name("report.schema.json")


def plain(value: object) -> object:
    """A value that strict JSON can hold: no NaN, no infinity, no numpy scalar.

    Lone surrogates, which UTF-8 cannot encode, become the replacement character.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(plain(str(key))): plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return [plain(item) for item in sorted(value, key=str)]
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    for convert in ("tolist", "isoformat"):
        if hasattr(value, convert):
            return plain(getattr(value, convert)())
    return str(plain(str(value)))


def _sample(sample: Sample) -> dict[str, object]:
    return {
        "row": sample.row,
        "idx": sample.node,
        "values": sample.values,
        "taxid": sample.taxid,
        "name": sample.name,
        "lineage": sample.lineage,
    }


def _rule(result: RuleResult) -> dict[str, object]:
    finding = result.finding
    judged = result.outcome in (Outcome.FAIL, Outcome.WARN, Outcome.INFO)
    weight = result.outcome.value if judged else result.rule.severity.value
    if result.outcome is Outcome.WAIVED and finding and finding.severity:
        weight = finding.severity.value
    return {
        "id": result.rule.id,
        "name": result.rule.name,
        "family": result.rule.family,
        "outcome": result.outcome.value,
        "severity": weight,
        "count": finding.count if finding else None,
        "total": finding.total if finding else None,
        "share": finding.share if finding else None,
        "observed": result.observed,
        "threshold": result.threshold,
        "caused_by": result.caused_by,
        "message": result.message,
        "impact": finding.impact if finding else None,
        "fix": bare(finding.fix) if finding and finding.fix else None,
        "samples": [_sample(sample) for sample in finding.samples] if finding else [],
        "skipped_reason": result.reason if result.outcome is Outcome.SKIPPED else None,
        "change": result.change.value if result.change else None,
    }


def _input(source: InputSummary) -> dict[str, object]:
    return {
        "role": source.role,
        "path": source.path,
        "format": source.format,
        "bytes": source.bytes,
        "rows": source.rows,
        "fingerprint": source.fingerprint,
        "columns": source.columns,
        "notes": source.notes,
    }


def _waiver(status: WaiverStatus) -> dict[str, object]:
    waiver = status.waiver
    return {
        "rule": waiver.rule,
        "state": status.state.value,
        "fails": status.fails,
        "message": status.message,
        "owner": waiver.owner,
        "reason": waiver.reason,
        "expires": waiver.expires.isoformat(),
        "max_count": waiver.max_count,
        "fingerprint": waiver.fingerprint,
        "taxid": waiver.taxid,
        "idx": waiver.idx,
    }


def _baseline(baseline: Baseline) -> dict[str, object]:
    return {
        "path": baseline.path,
        "state": baseline.state.value,
        "reasons": baseline.reasons,
        "created": baseline.created or None,
        "tolerance": baseline.tolerance,
        "summary": baseline.summary,
        "fixed": [rule.id for rule in baseline.of(Change.FIXED)],
        "scores": [score_change(score) for score in baseline.scores],
    }


def score_change(score: ScoreChange) -> dict[str, object]:
    """One score before and after."""
    return {
        "score": score.label,
        "change": score.change.value,
        "before": score.before,
        "after": score.after,
        "before_ci": score.before_interval,
        "after_ci": score.after_interval,
        "higher_is_better": score.higher_is_better,
        "note": score.note,
    }


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - the renderer's shape
    """The report as JSON, in the schema's order; two equal reports give equal bytes."""
    content: dict[str, object] = {
        "schema_version": SCHEMA_VERSION,
        "verdict": report.verdict.value,
        "exit_code": report.exit_code,
        "tool": {"name": "taxcheck", "version": report.version},
        "title": report.title,
        "created": report.created,
        "command": report.command,
        "headline": report.headline,
        "inputs": [_input(source) for source in report.inputs],
        "rules": [_rule(result) for result in report.results],
        "statistics": report.statistics,
        "policy": {"source": report.policy_source, "differences": report.policy_differences},
        "proof": report.proof,
        "waivers": [_waiver(status) for status in report.waivers],
        "baseline": _baseline(report.baseline) if report.baseline else None,
        "cached": report.cached,
        "timings": report.timings,
    }
    if report.timings is None:
        # a reproducible report holds nothing that differs from one run to the next
        del content["timings"], content["created"], content["cached"]
    return json.dumps(plain(content), ensure_ascii=False, allow_nan=False, indent=2) + "\n"
