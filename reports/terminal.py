"""Reports and comparisons as text; a first screen has 25 lines, so that nothing scrolls away."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator

from taxcheck.commands.compare.comparison import Comparison, Drift
from taxcheck.model.finding import Outcome
from taxcheck.model.report import RenderOptions, Report
from taxcheck.model.result import FoundCause, RuleResult
from taxcheck.model.vocabulary import plural

from . import comparison as compared
from . import series, view
from .lines import Line, printed
from .text import bare, clip, number, one_line

LINES = 25
_STYLES = {
    Outcome.ERROR: "bold magenta",
    Outcome.FAIL: "bold red",
    Outcome.WARN: "bold yellow",
    Outcome.WAIVED: "cyan",
    Outcome.INFO: "blue",
    Outcome.PASS: "green",
    Outcome.SKIPPED: "bright_black",
}
# on a ground of its own, so that it is read on dark and on light terminals alike
_VERDICTS = {
    Outcome.ERROR: "bold bright_white on magenta",
    Outcome.FAIL: "bold bright_white on red",
    Outcome.WARN: "bold black on yellow",
    Outcome.PASS: "bold black on green",
    Outcome.SKIPPED: "bold black on white",
}
# colour is never the only sign
_MARKS = {
    Outcome.ERROR: "E",
    Outcome.FAIL: "×",
    Outcome.WARN: "!",
    Outcome.WAIVED: "~",
    Outcome.INFO: "i",
}
_NAMES_WIDTH = 40
_COMMAND_LINES = 5
_TABLES = 6  # of a series that are shown
_STANDING = 5  # lines on the baseline and the waivers
_CHANGES = 24  # rules of a comparison; -v lists all


def _wrapped(text: str, width: int, lines: int | None, style: str = "") -> Iterator[Line]:
    for line in textwrap.wrap(
        one_line(text), width, max_lines=lines, placeholder=" …", break_on_hyphens=False
    ):
        yield Line(line, style)


def _masthead(parts: Iterable[str], word: str, look: Outcome, width: int) -> Line:
    left = clip(one_line(" · ".join(parts)), width - len(word) - 3)
    return Line(left.ljust(width - len(word) - 2)).append(f" {word} ", _VERDICTS[look])


Listed = FoundCause | RuleResult
Row = tuple[str, Listed, str]  # the branch before it, and how much of it follows from what leads


def _label(one: Listed, branch: str) -> str:
    return f"{branch}{_MARKS.get(one.outcome, ' ')} {one_line(one.label)}"


def _said(one: Listed, follows: str) -> str:
    """What a finding says and how much of it follows, or a cause with how much it explains."""
    if isinstance(one, FoundCause):
        return one.told
    return f"{follows}: {one.message}" if follows else one.message


def _entry(row: Row, width: int, column: int, lines: int) -> Iterator[Line]:
    branch, result, follows = row
    if isinstance(result, FoundCause):  # what happened is told whole, what follows as room is left
        yield from _cause(result, width)
        return
    label = clip(_label(result, branch), column)
    text = one_line(_said(result, follows))
    said = textwrap.wrap(text, width - column - 2, max_lines=lines, placeholder=" …")
    first = Line(label.ljust(column))
    at = len(branch)
    first.stylize(_STYLES[result.outcome], at, at + 1)
    first.stylize("bold", at + 2, at + 2 + len(one_line(result.label.split()[0])))
    yield first.append("  " + (said[0] if said else ""))
    yield from (Line(" " * (column + 2) + more) for more in said[1:])


def _cause(cause: FoundCause, width: int) -> Iterator[Line]:
    label = _label(cause, "")
    whole = f"{label}  {one_line(cause.told)}"
    said = textwrap.wrap(whole, width, subsequent_indent="    ", break_on_hyphens=False)
    first = Line(said[0])
    first.stylize(_STYLES[cause.outcome], 0, 1)
    first.stylize("bold", 2, min(len(label), len(said[0])))
    yield first
    yield from map(Line, said[1:])


def _command(text: str, width: int) -> Iterator[Line]:
    """A command broken between its options, so that what is copied still runs."""
    lines: list[str] = []
    current = ""
    for piece in re.split(r"\s+(?=--?\w)", text):
        joined = f"{current} {piece}" if current else piece
        if current and len(joined) > width - 2:
            lines.append(current + " \\")
            current = "    " + piece
        else:
            current = joined
    lines.append(current)
    if len(lines) > _COMMAND_LINES:
        lines = [text]
    yield from (Line(line, "bold") for line in lines)


def _action(report: Report, width: int) -> Iterator[Line]:
    action = view.action(report)
    if action is None:
        return
    lines = list(_wrapped(bare(action.text), width - 10, 4))
    for code in action.code:
        ours = code.startswith("taxcheck ")
        lines += _command(code, width - 10) if ours else [Line(code, "bold")]
    yield Line("Do this:  ").append_line(lines[0])
    yield from (Line(" " * 10).append_line(line) for line in lines[1:])


def _listed(report: Report) -> list[Row]:
    """What the screen names, in order, each with the branch that shows what explains it."""
    rows: list[Row] = [("", r, "") for r in view.of_outcome(report, Outcome.ERROR)]
    for lead, findings in report.by_cause:
        rows.append(("", lead, ""))
        rows += [("  └ ", result, view.follows(lead, result)) for result in findings]
    return rows


def _folded(label: str, results: tuple[RuleResult, ...], width: int) -> Iterator[Line]:
    if results:
        ids = ", ".join(one_line(result.id) for result in results)
        yield Line(clip(f"{label}: {ids}", width))


def _entries(rows: list[Row], room: int, width: int) -> list[Line]:
    """The findings, each with as much of its message as leaves room for all of them."""
    widest = max((len(_label(result, branch)) for branch, result, _ in rows), default=0)
    column = min(widest, _NAMES_WIDTH, width // 2)
    shown, entries = rows, _told(rows, width, column, 3)
    for lines in (2, 1):
        if len(entries) > room:
            entries = _told(rows, width, column, lines)
    while len(entries) > room - (len(shown) < len(rows)) and len(shown) > 1:
        shown = shown[:-1]
        entries = _told(shown, width, column, 1)
    if len(rows) > len(shown):
        left = plural(len(rows) - len(shown), "more finding")
        entries.append(Line(f"  … and {left}; -v lists all"))
    return entries


def _told(rows: list[Row], width: int, column: int, lines: int) -> list[Line]:
    return [line for row in rows for line in _entry(row, width, column, lines)]


def _first_screen(report: Report, width: int) -> list[Line]:
    infos = view.of_outcome(report, Outcome.INFO)
    passes = view.of_outcome(report, Outcome.PASS)
    rows = _listed(report)
    word = view.WORDS[report.verdict]
    head = [_masthead(view.masthead(report), word, report.verdict, width)]
    head += _wrapped(report.headline, width, 3, "bold")
    if report.verdict is not Outcome.PASS:  # the passes are counted below
        head += _wrapped(view.explanation(report), width, 2)
    foot = list(_action(report, width))
    foot += _standing(report, width)
    if not rows:
        rows = [("", result, "") for result in infos]
        rows += [("", result, "") for result in view.of_outcome(report, Outcome.WAIVED)]
    else:
        rows += [("", result, "") for result in view.of_outcome(report, Outcome.WAIVED)]
        foot += _folded(f"Worth knowing, {plural(len(infos), 'observation')}", infos, width)
    if not rows and report.verdict is Outcome.SKIPPED:
        for reason, results in view.reasons(report)[:6]:
            foot += _wrapped(f"  {plural(len(results), 'rule')} skipped: {reason}", width, 2)
    foot += _folded(plural(len(passes), "rule") + " passed", passes, width)
    foot += _series(report, width)
    if table := view.table_read(report):
        foot += _wrapped(f"Table: {table}", width, 3)
    if guesses := view.guessed(report):
        foot += _wrapped(f"Guessed: {' '.join(guesses)}", width, 3)
    foot += _wrapped(f"Checked: {view.checked(report)}", width, 3)
    room = LINES - len(head) - len(foot)
    entries = _entries(rows, room, width)
    return [*head, *entries, *_joined(report, room - len(entries), width), *foot]


def _series(report: Report, width: int) -> Iterator[Line]:
    """The tables of a run: whose verdict it is, the best, where rows failed, and a few of them."""
    if report.series is None:
        return
    for said in series.told(report.series):
        yield from _wrapped(said, width, 2)
    cells = (series.COLUMNS, *series.spread(series.rows(report.series), _TABLES))
    wide = [max(len(row[k]) for row in cells) for k in range(len(series.COLUMNS))]
    for row in cells:
        fields = (cell.rjust(room) for cell, room in zip(row, wide, strict=True) if room)
        yield Line(("  " + "  ".join(fields))[:width])


def _standing(report: Report, width: int) -> Iterator[Line]:
    """The baseline and the waivers; those that fail come first, and a screen holds a few."""
    told = view.standing(report)
    for said, fails in told[:_STANDING]:
        yield from _wrapped(said, width, 2, "bold" if fails else "")
    if len(told) > _STANDING:
        yield Line(f"… and {plural(len(told) - _STANDING, 'more waiver')}; --json lists all")


def _joined(report: Report, room: int, width: int) -> list[Line]:
    """The table of the rows without training, where all of it fits."""
    table = view.cross(report)
    found = [Line(f"  {said}") for said in view.written(table)] if table else []
    return found if len(found) <= room and all(len(line) <= width for line in found) else []


def _every_rule(report: Report, width: int) -> Iterator[Line]:
    if table := view.cross(report):
        yield Line()
        yield from map(Line, view.written(table))
    yield Line()
    for result in report.by_outcome:
        word = view.WORDS[result.outcome]
        line = Line(f"{word:<8}", _STYLES[result.outcome])
        yield line.append(f"{one_line(result.id)} {one_line(result.name)}", "default")
        yield from (
            Line(f"        {said}")
            for said in textwrap.wrap(one_line(result.message), max(width - 8, 20))
        )


def render(report: Report, options: RenderOptions) -> str:
    """The first screen; with ``verbose`` every rule below it. No escape code without ``color``."""
    width = max(options.width, 40)
    lines = _first_screen(report, width)
    if options.verbose:
        lines += _every_rule(report, width)
    return printed(lines, width, options.color)


def _changed_rules(comparison: Comparison, width: int, verbose: bool) -> Iterator[Line]:
    rules = compared.told(comparison)
    shown = rules if verbose else rules[:_CHANGES]
    column = max((len(f"{r.id} {r.name}") for r in shown), default=0)
    column = min(column, max(width - 60, 20))
    for rule in shown:
        word = Line(f"{rule.change.value:<17}", _STYLES[compared.LOOKS[rule.change]])
        name = clip(f"{rule.id} {rule.name}", column).ljust(column)
        sides = f"  {compared.side(rule.before)} → {compared.side(rule.after)}"
        yield word.append(name + clip(sides, max(width - 17 - column, 20)), "default")
    if len(rules) > len(shown):
        yield Line(f"… and {number(len(rules) - len(shown))} more; -v lists all")


def _changed_causes(comparison: Comparison, width: int) -> Iterator[Line]:
    for cause in comparison.causes:
        word = Line(f"{cause.change.value:<17}", _STYLES[compared.LOOKS[cause.change]])
        yield word.append(clip(cause.told, max(width - 17, 20)), "default")


def _changed_scores(comparison: Comparison) -> Iterator[Line]:
    for change in comparison.scores:
        word = Line(f"{change.change.value:<17}", _STYLES[compared.LOOKS[change.change]])
        sides = " → ".join(
            compared.score(value) + (f" ({compared.interval(ends)})" if ends else "")
            for value, ends in (
                (change.before, change.before_interval),
                (change.after, change.after_interval),
            )
        )
        note = f"; {change.note}" if change.note else ""
        yield word.append(f"{change.label:<30}{sides}{note}", "default")


def _drift(drift: Drift) -> Iterator[Line]:
    yield Line(
        f"Nodes {number(drift.nodes[0])} → {number(drift.nodes[1])}: "
        f"{number(drift.added.count)} added, {number(drift.removed.count)} removed, "
        f"{number(drift.moved.count)} moved to other parents, "
        f"{number(drift.attached.count)} attached to a first parent, "
        f"{number(drift.detached.count)} detached from all parents, "
        + (f"{number(drift.renamed.count)} renamed, " if drift.renamed else "")
        + f"{number(drift.renumbered)} with another idx"
    )
    yield Line(
        f"Pairs {number(drift.pairs[0])} → {number(drift.pairs[1])}: "
        f"{number(drift.pairs_added)} added, {number(drift.pairs_removed)} removed"
    )
    for note in drift.notes:
        yield Line(note)


def _changed_numbers(comparison: Comparison, verbose: bool) -> Iterator[Line]:
    for change in comparison.numbers:
        if verbose or change.before != change.after:
            before, after = (compared.value(change.name, v) for v in (change.before, change.after))
            difference = compared.signed(change.difference)
            yield Line(
                f"  {clip(f'{change.section} {change.name}', 44):<46}{before} → {after}"
                + (f"  ({difference})" if difference and "share" not in change.name else "")
            )


def _compared(comparison: Comparison, width: int, verbose: bool) -> Iterator[Line]:
    direction = comparison.direction
    word, look = direction.value.upper(), compared.LOOKS[direction]
    yield _masthead(compared.masthead(comparison), word, look, width)
    yield from _wrapped(comparison.headline, width, None, "bold")
    called = (clip(one_line(name), 50) for name in compared.names(comparison))
    sides = (("Before", comparison.before), ("After", comparison.after))
    for (side, run), name in zip(sides, called, strict=True):
        said = f"{side}, {name}: {run.verdict.upper()}: {run.headline}"
        yield from _wrapped(said, width, None)
    for note in comparison.notes:
        yield from _wrapped(note, width, None)
    yield from _changed_causes(comparison, width)
    yield from _changed_rules(comparison, width, verbose)
    yield from _changed_scores(comparison)
    if comparison.drift:
        yield from _drift(comparison.drift)
    changed = [n for n in comparison.numbers if n.before != n.after]
    if verbose:
        yield from _changed_numbers(comparison, verbose)
    elif changed:
        yield Line(f"{len(changed)} of {len(comparison.numbers)} statistics changed; -v lists them")


def render_comparison(comparison: Comparison, options: RenderOptions) -> str:
    """The direction, then what changed: rules, scores, data; with ``verbose`` all of it."""
    width = max(options.width, 60)
    return printed(_compared(comparison, width, options.verbose), width, options.color)
