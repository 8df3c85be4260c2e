"""The report as workflow commands of GitHub Actions, which the runner shows as annotations.

A step may have ten of each kind; the first are the causes, and the last counts what is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from taxcheck.model.finding import Outcome
from taxcheck.model.report import RenderOptions, Report
from taxcheck.model.result import RuleResult
from taxcheck.model.vocabulary import plural

from . import view
from .places import about, inside, of_sample
from .text import bare, clip, one_line

LIMIT = 10  # annotations of one kind in a step
_KINDS = ("error", "warning", "notice")
_LONGEST = 2000  # characters of one message


@dataclass(frozen=True, slots=True)
class _Note:
    kind: str
    title: str
    message: str
    file: str | None = None
    line: int | None = None


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: object) -> str:
    said = _data(one_line(text))
    return said.replace(":", "%3A").replace(",", "%2C")


def _command(note: _Note) -> str:
    properties = {"title": clip(note.title, 200), "file": note.file, "line": note.line}
    given = ",".join(f"{k}={_property(v)}" for k, v in properties.items() if v is not None)
    lines = (" ".join(line.split()) for line in clip(note.message, _LONGEST).splitlines())
    message = "\n".join(line for line in lines if line)
    return f"::{note.kind} {given}::{_data(message)}"


def _of_rule(report: Report, result: RuleResult, kind: str) -> _Note:
    said = result.message
    if result.fix:
        said += f"\nHow to fix: {bare(result.fix)}"
    place = next(
        (place for s in result.samples if (place := of_sample(report, s))),
        about(report, result),
    )
    file = inside(place.path) if place else None
    line = place.line if place and file else None
    return _Note(kind, f"{result.id} {result.name}", said, file, line)


def _notes(report: Report) -> Iterator[_Note]:
    """Everything worth an annotation, the most important first."""
    outcome = report.verdict
    kind = "error" if report.exit_code else "warning" if outcome is Outcome.WARN else "notice"
    word = view.WORDS[outcome]
    said = f"{report.headline}\n{bare(view.explanation(report))}"
    yield _Note(kind, f"taxcheck: {word}", said)
    for result in view.told(report):
        strict = result.counts and report.fail_on is Outcome.WARN
        if result.outcome is Outcome.ERROR:
            yield _of_rule(report, result, "error")
        elif result.outcome in (Outcome.FAIL, Outcome.WARN):
            stops = result.counts if result.outcome is Outcome.FAIL else strict
            yield _of_rule(report, result, "error" if stops else "warning")
        elif result.outcome is Outcome.WAIVED:
            yield _of_rule(report, result, "notice")
    for message, fails in view.standing(report):
        yield _Note("error" if fails and report.exit_code else "notice", "taxcheck", message)
    if guesses := view.guessed(report):
        yield _Note("notice", "taxcheck guessed", " ".join(guesses))


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - the renderer's shape
    """One command a line: the verdict, then the findings in the order of their causes."""
    notes = list(_notes(report))
    lines = []
    for kind in _KINDS:
        of_kind = [note for note in notes if note.kind == kind]
        shown = of_kind if len(of_kind) <= LIMIT else of_kind[: LIMIT - 1]
        lines += [_command(note) for note in shown]
        if left := of_kind[len(shown) :]:
            titles = "; ".join(note.title for note in left)
            title = f"taxcheck: {plural(len(left), f'more {kind}')}"
            lines.append(_command(_Note(kind, title, titles)))
    return "\n".join(lines) + "\n"
