"""What a comparison says, once for all of its renderers: words and order, no judgement."""

from __future__ import annotations

from taxcheck.commands.compare.comparison import Comparison, Direction, Number
from taxcheck.model.change import Change, RuleChange, ScoreChange, Side
from taxcheck.model.finding import Outcome
from taxcheck.model.vocabulary import percent
from taxcheck.model.vocabulary import score as figure

from .text import clip, number

# the look of an outcome of the report, for what it is beside another
LOOKS = {
    Direction.BETTER: Outcome.PASS,
    Direction.WORSE: Outcome.FAIL,
    Direction.MIXED: Outcome.WARN,
    Direction.UNJUDGED: Outcome.FAIL,
    Direction.UNCHANGED: Outcome.SKIPPED,
    Direction.DIFFERENT: Outcome.SKIPPED,
    Change.NEW: Outcome.FAIL,
    Change.WORSE: Outcome.FAIL,
    Change.LOST: Outcome.WARN,
    Change.WAIVED: Outcome.WAIVED,
    Change.BETTER: Outcome.PASS,
    Change.FIXED: Outcome.PASS,
    Change.GAINED: Outcome.INFO,
    Change.DIFFERS: Outcome.INFO,
    Change.UNCHANGED: Outcome.SKIPPED,
}
_ORDER = tuple(Change(c) for c in ("new", "worse", "no longer judged", "waived", "fixed"))
_ORDER += tuple(Change(c) for c in ("better", "unchanged", "differs", "now judged"))


def told(comparison: Comparison) -> tuple[RuleChange, ...]:
    """The rules that found something in either run, or are no longer judged; new ones first."""
    kept = [rule for rule in comparison.rules if _found(rule.before) or _found(rule.after)]
    return tuple(sorted(kept, key=lambda rule: (_ORDER.index(rule.change), rule.id)))


def quiet(comparison: Comparison) -> tuple[RuleChange, ...]:
    """The other rules: passed, skipped or only describing in both."""
    shown = {rule.id for rule in told(comparison)}
    return tuple(rule for rule in comparison.rules if rule.id not in shown)


def _found(side: Side | None) -> bool:
    return side is not None and side.outcome in ("fail", "warn", "waived", "error")


def side(found: Side | None) -> str:
    """An outcome with its count: ``FAIL 28,610 of 110,478``."""
    if found is None:
        return "no such rule"
    said = found.outcome.upper()
    if not found.count or not _found(found):  # some defects are found and not counted
        return said
    return f"{said} {number(found.count)}" + (f" of {number(found.total)}" if found.total else "")


def message(rule: RuleChange) -> str:
    """What is found now; where nothing is, what was found before."""
    gone = rule.change in (Change.FIXED, Change.LOST) and rule.before is not None
    shown = rule.before if gone or rule.after is None else rule.after
    return ("Was: " if gone else "") + (shown.message if shown else "")


def score(value: float | None) -> str:
    """A score, or that there is none."""
    return "none" if value is None else figure(value)


def interval(ends: tuple[float, float] | None) -> str:
    """An interval in brackets; nothing where there is none."""
    return f"{figure(ends[0])} to {figure(ends[1])}" if ends else ""


def gain(change: ScoreChange) -> str:
    """The change of a score with its sign."""
    if change.before is None or change.after is None:
        return ""
    return signed(change.after - change.before)


def signed(difference: float | None) -> str:
    """A difference with its sign; nothing where there is none."""
    if difference is None or difference == 0:
        return "" if difference is None else "0"
    return f"{'+' if difference > 0 else '−'}{number(_plain(abs(difference)))}"


def _plain(value: float) -> Number:
    return int(value) if value == int(value) else value


def value(name: str, found: Number) -> str:
    """A statistic as people read it; a share as percent."""
    if found is None:
        return "none"
    if isinstance(found, float) and "share" in name:
        return percent(found)
    return clip(number(found), 80)


def names(comparison: Comparison) -> tuple[str, str]:
    """What the two runs are called: by their titles, and by their files where these are equal."""
    before, after = comparison.before, comparison.after
    if before.title and after.title and before.title != after.title:
        return before.title, after.title
    told = [f"{run.title} ({run.path})" if run.title else run.path for run in (before, after)]
    return told[0], told[1]


def masthead(comparison: Comparison) -> tuple[str, ...]:
    """Tool, the names of the two runs, day."""
    joined = " → ".join(clip(name, 50) for name in names(comparison))
    parts = (f"taxcheck {comparison.version}", joined, comparison.created[:10])
    return tuple(part for part in parts if part)
