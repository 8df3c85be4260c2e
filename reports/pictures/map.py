"""The still picture of the projection: each clade in a colour and a shape of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence

from taxcheck.model.pictures import Projection
from taxcheck.model.report import Report
from taxcheck.model.vocabulary import percent

from ..text import clean, clip, number
from .svg import NARROW, WIDE, Drawing, Picture, Shape, both, dot, round1, text, text_width

_SHOWN = 1500  # points on a phone
_MARGIN = 12.0
OTHER = 8  # the class of what belongs to no named clade


def outline(kind: int, r: float) -> str:
    """The outline of a clade's shape around the point, as a relative path of about equal area."""
    a, b, c, d, e, f, g, h = (round1(r * part) for part in (1, 2, 1.25, 2.5, 0.6, 1.2, 0.7, 1.4))
    return (
        f"m-{a} 0a{a} {a} 0 1 0 {b} 0a{a} {a} 0 1 0-{b} 0z",  # circle
        f"m-{a}-{a}h{b}v{b}h-{b}z",  # square
        f"m0-{c}l{c} {d}h-{d}z",  # triangle
        f"m0-{c}l{c} {c}l-{c} {c}l-{c}-{c}z",  # diamond
        f"m0 {c}l{c}-{d}h-{d}z",  # triangle on its tip
        f"m-{c}-{e}h{d}v{f}h-{d}z",  # flat bar
        f"m-{e}-{c}h{f}v{d}h-{f}z",  # upright bar
        f"m-{c}-{c}l{d} {d}h-{d}l{d}-{d}z",  # hourglass
        f"m-{g} 0a{g} {g} 0 1 0 {h} 0a{g} {g} 0 1 0-{h} 0z",  # small circle
    )[kind]


def unit(projection: Projection) -> list[tuple[float, float]]:
    """Points of -1 to 1: the disk itself, or the plane scaled to its widest extent."""
    if projection.space == "disk":
        found = []
        for x, y in projection.points:
            radius = math.hypot(x, y)
            scale = math.tanh(radius / 2) / radius if radius else 0.0
            found.append((x * scale, y * scale))
        return found
    lows = [min(p[i] for p in projection.points) for i in (0, 1)]
    highs = [max(p[i] for p in projection.points) for i in (0, 1)]
    middle = [(low + high) / 2 for low, high in zip(lows, highs, strict=True)]
    reach = max(high - low for low, high in zip(lows, highs, strict=True)) / 2 or 1.0
    return [((x - middle[0]) / reach, (y - middle[1]) / reach) for x, y in projection.points]


def _class(clade: int) -> int:
    return clade if 0 <= clade < OTHER else OTHER


def _labels(
    projection: Projection, points: Sequence[tuple[float, float]], size: float, half: float
) -> list[Shape]:
    """A clade's name on the middle of its points, where no other name stands."""
    taken: list[tuple[float, float, float]] = []
    shapes = []
    for clade, name in enumerate(projection.clades[:OTHER]):
        held = [p for p, c in zip(points, projection.clade, strict=True) if c == clade]
        x, y = (sorted(p[i] for p in held)[len(held) // 2] for i in (0, 1))
        said = clip(name, 28)
        wide = text_width(said, 8.0)
        px = min(max(half + x * size - wide / 2, 0), 2 * half - wide)
        py = half - y * size + 5
        for shift in (0.0, -18.0, 18.0, -36.0, 36.0):
            free = all(
                abs(py + shift - ty) > 17 or px > tx + tw or tx > px + wide for tx, ty, tw in taken
            )
            if free:
                taken.append((px, py + shift, wide))
                shapes.append(text(px, py + shift, said, "strong"))
                break
    return shapes


def _drawing(projection: Projection, width: int) -> Drawing:
    wide = width == WIDE
    side = 620.0 if wide else float(NARROW)
    half, size, r = side / 2, side / 2 - _MARGIN, 3.0 if wide else 2.4
    points = unit(projection)
    every = 1 if wide else max(1, math.ceil(len(points) / _SHOWN))
    shapes: list[Shape] = []
    if projection.space == "disk":
        shapes.append(dot(half, half, size, "rim"))
    paths: dict[tuple[int, bool], list[str]] = {}
    for i in range(0, len(points), every):
        never = bool(projection.untrained) and projection.untrained[i]
        x, y = points[i]
        clade = _class(projection.clade[i])
        at = f"M{round1(half + x * size)} {round1(half - y * size)}"
        paths.setdefault((clade, never), []).append(at + outline(clade, r))
    for clade, never in sorted(paths, key=lambda key: (-key[0], key[1])):
        kind = f"clade{clade}{' hollow' if never else ''}"
        shapes.append(Shape("path", kind, d="".join(paths[clade, never])))
    shapes += _labels(projection, points, size, half)
    legend, height = _legend(
        projection, side + 36 if wide else 0.0, 40.0 if wide else side + 20, wide
    )
    return Drawing(width, max(side, height), (*shapes, *legend))


def counts(projection: Projection) -> list[tuple[str, int, int, int]]:
    """Every clade with its class, its points, and those of them that were never trained."""
    never = projection.untrained or (False,) * len(projection.points)
    found = []
    for clade, name in [*enumerate(projection.clades[:OTHER]), (OTHER, "other clades, or none")]:
        held = [n for n, c in zip(never, projection.clade, strict=True) if _class(c) == clade]
        if held:
            found.append((clean(name), clade, len(held), sum(held)))
    return found


def _legend(projection: Projection, x: float, y: float, wide: bool) -> tuple[list[Shape], float]:
    shapes: list[Shape] = []
    right = float(WIDE if wide else NARROW)
    rows = [(f"clade{clade}", clade, name, held) for name, clade, held, _ in counts(projection)]
    if never := sum(projection.untrained):
        said = "hollow, whatever the shape: never trained" if wide else "hollow: never trained"
        rows.append(("clade8 hollow", 0, said, never))
    for kind, clade, name, held in rows:
        mark = f"M{round1(x + 8)} {round1(y - 5)}{outline(clade, 5)}"
        shapes.append(Shape("path", kind, d=mark))
        shapes.append(text(x + 24, y, clip(name, 41 if wide else 28)))
        shapes.append(text(right, y, number(held), "tick", "end"))
        y += 26
    return shapes, y


def projection(report: Report) -> Picture | None:
    """The sample of rows in two dimensions."""
    found = report.audit.projection if report.audit else None
    if found is None or len(found.points) < 2:
        return None
    shown = f"{number(len(found.points))} of {number(found.total)} rows"
    if len(found.points) == found.total:
        shown = f"All {number(found.total)} rows"
    title = f"{shown} in two dimensions"
    if found.clades:
        title += f", by clade: {clip(found.clades[0], 40)} is the largest of those named"
    if any(found.untrained):
        held = sum(found.untrained) / len(found.untrained)
        title = f"{shown} in two dimensions: the {percent(held)} never trained are hollow"
    said = "; ".join(f"{clip(name, 60)} {number(held)}" for name, _, held, _ in counts(found))
    return both(
        "projection",
        title,
        f"Points by clade: {said}. {found.method}",
        lambda width: _drawing(found, width),
        (
            clip(found.method, 400),
            f"Seed {found.seed}. --projection FILE writes a page in which one can move, zoom and "
            "read every name.",
        ),
    )
