"""The first screen as text: at most 25 lines, so that nothing scrolls away."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from taxcheck.report import RenderOptions, Report, RuleResult
from taxcheck.rule import Outcome

from . import view
from .cross import cross, written
from .text import bare, clean, clip, plural

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
_STANDING = 5  # lines on the baseline and the waivers


def _one_line(text: object) -> str:
    return " ".join(clean(text).split())


def _wrapped(text: str, width: int, lines: int, style: str = "") -> Iterator[Text]:
    for line in textwrap.wrap(
        _one_line(text), width, max_lines=lines, placeholder=" …", break_on_hyphens=False
    ):
        yield Text(line, style)


def _masthead(report: Report, width: int) -> Text:
    word = f" {view.WORDS[report.verdict]} "
    left = clip(_one_line(" · ".join(view.masthead(report))), width - len(word) - 1)
    line = Text(left.ljust(width - len(word)))
    return line.append(word, _VERDICTS[report.verdict])


def _label(result: RuleResult, branch: str) -> str:
    mark = _MARKS.get(result.outcome, " ")
    return f"{branch}{mark} {_one_line(result.rule.id)} {_one_line(result.rule.name)}"


def _entry(result: RuleResult, branch: str, width: int, column: int, lines: int) -> Iterator[Text]:
    label = clip(_label(result, branch), column)
    said = textwrap.wrap(
        _one_line(result.message), width - column - 2, max_lines=lines, placeholder=" …"
    )
    first = Text(label.ljust(column))
    at = len(branch)
    first.stylize(_STYLES[result.outcome], at, at + 1)
    first.stylize("bold", at + 2, at + 2 + len(_one_line(result.rule.id)))
    yield first.append("  " + (said[0] if said else ""))
    yield from (Text(" " * (column + 2) + more) for more in said[1:])


def _command(text: str, width: int) -> Iterator[Text]:
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
    yield from (Text(line, "bold") for line in lines)


def _action(report: Report, width: int) -> Iterator[Text]:
    action = view.action(report)
    if action is None:
        return
    if not action.is_code:
        lines = list(_wrapped(bare(action.text), width - 10, 4))
    elif action.text.startswith("taxcheck "):
        lines = list(_command(action.text, width - 10))
    else:
        lines = [Text(action.text, "bold")]
    yield Text("Do this:  ").append_text(lines[0])
    yield from (Text(" " * 10).append_text(line) for line in lines[1:])


def _listed(report: Report) -> list[tuple[str, RuleResult]]:
    """What the screen names, in order, each with the branch that shows what explains it."""
    rows = [("", result) for result in view.of_outcome(report, Outcome.ERROR)]
    for cause, consequences in report.causes:
        rows.append(("", cause))
        rows += [("  └ ", result) for result in consequences]
    return rows


def _folded(label: str, results: tuple[RuleResult, ...], width: int) -> Iterator[Text]:
    if results:
        ids = ", ".join(_one_line(result.rule.id) for result in results)
        yield Text(clip(f"{label}: {ids}", width))


def _entries(rows: list[tuple[str, RuleResult]], room: int, width: int) -> list[Text]:
    """The findings, each with as much of its message as leaves room for all of them."""
    shown = rows if len(rows) <= room else rows[: max(room - 1, 0)]
    widest = max((len(_label(result, branch)) for branch, result in shown), default=0)
    column = min(widest, _NAMES_WIDTH, width // 2)
    entries: list[Text] = []
    for lines in (3, 2, 1):
        entries = [e for branch, r in shown for e in _entry(r, branch, width, column, lines)]
        if len(entries) <= room:
            break
    if len(rows) > len(shown):
        left = plural(len(rows) - len(shown), "more finding")
        entries.append(Text(f"  … and {left}; -v lists all"))
    return entries


def _first_screen(report: Report, width: int) -> list[Text]:
    infos = view.of_outcome(report, Outcome.INFO)
    passes = view.of_outcome(report, Outcome.PASS)
    rows = _listed(report)
    head = [_masthead(report, width)]
    head += _wrapped(report.headline, width, 3, "bold")
    if report.verdict is not Outcome.PASS:  # the passes are counted below
        head += _wrapped(view.explanation(report), width, 2)
    foot = list(_action(report, width))
    foot += _standing(report, width)
    if not rows:
        rows = [("", result) for result in infos]
        rows += [("", result) for result in view.of_outcome(report, Outcome.WAIVED)]
    else:
        rows += [("", result) for result in view.of_outcome(report, Outcome.WAIVED)]
        foot += _folded(f"Worth knowing, {plural(len(infos), 'observation')}", infos, width)
    if not rows and report.verdict is Outcome.SKIPPED:
        for reason, results in view.reasons(report)[:6]:
            foot += _wrapped(f"  {plural(len(results), 'rule')} skipped: {reason}", width, 2)
    foot += _folded(plural(len(passes), "rule") + " passed", passes, width)
    foot += _wrapped(f"Checked: {view.checked(report)}", width, 3)
    room = LINES - len(head) - len(foot)
    entries = _entries(rows, room, width)
    return [*head, *entries, *_joined(report, room - len(entries), width), *foot]


def _standing(report: Report, width: int) -> Iterator[Text]:
    """The baseline and the waivers; those that fail come first, and a screen holds a few."""
    told = view.standing(report)
    for said, fails in told[:_STANDING]:
        yield from _wrapped(said, width, 2, "bold" if fails else "")
    if len(told) > _STANDING:
        yield Text(f"… and {plural(len(told) - _STANDING, 'more waiver')}; --json lists all")


def _joined(report: Report, room: int, width: int) -> list[Text]:
    """The table of the rows without training, where all of it fits."""
    table = cross(report)
    found = [Text(f"  {said}") for said in written(table)] if table else []
    return found if len(found) <= room and all(len(line) <= width for line in found) else []


def _every_rule(report: Report, width: int) -> Iterator[Text]:
    if table := cross(report):
        yield Text()
        yield from map(Text, written(table))
    yield Text()
    for result in report.by_outcome:
        word = view.WORDS[result.outcome]
        line = Text(f"{word:<8}", _STYLES[result.outcome])
        yield line.append(f"{_one_line(result.rule.id)} {_one_line(result.rule.name)}", "default")
        yield from (
            Text(f"        {said}")
            for said in textwrap.wrap(_one_line(result.message), max(width - 8, 20))
        )


def render(report: Report, options: RenderOptions) -> str:
    """The first screen; with ``verbose`` every rule below it. No escape code without ``color``."""
    width = max(options.width, 40)
    lines = _first_screen(report, width)
    if options.verbose:
        lines += _every_rule(report, width)
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=options.color,
        color_system="standard" if options.color else None,
        no_color=not options.color,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
        soft_wrap=True,
    )
    with console.capture() as captured:
        for line in lines:
            console.print(line, soft_wrap=True)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"
