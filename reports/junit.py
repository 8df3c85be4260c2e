"""The report as JUnit XML: one test case a rule, so that a CI shows what it shows of tests.

What fails here is what decides the exit code: a failing finding that a baseline knows, and a
warning without ``--fail-on warn``, pass and say so in their output.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

from taxcheck.model.finding import Outcome
from taxcheck.model.report import RenderOptions, Report
from taxcheck.model.result import RuleResult

from . import view
from .places import described
from .text import bare, clip, one_line

_SAMPLES = 10
_LONGEST = 4000  # characters of one text
_NO_XML = re.compile("[\ufffe\uffff\x7f-\x9f]")
_PASSES = (Outcome.PASS, Outcome.INFO)


def xml_text(text: object, limit: int = _LONGEST) -> str:
    """Text of which every character can stand in XML 1.0."""
    return _NO_XML.sub("\ufffd", clip(text, limit))


def _line(text: object, limit: int = 1000) -> str:
    return xml_text(one_line(text), limit)


def _details(result: RuleResult) -> str:
    """What a person reads who opens the case: observation, effect, repair, first rows."""
    said = [result.message]
    if result.caused_by:
        said.append(f"Explained by {', '.join(result.caused_by)}.")
    said += [f"{e.count:,} of {e.of:,} follow from {e.rule}." for e in result.follows]
    if result.impact and result.impact != result.message:
        said.append(result.impact)
    if result.fix:
        said.append(f"How to fix: {bare(result.fix)}")
    said += [f"  {clip(described(sample), 300)}" for sample in result.samples[:_SAMPLES]]
    return xml_text("\n".join(said))


def _case(parent: ET.Element, family: str, name: str) -> ET.Element:
    return ET.SubElement(
        parent, "testcase", classname=f"taxcheck.{_line(family, 100)}", name=_line(name, 200)
    )


def _add(case: ET.Element, tag: str, kind: str, message: str, details: str) -> None:
    element = ET.SubElement(case, tag, type=_line(kind, 100), message=_line(message))
    element.text = details


def _rule(report: Report, suite: ET.Element, result: RuleResult) -> None:
    outcome = result.outcome
    case = _case(suite, result.family, f"{result.id} {result.name}")
    strict = outcome is Outcome.WARN and report.fail_on is Outcome.WARN
    if outcome is Outcome.ERROR:
        _add(case, "error", "broken rule", result.message, xml_text(result.message))
    elif outcome is Outcome.SKIPPED:
        _add(case, "skipped", "skipped", result.message, "")
    elif outcome is Outcome.WAIVED:
        _add(case, "skipped", "waived", f"waived: {_waived(result)}", _details(result))
    elif (outcome is Outcome.FAIL or strict) and result.counts:
        _add(case, "failure", outcome.value, result.message, _details(result))
    else:
        known = "" if result.counts else " (known to the baseline)"
        text = _line(result.message, _LONGEST) if outcome in _PASSES else _details(result)
        ET.SubElement(case, "system-out").text = f"{outcome.value}{known}: {text}"


def _waived(result: RuleResult) -> str:
    waiver = result.waiver
    by = f"by {waiver.owner} until {waiver.expires}: {waiver.reason}. " if waiver else ""
    return by + result.message


def _further(report: Report) -> Iterator[tuple[str, str, str]]:
    """What fails a run though no rule does: class, name and message."""
    for status in report.failing_waivers:
        yield "waiver", f"{status.waiver.rule} {status.state.value}", status.message
    if report.baseline is not None:
        for score in report.baseline.worse_scores:
            yield "baseline", score.label, view.worse(score)
    for rule in report.lost(Outcome.FAIL):
        yield "baseline", f"{rule.id} {rule.name}", rule.told_lost
    if report.verdict is Outcome.SKIPPED:
        yield "run", "something was judged", report.headline


def _beside(report: Report) -> list[str]:
    """What is true of the whole run: its causes, those that were not asked, what was guessed."""
    causes = [f"{cause.certainty} cause {cause.name}: {cause.told}" for cause in report.causes]
    causes += report.broken_causes
    return [*causes, *(f"guessed: {one}" for one in view.guessed(report))]


def _properties(report: Report, suite: ET.Element) -> None:
    properties = ET.SubElement(suite, "properties")
    values = {
        "version": report.version,
        "verdict": report.verdict.value,
        "headline": report.headline,
        "command": report.command,
        "policy": report.policy.source or "",
    }
    for source in report.inputs:
        values[f"input {source.role}"] = f"{source.path} {source.fingerprint}"
    for name, value in values.items():
        ET.SubElement(properties, "property", name=_line(name, 100), value=_line(value))


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - the renderer's shape
    """One suite, its cases in the order of the rules' ids, then waivers and scores that fail."""
    root = ET.Element("testsuites", name="taxcheck")
    suite = ET.SubElement(root, "testsuite", name=_line(f"taxcheck {report.title}", 200))
    _properties(report, suite)
    for result in report.results:
        _rule(report, suite, result)
    for family, name, message in _further(report):
        _add(_case(suite, family, name), "failure", family, message, xml_text(message))
    if said := _beside(report):
        ET.SubElement(suite, "system-out").text = xml_text("\n".join(said))
    counts = {
        "tests": len(suite.findall("testcase")),
        "failures": len(suite.findall("testcase/failure")),
        "errors": len(suite.findall("testcase/error")),
        "skipped": len(suite.findall("testcase/skipped")),
    }
    for name, count in counts.items():
        suite.set(name, str(count))
        if name != "skipped":
            root.set(name, str(count))
    if (seconds := view.seconds(report)) is not None:
        suite.set("time", f"{seconds:.3f}")
        root.set("time", f"{seconds:.3f}")
        suite.set("timestamp", report.created.removesuffix("Z").split("+")[0])
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'
