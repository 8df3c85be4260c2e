"""A comparison as text: the direction, the rules that changed, the scores, the data."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from taxcheck.comparison.value import Comparison, Direction, Drift
from taxcheck.report import RenderOptions

from . import comparison_view as view
from .text import clean, clip, number

_STYLES = {
    "fail": "bold red",
    "warn": "bold yellow",
    "pass": "green",
    "waived": "cyan",
    "info": "blue",
    "skipped": "bright_black",
}
_GROUNDS = {
    Direction.WORSE: "bold bright_white on red",
    Direction.MIXED: "bold black on yellow",
    Direction.BETTER: "bold black on green",
    Direction.UNCHANGED: "bold black on white",
}
_RULES = 24  # lines; -v lists all


def _wrapped(said: str, width: int, indent: str = "") -> Iterator[Text]:
    for line in textwrap.wrap(
        " ".join(clean(said).split()), width, initial_indent=indent, subsequent_indent=indent
    ):
        yield Text(line)


def _rules(comparison: Comparison, width: int, verbose: bool) -> Iterator[Text]:
    rules = view.told(comparison)
    shown = rules if verbose else rules[:_RULES]
    column = max((len(f"{r.id} {r.name}") for r in shown), default=0)
    column = min(column, max(width - 60, 20))
    for rule in shown:
        word = Text(f"{rule.change.value:<17}", _STYLES[view.LOOKS[rule.change]])
        name = clip(f"{rule.id} {rule.name}", column).ljust(column)
        sides = f"  {view.side(rule.before)} → {view.side(rule.after)}"
        yield word.append(name + clip(sides, max(width - 17 - column, 20)), "default")
    if len(rules) > len(shown):
        yield Text(f"… and {len(rules) - len(shown)} more; -v lists all")


def _scores(comparison: Comparison) -> Iterator[Text]:
    for score in comparison.scores:
        word = Text(f"{score.change.value:<17}", _STYLES[view.LOOKS[score.change]])
        sides = " → ".join(
            f"{view.score(value)} ({view.interval(ends)})" if ends else view.score(value)
            for value, ends in (
                (score.before, score.before_interval),
                (score.after, score.after_interval),
            )
        )
        note = f"; {score.note}" if score.note else ""
        yield word.append(f"{score.label:<30}{sides}{note}", "default")


def _drift(drift: Drift) -> Iterator[Text]:
    yield Text(
        f"Nodes {number(drift.nodes[0])} → {number(drift.nodes[1])}: "
        f"{number(drift.added.count)} added, {number(drift.removed.count)} removed, "
        f"{number(drift.moved.count)} moved to other parents, "
        f"{number(drift.attached.count)} attached to a first parent, "
        f"{number(drift.detached.count)} detached from all parents, "
        + (f"{number(drift.renamed.count)} renamed, " if drift.renamed else "")
        + f"{number(drift.renumbered)} with another idx"
    )
    yield Text(
        f"Pairs {number(drift.pairs[0])} → {number(drift.pairs[1])}: "
        f"{number(drift.pairs_added)} added, {number(drift.pairs_removed)} removed"
    )
    for note in drift.notes:
        yield Text(note)


def _numbers(comparison: Comparison, verbose: bool) -> Iterator[Text]:
    for change in comparison.numbers:
        if verbose or change.before != change.after:
            before, after = (view.value(change.name, v) for v in (change.before, change.after))
            difference = view.signed(change.difference)
            yield Text(
                f"  {clip(f'{change.section} {change.name}', 44):<46}{before} → {after}"
                + (f"  ({difference})" if difference and "share" not in change.name else "")
            )


def _lines(comparison: Comparison, width: int, verbose: bool) -> Iterator[Text]:
    word = f" {comparison.direction.value.upper()} "
    left = clip(" · ".join(view.masthead(comparison)), width - len(word) - 1)
    yield Text(left.ljust(width - len(word))).append(word, _GROUNDS[comparison.direction])
    for line in _wrapped(comparison.headline, width):
        line.stylize("bold")
        yield line
    for name, run in (("Before", comparison.before), ("After", comparison.after)):
        yield from _wrapped(f"{name}: {run.verdict.upper()}: {run.headline}", width)
    for note in comparison.notes:
        yield from _wrapped(note, width)
    yield from _rules(comparison, width, verbose)
    yield from _scores(comparison)
    if comparison.drift:
        yield from _drift(comparison.drift)
    changed = [n for n in comparison.numbers if n.before != n.after]
    if verbose:
        yield from _numbers(comparison, verbose)
    elif changed:
        yield Text(f"{len(changed)} of {len(comparison.numbers)} statistics changed; -v lists them")


def render(comparison: Comparison, options: RenderOptions) -> str:
    """The screen; no escape code without ``color``."""
    width = max(options.width, 60)
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
        for line in _lines(comparison, width, options.verbose):
            console.print(line, soft_wrap=True)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"
