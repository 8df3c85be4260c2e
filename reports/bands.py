"""Pictures in bands of percentiles: the radius by depth, and the distances of kinds of pairs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from taxcheck.audit_bins import Five, Radii
from taxcheck.report import Report

from .svg import NARROW, WIDE, Drawing, Picture, Shape, line, rect, round1, text, ticks
from .text import clip, number, percent

_AXES = "depth in the hierarchy; height: hyperbolic distance from the origin"
_AXES_SHORT = "depth; height: distance from the origin"


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{round1(x)} {round1(y)}" for x, y in points)


def _band(xs: Sequence[float], low: Sequence[float], high: Sequence[float], kind: str) -> Shape:
    there = list(zip(xs, high, strict=True))
    back = list(zip(reversed(xs), reversed(low), strict=True))
    return Shape("path", kind, d=_path([*there, *back]) + "z")


def _radii(radii: Radii, width: int) -> Drawing:
    wide = width == WIDE
    left, right, top, plot = (64.0, 150.0, 14.0, 300.0) if wide else (36.0, 12.0, 66.0, 210.0)
    depths = [depth for depth, _ in radii.bands]
    first, last = depths[0], max(depths[-1], depths[0] + 1)
    highest = max(
        *(band[4] for _, band in radii.bands), *(r for _, r in radii.target), radii.clip or 0, 0.1
    )
    base, step = top + plot, (width - left - right) / (last - first)
    xs = [left + (depth - first) * step for depth in depths]

    def y(radius: float) -> float:
        return base - radius / highest * plot

    columns = [[y(band[i]) for _, band in radii.bands] for i in range(5)]
    shapes: list[Shape] = []
    for tick in ticks(highest, 6):
        shapes.append(line(left, y(tick), width - right, y(tick), "grid"))
        shapes.append(text(left - 8, y(tick) + 4, str(tick), "tick", "end"))
    shapes.append(_band(xs, columns[0], columns[4], "band90"))
    shapes.append(_band(xs, columns[1], columns[3], "band50"))
    shapes.append(Shape("path", "median", d=_path(list(zip(xs, columns[2], strict=True)))))
    target = [(left + (d - first) * step, y(radius)) for d, radius in radii.target]
    shapes.append(Shape("path", "target", d=_path(target)))
    if radii.clip is not None:
        shapes.append(line(left, y(radii.clip), width - right, y(radii.clip), "mark"))
    for depth, band in radii.bands:  # a column to point at, with its figures
        x = left + (depth - first) * step
        tip = f"depth {depth}: median {band[2]:.2f}, 5th {band[0]:.2f}, 95th {band[4]:.2f}"
        shapes.append(rect(x - step / 2, top, step, plot, "touch", tip))
    shapes.append(line(left, base, width - right, base, "axis"))
    every = 1 if step > 26 else 5 if step > 6 else 10
    for depth in depths:
        if depth in (first, last) or (depth % every == 0 and last - depth > every * 0.6):
            x = left + (depth - first) * step
            shapes.append(text(x, base + 18, str(depth), "tick", "middle"))
    shapes.append(text(left, base + 38, _AXES if wide else _AXES_SHORT, "tick"))
    shapes += _said(radii, width, columns, target[-1][1], y)
    return Drawing(width, base + 44, tuple(shapes))


def _said(
    radii: Radii,
    width: int,
    columns: Sequence[Sequence[float]],
    target: float,
    at: Callable[[float], float],
) -> list[Shape]:
    """What the lines are: at their ends where there is room, else above the picture."""
    clip_said = "" if radii.clip is None else f"clip: radius {radii.clip:.2f}"
    if width == NARROW:
        key = ["dark: half of the rows; light: 5th to 95th", "dotted: target of the repaired start"]
        key += [f"dashed: {clip_said}"] if clip_said else []
        return [text(0, 14 + 18 * i, entry, "tick") for i, entry in enumerate(key)]
    ends = [] if radii.clip is None else [(at(radii.clip), clip_said, "label")]
    ends.append((columns[4][-1], "95th percentile", "tick"))
    ends.append((columns[2][-1], "median", "strong"))
    ends.append((columns[0][-1], "5th percentile", "tick"))
    ends.append((target, "target", "label"))
    shapes, below = [], -math.inf
    for height, said, kind in sorted(ends, key=lambda end: round(end[0], 3)):
        below = max(height + 4, below + 17)
        shapes.append(text(width - 140, below, said, kind))
    return shapes


def radius_by_depth(report: Report) -> Picture | None:
    """How far the rows of each depth lie from the origin."""
    radii = report.audit.radii if report.audit else None
    if radii is None or len(radii.bands) < 2:
        return None
    (first, low), (last, high) = radii.bands[0], radii.bands[-1]
    grows = f"from {low[2]:.2f} at depth {first} to {high[2]:.2f} at depth {last}"
    title = f"The median radius goes {grows}"
    if radii.saturated:
        title = (
            f"At {percent(radii.saturated)} of the depths the median row is within 2 % of the "
            f"clip; the median radius goes {grows}"
        )
    said = "; ".join(f"depth {depth}: {band[2]:.2f}" for depth, band in radii.bands)
    return Picture(
        "radius-by-depth",
        title,
        f"Bands of the hyperbolic radius by depth. Medians: {said}.",
        _radii(radii, WIDE),
        _radii(radii, NARROW),
        notes=(
            "Target: the radius of norm 0.05 + 0.80 × depth / largest depth, the start that the "
            "incident's repair chose.",
        ),
    )


def _rows(bands: Sequence[tuple[str, Five]], width: int) -> Drawing:
    wide = width == WIDE
    left, step = (150.0, 40.0) if wide else (0.0, 60.0)
    highest = max(max(band) for _, band in bands) or 1.0
    scale = (width - left - 30) / highest
    shapes: list[Shape] = []
    bottom = len(bands) * step + 4
    for tick in ticks(highest, 8 if wide else 4):
        x = left + tick * scale
        shapes.append(line(x, 0, x, bottom, "grid"))
        shapes.append(text(x, bottom + 18, str(tick), "tick", "middle" if x else "start"))
    for position, (label, band) in enumerate(bands):
        y = position * step + (0 if wide else 20)
        said = clip(label, 18 if wide else 40)
        if wide:
            shapes.append(text(left - 12, y + 25, said, "label", "end"))
        else:
            shapes.append(text(0, y - 4, said))
        a, b, c, d, e = (left + value * scale for value in band)
        tip = ", ".join(
            f"{p}th {value:.2f}" for p, value in zip((5, 25, 50, 75, 95), band, strict=True)
        )
        shapes.append(rect(a, y + 10, max(e - a, 1), 20, "band90", tip))
        shapes.append(rect(b, y + 10, max(d - b, 1), 20, "band50", tip))
        shapes.append(rect(c - 1.5, y + 7, 3, 26, "hole", tip))
        shapes.append(text(c + 8, y + 25, f"{band[2]:.2f}", "strong"))
    caption = "hyperbolic distance; dark: half of the pairs, light: 5th to 95th percentile"
    if not wide:
        caption = "hyperbolic distance; light: 5th to 95th"
    shapes.append(text(left, bottom + 38, caption, "tick"))
    return Drawing(width, bottom + 44, tuple(shapes))


def distances(report: Report) -> Picture | None:
    """How far relatives lie from each other, and how far any two nodes do."""
    bands = report.audit.distances if report.audit else ()
    if not bands:
        return None
    said = ", ".join(f"{clip(label, 40)} {band[2]:.2f}" for label, band in bands)
    return Picture(
        "distances",
        f"Median distances: {said}",
        "Bands of distances. "
        + "; ".join(
            f"{clip(label, 40)}: 5th percentile {number(band[0])}, median {number(band[2])}, "
            f"95th {number(band[4])}"
            for label, band in bands
        )
        + ".",
        _rows(bands, WIDE),
        _rows(bands, NARROW),
    )
