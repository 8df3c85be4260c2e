"""What the first screen says, once for all renderers: words made of a Report, no judgement."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from taxcheck.model.change import ScoreChange
from taxcheck.model.finding import Outcome
from taxcheck.model.report import InputSummary, Report
from taxcheck.model.result import FoundCause, RuleResult
from taxcheck.model.vocabulary import plural

from .comparison import score
from .text import clean, clip_middle, duration, number, one_line, parts

WORDS = {outcome: outcome.upper() for outcome in Outcome}
_TABLES = ("checkpoint", "embeddings")
_MOST = 12  # rows and columns of the table of rows without training; there are six of each
_NARROWEST = 9  # a column of text holds 9,999,999
FOUND = (Outcome.ERROR, Outcome.FAIL, Outcome.WARN, Outcome.WAIVED, Outcome.INFO)


@dataclass(frozen=True, slots=True)
class Action:
    """What to do next: advice, whose code is marked, and below it what is to be pasted."""

    text: str
    code: tuple[str, ...] = ()


def of_outcome(report: Report, *outcomes: Outcome) -> tuple[RuleResult, ...]:
    """The results that ended so, worst first, then by id."""
    return tuple(result for result in report.by_outcome if result.outcome in outcomes)


def judging(report: Report, picture: str) -> RuleResult | None:
    """The result of the rule that judges what a picture shows, where it was judged."""
    return next((r for r in report.results if r.judges == picture and r.judged), None)


def told(report: Report) -> tuple[RuleResult, ...]:
    """Every finding as a story: broken rules, causes with what they explain, infos."""
    story = list(of_outcome(report, Outcome.ERROR))
    for group in report.by_cause:
        story += [one for one in (group.lead, *group.findings) if isinstance(one, RuleResult)]
    seen = {result.id for result in story}
    return (*story, *(r for r in of_outcome(report, *FOUND) if r.id not in seen))


def masthead(report: Report) -> tuple[str, ...]:
    """Tool, title, day and duration; the duration only where it was measured."""
    said = [f"taxcheck {report.version}", clean(report.title), report.created[:10]]
    if (taken := seconds(report)) is not None:
        said.append(duration(taken))
    return tuple(part for part in said if part)


def seconds(report: Report) -> float | None:
    """What the run took; None where it was not measured, so that two equal reports are equal."""
    timings = report.timings
    return None if timings is None else timings.get("total", sum(timings.values()))


def standing(report: Report) -> tuple[tuple[str, bool], ...]:
    """What the baseline and the waivers say, each with whether it fails or weakens the run."""
    said = [(one, True) for one in report.broken_causes]
    if report.baseline is not None:
        said.append((report.baseline.summary, not report.baseline.compared))
        said += [(cause.told, False) for cause in report.baseline.causes]
        said += [(worse(fallen), True) for fallen in report.baseline.worse_scores]
        said += [(rule.told_lost, True) for rule in report.baseline.lost]
    for status in sorted(report.waivers, key=lambda status: not status.fails):
        said.append((f"Waiver {status.state.value}: {status.message}", status.fails))
    return tuple(said)


def follows(lead: FoundCause | RuleResult, result: RuleResult, *, short: bool = False) -> str:
    """How many of a finding's offenders follow from what it stands below; empty if not counted.

    ``short`` says of all of them no more than that.
    """
    counted = result.follows if isinstance(lead, RuleResult) else lead.explains
    wanted = lead.id if isinstance(lead, RuleResult) else result.id
    found = next((one for one in counted if one.rule == wanted), None)
    if found is None or not found.of:
        return ""
    if short and found.count == found.of:
        return "all follow"
    return f"{number(found.count)} of {number(found.of)} follow"


def key(one: FoundCause | RuleResult) -> str:
    """By which a finding names it among what explains it."""
    return one.name if isinstance(one, FoundCause) else one.id


def first_sentence(said: str) -> str:
    """The first sentence of a document's section, in one line."""
    return re.split(r"(?<=[a-z\d)'\"`][.:]) (?=[A-Z`])", one_line(said), maxsplit=1)[0]


def explanation(report: Report) -> str:
    """The defect behind the headline, in the words of its rule's document; empty on a pass."""
    for lead, findings in report.by_cause:
        if any(r.counts for r in (lead, *findings) if isinstance(r, RuleResult)):
            said = first_sentence(lead.document.summary)
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
    text = one_line(fix)
    return text[:1].upper() + text[1:]


def repeats(fix: str, document: str) -> bool:
    """Whether a document holds all code of a fix already, so that one of them is enough."""

    def squeezed(code: str) -> str:
        return "".join(code.split())

    code = [squeezed(part.text) for part in parts(fix) if part.kind == "code"]
    return bool(code) and all(piece in squeezed(document) for piece in code)


def action(report: Report) -> Action | None:
    """The fix of the widest-reaching cause, else of its consequences, else its document's."""
    for lead, findings in report.by_cause:
        own = (lead,) if isinstance(lead, FoundCause) else (lead, *findings)
        for one in own:
            if one.fix:
                code = snippet(one.fix)
                return Action("", (code,)) if code else _action(one.fix)
        return _action(lead.document.fix.strip().split("\n\n")[0].rstrip(":"))
    return None


def _action(fix: str) -> Action:
    """Advice that names its commands, and the commands whole, so that each can be copied."""
    whole = tuple(
        part.text
        for part in parts(one_line(fix))
        if part.kind == "code" and part.text.startswith("taxcheck ") and " -" in part.text
    )
    said = advice(fix)
    for command in whole:
        said = said.replace(command, " ".join(command.split()[:2]))
    return Action(said, whole)


def guessed(report: Report) -> tuple[str, ...]:
    """What was guessed in reading the inputs, each with its file."""
    return tuple(
        f"{file_name(source)}: {guess}"
        for source in report.inputs
        if source.reading is not None
        for guess in source.reading.guesses
    )


def table_read(report: Report) -> str:
    """Which array was taken as the table, as points of which space, and how its rows were joined.

    Empty where no trained table was audited.
    """
    for source in report.inputs:
        if source.role == "checkpoint":
            said = source.columns
            parts = [said[key] for key in ("table", "geometry", "rows") if key in said]
            beside = (said[key] for key in ("left out", "guessed") if key in said)
            return ". ".join([", ".join(parts), *(one.rstrip(".") for one in beside)])
    return ""


def explore(report: Report) -> str:
    """The command that writes the explorer of the run's table; empty where it had none."""
    told = {source.role: source.path for source in report.inputs}
    if "checkpoint" not in told:
        return ""
    words = ["taxcheck", "explore", told["checkpoint"]]
    for role in ("mapping", "pairs", "taxonomy"):
        if role in told:
            words += [f"--{role}", told[role]]
    return shlex.join([*words, "--out", "explorer.html"])


def worse(change: ScoreChange) -> str:
    """A score that fell, in one sentence."""
    note = f" ({change.note})" if change.note else ""
    was, now = score(change.before), score(change.after)
    return f"{change.label} is worse than before: {was}, then {now}{note}."


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


@dataclass(frozen=True, slots=True)
class Cross:
    """Rows that were never trained; a row counts once."""

    evidence: tuple[tuple[str, int], ...]  # of each column: its name and its total
    rows: tuple[tuple[str, tuple[int, ...], int], ...]  # explanation, by evidence, total
    never: int
    counted: int  # how many of them its rule counts: weak evidence alone may be left out
    rule: str


def cross(report: Report) -> Cross | None:
    """The table of the statistics; None where its rule found nothing."""
    judged = judging(report, "untrained")
    if judged is None or judged.count is None or judged.outcome not in FOUND:
        return None
    table = report.statistics.embeddings
    found = table.never_trained if table else None
    if found is None or not found.by_both:
        return None
    known, because, both = found.by_evidence, found.by_explanation, found.by_both
    columns = [said for said, rows in known.items() if rows][:_MOST]
    return Cross(
        tuple((said, known[said]) for said in columns),
        tuple(
            (said, tuple(counts.get(column, 0) for column in columns), because[said])
            for said, counts in list(both.items())[:_MOST]
        ),
        found.total,
        judged.count,
        judged.id,
    )


def written(table: Cross) -> Iterator[str]:
    """The same as text; a total stands only where there is something to add up."""
    sums = len(table.evidence) > 1
    heads = [clean(said) for said, _ in table.evidence] + ["all"] * sums
    body = [(clean(said), [*counts, *[total] * sums]) for said, counts, total in table.rows]
    if len(table.rows) > 1:
        body.append(("all", [*(rows for _, rows in table.evidence), *[table.never] * sums]))
    first = "never trained: why, and how it is known"
    left = max(len(first), *(len(said) for said, _ in body))
    yield first.ljust(left) + "".join(f"  {head:>{_NARROWEST}}" for head in heads)
    for said, counts in body:
        cells = (
            f"  {number(count) if count else '-':>{max(len(head), _NARROWEST)}}"
            for count, head in zip(counts, heads, strict=True)
        )
        yield said.ljust(left) + "".join(cells)
