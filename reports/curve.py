"""The picture of the training: loss and norms over the epochs, with what is wrong marked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from taxcheck.audit_bins import Curve
from taxcheck.report import Report

from .svg import NARROW, WIDE, Drawing, Picture, Shape, line, rect, round1, text, ticks
from .text import number, percent, plural

_RULE = "TRAIN009"
_Points = Sequence[tuple[float, float]]
_Scale = Callable[[float], float]


def _path(points: _Points, x: _Scale, y: _Scale, kind: str) -> Shape:
    there = "L".join(f"{round1(x(at))} {round1(y(value))}" for at, value in points)
    return Shape("path", kind, d=f"M{there}")


def _between(low: float, high: float, top: float, base: float) -> _Scale:
    def scaled(value: float) -> float:
        share = (value - low) / (high - low) if high > low else 0.5
        return base - share * (base - top)

    return scaled


def _thresholds(report: Report) -> Mapping[str, float]:
    """Those in force, where the rule was judged."""
    return next((r.threshold for r in report.results if r.rule.id == _RULE and r.finding), {})


def _plateau(curve: Curve, threshold: Mapping[str, float]) -> bool:
    return curve.drop is not None and curve.drop < threshold.get("drop", curve.drop)


def _rise(curve: Curve, threshold: Mapping[str, float]) -> bool:
    return curve.rise is not None and curve.rise > threshold.get("rise", curve.rise)


def _loss(
    curve: Curve, x: _Scale, ends: tuple[float, float], box: tuple[float, float], marked: str
) -> list[Shape]:
    """The loss as recorded, as a band, and smoothed; above it what is wrong with it."""
    (left, right), (top, base) = ends, box
    lowest = min(0.0, *(low for _, low, _ in curve.loss))
    highest = max(high for *_, high in curve.loss)
    y = _between(lowest, highest, top, base)
    shapes: list[Shape] = []
    for value in (lowest, (lowest + highest) / 2, highest):
        shapes.append(line(left, y(value), right, y(value), "grid"))
        shapes.append(text(left - 8, y(value) + 4, f"{value:.3g}", "tick", "end"))
    if marked == "rise" and curve.least and curve.last:
        start, end = x(curve.least[0]), x(curve.last[0])
        shapes.append(rect(start, top, max(end - start, 1.5), base - top, "bucket0"))
        shapes.append(line(start, y(curve.least[1]), end, y(curve.least[1]), "mark"))
    if marked == "plateau" and curve.largest and curve.last:
        start, end = x(curve.largest[0]), x(curve.last[0])
        above, below = sorted((y(curve.largest[1]), y(curve.last[1])))
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
    for tick in ticks(highest, 4):
        shapes.append(line(left, y(tick), right, y(tick), "grid"))
        shapes.append(text(left - 8, y(tick) + 4, str(tick), "tick", "end"))
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


def _drawing(curve: Curve, width: int, marked: str, said: str) -> Drawing:
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
        key = "light: as recorded; line: median of a tenth of the curve" if wide else "line: median"
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
    for at, steps in curve.broken:
        tip = f"{curve.unit} {number(at)}: {plural(steps, 'step')} gave NaN"
        shapes.append(rect(x(at) - 1.5, y - 12, 3, 12, "never0", tip))
    for tick in sorted({first, *(t for t in ticks(last, 10 if wide else 4) if t > first), last}):
        if tick in (first, last) or (x(tick) - x(first) > 40 and x(last) - x(tick) > 40):
            shapes.append(text(x(tick), y + 18, number(tick), "tick", "middle"))
    shapes.append(text(left, y + 38, curve.unit + _broken(curve, wide), "tick"))
    return Drawing(width, y + 44, tuple(shapes))


def _broken(curve: Curve, wide: bool) -> str:
    gave = "bars on the axis: {0} that gave NaN or infinity" if wide else "bars: {0} gave NaN"
    return "; " + gave.format(plural(curve.nan_steps, "step")) if curve.nan_steps else ""


def training_curve(report: Report) -> Picture | None:
    """What the metrics show over the epochs."""
    curve = report.audit.curve if report.audit else None
    if curve is None or not (len(curve.loss) > 1 or curve.radii or curve.farthest or curve.broken):
        return None
    threshold = _thresholds(report)
    marked, said, title = "", "", f"{plural(curve.records, 'record')} of the training"
    if curve.largest and curve.least and curve.last:
        highest, least, end = curve.largest[1], curve.least[1], curve.last[1]
        title = f"The loss went from {highest:.4g} at most to {end:.4g} at the end"
        if curve.drop:
            title += f", {percent(curve.drop)} lower"
        if _plateau(curve, threshold):
            marked, said = "plateau", f"stands still: {highest:.4g} at most, {end:.4g} at the end"
            title = f"The loss stands still: {highest:.4g} at most, {end:.4g} at the end"
        if _rise(curve, threshold):
            marked = "rise"
            said = f"rises by {percent(curve.rise or 0.0)} from its least, {least:.4g}"
            title = (
                f"The loss rises by {percent(curve.rise or 0.0)} from {least:.4g} at "
                f"{curve.unit} {number(curve.least[0])} to {end:.4g} at the end"
            )
    if curve.reached is not None:
        title += f"; a tenth of the rows is at the clip from {curve.unit} {number(curve.reached)}"
    if curve.nan_steps:
        title += f"; {plural(curve.nan_steps, 'step')} gave NaN or infinity"
    points = "; ".join(
        f"{curve.unit} {number(at)}: {value:.4g}" for at, value in curve.smooth[::20]
    )
    return Picture(
        "curve",
        title,
        f"The loss over the training, smoothed: {points or 'not recorded'}.",
        _drawing(curve, WIDE, marked, said),
        _drawing(curve, NARROW, marked, said),
    )
