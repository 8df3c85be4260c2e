"""A number over the runs: a point leads to its run, a change of the leading cause is marked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from msgspec.structs import replace as with_fields

from taxcheck.model.vocabulary import number, numbers, plural
from taxcheck.service.pages.values import Due, Point, Trend

from ..pictures.labels import lanes
from ..pictures.svg import (
    NARROW,
    WIDE,
    Drawing,
    Picture,
    Shape,
    both,
    diamond,
    dot,
    line,
    path,
    rungs,
    text,
    text_width,
)
from ..text import clip
from . import links
from .strip import TALL
from .when import day, minute

_TOP, _TALL = 40.0, 190.0
_MOST_LINKED = {WIDE: 500, NARROW: 60}
_MOST_NAMED = {WIDE: 8, NARROW: 3}  # changes of cause whose names there is room for
_LANE = 18.0
_HAVE = ("has", "have")


@dataclass(frozen=True, slots=True)
class _Plot:
    """The axes of one drawing."""

    width: int
    left: float
    right: float
    first: int
    last: int
    low: float
    high: float

    def x(self, moment: int) -> float:
        share = (moment - self.first) / (self.last - self.first) if self.last > self.first else 0.5
        return self.left + share * (self.right - self.left)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return _TOP + _TALL - share * _TALL


def changes(points: Sequence[Point]) -> list[tuple[Point, str]]:
    """The runs at which another cause leads than in the run before, and its name."""
    return [
        (now, now.cause or "no cause")
        for before, now in pairwise(points)
        if before.cause != now.cause
    ]


def is_steady(trend: Trend) -> bool:
    """Whether a number never changed, which a sentence tells better than a picture."""
    return len({p.value for p in trend.points} | {trend.baseline} - {None}) <= 1


def draw(trend: Trend, waivers: Sequence[Due] = ()) -> Picture | None:
    """The picture of a number; None where fewer than two runs have it."""
    points = [point for point in trend.points if math.isfinite(point.value)]
    if len(points) < 2:
        return None
    trend = with_fields(trend, points=tuple(points))
    newest, oldest = points[-1], points[0]
    told = f"{trend.label}: {_beside(points, trend.baseline, trend.lacking)}"
    least, most = numbers([f(p.value for p in points) for f in (min, max)])
    said = (
        f"{len(points)} runs from {minute(oldest.created)} to {minute(newest.created)}; between "
        f"{least} and {most}."
    )
    if trend.lacking:
        said += f" {plural(trend.lacking, 'run')} shown above {_HAVE[trend.lacking > 1]} it not."
    inside = [one for one in waivers if oldest.created <= one.until <= newest.created]
    return both(trend.name, told, said, lambda width: _drawing(trend, inside, width))


def _beside(points: Sequence[Point], baseline: float | None, lacking: int) -> str:
    """The newest value, and what it was before."""
    values = {point.value for point in points}
    newest = points[-1].value
    if len(values | {baseline} - {None}) == 1:
        also = "" if baseline is None else " and in the baseline"
        return f"{number(newest)} in all runs {'that have it' if lacking else 'shown'}{also}"
    before, where = (
        (points[0].value, "the oldest shown") if baseline is None else (baseline, "the baseline")
    )
    now, then = numbers([newest, before])
    return f"{now} in the newest run, {then} in {where}"


def _drawing(trend: Trend, waivers: Sequence[Due], width: int) -> Drawing:
    marks = [point.value for point in trend.points]
    if trend.baseline is not None and math.isfinite(trend.baseline):
        marks.append(trend.baseline)
    steps = _steps(min(marks), max(marks))
    labels = numbers(steps)
    left = 14 + max(text_width(label, 7.2) for label in labels)
    ends = trend.points[0].created, trend.points[-1].created
    plot = _Plot(width, left, width - 10.0, *ends, steps[0], steps[-1])
    base = _TOP + _TALL
    marked = zip(map(plot.y, steps), labels, strict=True)
    shapes = list(rungs(marked, left, plot.right))
    shapes += _waivers(waivers, plot)
    if trend.baseline is not None and math.isfinite(trend.baseline):
        y = plot.y(trend.baseline)
        shapes.append(line(left, y, plot.right, y, "mark"))
        shapes.append(text(left + 4, y - 6, f"baseline {number(trend.baseline)}", "strong"))
    shapes.append(line(left, base, plot.right, base, "axis"))
    named, below = _causes(trend.points, plot)
    shapes += named
    shapes.append(
        Shape("path", "median", d=path((plot.x(p.created), plot.y(p.value)) for p in trend.points))
    )
    shapes += _points(trend, plot)
    shapes += _dates(plot, base + below + 18)
    return Drawing(width, base + below + 24, tuple(shapes))


def _steps(low: float, high: float) -> list[float]:
    """Round numbers that enclose the values."""
    if high <= low:
        spread = abs(low) * 0.1 or 1.0
        low, high = low - spread, high + spread
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(at * step, 12) for at in range(first, last + 1)]


def _points(trend: Trend, plot: _Plot) -> Iterator[Shape]:
    """A mark for each run: a diamond where it failed, a ring where it judged nothing."""
    linked = len(trend.points) <= _MOST_LINKED[plot.width]
    for at, point in enumerate(trend.points):
        newest = at == len(trend.points) - 1
        if not linked and not newest:
            continue
        x, y = plot.x(point.created), plot.y(point.value)
        who = f", {clip(point.who, 40)}" if point.who else ""
        tip = f"{number(point.value)}: {point.verdict.upper()}, {minute(point.created)}{who}"
        kind = f"run {point.verdict if point.verdict in TALL else 'skipped'}"
        failed = point.verdict in ("fail", "error")
        shape = diamond(x, y, 6, kind, tip) if failed else dot(x, y, 4, kind, tip)
        yield Shape("path", shape.kind, d=shape.d, tip=tip, link=links.run(point.run))


def _causes(points: Sequence[Point], plot: _Plot) -> tuple[list[Shape], float]:
    """A flag at each change of the leading cause, its name below the axis; and their height."""
    found = changes(points)
    base = _TOP + _TALL
    shapes = [
        Shape(
            "path",
            "flag turn",
            d=path(((plot.x(point.created), _TOP), (plot.x(point.created), base + 6))),
            tip=f"from here on: {clip(name, 80)}",
        )
        for point, name in found
    ]
    if not found or len(found) > _MOST_NAMED[plot.width]:
        return shapes, 0.0
    room = plot.right - plot.left
    labels = [(plot.x(p.created) - plot.left, clip(name, 34)) for p, name in found]
    placed = lanes(labels, room)
    for (_, said), (start, lane) in zip(labels, placed, strict=True):
        shapes.append(text(plot.left + start, base + 20 + lane * _LANE, said, "found"))
    return shapes, 8 + _LANE * (1 + max(lane for _, lane in placed))


def _waivers(waivers: Sequence[Due], plot: _Plot) -> Iterator[Shape]:
    """A line at the last day of each waiver, its rule above the plot."""
    labels = [(plot.x(one.until) - plot.left, f"waiver {clip(one.rule, 14)}") for one in waivers]
    placed = lanes(labels, plot.right - plot.left) if labels else []
    for one, (_, said), (start, lane) in zip(waivers, labels, placed, strict=True):
        x = plot.x(one.until)
        yield line(x, 18, x, _TOP + _TALL, "closure")
        if lane < 2:
            yield text(plot.left + start, 14 + 16 * lane, said, "tick")


def _dates(plot: _Plot, y: float) -> Iterator[Shape]:
    """The first and the last moment, and days between them where there is room."""
    day_long = plot.last - plot.first > 2 * 86_400_000
    said = day if day_long else minute
    yield text(plot.left, y, said(plot.first), "tick")
    yield text(plot.right, y, said(plot.last), "tick", "end")
    if plot.width == WIDE and plot.last > plot.first:
        for part in (1 / 3, 2 / 3):
            moment = plot.first + round((plot.last - plot.first) * part)
            yield text(plot.x(moment), y, said(moment), "tick", "middle")
