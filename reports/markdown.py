"""The report as Markdown, for a comment on a pull request and for the summary of a job.

A comment holds 65,536 characters: parts are added while they fit, the most important first, and
what had no room is counted. Every character of the data that Markdown or HTML could read as
structure becomes a numeric reference, which cannot be structure; what GitHub finds in the rendered
text (a mention, a reference, a bare address) is broken by a character without width.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from taxcheck.model.finding import Outcome
from taxcheck.model.report import RenderOptions, Report
from taxcheck.model.result import FoundCause, RuleResult
from taxcheck.model.vocabulary import percent, plural

from . import series, view
from .places import described
from .text import clip, number, one_line, parts, size

LIMIT = 65_536
_ROOM = 60_000  # what findings may fill; the rest is for what follows them
_SAMPLES = 5
_STANDING = 6  # lines on the baseline and the waivers
_SIGNS = {
    Outcome.ERROR: "❌",
    Outcome.FAIL: "❌",
    Outcome.WARN: "⚠️",
    Outcome.WAIVED: "☑️",
    Outcome.INFO: "ℹ️",
    Outcome.PASS: "✅",
    Outcome.SKIPPED: "⚪",
}
_BREAK = "\u200b"
# Inside a line, which starts with words of ours; an underscore inside a word marks nothing.
_STRUCTURE = re.compile(r"[&<>`*\[\]|~@\\$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_FOUND = re.compile(
    r"@|#(?=\d)|www(?=\.)|\bGH(?=-\d)|:(?=//)|:(?=[\w+-]+:)|\bmailto(?=:)|\bxmpp(?=:)", re.I
)


def _reference(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall(r"`+", text)), default=0)


def plain(text: object, limit: int) -> str:
    """One line of prose."""
    said = one_line(text, limit)
    return _STRUCTURE.sub(_reference, _FOUND.sub(lambda match: match[0] + _BREAK, said))


def code(text: object, limit: int) -> str:
    """One line of code outside of tables; there GitHub looks for nothing."""
    said = one_line(text, limit)
    if not said:
        return ""
    fence = "`" * (_longest_run(said) + 1)
    pad = " " if said[0] == "`" or said[-1] == "`" else ""
    return f"{fence}{pad}{said}{pad}{fence}"


def cell(text: object, limit: int) -> str:
    """Code in a table, where a bar would end the cell in any other notation."""
    said = plain(text, limit)
    return f"<code>{said}</code>" if said else ""


def prose(text: object, limit: int) -> str:
    """One line of prose with its code marked."""
    said = ""
    for part in parts(clip(text, limit)):
        piece = code(part.text, limit) if part.kind == "code" else _kept(part.text, limit)
        said += " " * (said.endswith("`") and piece.startswith("`")) + piece
    return said.strip()


def _kept(text: str, limit: int) -> str:
    """A stretch of prose with the spaces at its ends, one each."""
    before, after = " " * text[:1].isspace(), " " * text[-1:].isspace()
    said = plain(text, limit)
    return f"{before}{said}{after}" if said else before


def block(text: object, limit: int) -> str:
    """A listing, in a fence longer than any that is in it."""
    said = clip(text, limit).strip("\n")
    fence = "`" * max(_longest_run(said) + 1, 3)
    return f"{fence}text\n{said}\n{fence}"


class _Page:
    """Parts that fit; a part is whole or not there."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.length = 0

    def add(self, part: str, limit: int = LIMIT - 300) -> bool:
        """Whether there was room for one more part."""
        if self.length + len(part) + 2 > limit:
            return False
        self.parts.append(part)
        self.length += len(part) + 2
        return True

    def add_lines(self, head: Iterable[str], lines: Iterable[str], limit: int, unit: str) -> None:
        """A table or a list with as many lines as fit, and how many did not."""
        kept, rest = list(head), list(lines)
        used = sum(map(len, kept)) + len(kept)
        fitting = 0
        for line in rest:
            if self.length + used + len(line) + 200 > limit:
                break
            used += len(line) + 1
            kept.append(line)
            fitting += 1
        if fitting:
            self.add("\n".join(kept), limit)
        if left := len(rest) - fitting:
            self.add(f"… and {plural(left, f'more {unit}')}, in the other reports of this run.")


def _name(result: RuleResult) -> str:
    return f"{plain(result.id, 40)} {plain(result.name, 60)}"


def _head(report: Report) -> Iterator[str]:
    yield "<!-- taxcheck -->"  # by which a bot finds its own comment
    sign, word = _SIGNS[report.verdict], view.WORDS[report.verdict]
    yield f"## {sign} taxcheck: {word} · {plain(report.title, 100)}"
    yield f"**{plain(report.headline, 500)}**"
    if said := view.explanation(report):
        yield prose(said, 500)
    told = view.standing(report)
    if told:
        lines = [
            f"- {'❌' if fails else '·'} {plain(said, 400)}" for said, fails in told[:_STANDING]
        ]
        if len(told) > _STANDING:
            lines.append(f"- … and {plural(len(told) - _STANDING, 'more waiver')}")
        yield "\n".join(lines)
    if report.series is not None:
        yield "\n".join(f"- {plain(said, 400)}" for said in series.told(report.series))
    if table := view.table_read(report):
        yield f"Table: {plain(table, 400)}"
    if guesses := view.guessed(report):
        yield f"Guessed: {plain(' '.join(guesses), 1000)}"
    if action := view.action(report):
        said = f"Do this: {prose(action.text, 1000)}" if action.text else "Do this:"
        yield "\n\n".join([said, *(block(code, 2000) for code in action.code)])


def _table(results: Iterable[RuleResult], changes: bool) -> tuple[list[str], list[str]]:
    """The head of the table of findings, and its lines."""
    names = [
        "",
        "rule",
        "found",
        "of",
        "share",
        *(["since the baseline"] if changes else []),
        "seen",
    ]
    right = {"found", "of", "share"}
    head = [
        f"| {' | '.join(names)} |",
        "|" + "|".join("--:" if n in right else "---" for n in names) + "|",
    ]
    lines = []
    for result in results:
        cells = [
            f"{_SIGNS[result.outcome]} {result.outcome.value}",
            f"**{plain(result.id, 40)}** {plain(result.name, 60)}",
            number(result.count) if result.total else "",
            number(result.total) if result.total else "",
            percent(result.share or 0) if result.total else "",
            *([plain(result.change.value if result.change else "", 30)] if changes else []),
            plain(result.message, 400),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return head, lines


def _folded(summary: str, body: str) -> str:
    """What opens on a click; the empty lines let Markdown begin again inside."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def _cause(cause: FoundCause | RuleResult, consequences: tuple[RuleResult, ...]) -> str:
    """A cause with how to fix it, its first rows, and what it explains."""
    name, told = plain(cause.label, 100), cause.message
    if isinstance(cause, FoundCause):
        told = cause.told
    else:
        name = _name(cause)
    said = [f"{_SIGNS[cause.outcome]} **{name}**: {plain(told, 600)}"]
    body = []
    if cause.impact and cause.impact != cause.message:
        body.append(f"Effect: {plain(cause.impact, 400)}")
    if cause.fix:
        body.append(f"How to fix: {prose(cause.fix, 800)}")
    if consequences:
        body.append(
            "It explains:\n\n"
            + "\n".join(f"- **{_name(r)}**: {plain(r.message, 400)}" for r in consequences)
        )
    if isinstance(cause, RuleResult) and cause.samples:
        rows = [f"- {code(described(s), 200)}" for s in cause.samples[:_SAMPLES]]
        body.append("First rows:\n\n" + "\n".join(rows))
    if body:
        n = len(consequences)
        more = f"what to do, and {plural(n, 'finding')} that it explains" if n else "what to do"
        said.append(_folded(f"{plain(cause.label.split()[0], 40)}: {more}", "\n\n".join(body)))
    return "\n\n".join(said)


def _tail(report: Report) -> Iterator[str]:
    counts = [
        f"{report.count(outcome):,} {outcome.value}" for outcome in Outcome if report.count(outcome)
    ]
    said = [f"{plural(len(report.results), 'rule')}: {', '.join(counts)}."]
    for reason, results in view.reasons(report)[:8]:
        said.append(f"- {plural(len(results), 'rule')} skipped: {plain(reason, 200)}")
    yield "\n".join(said[:1]) + ("\n\n" + "\n".join(said[1:]) if said[1:] else "")
    lines = ["| input | file | rows | size | format | fingerprint |", "|---|---|--:|--:|---|---|"]
    lines += [
        f"| {plain(s.role, 30)} | {cell(s.path, 120)} | {number(s.rows)} | "
        f"{size(s.bytes)} | {plain(s.format, 40)} | {cell(s.fingerprint, 26)} |"
        for s in report.inputs[:10]
    ]
    if report.inputs:
        yield "\n".join(lines)
    told = [f"taxcheck {report.version}, exit code {report.exit_code}."]
    if report.policy.source:
        told.append(f"Policy: {code(report.policy.source, 200)}.")
    if report.proof:
        told.append(plain(report.proof, 400))
    again = " ".join(told)
    if report.command:
        again += "\n\n" + block(" ".join(report.command.split()), 3000)
    yield _folded("How to reproduce", again)


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - the renderer's shape
    """Verdict, what to do, causes with what they explain, all findings, inputs, the command."""
    page = _Page()
    for part in _head(report):
        page.add(part)
    tail = "\n\n".join(_tail(report))
    room = min(_ROOM, LIMIT - len(tail) - 600)
    causes = [_cause(cause, consequences) for cause, consequences in report.by_cause]
    if causes:
        page.add("### Causes")
        shown = sum(1 for _ in _fitting(page, causes, room // 2))
        if left := len(causes) - shown:
            page.add(f"… and {plural(left, 'more cause')}, in the table.")
    found = view.told(report)
    if found:
        page.add("### Findings")
        head, lines = _table(found, report.baseline is not None)
        page.add_lines(head, lines, room, "finding")
    page.add(tail)
    return "\n\n".join(page.parts) + "\n"


def _fitting(page: _Page, parts: Iterable[str], limit: int) -> Iterator[str]:
    """The first parts for which there is room, added."""
    for part in parts:
        if not page.add(part, limit):
            return
        yield part
