"""The picture of misplaced rows: their share of each clade, the worst first."""

from __future__ import annotations

from taxcheck.model.pictures import Misplaced
from taxcheck.model.report import Report
from taxcheck.model.vocabulary import percent

from ..text import clip, number
from .svg import WIDE, Drawing, Picture, Shape, both, rect, text


def _clades(found: Misplaced, width: int) -> Drawing:
    wide = width == WIDE
    left, right, step = (300.0, 170.0, 26.0) if wide else (0.0, 0.0, 46.0)
    plot = width - left - right
    shapes: list[Shape] = []
    for place, (name, bad, of) in enumerate(found.clades):
        y = place * step
        said = f"{percent(bad / of)}, {number(bad)} of {number(of)}"
        long = max(bad / of * plot, 1.5)
        if wide:
            shapes.append(text(left - 14, y + 17, clip(name, 34), "label", "end"))
            shapes.append(text(width, y + 17, said, "tick", "end"))
        else:
            shapes.append(text(0, y + 15, clip(name, 22)))
            shapes.append(text(width, y + 15, said, "tick", "end"))
        bar = y + 4 if wide else y + 22
        shapes.append(rect(left, bar, plot, 16, "track"))
        shapes.append(rect(left, bar, long, 16, "role3", f"{name}: {said}"))
    return Drawing(width, len(found.clades) * step + 2, tuple(shapes))


def misplaced(report: Report) -> Picture | None:
    """Rows that are no nearer to their relatives than random ones, by clade."""
    found = report.audit.misplaced if report.audit else None
    if found is None or not found.named or not found.clades:
        return None
    name, bad, of = found.clades[0]
    title = (
        f"{number(found.named)} of {number(found.judged)} nodes "
        f"({percent(found.named / found.judged)}) are misplaced; most of them in {name}, "
        f"{percent(bad / of)}"
    )
    said = "; ".join(f"{n}: {number(b)} of {number(o)}" for n, b, o in found.clades)
    note = f"Share of the judged nodes of each clade ({found.level}), the worst first."
    return both("misplaced", title, f"{note} {said}.", lambda width: _clades(found, width), (note,))
