"""Pictures of the pairs: how deep they reach, and how deep the training's draws do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from taxcheck.model.pictures import Draws
from taxcheck.model.report import Report
from taxcheck.model.vocabulary import DEPTH_RANGES, percent

from ..text import clip, number
from .svg import (
    NARROW,
    WIDE,
    Drawing,
    Picture,
    Shape,
    both,
    depth_axis,
    line,
    rect,
    round1,
    rungs,
    text,
    text_width,
    thousands,
    ticks,
)

_COLUMNS = 80
_STEP = {WIDE: 30.0, NARROW: 48.0}


def _median(report: Report) -> float | None:
    pairs = report.statistics.pairs
    return pairs.depth.median if pairs and pairs.depth else None


def _by_depth(bars: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Pairs at each depth; what lies beyond the last column is gathered in it."""
    found: dict[int, int] = {}
    for depth, pairs in bars:
        if pairs:
            at = min(max(depth, 0), _COLUMNS)
            found[at] = found.get(at, 0) + pairs
    return found


def _bucket(found: Mapping[int, int], lowest: int, highest: int | None) -> int:
    return sum(
        n for depth, n in found.items() if depth >= lowest and (highest is None or depth <= highest)
    )


def _step(found: Mapping[int, int], x0: float, base: float, step: float, scale: float) -> str:
    path = [f"M{round1(x0)} {round1(base)}"]
    for position in range(1, max(found) + 1):
        y = base - found.get(position, 0) * scale
        path.append(f"V{round1(y)}H{round1(x0 + position * step)}")
    return "".join([*path, f"V{round1(base)}"])


def _depths(
    found: Mapping[int, int], closure: Mapping[int, int], width: int, median: float | None
) -> Drawing:
    wide = width == WIDE
    left, flags, plot = (64.0, 66.0, 210.0) if wide else (44.0, 66.0, 160.0)
    last = max([*found, *closure])
    first = min(1, *found)
    step = (width - left) / (last - first + 1)
    base = flags + plot
    tallest = max([*found.values(), *closure.values(), 1])
    scale = (plot - 8) / tallest

    def x(depth: float) -> float:
        return left + (depth - first) * step

    shapes: list[Shape] = []
    for position, (lowest, highest, _) in enumerate(DEPTH_RANGES):
        if lowest <= last:
            long = (min(highest or last, last) - lowest + 1) * step
            shapes.append(rect(x(lowest), flags, long, plot, f"bucket{position}"))
    marks = ((base - tick * scale, thousands(tick, wide)) for tick in ticks(tallest, 4))
    shapes += rungs(marks, left, width)
    for depth in sorted(found):
        tip = f"depth {depth}{' and deeper' if depth == _COLUMNS else ''}: {number(found[depth])}"
        tall = found[depth] * scale
        shapes.append(rect(x(depth) + 0.5, base - tall, max(step - 1.5, 1), tall, "column", tip))
    if closure and closure != found:
        shapes.append(Shape("path", "closure", d=_step(closure, left, base, step, scale)))
        said = "outline: the complete closure" + (" of the depth-1 pairs" if wide else "")
        shapes.append(text(width - 8, flags + 18, said, "label", "end"))
    shapes += _flags(found, last, x, base, width)
    if median is not None and first <= median <= last:
        at = x(median + 0.5)
        shapes.append(line(at, flags, at, base, "mark"))
        # a label is about 70 wide: it stands on the columns where all of them are tall enough
        under = range(int(median), min(int(median + 70 / step) + 1, last) + 1)
        inside = min(found.get(depth, 0) for depth in under) * scale > 24
        kind = "on-column" if inside else "strong"
        shapes.append(text(at + 6, base - 10 if inside else flags + 38, f"median {median:g}", kind))
    shapes.append(line(left, base, width, base, "axis"))
    named = lambda depth: f"{depth}+" if depth == _COLUMNS else str(depth)  # noqa: E731
    shapes += depth_axis(range(first, last + 1), left + step / 2, step, base, named)
    start = "levels from the ancestor down" if wide else "levels down"
    shapes.append(text(left, base + 40, f"depth_diff: {start} to the descendant", "tick"))
    return Drawing(width, base + 46, tuple(shapes))


def _flags(
    found: Mapping[int, int], last: int, x: Callable[[float], float], base: float, width: int
) -> Iterator[Shape]:
    """At the start of each range its pairs, in words on a staff."""
    total = sum(found.values())
    for position, (lowest, highest, label) in enumerate(DEPTH_RANGES):
        if lowest <= last:
            left, y = x(lowest), 16.0 + position * 19
            pairs = _bucket(found, lowest, highest)
            yield line(left, y - 12, left, base, "flag")
            said = f"{label}: {number(pairs)}{' pairs' if width == WIDE else ''}"
            said += f" ({percent(pairs / total)})"
            fits = left + 6 + text_width(said, 7.0) <= width
            at, anchor = (left + 6, "start") if fits else (float(width), "end")
            yield text(at, y, said, "strong", anchor)


def depths(report: Report) -> Picture | None:
    """Pairs by depth, in the three stretches that training cares about."""
    found = _by_depth(report.pictures.depths or ())
    total = sum(found.values())
    if len(found) < 2:  # one column would say nothing
        return None
    closure = _by_depth(report.pictures.closure_depths or ())
    shares = [(_bucket(found, low, high), label) for low, high, label in DEPTH_RANGES]
    largest, label = max(shares)
    where = f"at {label}" if label.startswith("depth") else label
    note = "The complete closure of these depth-1 pairs has the same histogram."
    return both(
        "depths",
        f"{number(largest)} of {number(total)} pairs ({percent(largest / total)}) are {where}",
        "Pairs by depth difference. "
        + "; ".join(f"{label}: {number(n)} ({percent(n / total)})" for n, label in shares)
        + ".",
        lambda width: _depths(found, closure, width, _median(report)),
        (note,) if closure == found else (),
    )


def closure(report: Report) -> Picture | None:
    """The same histogram, read against the complete closure."""
    picture = depths(report)
    complete = sum(pairs for _, pairs in report.pictures.closure_depths or ())
    held = sum(pairs for _, pairs in report.pictures.depths or ())
    if picture is None or not complete:
        return None
    title = f"The file has {number(held)} pairs, the complete closure {number(complete)}"
    return replace(picture, key="closure", title=title)


def _label(draws: Draws) -> str:
    return clip(draws.label, 40) + (" (declared)" if draws.declared else "")


def _matrix(rows: Sequence[Draws], width: int) -> Drawing:
    """A row for each way of drawing, a column for each range, all bars on one scale."""
    wide = width == WIDE
    left, column, room = (250.0, 274.0, 66.0) if wide else (0.0, 117.0, 54.0)
    bar = column - room
    shapes: list[Shape] = []
    for position, (*_, label) in enumerate(DEPTH_RANGES):
        shapes.append(text(left + position * column, 14, label, "tick"))
    for at, draws in enumerate(rows):
        y = 24 + at * _STEP[width]
        kind = "strong" if draws.declared else "label"
        shapes.append(text(0, y + (13 if wide else 14), _label(draws), kind))
        y += 0 if wide else 20
        for position, share in enumerate(draws.shares):
            x = left + position * column
            shapes.append(rect(x, y, bar, 18, "track"))
            if share > 0:
                tip = f"{_label(draws)}, {DEPTH_RANGES[position][-1]}: {percent(share)}"
                shapes.append(rect(x, y, max(share * bar, 1), 18, "column", tip))
            shapes.append(text(x + bar + 6, y + 14, percent(share), kind))
    return Drawing(width, 24 + len(rows) * _STEP[width] - 6, tuple(shapes))


_WAYS = (
    "Over depths: every depth that occurs is drawn as often. Over ranges: each of these three is."
)


def draws(report: Report) -> Picture | None:
    """How the training draws are spread over the three ranges, by way of drawing."""
    rows = tuple(report.pictures.draws or ())[:8]
    if all(max(row.shares) == 1 for row in rows):  # one range, whatever is drawn
        return None
    near = [f"{percent(row.shares[0])} {clip(row.label, 40)}" for row in rows]
    said = "; ".join(
        f"{_label(row)}: "
        + ", ".join(
            f"{label} {percent(share)}"
            for (*_, label), share in zip(DEPTH_RANGES, row.shares, strict=True)
        )
        for row in rows
    )
    return both(
        "draws",
        f"Share of the training draws that are parent and child: {', '.join(near)}",
        f"Shares of the training draws by way of drawing. {said}.",
        lambda width: _matrix(rows, width),
        (_WAYS,),
    )
