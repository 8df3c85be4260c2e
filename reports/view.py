"""What the first screen says, once for all renderers: words made of a Report, no judgement."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

from taxcheck.changes import ScoreChange
from taxcheck.report import InputSummary, Report, RuleResult
from taxcheck.rule import Outcome

from .text import clean, clip_middle, duration, parts, plural

WORDS = {
    Outcome.ERROR: "ERROR",
    Outcome.FAIL: "FAIL",
    Outcome.WARN: "WARN",
    Outcome.WAIVED: "WAIVED",
    Outcome.INFO: "INFO",
    Outcome.PASS: "PASS",
    Outcome.SKIPPED: "SKIPPED",
}
_TABLES = ("checkpoint", "embeddings")
FOUND = (Outcome.ERROR, Outcome.FAIL, Outcome.WARN, Outcome.WAIVED, Outcome.INFO)


@dataclass(frozen=True, slots=True)
class Action:
    """What to do next; ``is_code`` tells a line to paste from advice, whose code is marked."""

    text: str
    is_code: bool


def of_outcome(report: Report, *outcomes: Outcome) -> tuple[RuleResult, ...]:
    """The results that ended so, worst first, then by id."""
    return tuple(result for result in report.by_outcome if result.outcome in outcomes)


def told(report: Report) -> tuple[RuleResult, ...]:
    """Every finding as a story: broken rules, causes with what they explain, infos."""
    story = list(of_outcome(report, Outcome.ERROR))
    for cause, consequences in report.causes:
        story += [cause, *consequences]
    seen = {result.rule.id for result in story}
    return (*story, *(r for r in of_outcome(report, *FOUND) if r.rule.id not in seen))


def masthead(report: Report) -> tuple[str, ...]:
    """Tool, title, day and duration; the duration only where it was measured."""
    said = [f"taxcheck {report.version}", clean(report.title), report.created[:10]]
    if report.timings is not None:
        said.append(duration(report.timings.get("total", sum(report.timings.values()))))
    return tuple(part for part in said if part)


def first_sentence(said: str) -> str:
    """The first sentence of a document's section, in one line."""
    joined = " ".join(clean(said).split())
    return re.split(r"(?<=[a-z\d)'\"`][.:]) (?=[A-Z`])", joined, maxsplit=1)[0]


def explanation(report: Report) -> str:
    """The defect behind the headline, in the words of its rule's document; empty on a pass."""
    for cause, consequences in report.causes:
        if any(result.counts for result in (cause, *consequences)):
            said = first_sentence(cause.rule.document.summary)
            return "" if said == report.headline else said
    if report.verdict is Outcome.ERROR:
        return "A rule broke: this is a fault of the rule, and says nothing about the data."
    if report.verdict is Outcome.SKIPPED:
        return "Every rule was skipped, which is not a pass."
    told = [f"{plural(report.count(Outcome.PASS), 'rule')} passed"]
    if skipped := report.count(Outcome.SKIPPED):
        told.append(f"{skipped:,} skipped")
    if waived := report.count(Outcome.WAIVED):
        told.append(f"{plural(waived, 'finding')} waived")
    if noted := report.count(Outcome.INFO):
        told.append(f"{plural(noted, 'observation')} worth knowing")
    return f"{', '.join(told)}."


def snippet(fix: str) -> str | None:
    """The line to paste, where a fix is code and nothing else."""
    found = parts(clean(fix).strip())
    return found[0].text if len(found) == 1 and found[0].kind == "code" else None


def advice(fix: str) -> str:
    """A fix that is prose, as a sentence: it begins with a capital, its code stays marked."""
    text = " ".join(clean(fix).split())
    return text[:1].upper() + text[1:]


def repeats(fix: str, document: str) -> bool:
    """Whether a document holds all code of a fix already, so that one of them is enough."""

    def squeezed(code: str) -> str:
        return "".join(code.split())

    code = [squeezed(part.text) for part in parts(fix) if part.kind == "code"]
    return bool(code) and all(piece in squeezed(document) for piece in code)


def action(report: Report) -> Action | None:
    """The fix of the widest-reaching cause, else of its consequences, else its document's."""
    for cause, consequences in report.causes:
        for result in (cause, *consequences):
            if result.finding and result.finding.fix:
                code = snippet(result.finding.fix)
                return Action(code or advice(result.finding.fix), code is not None)
        return Action(advice(cause.rule.document.fix.strip().split("\n\n")[0]), False)
    return None


def standing(report: Report) -> tuple[tuple[str, bool], ...]:
    """What the baseline and the waivers say, each with whether it fails or weakens the run."""
    said: list[tuple[str, bool]] = []
    if report.baseline is not None:
        said.append((report.baseline.summary, not report.baseline.compared))
        said += [(worse(score), True) for score in report.baseline.worse_scores]
    for status in sorted(report.waivers, key=lambda status: not status.fails):
        said.append((f"Waiver {status.state.value}: {status.message}", status.fails))
    return tuple(said)


def worse(score: ScoreChange) -> str:
    """A score that fell, in one sentence."""
    note = f" ({score.note})" if score.note else ""
    return f"{score.label} is worse than before: {score.before:.4g}, then {score.after:.4g}{note}."


def file_name(source: InputSummary) -> str:
    """The last part of an input's path, whatever the system it was written on."""
    name = PurePath(source.path.replace("\\", "/").rstrip("/")).name
    return clip_middle(name or source.path, 60)


def reasons(report: Report) -> tuple[tuple[str, tuple[RuleResult, ...]], ...]:
    """Skipped results by their reason, the most frequent reason first."""
    groups: dict[str, list[RuleResult]] = {}
    for result in report.results:
        if result.outcome is Outcome.SKIPPED:
            groups.setdefault(clean(result.reason or "no reason given"), []).append(result)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple((reason, tuple(results)) for reason, results in ordered)


def _file(report: Report, source: InputSummary) -> str:
    """A file with its rows; those of an embedding table have a dimension."""
    said = file_name(source)
    if source.rows:
        said += f" {plural(source.rows, 'row')}"
    if source.role in _TABLES and report.audit and report.audit.dim:
        said += f" in {plural(report.audit.dim, 'dimension')}"
    return said


def checked(report: Report) -> str:
    """One line: the files with their rows, the rules that ran and those that did not."""
    files = ", ".join(_file(report, source) for source in report.inputs)
    skipped = report.count(Outcome.SKIPPED)
    ran = f"{plural(len(report.results) - skipped, 'rule')} run"
    if skipped:
        grouped = reasons(report)
        why = grouped[0][0].rstrip(".")
        more = f"; {plural(len(grouped) - 1, 'other reason')}" if len(grouped) > 1 else ""
        ran += f", {skipped:,} skipped ({why}{more})"
    return f"{files or 'no file'}; {ran}"
