"""The report as SARIF 2.1.0, for code scanning and the viewers that editors have.

A result is a finding that is a failure, a warning or waived; one finding is one result, with its
first rows as locations. What could not be judged, what broke and what is merely worth knowing are
notifications of the invocation: a viewer would show each of them as an alert otherwise.
"""

from __future__ import annotations

import hashlib
import json
import re

from taxcheck.model.change import Change
from taxcheck.model.finding import Outcome, Sample, Severity
from taxcheck.model.report import RenderOptions, Report
from taxcheck.model.result import FoundCause, RuleResult
from taxcheck.model.written import plain

from . import view
from .places import Place, about, described, of_sample, uri, whole
from .text import bare, clip, one_line, slug

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LOCATIONS = 10
_LEVELS = {Severity.FAIL: "error", Severity.WARN: "warning", Severity.INFO: "note"}
_PROBLEMS = {"error": "error", "warning": "warning", "note": "recommendation"}
_RESULTS = (Outcome.FAIL, Outcome.WARN, Outcome.WAIVED)
_STATES = {Change.NEW: "new", Change.UNCHANGED: "unchanged"}

Json = dict[str, object]


def _message(text: object, limit: int = 2000) -> Json:
    """A message whose braces are no placeholders and whose brackets are no links."""
    said = one_line(text, limit)
    if "](" in said:
        said = re.sub(r"([\\\[\]])", r"\\\1", said)
    return {"text": said.replace("{", "{{").replace("}", "}}")}


def _literal(text: object, limit: int = 10_000) -> str:
    return clip(text, limit).strip()


def _rule(rule: RuleResult) -> Json:
    document = rule.document
    sections = {
        "Why it matters": document.why,
        "How to fix": document.fix,
        "Known exceptions": document.exceptions,
        "References": document.references,
    }
    level = _LEVELS[rule.severity]
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": _literal(bare(view.first_sentence(document.summary)), 1000)},
        "fullDescription": {"text": _literal(bare(document.summary), 1000)},
        "help": {
            "text": _literal("\n\n".join(f"{k}\n{bare(v)}" for k, v in sections.items())),
            "markdown": _literal("\n\n".join(f"**{k}**\n\n{v}" for k, v in sections.items())),
        },
        "defaultConfiguration": {"level": level},
        "properties": {
            "tags": [rule.family, "data"],
            "precision": "very-high",
            "problem.severity": _PROBLEMS[level],
        },
    }


def _location(report: Report, place: Place, sample: Sample | None = None) -> Json:
    index = report.inputs.index(place.source)
    artifact: Json = {"uri": uri(place.path)} | ({} if place.file else {"index": index})
    physical: Json = {"artifactLocation": artifact}
    if place.line is not None:
        physical["region"] = {"startLine": place.line}
    location: Json = {"physicalLocation": physical}
    if sample is not None:
        location["message"] = _message(described(sample), 500)
        name = None if sample.taxid is None else clip(sample.taxid, 200)
        if sample.row is not None:
            name = f"row {sample.row}"
        elif sample.node is not None:
            name = f"idx {sample.node}"
        if place.line is None and name is not None:
            kind = "element" if sample.row is None else "row"
            location["logicalLocations"] = [{"name": name, "kind": kind}]
    return location


def _locations(report: Report, result: RuleResult) -> list[Json]:
    whole = about(report, result)
    samples = result.samples[:_LOCATIONS]
    found = [(of_sample(report, sample) or whole, sample) for sample in samples]
    located = [_location(report, place, sample) for place, sample in found if place]
    return located or ([_location(report, whole)] if whole else [])


def _fingerprints(report: Report, result: RuleResult) -> dict[str, str]:
    """What the finding is, whatever rows show it and in whatever order they stand.

    The second name is the one by which GitHub tells an alert that it has shown before.
    """
    place = about(report, result)
    what = "\0".join((result.id, uri(whole(place.source)) if place else ""))
    digest = hashlib.sha256(what.encode("utf-8", "replace")).hexdigest()[:32]
    return {"taxcheckFinding/v1": digest, "primaryLocationLineHash": f"{digest}:1"}


def _result(report: Report, result: RuleResult, index: int) -> Json:
    level = result.outcome
    if result.outcome is Outcome.WAIVED:
        level = Outcome.FAIL if result.severity is Severity.FAIL else Outcome.WARN
    said = result.message
    if result.fix:
        said = f"{said.rstrip('.')}. How to fix: {bare(result.fix)}"
    content: Json = {
        "ruleId": result.id,
        "ruleIndex": index,
        "level": "error" if level is Outcome.FAIL else "warning",
        "message": _message(said),
        "locations": _locations(report, result),
        "partialFingerprints": _fingerprints(report, result),
    }
    if result.count is not None:
        content["occurrenceCount"] = max(result.count, 1)
    if result.waiver is not None:
        waiver = result.waiver
        why = f"{waiver.owner}, until {waiver.expires}: {waiver.reason}"
        content["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": _literal(why, 1000)}
        ]
    elif result.outcome is Outcome.WAIVED:
        content["suppressions"] = [{"kind": "external", "status": "accepted"}]
    if result.change is not None:
        content["baselineState"] = _STATES.get(result.change, "updated")
    content["properties"] = {
        "outcome": result.outcome.value,
        "counts": result.counts,
        "total": result.total,
        "causedBy": result.caused_by,
        "follows": [{"rule": e.rule, "count": e.count, "of": e.of} for e in result.follows],
        "observed": result.observed,
    }
    return content


def _cause(cause: FoundCause) -> Json:
    return {
        "name": cause.name,
        "certainty": cause.certainty,
        "message": cause.message,
        "parameters": dict(cause.parameters),
        "explains": [{"rule": e.rule, "count": e.count, "of": e.of} for e in cause.explains],
        "repair": cause.repair,
    }


def _notification(level: str, text: str, result: RuleResult | None = None, index: int = 0) -> Json:
    content: Json = {"level": level, "message": _message(text)}
    if result is not None:
        content["associatedRule"] = {"id": result.id, "index": index}
    return content


def _invocation(report: Report) -> Json:
    execution, configuration = [], []
    for index, result in enumerate(report.results):
        if result.outcome is Outcome.ERROR:
            execution.append(_notification("error", f"broke: {result.message}", result, index))
        elif result.outcome is Outcome.INFO:
            execution.append(_notification("note", result.message, result, index))
        elif result.outcome is Outcome.SKIPPED:
            configuration.append(_notification("note", f"skipped: {result.message}", result, index))
    configuration += [_notification("note", f"guessed: {one}") for one in view.guessed(report)]
    for said, fails in view.standing(report):
        configuration.append(_notification("error" if fails else "note", said))
    content: Json = {
        "executionSuccessful": report.verdict not in (Outcome.ERROR, Outcome.SKIPPED),
        "exitCode": report.exit_code,
        "exitCodeDescription": f"{report.verdict.value}: {_literal(report.headline, 500)}",
        "commandLine": _literal(report.command),
        "toolExecutionNotifications": execution,
        "toolConfigurationNotifications": configuration,
    }
    if report.timings is not None:  # else the report is to be the same every time
        content["endTimeUtc"] = report.created.replace("+00:00", "Z")
    return content


def _artifacts(report: Report) -> list[Json]:
    artifacts = []
    for source in report.inputs:
        kind, _, digest = source.fingerprint.partition(":")
        artifact: Json = {
            "description": _message(f"{source.role}, {source.format}, {source.rows:,} rows"),
            "length": source.bytes,
            "roles": ["analysisTarget"],
            "hashes": {kind: digest} if digest else {},
        }
        if source.path != "-":
            artifact["location"] = {"uri": uri(whole(source))}
        artifacts.append(artifact)
    return artifacts


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - the renderer's shape
    """One run; two equal reports give equal bytes."""
    content = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "taxcheck",
                        "version": report.version,
                        "rules": [_rule(result) for result in report.results],
                    }
                },
                "automationDetails": {"id": f"taxcheck/{slug(report.title)[5:]}/"},
                "invocations": [_invocation(report)],
                "artifacts": _artifacts(report),
                "results": [
                    _result(report, result, report.results.index(result))
                    for result in view.told(report)
                    if result.outcome in _RESULTS
                ],
                "columnKind": "unicodeCodePoints",
                "properties": {"causes": [_cause(cause) for cause in report.causes]},
            }
        ],
    }
    return json.dumps(plain(content), ensure_ascii=False, allow_nan=False, indent=2) + "\n"
