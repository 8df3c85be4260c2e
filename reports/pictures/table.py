"""Pictures of the table: how far out rows lie, which are equal, which are near to many."""

from __future__ import annotations

from collections.abc import Iterator

from taxcheck.model.finding import Outcome
from taxcheck.model.pictures import Copies, CopyGroup, Norms
from taxcheck.model.report import Report
from taxcheck.model.vocabulary import percent, plural

from .. import view
from ..text import clip, number
from .svg import (
    WIDE,
    Drawing,
    Picture,
    Shape,
    both,
    from_to,
    line,
    ranges,
    rect,
    rungs,
    text,
    text_width,
    thousands,
    ticks,
)


def ordinal(percentile: int) -> str:
    """A percentile by its name."""
    named = {0: "smallest", 50: "median", 100: "largest"}
    return named.get(percentile, f"{percentile}th percentile")


def _axis_marks(low: float, high: float, width: int) -> Iterator[tuple[float, str]]:
    """Where the axis is marked: round radii, or quarters of the unit ball."""
    wide = width == WIDE
    if high <= 1:
        quarters = (0.0, 0.25, 0.5, 0.75, 1.0) if wide else (0.0, 0.5, 1.0)
        yield from ((at, f"{at:g}") for at in quarters)
        return
    yield from ((at, number(at)) for at in ticks(high, 10 if wide else 5) if at >= low)


def _flags(norms: Norms) -> list[tuple[float, str]]:
    """What is marked along the axis, each with its value."""
    at = dict(norms.percentiles)
    flags = [(at[p], f"{ordinal(p)} {at[p]:.2f}") for p in (10, 50, 90) if p in at]
    if norms.clip is not None:
        flags.append((norms.clip, f"clip {norms.clip:.4g}"))
    return flags


def _histogram(norms: Norms, width: int) -> Drawing:
    wide = width == WIDE
    flags = _flags(norms)
    left, right, plot = (64.0, 24.0, 170.0) if wide else (44.0, 14.0, 140.0)
    top = 18.0 * len(flags) + 10
    bins = norms.histogram
    low = min(bins[0][0], 0.0)
    high = max(bins[-1][1], norms.clip or 0.0, 1.0 if norms.of == "norm" else 0.0) or 1.0
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
            tip = f"{norms.of} {start:.4g} to {end:.4g}: {number(rows)} rows"
            shapes.append(rect(x + 0.5, base - tall, max(long - 1, 1), tall, "column", tip))
    for place, (at, said) in enumerate(flags):
        x, y = left + (at - low) * scale, 14.0 + 18 * place
        shapes.append(line(x, y - 12, x, base, "mark"))
        room = x + 7 + text_width(said) <= width
        shapes.append(text(x + 7 if room else x - 7, y, said, "strong", "start" if room else "end"))
    shapes.append(line(left, base, width - right, base, "axis"))
    for at, said in _axis_marks(low, high, width):
        shapes.append(text(left + (at - low) * scale, base + 18, said, "tick", "middle"))
    shapes.append(text(left, base + 38, _AXES[norms.of], "tick"))
    return Drawing(width, base + 44, tuple(shapes))


_AXES = {
    "radius": "hyperbolic distance from the origin; height: rows",
    "norm": "norm of the row; height: rows",
}


def _why_far(report: Report, norms: Norms) -> Iterator[str]:
    """Of rows near the boundary: how many, and why that is no fault where the rule passed."""
    if norms.of == "norm" or not norms.over:
        return
    over = f"{number(norms.over)} of {number(norms.rows)} rows ({percent(norms.over / norms.rows)})"
    said = f"{over} have a norm above 0.9 in the unit ball, a radius above 2.94."
    judged = view.judging(report, "row_radii")
    if judged is not None and judged.outcome is Outcome.PASS and 2 * norms.over > norms.rows:
        said += (
            " That is right: nearly all of the room of hyperbolic space is that far out, and deep "
            "levels need it. Wrong would be rows that crowd at the clip, or radii that rounding "
            f"blurs; {judged.id} looked for both."
        )
    yield said


def row_radii(report: Report) -> Picture | None:
    """How far from the origin the rows lie, with the clip that the engine put them under."""
    norms = report.audit.norms if report.audit else None
    if norms is None or not norms.rows or not any(rows for *_, rows in norms.histogram):
        return None
    found, what = dict(norms.percentiles), "radii" if norms.of == "radius" else "norms"
    lie = f"lie at {what} of {found.get(10, 0.0):.2f} to {found.get(90, 0.0):.2f}"
    title = (
        f"{number(norms.at_clip)} of {number(norms.rows)} rows "
        f"({percent(norms.at_clip / norms.rows)}) stand at the clip; four fifths {lie}"
        if norms.at_clip
        else f"Four fifths of the rows {lie}" + ("; none at the clip" if norms.clip else "")
    )
    said = "; ".join(f"{ordinal(p)} {v:.4g}" for p, v in norms.percentiles)
    return both(
        "row-radii",
        title,
        f"Histogram of the {what} of {number(norms.rows)} rows. Percentiles: {said}.",
        lambda width: _histogram(norms, width),
        tuple(_why_far(report, norms)),
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
        shapes.append(rect(left, bar, long, 18 if wide else 14, "role3", f"{members}: {said}"))
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
