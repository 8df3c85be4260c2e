"""Pictures of the training: loss and norms over the epochs, and which rows it never reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from taxcheck.model.pictures import Curve, Untrained
from taxcheck.model.report import Report
from taxcheck.model.vocabulary import percent, plural

from ..text import clip, number
from ..view import judging
from .labels import lanes
from .svg import (
    NARROW,
    WIDE,
    Drawing,
    Picture,
    Shape,
    both,
    line,
    meter,
    path,
    rect,
    rungs,
    text,
    text_width,
    ticks,
)

_Points = Sequence[tuple[float, float]]
_Scale = Callable[[float], float]


def _path(points: _Points, x: _Scale, y: _Scale, kind: str) -> Shape:
    return Shape("path", kind, d=path((x(at), y(value)) for at, value in points))


def _between(low: float, high: float, top: float, base: float) -> _Scale:
    def scaled(value: float) -> float:
        share = (value - low) / (high - low) if high > low else 0.5
        return base - share * (base - top)

    return scaled


def _loss(
    curve: Curve, x: _Scale, ends: tuple[float, float], box: tuple[float, float], marked: str
) -> list[Shape]:
    """The loss as recorded, as a band, and smoothed; above it what is wrong with it."""
    (left, right), (top, base) = ends, box
    lowest = min(0.0, *(low for _, low, _ in curve.loss))
    highest = max(high for *_, high in curve.loss)
    y = _between(lowest, highest, top, base)
    shapes: list[Shape] = []
    marks = (lowest, (lowest + highest) / 2, highest)
    shapes += rungs(((y(value), f"{value:.3g}") for value in marks), left, right)
    if marked == "rise" and curve.least and curve.last:
        start, end = x(curve.least[0]), x(curve.last[0])
        shapes.append(rect(start, top, max(end - start, 1.5), base - top, "bucket0"))
        shapes.append(line(start, y(curve.least[1]), end, y(curve.least[1]), "mark"))
    if marked == "drop" and curve.largest and curve.ended:
        start, end = x(curve.largest[0]), x(curve.ended[0])
        above, below = sorted((y(curve.largest[1]), y(curve.ended[1])))
        shapes.append(rect(start, above, max(end - start, 1.5), max(below - above, 3), "bucket0"))
        shapes.append(line(start, y(curve.largest[1]), end, y(curve.largest[1]), "mark"))
    band = [(at, high) for at, _, high in curve.loss]
    back = [(at, low) for at, low, _ in reversed(curve.loss)]
    shapes.append(_path([*band, *back], x, y, "recorded"))
    shapes.append(_path(curve.smooth, x, y, "median"))
    return shapes


def _norms(
    curve: Curve, x: _Scale, ends: tuple[float, float], box: tuple[float, float]
) -> list[Shape]:
    (left, right), (top, base) = ends, box
    highest = max(r for _, r in (*curve.radii, *curve.farthest, (0, curve.clip or 0.1)))
    y = _between(0, highest, top, base)
    shapes: list[Shape] = []
    shapes += rungs(((y(tick), str(tick)) for tick in ticks(highest, 4)), left, right)
    if curve.clip is not None:
        shapes.append(line(left, y(curve.clip), right, y(curve.clip), "mark"))
        shapes.append(text(left + 6, y(curve.clip) + 16, f"clip: {curve.clip:.2f}", "strong"))
    for points, kind in ((curve.farthest, "target"), (curve.radii, "median")):
        if len(points) > 1:
            shapes.append(_path(points, x, y, kind))
    if curve.reached is not None:
        at = x(curve.reached)
        shapes.append(line(at, top, at, base, "flag"))
    return shapes


def _curve(curve: Curve, width: int, marked: str, said: str) -> Drawing:
    wide = width == WIDE
    left, right = (64.0, width - 16.0) if wide else (44.0, width - 8.0)
    epochs = [at for at, *_ in (*curve.loss, *curve.radii, *curve.farthest, *curve.broken)]
    first, last = min(epochs), max(epochs)

    def x(at: float) -> float:
        return left + (at - first) / ((last - first) or 1.0) * (right - left)

    shapes: list[Shape] = []
    y = 0.0
    if len(curve.loss) > 1:
        shapes.append(text(left, 14, "loss", "strong"))
        key = "light: as recorded; line: median of a tenth of a stage" if wide else "line: median"
        shapes.append(text(left + 44, 14, key, "tick"))
        if marked:
            shapes.append(text(right, 14 if wide else 32, said, "found", "end"))
        top = 24.0 if wide or not marked else 42.0
        y = top + (190.0 if wide else 140.0)
        shapes += _loss(curve, x, (left, right), (top, y), marked)
    if curve.radii or curve.farthest:
        top = y + 46 if y else 24.0
        said = "hyperbolic radius of the rows" if wide else "radius"
        shapes.append(text(left, top - 10, said, "strong"))
        key = "line: 90th percentile" + ("; dotted: farthest" if curve.farthest else "")
        shapes.append(text(left + (220 if wide else 56), top - 10, key, "tick"))
        y = top + (110.0 if wide else 90.0)
        shapes += _norms(curve, x, (left, right), (top, y))
    shapes.append(line(left, y, right, y, "axis"))
    shapes += _epochs(curve, x, (first, last), y, wide)
    shapes.append(text(left, y + 38, curve.unit + _broken(curve, wide), "tick"))
    return Drawing(width, y + 44, tuple(shapes))


def _epochs(
    curve: Curve, x: _Scale, ends: tuple[float, float], y: float, wide: bool
) -> Iterator[Shape]:
    """Along the axis: a bar where a step gave NaN, and the epochs that there is room to name."""
    first, last = ends
    for at, steps in curve.broken:
        tip = f"{curve.unit} {number(at)}: {plural(steps, 'step')} gave NaN"
        yield rect(x(at) - 1.5, y - 12, 3, 12, "never0", tip)
    for tick in sorted({first, *(t for t in ticks(last, 10 if wide else 4) if t > first), last}):
        if tick in ends or (x(tick) - x(first) > 40 and x(last) - x(tick) > 40):
            yield text(x(tick), y + 18, number(tick), "tick", "middle")


def _broken(curve: Curve, wide: bool) -> str:
    gave = "bars on the axis: {0} that gave NaN or infinity" if wide else "bars: {0} gave NaN"
    return "; " + gave.format(plural(curve.nan_steps, "step")) if curve.nan_steps else ""


def _course(curve: Curve) -> str:
    """How far the loss came, where nothing is wrong with it."""
    if not (course := curve.course()):
        return f"{plural(curve.records, 'record')} of the training"
    return f"the loss went from {course}" + (f", {percent(curve.drop)} lower" if curve.drop else "")


def training_curve(report: Report) -> Picture | None:
    """What the metrics show over the epochs."""
    curve = report.audit.curve if report.audit else None
    if curve is None or not (len(curve.loss) > 1 or curve.radii or curve.farthest or curve.broken):
        return None
    judged = judging(report, "training_curve")
    signs = curve.signs(judged.threshold if judged else {})
    told = list(signs.values())
    marked = next((kind for kind in ("rise", "drop") if kind in signs), "")
    if not marked:
        told.insert(0, _course(curve))
    title = "; ".join(told)
    points = "; ".join(
        f"{curve.unit} {number(at)}: {number(value)}" for at, value in curve.smooth[::20]
    )
    return both(
        "curve",
        title[:1].upper() + title[1:],
        f"The loss over the training, smoothed: {points or 'not recorded'}.",
        lambda width: _curve(curve, width, marked, signs.get(marked, "").removeprefix("the loss ")),
    )


_BOX = "inside the init box"
_SHADES = 4
_BAR = 34.0
_ONCE = "A row counts once: under its strongest evidence, and under one explanation."
_NOT_COUNTED = (
    "Rows whose only evidence is the init box count where they are many: a root belongs near the "
    "origin."
)


@dataclass(frozen=True, slots=True)
class _Row:
    """One bar: a heading and its parts, (label, rows, class)."""

    heading: str
    parts: tuple[tuple[str, int, str], ...]

    @property
    def total(self) -> int:
        return sum(rows for _, rows, _ in self.parts)


def _shaded(heading: str, parts: Sequence[tuple[str, int]]) -> _Row:
    shaded = ((clip(said, 48), n, f"never{i % _SHADES}") for i, (said, n) in enumerate(parts))
    return _Row(heading, tuple(shaded))


def _before(report: Report) -> _Row | None:
    roles = report.pictures.roles
    if not roles or not sum(role.value for role in roles):
        return None
    never = int(sum(role.value for role in roles[3:]))
    paired = int(sum(role.value for role in roles[:3]))
    parts = (("in a pair", paired, "role0"), ("in no pair", never, "role3"))
    return _Row("Before training: nodes of the mapping", parts)


def _counted(found: Untrained, report: Report) -> Untrained:
    """The rows that the rule counts: those in the init box alone are none where they are few."""
    judged = judging(report, "untrained")
    if judged is None or judged.count is None or judged.count == found.never:
        return found
    table = report.statistics.embeddings
    known = table.never_trained if table else None
    both = known.by_both if known else {}
    explanations = [
        (said, rows - (both[said].get(_BOX, 0) if said in both else 0))
        for said, rows in found.explanations
    ]
    return replace(
        found,
        never=judged.count,
        evidence=tuple(item for item in found.evidence if item[0] != _BOX),
        explanations=tuple(item for item in explanations if item[1] > 0),
    )


def _after(found: Untrained, left_out: int) -> _Row:
    parts = [
        (
            "trained" if found.trained_known else "not known to be untrained",
            found.rows - found.never - left_out,
            "role0",
        ),
        ("never trained", found.never, "role3"),
    ]
    if left_out:
        parts.insert(1, ("near the origin, not counted", left_out, "role1"))
    return _Row("After training: rows of the table", tuple(parts))


def _bar(row: _Row, y: float, width: float) -> tuple[list[Shape], float]:
    """A heading and a bar whose parts are labelled inside or, where too narrow, below."""
    shapes = [text(0, y + 14, row.heading, "tick")]
    top = y + 22
    total, x = row.total, 0.0
    outside: list[tuple[float, str]] = []
    for label, rows, kind in row.parts:
        if not rows:
            continue
        long = rows / total * width
        said = f"{label}: {number(rows)} ({percent(rows / total)})"
        shapes.append(rect(min(x, width - 1.5), top, max(long - 1, 1.5), _BAR, kind, said))
        if long > text_width(said) + 20:
            shapes.append(text(x + 10, top + 22, said, f"on-{kind}"))
        else:
            outside.append((min(x + max(long, 1.5) / 2, width - 1), said))
        x += long
    placed = lanes(outside, width)
    for (middle, said), (left, lane) in zip(outside, placed, strict=True):
        base = top + _BAR + 24 + lane * 20
        shapes.append(line(middle, top + _BAR, middle, base - 12, "leader"))
        shapes.append(text(left, base, said))
    below = max((lane + 1 for _, lane in placed), default=0)
    return shapes, top + _BAR + (8 + 20 * below if below else 0)


def _wide(rows: Sequence[_Row], parts: Sequence[_Row]) -> Drawing:
    shapes: list[Shape] = []
    y = 0.0
    for at, row in enumerate((*rows, *parts)):
        if at == len(rows):  # what was never trained is spread over the whole width
            start = (1 - rows[-1].parts[-1][1] / rows[-1].total) * WIDE
            shapes.append(line(start, y - 10, 0, y + 34, "leader"))
            shapes.append(line(WIDE, y - 10, WIDE, y + 34, "leader"))
            y += 34
        drawn, y = _bar(row, y, WIDE)
        shapes += drawn
        y += 13
    return Drawing(WIDE, y, tuple(shapes))


def _narrow(rows: Sequence[_Row]) -> Drawing:
    shapes: list[Shape] = []
    y = 0.0
    for row in rows:
        shapes.append(text(0, y + 14, row.heading, "strong"))
        y += 24
        for label, count, kind in row.parts:
            share = count / row.total
            shapes += meter(y, clip(label, 26), f"{number(count)} ({percent(share)})", share, kind)
            y += 42
        y += 10
    return Drawing(NARROW, y, tuple(shapes))


def untrained(report: Report) -> Picture | None:
    """What the pairs left out, what the table shows, and how the two are joined."""
    found = report.audit.untrained if report.audit else None
    if found is None or not found.rows:
        return None
    every, found = found.never, _counted(found, report)
    left_out = every - found.never
    before = _before(report)
    rows = [row for row in (before, _after(found, left_out)) if row is not None]
    parts: list[_Row] = []
    if found.never and found.explanations:
        parts.append(_shaded("Never trained: what in the data explains it", found.explanations))
    if found.never and found.evidence:
        parts.append(_shaded("Never trained: how it is known", found.evidence))
    told = "; ".join(
        f"{row.heading}: " + ", ".join(f"{said} {number(count)}" for said, count, _ in row.parts)
        for row in (*rows, *parts)
    )
    return Picture(
        "untrained",
        _title(found, before, left_out),
        f"Bars of the rows before and after training. {told}.",
        _wide(rows, parts),
        _narrow([*rows, *parts]),
        (_ONCE,) * bool(parts) + (_NOT_COUNTED,) * bool(left_out),
        fine=not found.never and found.trained_known,
    )


def _title(found: Untrained, before: _Row | None, left_out: int) -> str:
    if not found.never and not found.trained_known:
        return "No row is known to be untrained; whether the rows were trained is not recorded"
    if not found.never and left_out:
        return f"No sign that any of {number(found.rows)} rows was left untrained"
    if not found.never:
        return f"All {number(found.rows)} rows were trained"
    were, share = "was" if found.never == 1 else "were", percent(found.never / found.rows)
    told = f"{number(found.never)} of {number(found.rows)} rows ({share}) {were} never trained"
    lacking = before.parts[1][1] if before else 0
    if lacking == found.never:
        return f"{told}: as many as the nodes that are in no pair"
    if lacking:
        return f"{told}; {number(lacking)} nodes are in no pair"
    return told
