"""Pictures of two runs: before, an arrow, after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import wrap

from taxcheck.commands.compare.comparison import BeforeAfter, Comparison, Part
from taxcheck.model.change import ScoreChange
from taxcheck.model.vocabulary import DEPTH_RANGES, percent
from taxcheck.model.vocabulary import score as figure

from ..text import clip, number
from .svg import (
    WIDE,
    Drawing,
    Picture,
    Shape,
    both,
    diamond,
    dot,
    line,
    rect,
    text,
    text_width,
    ticks,
)
from .table import ordinal

_ON_A_PHONE = 12  # characters beside a row
_ROW = 36.0
_BAR = 34.0
_INSIDE = 46.0  # px that a number needs inside its part of a bar
_QUARTERS = tuple((at / 4, f"{at / 4:g}") for at in range(5))


@dataclass(frozen=True, slots=True)
class Step:
    """One row: where a value was and where it is, of 0 to 1 on the axis, with what is said."""

    label: str
    before: float | None
    after: float | None
    said: tuple[str, str]
    spans: tuple[tuple[float, float] | None, tuple[float, float] | None] = (None, None)


def _arrow(x1: float, x2: float, y: float) -> list[Shape]:
    """A line to the second value with a head, where there is room for one."""
    if abs(x2 - x1) < 14:
        return []
    side = 1 if x2 > x1 else -1
    tip = x2 - side * 6
    head = f"M{tip:.1f} {y:.1f}l{-side * 8} -4.5v9z"
    return [line(x1, y, tip - side * 7, y, "shift"), Shape("path", "shift-head", d=head)]


def _label(label: str, x: float, y: float, wide: bool) -> list[Shape]:
    """The name of a row; on a phone in two lines where one is too short for it."""
    lines = [clip(label, 28)] if wide else wrap(label, _ON_A_PHONE, max_lines=2, placeholder="…")
    first = y - 8 * (len(lines) - 1)
    return [text(x, first + 16 * i, said, "tick", "end") for i, said in enumerate(lines)]


def _steps(steps: Sequence[Step], ends: Sequence[tuple[float, str]], width: int) -> Drawing:
    wide = width == WIDE
    left, right = (220.0, 250.0) if wide else (92.0, 116.0)
    plot, top = width - left - right, 28.0
    one, two = (width - right + 125.0 if wide else width - 60.0), float(width)
    shapes = [
        text(one, 14, "before", "tick", "end"),
        text(two, 14, "after", "strong", "end"),
    ]
    bottom = top + _ROW * len(steps)
    for at, said in ends:
        x = left + at * plot
        shapes.append(line(x, top, x, bottom, "grid"))
        shapes.append(text(x, bottom + 18, said, "tick", "middle"))
    for position, step in enumerate(steps):
        y = top + position * _ROW + _ROW / 2
        shapes += _label(step.label, left - 12, y + 5, wide)
        places = [
            None if value is None else left + min(max(value, 0.0), 1.0) * plot
            for value in (step.before, step.after)
        ]
        for span, kind, at in zip(step.spans, ("band90", "band50"), (y - 10, y + 5), strict=True):
            if span is not None:
                low, high = (left + min(max(end, 0.0), 1.0) * plot for end in span)
                shapes.append(rect(low, at, max(high - low, 2), 5, kind))
        was, now = places
        if was is not None and now is not None:
            shapes += _arrow(was, now, y)
        if was is not None:
            shapes.append(diamond(was, y, 7, "theirs", f"before {step.said[0]}"))
        if now is not None:
            shapes.append(dot(now, y, 5.5, "ours", f"after {step.said[1]}"))
        shapes.append(text(one, y + 5, step.said[0], "tick", "end"))
        shapes.append(text(two, y + 5, step.said[1], "strong", "end"))
    shapes.append(line(left, bottom, left + plot, bottom, "axis"))
    return Drawing(width, bottom + 26, tuple(shapes))


def _picture(
    key: str, title: str, steps: Sequence[Step], ends: Sequence[tuple[float, str]], note: str
) -> Picture:
    """The picture of rows on one axis; it need not be looked at where nothing changed."""
    said = "; ".join(f"{step.label}: {step.said[0]}, then {step.said[1]}" for step in steps)

    def drawn(width: int) -> Drawing:
        return _steps(steps, ends if width == WIDE else ends[:: max(len(ends) - 1, 1)], width)

    same = all(step.said[0] == step.said[1] for step in steps)
    return both(key, title, f"Before and after. {said}.", drawn, (note,), fine=same)


def _said(worded: Callable[[float], str], *sides: float | None) -> tuple[str, str]:
    """The values before and after in words."""
    before, after = ("none" if value is None else worded(value) for value in sides)
    return before, after


def _bars(parts: Sequence[Part], width: int) -> Drawing:
    """Two bars of one scale, each in its parts."""
    wide = width == WIDE
    left = 64.0 if wide else 0.0
    sums = [sum(getattr(part, side) or 0 for part in parts) for side in ("before", "after")]
    scale = (width - left) / max(*sums, 1)
    shapes: list[Shape] = []
    y = 0.0
    for side, whole in zip(("before", "after"), sums, strict=True):
        if wide:
            shapes.append(text(left - 12, y + _BAR / 2 + 5, side, "strong", "end"))
        else:
            shapes.append(text(0, y + 14, f"{side}: {number(whole)} nodes", "strong"))
            y += 22
        x = left
        for at, part in enumerate(parts):
            count = getattr(part, side) or 0
            long = count * scale
            if count:
                tip = f"{part.label}: {number(count)} ({percent(count / whole)})"
                shapes.append(rect(x, y, max(long, 1), _BAR, f"role{at}", tip))
                if long > max(_INSIDE, text_width(number(count)) + 8):
                    middle, base = x + long / 2, y + _BAR / 2 + 5
                    shapes.append(text(middle, base, number(count), f"on-role{at}", "middle"))
            x += long
        y += _BAR + 10
    x, y = left, y + 18
    for at, part in enumerate(parts):
        said = f"{part.label}: {_count(part.before)} → {_count(part.after)}"
        if x > left and x + text_width(said) + 18 > width:
            x, y = left, y + 22
        shapes.append(rect(x, y - 10, 12, 12, f"role{at}"))
        shapes.append(text(x + 18, y, said))
        x += text_width(said) + 44
    return Drawing(width, y + 10, tuple(shapes))


def _count(value: int | None) -> str:
    return "unknown" if value is None else number(value)


def coverage(pictures: BeforeAfter) -> Picture | None:
    """Which nodes are in pairs, in what role, and which in none."""
    parts = pictures.coverage
    if not parts or all(not part.before and not part.after for part in parts):
        return None
    never = parts[-1]
    title = f"Nodes in no pair, which no training reaches: {_count(never.before)} before, "
    title += f"{_count(never.after)} after"
    said = "; ".join(f"{p.label}: {_count(p.before)}, then {_count(p.after)}" for p in parts)
    notes = tuple(
        f"{part.label[:1].upper()}{part.label[1:]}: {_count(part.before)} before, "
        f"{_count(part.after)} after."
        for part in pictures.rows
    )
    return both(
        "coverage",
        title,
        f"Roles of the nodes, before and after. {said}.",
        lambda width: _bars(parts, width),
        notes,
        fine=not never.after and all(part.before == part.after for part in parts),
    )


def depths(pictures: BeforeAfter) -> Picture | None:
    """The shares of the pairs at depth 1, 2 to 5 and deeper."""
    if not pictures.depths:
        return None
    steps = [
        Step(label, was, now, _said(percent, was, now))
        for (*_, label), (_, was, now) in zip(DEPTH_RANGES, pictures.depths, strict=True)
    ]
    first = steps[0].said
    return _picture(
        "depths",
        f"Pairs of parents and children: {first[0]} of all before, {first[1]} after",
        steps,
        [(at / 4, f"{25 * at} %") for at in range(5)],
        "Shares of the pairs by the distance that they span. Diamond: before. Dot: after.",
    )


def radii(pictures: BeforeAfter) -> Picture | None:
    """Percentiles of how far out the rows lie."""
    found = pictures.radii
    if not found:
        return None
    highest = max((value for _, *pair in found for value in pair if value is not None), default=0)
    scale = highest or 1.0

    def part(value: float | None) -> float | None:
        return None if value is None else value / scale

    steps = [
        Step(ordinal(p), part(was), part(now), _said("{:.2f}".format, was, now))
        for p, was, now in found
    ]
    high = next((step for step in steps if step.label.startswith("90th")), steps[-1])
    return _picture(
        "radii",
        f"The {high.label} of the radii: {high.said[0]} before, {high.said[1]} after",
        steps,
        [(at / scale, number(at)) for at in ticks(highest, 6)] or _QUARTERS,
        "Hyperbolic distance of the rows from the origin. Diamond: before. Dot: after.",
    )


def scores(changes: Sequence[ScoreChange], different: bool) -> Picture | None:
    """The scores whose axis goes from 0 to 1, each with its interval."""
    kept = [s for s in changes if all(v is None or 0 <= v <= 1 for v in (s.before, s.after))]
    kept = [s for s in kept if not s.label.startswith(("mean rank", "class separation"))]
    if not kept:
        return None
    steps = [
        Step(
            s.label,
            s.before,
            s.after,
            _said(figure, s.before, s.after),
            (s.before_interval, s.after_interval),
        )
        for s in kept
    ]
    first = steps[0]
    return _picture(
        "scores",
        f"{first.label}: {first.said[0]} before, {first.said[1]} after",
        steps,
        _QUARTERS,
        ("" if different else "Higher is better. ")
        + "Diamond: before. Dot: after. Bars: their intervals, before above after.",
    )


def drawn(comparison: Comparison) -> tuple[Picture, ...]:
    """Every picture that there is something to draw for."""
    found = comparison.pictures
    judged = scores(comparison.scores, comparison.different)
    made = (coverage(found), radii(found), depths(found), judged)
    return tuple(picture for picture in made if picture is not None)
