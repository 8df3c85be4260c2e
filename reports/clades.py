"""The picture of the clades: which hold together and which are scattered."""

from __future__ import annotations

from dataclasses import replace

from taxcheck.audit_bins import Clade, Clades
from taxcheck.report import Report

from .svg import NARROW, WIDE, Drawing, Picture, Shape, dot, line, rect, round1, text, within
from .text import clip, number, percent, plural

_RULE = "HIER005"
_STRIP = 64.0
_ON_A_PHONE = 8


def _outlier(clades: Clades, clade: Clade) -> bool:
    return abs(clade.z) > clades.threshold


def _strip(clades: Clades, width: int) -> list[Shape]:
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
            far = max(abs(start), abs(end)) > clades.threshold
            kind = (
                "never0"
                if far and min(abs(start), abs(end)) >= clades.threshold * 0.98
                else "column"
            )
            x, tip = at(start), f"z {start:.1f} to {end:.1f}: {plural(n, 'clade')}"
            shapes.append(rect(x + 0.5, base - tall, at(end) - x - 1, tall, kind, tip))
    for z in (-clades.threshold, clades.threshold):
        if low <= z <= high:
            x, anchor = within(at(z), said := f"z {z:+.1f}", width)
            shapes.append(line(at(z), top - 4, at(z), base, "mark"))
            shapes.append(text(x, base + 18, said, "tick", anchor))
    if at(clades.threshold) - at(0) > 90:
        shapes.append(text(at(0), base + 18, "as expected", "tick", "middle"))
    shapes.append(text(0, 12, "tighter", "tick"))
    shapes.append(text(width, 12, "wider than clades of that depth and size", "tick", "end"))
    return shapes


def _named(clades: Clades, width: int, top: float) -> tuple[list[Shape], float]:
    wide = width == WIDE
    left, right, step = (270.0, 300.0, 30.0) if wide else (0.0, 0.0, 62.0)
    plot = width - left - right - 16
    highest = max(max(c.spread, c.expected) for c in clades.named) or 1.0
    shapes: list[Shape] = []
    if wide:
        shapes.append(text(left, top, "spread: mean distance of two members", "tick"))
        for x, said in ((-220, "z"), (-120, "members"), (0, "never trained")):
            shapes.append(text(width + x, top, said, "tick", "end"))
    else:
        shapes.append(text(0, top, "spread: mean distance of two members", "tick"))
    y = top + 10
    for clade in clades.named if wide else clades.named[:_ON_A_PHONE]:
        middle = y + step / 2 if wide else y + 38
        found = _outlier(clades, clade)
        kind = "strong" if found else "label"
        if wide:
            shapes.append(text(left - 14, middle + 5, clip(clade.label, 32), kind, "end"))
            shapes.append(text(width - 220, middle + 5, f"{clade.z:+.1f}", kind, "end"))
            shapes.append(text(width - 120, middle + 5, number(clade.size), "label", "end"))
            shapes.append(rect(width - 104, middle - 4, 44, 8, "track"))
            if clade.never_trained > 0:
                long = max(clade.never_trained * 44, 1)
                shapes.append(rect(width - 104, middle - 4, long, 8, "role3"))
            share = percent(clade.never_trained)
            shapes.append(text(width, middle + 5, share, "label", "end"))
        else:
            shapes.append(text(0, y + 18, clip(clade.label, 24), kind))
            said = f"z {clade.z:+.1f}, {percent(clade.never_trained)} untrained"
            shapes.append(text(width, y + 18, said, "tick", "end"))
        a, b = (left + 6 + v / highest * (plot - 12) for v in (clade.expected, clade.spread))
        shapes.append(line(left, middle, left + plot, middle, "grid"))
        shapes.append(line(a, middle, b, middle, "leader"))
        shapes.append(line(a, middle - 8, a, middle + 8, "null"))
        tip = f"spread {clade.spread:.2f}, expected {clade.expected:.2f}, depth {clade.depth}"
        shapes.append(dot(b, middle, 6, "far" if found else "ours", tip))
        y += step
    return shapes, y


def _drawing(clades: Clades, width: int) -> Drawing:
    strip = _strip(clades, width)
    named, bottom = _named(clades, width, _STRIP + 78)
    return Drawing(width, float(round1(bottom + 4)), (*strip, *named))


def _as_judged(clades: Clades, report: Report) -> Clades:
    """The clades by the threshold in force, with the numbers that their rule tells."""
    for result in report.results:
        if result.rule.id == _RULE and result.finding and "z" in result.threshold:
            count, wider = result.finding.count, result.observed.get("scattered")
            return replace(
                clades,
                threshold=result.threshold["z"],
                outliers=count,
                wider=wider if isinstance(wider, int) else clades.wider,
            )
    return clades


def clade_spread(report: Report) -> Picture | None:
    """Clades whose members lie farther apart, or closer, than their depth and size predict."""
    clades = report.audit.clades if report.audit else None
    if clades is None or not clades.named:
        return None
    clades = _as_judged(clades, report)
    wider = [c for c in clades.named if _outlier(clades, c) and c.z > 0]
    level = clip(clades.level, 60)
    if clades.outliers:
        title = (
            f"{number(clades.wider)} of {number(clades.total)} clades ({level}) are wider than "
            f"depth and size predict, {number(clades.outliers - clades.wider)} tighter"
        )
        if wider:
            title += f"; {clip(wider[0].label, 40)} most of all"
    else:
        title = f"All {number(clades.total)} clades ({level}) are spread as depth and size predict"
    said = "; ".join(
        f"{clip(c.label, 40)}: z {c.z:+.1f}, spread {c.spread:.2f}, expected {c.expected:.2f}, "
        f"{percent(c.never_trained)} never trained"
        for c in clades.named
    )
    return Picture(
        "clade-spread",
        title,
        f"Clades by how far their spread departs from the expected one. {said}.",
        _drawing(clades, WIDE),
        _drawing(clades, NARROW),
        notes=(
            "Above: all clades by z. Below: those farthest from what depth and size predict; "
            "tick: expected, dot: found, vermillion beyond the threshold.",
        ),
    )
