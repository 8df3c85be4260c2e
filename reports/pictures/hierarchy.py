"""Pictures of the hierarchy in the table: its clades, its depths, and how far relatives lie."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from taxcheck.model.pictures import Clades, Five, Radii
from taxcheck.model.report import Report
from taxcheck.model.vocabulary import never_trained, percent, plural

from ..text import clip, number
from ..view import judging
from .svg import (
    NARROW,
    WIDE,
    Drawing,
    Picture,
    Shape,
    both,
    depth_axis,
    dot,
    line,
    path,
    rect,
    round1,
    rungs,
    text,
    ticks,
    within,
)

_STRIP = 64.0
_ON_A_PHONE = 8


def _threshold(report: Report) -> float:
    """The |z| beyond which a clade was found, where that was judged; infinite elsewhere."""
    judged = judging(report, "clade_spread")
    return judged.threshold.get("z", math.inf) if judged else math.inf


def _strip(clades: Clades, width: int, threshold: float) -> list[Shape]:
    """Every clade as a count along z, with the two thresholds."""
    low, high = clades.scores[0][0], clades.scores[-1][1]
    most = max(n for *_, n in clades.scores)
    top, base = 22.0, 22.0 + _STRIP

    def at(z: float) -> float:
        return (z - low) / (high - low) * width

    shapes = [line(0, base, width, base, "axis")]
    for start, end, n in clades.scores:
        if n:
            tall = max(n / most * (_STRIP - 4), 2)
            kind = "never0" if min(abs(start), abs(end)) >= threshold else "column"
            x, tip = at(start), f"z {start:.1f} to {end:.1f}: {plural(n, 'clade')}"
            shapes.append(rect(x + 0.5, base - tall, at(end) - x - 1, tall, kind, tip))
    for z in (-threshold, threshold):
        if low <= z <= high:
            x, anchor = within(at(z), said := f"z {z:+.1f}", width)
            shapes.append(line(at(z), top - 4, at(z), base, "mark"))
            shapes.append(text(x, base + 18, said, "tick", anchor))
    if at(threshold) - at(0) > 90:
        shapes.append(text(at(0), base + 18, "as expected", "tick", "middle"))
    shapes.append(text(0, 12, "tighter", "tick"))
    shapes.append(text(width, 12, "wider than clades of that depth and size", "tick", "end"))
    return shapes


def _named(clades: Clades, width: int, top: float, threshold: float) -> tuple[list[Shape], float]:
    wide = width == WIDE
    left, right, step = (270.0, 300.0, 30.0) if wide else (0.0, 0.0, 62.0)
    plot = width - left - right - 16
    highest = max(max(c.spread, c.expected) for c in clades.named) or 1.0
    shapes = [text(left, top, "spread: mean distance of two members", "tick")]
    if wide:
        for x, said in ((-220, "z"), (-120, "members"), (0, "never trained")):
            shapes.append(text(width + x, top, said, "tick", "end"))
    y = top + 10
    for clade in clades.named if wide else clades.named[:_ON_A_PHONE]:
        middle = y + step / 2 if wide else y + 38
        found = abs(clade.z) > threshold
        kind = "strong" if found else "label"
        if wide:
            shapes.append(text(left - 14, middle + 5, clip(clade.label, 32), kind, "end"))
            shapes.append(text(width - 220, middle + 5, f"{clade.z:+.1f}", kind, "end"))
            shapes.append(text(width - 120, middle + 5, number(clade.size), "label", "end"))
            share = "unknown"
            if clade.never_trained is not None:
                share = percent(clade.never_trained)
                shapes.append(rect(width - 104, middle - 4, 44, 8, "track"))
            if clade.never_trained:
                long = max(clade.never_trained * 44, 1)
                shapes.append(rect(width - 104, middle - 4, long, 8, "role3"))
            shapes.append(text(width, middle + 5, share, "label", "end"))
        else:
            shapes.append(text(0, y + 18, clip(clade.label, 24), kind))
            share = never_trained(clade.never_trained).replace("never trained", "untrained")
            said = f"z {clade.z:+.1f}, {share}"
            shapes.append(text(width, y + 18, said, "tick", "end"))
        a, b = (left + 6 + v / highest * (plot - 12) for v in (clade.expected, clade.spread))
        shapes.append(line(left, middle, left + plot, middle, "grid"))
        shapes.append(line(a, middle, b, middle, "leader"))
        shapes.append(line(a, middle - 8, a, middle + 8, "null"))
        tip = f"spread {clade.spread:.2f}, expected {clade.expected:.2f}, depth {clade.depth}"
        shapes.append(dot(b, middle, 6, "far" if found else "ours", tip))
        y += step
    return shapes, y


def _clades(clades: Clades, width: int, threshold: float) -> Drawing:
    strip = _strip(clades, width, threshold)
    named, bottom = _named(clades, width, _STRIP + 78, threshold)
    return Drawing(width, float(round1(bottom + 4)), (*strip, *named))


def clade_spread(report: Report) -> Picture | None:
    """Clades whose members lie farther apart, or closer, than their depth and size predict."""
    clades = report.audit.clades if report.audit else None
    if clades is None or not clades.named:
        return None
    threshold = _threshold(report)
    wider, tighter = sum(z > threshold for z in clades.z), sum(z < -threshold for z in clades.z)
    widest = [c for c in clades.named if c.z > threshold]
    total = number(len(clades.z))
    level = clip(clades.level, 60)
    if wider or tighter:
        title = (
            f"{number(wider)} of {total} clades ({level}) are wider than "
            f"depth and size predict, {number(tighter)} tighter"
        )
        if widest:
            title += f"; {clip(widest[0].label, 40)} most of all"
    elif math.isinf(threshold):
        title = f"The spread of {plural(len(clades.z), 'clade')} ({level}) was not judged"
    else:
        title = f"All {total} clades ({level}) are spread as depth and size predict"
    said = "; ".join(
        f"{clip(c.label, 40)}: z {c.z:+.1f}, spread {c.spread:.2f}, expected {c.expected:.2f}, "
        f"{never_trained(c.never_trained)}"
        for c in clades.named
    )
    return both(
        "clade-spread",
        title,
        f"Clades by how far their spread departs from the expected one. {said}.",
        lambda width: _clades(clades, width, threshold),
        (
            "Above: all clades by z. Below: those farthest from what depth and size predict; "
            "tick: expected, dot: found, vermillion beyond the threshold.",
        ),
        fine=not (wider or tighter) and not math.isinf(threshold),
    )


_AXES = "depth in the hierarchy; height: hyperbolic distance from the origin"
_AXES_SHORT = "depth; height: distance from the origin"


def _band(xs: Sequence[float], low: Sequence[float], high: Sequence[float], kind: str) -> Shape:
    there = list(zip(xs, high, strict=True))
    back = list(zip(reversed(xs), reversed(low), strict=True))
    return Shape("path", kind, d=path([*there, *back]) + "z")


def _radii(radii: Radii, width: int) -> Drawing:
    wide = width == WIDE
    left, right, top, plot = (64.0, 150.0, 14.0, 300.0) if wide else (36.0, 12.0, 66.0, 210.0)
    depths = [depth for depth, _ in radii.bands]
    first, last = depths[0], max(depths[-1], depths[0] + 1)
    highest = max(*(band[4] for _, band in radii.bands), radii.clip or 0, 0.1)
    base, step = top + plot, (width - left - right) / (last - first)
    xs = [left + (depth - first) * step for depth in depths]

    def y(radius: float) -> float:
        return base - radius / highest * plot

    columns = [[y(band[i]) for _, band in radii.bands] for i in range(5)]
    shapes: list[Shape] = []
    shapes += rungs(((y(t), str(t)) for t in ticks(highest, 6)), left, width - right)
    shapes.append(_band(xs, columns[0], columns[4], "band90"))
    shapes.append(_band(xs, columns[1], columns[3], "band50"))
    shapes.append(Shape("path", "median", d=path(list(zip(xs, columns[2], strict=True)))))
    if radii.clip is not None:
        shapes.append(line(left, y(radii.clip), width - right, y(radii.clip), "mark"))
    for depth, band in radii.bands:  # a column to point at, with its figures
        x = left + (depth - first) * step
        tip = f"depth {depth}: median {band[2]:.2f}, 5th {band[0]:.2f}, 95th {band[4]:.2f}"
        shapes.append(rect(x - step / 2, top, step, plot, "touch", tip))
    shapes.append(line(left, base, width - right, base, "axis"))
    shapes += depth_axis(depths, left, step, base)
    shapes.append(text(left, base + 38, _AXES if wide else _AXES_SHORT, "tick"))
    shapes += _said(radii, width, columns, y)
    return Drawing(width, base + 44, tuple(shapes))


def _said(
    radii: Radii,
    width: int,
    columns: Sequence[Sequence[float]],
    at: Callable[[float], float],
) -> list[Shape]:
    """What the lines are: at their ends where there is room, else above the picture."""
    clip_said = "" if radii.clip is None else f"clip: radius {radii.clip:.2f}"
    if width == NARROW:
        key = ["dark: half of the rows; light: 5th to 95th"]
        key += [f"dashed: {clip_said}"] if clip_said else []
        return [text(0, 14 + 18 * i, entry, "tick") for i, entry in enumerate(key)]
    ends = [] if radii.clip is None else [(at(radii.clip), clip_said, "label")]
    ends.append((columns[4][-1], "95th percentile", "tick"))
    ends.append((columns[2][-1], "median", "strong"))
    ends.append((columns[0][-1], "5th percentile", "tick"))
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
    return both(
        "radius-by-depth",
        title,
        f"Bands of the hyperbolic radius by depth. Medians: {said}.",
        lambda width: _radii(radii, width),
    )


def _kinds(bands: Sequence[tuple[str, Five]], width: int) -> Drawing:
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
    return both(
        "distances",
        f"Median distances: {said}",
        "Bands of distances. "
        + "; ".join(
            f"{clip(label, 40)}: 5th percentile {number(band[0])}, median {number(band[2])}, "
            f"95th {number(band[4])}"
            for label, band in bands
        )
        + ".",
        lambda width: _kinds(bands, width),
    )


_Rows = Sequence[tuple[int, int, float]]
_PLOT = 120.0


def _shares(rows: _Rows, width: int, of: str, caption: str) -> Drawing:
    left, top = 52.0, 6.0
    base = top + _PLOT
    first, last = rows[0][0], rows[-1][0]
    step = (width - left) / (last - first + 1)
    shapes: list[Shape] = []
    marks = ((base - half / 2 * _PLOT, f"{50 * half} %") for half in range(3))
    shapes += rungs(marks, left, width)
    for depth, total, share in rows:
        x = left + (depth - first) * step
        tip = f"depth {depth}: {percent(share)} of {number(total)} {of}"
        if share > 0:
            tall = max(share * _PLOT, 1)
            shapes.append(rect(x + 0.5, base - tall, max(step - 1.5, 1), tall, "role3", tip))
    shapes += depth_axis([depth for depth, *_ in rows], left + step / 2, step, base)
    shapes.append(line(left, base, width, base, "axis"))
    shapes.append(text(left, base + 38, caption, "tick"))
    return Drawing(width, base + 44, tuple(shapes))


def _by_depth(key: str, title: str, rows: _Rows, of: str, caption: str) -> Picture:
    said = "; ".join(
        f"depth {depth}: {percent(share)} of {number(total)}" for depth, total, share in rows
    )
    drawn: Callable[[int], Drawing] = lambda width: _shares(rows, width, of, caption)  # noqa: E731
    return both(key, title, f"Shares by depth. {said}.", drawn)


def _titled(said: str, rows: _Rows) -> str | None:
    """All of them as a share, and the depth that has most; None where there are none to draw."""
    total = sum(count for _, count, _ in rows)
    found = sum(count * share for _, count, share in rows)
    if len(rows) < 2 or not found:
        return None
    depth, _, most = max(rows, key=lambda row: (row[2], -row[0]))
    return f"{percent(found / total)} of the {said}; at depth {depth}, {percent(most)}"


def inside(report: Report) -> Picture | None:
    """Edges whose child lies nearer the centre than its parent, by the child's depth."""
    rows = report.audit.inside_by_depth if report.audit else ()
    title = _titled("children lie nearer the centre than their parent", rows)
    if title is None:
        return None  # the scores say that every child is farther out
    return _by_depth("inside", title, rows, "edges", "depth of the child; height: share of edges")


def updates(report: Report) -> Picture | None:
    """Nodes that no training step ever updated, by depth."""
    rows = report.audit.updates_by_depth if report.audit else ()
    title = _titled("nodes had no update", rows)
    if title is None:
        return None  # the picture of the untrained rows says that there are none
    return _by_depth("updates", title, rows, "nodes", "depth of the node; height: share of nodes")
