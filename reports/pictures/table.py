"""Pictures of the table: the norms of its rows, rows that are equal, rows that are near to many."""

from __future__ import annotations

from taxcheck.model.pictures import Copies, CopyGroup, Norms
from taxcheck.model.report import Report
from taxcheck.model.vocabulary import percent, plural

from ..text import clip, number
from .svg import (
    WIDE,
    Drawing,
    Picture,
    Shape,
    both,
    diamond,
    dot,
    from_to,
    line,
    ranges,
    rect,
    rungs,
    text,
    thousands,
    ticks,
)

_ROW = 30.0


def ordinal(percentile: int) -> str:
    """A percentile by its name."""
    named = {0: "smallest", 50: "median", 100: "largest"}
    return named.get(percentile, f"{percentile}th percentile")


def norm(value: float) -> str:
    """A norm with four decimals; what is below 1 never reads as 1."""
    if 0.99995 <= value < 1:
        return f"1 - {1 - value:.0e}".replace("e-0", "e-")
    return f"{value:.4f}"


def _marks(width: int) -> tuple[float, ...]:
    """Where the axis of the norms is marked."""
    return (0.0, 0.25, 0.5, 0.75, 1.0) if width == WIDE else (0.0, 0.5, 1.0)


def _percentiles(norms: Norms, width: int) -> Drawing:
    wide = width == WIDE
    left, right = (150.0, 270.0) if wide else (62.0, 140.0)
    plot = width - left - right
    top = 26.0
    incident = dict(norms.incident)
    shapes: list[Shape] = []
    one, two = width - right + (120 if wide else 66), float(width)
    shapes.append(text(one, 14, "this table", "strong", "end"))
    shapes.append(text(two, 14, "the incident" if wide else "incident", "tick", "end"))
    bottom = top + _ROW * len(norms.percentiles)
    for at in _marks(width):
        x = left + at * plot
        shapes.append(line(x, top, x, bottom, "grid"))
        shapes.append(text(x, bottom + 18, f"{at:g}", "tick", "middle"))
    for position, (percentile, value) in enumerate(norms.percentiles):
        y = top + position * _ROW + _ROW / 2
        label = ordinal(percentile) if wide else ordinal(percentile).removesuffix(" percentile")
        shapes.append(text(left - 12, y + 5, label, "tick", "end"))
        theirs = incident.get(percentile)
        x = left + min(value, 1.0) * plot
        if theirs is not None:
            shapes.append(line(left + theirs * plot, y, x, y, "leader"))
            shapes.append(diamond(left + theirs * plot, y, 9, "theirs", f"incident {theirs:.4f}"))
        shapes.append(dot(x, y, 4.5, "ours", f"this table {norm(value)}"))
        shapes.append(text(one, y + 5, norm(value), "strong", "end"))
        said = "not told" if theirs is None else f"{theirs:.4f}"
        shapes.append(text(two, y + 5, said, "tick", "end"))
    shapes.append(line(left, bottom, left + plot, bottom, "axis"))
    return Drawing(width, bottom + 26, tuple(shapes))


def norm_percentiles(report: Report) -> Picture | None:
    """Where the norms lie, beside the percentiles that the incident's table had."""
    norms = report.audit.norms if report.audit else None
    if norms is None or not norms.percentiles or not norms.rows:
        return None
    found = dict(norms.percentiles)
    over = f"{number(norms.over)} of {number(norms.rows)} rows ({percent(norms.over / norms.rows)})"
    title = f"{over} have a norm above 0.9"
    if 90 in found:
        title += f"; the 90th percentile is {norm(found[90])}, in the incident 0.9997"
    said = "; ".join(f"{ordinal(p)} {norm(v)}" for p, v in norms.percentiles)
    return both(
        "norm-percentiles",
        title,
        f"Percentiles of the norm in the unit ball: {said}.",
        lambda width: _percentiles(norms, width),
        (
            "Norms in the unit ball. Dot: this table. Diamond: the incident's, as its own "
            "diagnosis gives them. Near 1 a small step of the norm is a long way: see the radii.",
        ),
    )


def _histogram(norms: Norms, width: int) -> Drawing:
    wide = width == WIDE
    left, right, top, plot = (64.0, 24.0, 44.0, 170.0) if wide else (44.0, 14.0, 64.0, 140.0)
    bins = norms.histogram
    low, high = min(bins[0][0], 0.0), max(bins[-1][1], 1.0)
    scale = (width - left - right) / (high - low)
    tallest = max(rows for *_, rows in bins)
    base = top + plot
    shapes: list[Shape] = []
    heights = ((base - n / tallest * (plot - 8), thousands(n, wide)) for n in ticks(tallest, 4))
    shapes += rungs(heights, left, width - right)
    for start, end, rows in bins:
        if rows:
            x, long = left + (start - low) * scale, (end - start) * scale
            tall = max(rows / tallest * (plot - 8), 1)
            tip = f"norm {start:.4g} to {end:.4g}: {number(rows)} rows"
            shapes.append(rect(x + 0.5, base - tall, max(long - 1, 1), tall, "column", tip))
    marks = [(0.9, f"above 0.9: {percent(norms.over / norms.rows)} of the rows", 34.0)]
    if norms.clip is not None:
        held = f" ({percent(norms.at_clip / norms.rows)} of the rows)" if norms.at_clip else ""
        marks.append((norms.clip, f"clip at {norm(norms.clip)}{held}", 14.0))
    for at, said, y in marks:
        x = left + (at - low) * scale
        shapes.append(line(x, y - 12, x, base, "mark"))
        shapes.append(text(x - 7, y, said, "strong", "end"))
    shapes.append(line(left, base, width - right, base, "axis"))
    for at in _marks(width):
        x = left + (at - low) * scale
        shapes.append(text(x, base + 18, f"{at:g}", "tick", "middle"))
    shapes.append(text(left, base + 38, "norm in the unit ball; height: rows", "tick"))
    return Drawing(width, base + 44, tuple(shapes))


def norm_histogram(report: Report) -> Picture | None:
    """The norms as a histogram, with the clip that the engine put them under."""
    norms = report.audit.norms if report.audit else None
    if norms is None or not norms.rows or not any(rows for *_, rows in norms.histogram):
        return None
    start, end, rows = max(norms.histogram, key=lambda found: found[2])
    title = (
        f"{number(norms.at_clip)} of {number(norms.rows)} rows "
        f"({percent(norms.at_clip / norms.rows)}) stand at the clip"
        if norms.at_clip
        else f"No row stands at the clip; most lie at norms of {start:.2f} to {end:.2f}"
        if norms.clip is not None
        else f"Most rows, {number(rows)}, lie at norms of {start:.2f} to {end:.2f}"
    )
    return both(
        "norm-histogram",
        title,
        f"Histogram of the norms of {number(norms.rows)} rows; the fullest of "
        f"{len(norms.histogram)} bins, {start:.3g} to {end:.3g}, holds {number(rows)}.",
        lambda width: _histogram(norms, width),
    )


def _members(group: CopyGroup, limit: int) -> str:
    """The first of them, as many names as there is room for, and how many more."""
    said, shown = clip(group.names[0], limit), 1
    for name in group.names[1:]:
        if len(said) + len(name) + 2 > limit:
            break
        said, shown = f"{said}, {name}", shown + 1
    return said + (f" and {number(group.size - shown)} more" if group.size > shown else "")


def _groups(copies: Copies, width: int) -> Drawing:
    wide = width == WIDE
    left, right, step = (420.0, 200.0, 28.0) if wide else (0.0, 0.0, 48.0)
    most = max(group.size for group in copies.largest)
    plot = width - left - right
    shapes: list[Shape] = []
    for position, group in enumerate(copies.largest):
        y = position * step
        members = clip(_members(group, 40 if wide else 22), 60)
        said = f"{plural(group.size, 'row')}, " + (
            "all zero" if group.norm == 0 else f"norm {group.norm:.4g}"
        )
        bar = y + 4 if wide else y + 22
        long = max(group.size / most * plot, 1.5)
        if wide:
            shapes.append(text(left - 14, y + 18, members, "label", "end"))
            shapes.append(text(left + long + 8, y + 18, said, "tick"))
        else:
            shapes.append(text(0, y + 15, members))
            shapes.append(text(width, y + 15, said, "tick", "end"))
            shapes.append(rect(0, bar, width, 14, "track"))
        shapes.append(rect(left, bar, long, 18 if wide else 14, "role3"))
    return Drawing(width, len(copies.largest) * step + 2, tuple(shapes))


def copies(report: Report) -> Picture | None:
    """Rows that nothing can tell apart."""
    found = report.audit.copies if report.audit else None
    if found is None or not found.largest:
        return None
    largest = found.largest[0]
    share = percent(found.copied / found.rows)
    title = (
        f"{number(found.copied)} of {number(found.rows)} rows ({share}) repeat another, in "
        f"{plural(found.groups, 'group')}; the largest holds {number(largest.size)} equal rows"
    )
    said = "; ".join(
        f"{_members(group, 80)}: {number(group.size)} equal rows" for group in found.largest
    )
    shown = len(found.largest)
    note = f"The {shown} largest of {plural(found.groups, 'group')}."
    return both(
        "copies",
        title,
        f"Groups of equal rows. {said}.",
        lambda width: _groups(found, width),
        (note,) if found.groups > shown else (),
    )


def hubs(report: Report) -> Picture | None:
    """Sampled rows by the number of lists of nearest rows that they are in."""
    found = report.audit.hubs if report.audit else None
    if found is None or not found.sampled:
        return None
    name, often = found.greatest
    nobody = found.bins[0][2]
    title = (
        f"{number(nobody)} of {number(found.sampled)} sampled rows "
        f"({percent(nobody / found.sampled)}) are among the {found.k} nearest of no other; "
        f"{clip(name, 60)} is of {number(often)}"
    )
    said = "; ".join(
        f"{from_to(low, high)} times: {number(rows)} rows" for low, high, rows in found.bins
    )
    skew = "" if found.skew is None else f" The skew is {found.skew:.1f}."
    return both(
        "hubs",
        title,
        f"Sampled rows by how often they are among the {found.k} nearest of another. {said}.",
        lambda width: ranges(found.bins, width),
        (
            f"Rows: how often a row is among the {found.k} nearest of the other sampled ones, in "
            f"bins that double; {found.k} times on average. Bars: rows.{skew}",
        ),
    )
