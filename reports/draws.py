"""The picture of the training draws: what each way of drawing gives near and distant pairs."""

from __future__ import annotations

from collections.abc import Sequence

from taxcheck.data_bins import Draws
from taxcheck.report import Report

from .histograms import BUCKETS
from .svg import NARROW, WIDE, Drawing, Picture, Shape, rect, text
from .text import clip, percent

_STEP = {WIDE: 30.0, NARROW: 48.0}


def _label(draws: Draws) -> str:
    return clip(draws.label, 40) + (" (declared)" if draws.declared else "")


def _matrix(rows: Sequence[Draws], width: int) -> Drawing:
    """A row for each way of drawing, a column for each range, all bars on one scale."""
    wide = width == WIDE
    left, column, room = (250.0, 274.0, 66.0) if wide else (0.0, 117.0, 54.0)
    bar = column - room
    shapes: list[Shape] = []
    for position, (*_, label) in enumerate(BUCKETS):
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
                shapes.append(rect(x, y, max(share * bar, 1), 18, "column"))
            shapes.append(text(x + bar + 6, y + 14, percent(share), kind))
    return Drawing(width, 24 + len(rows) * _STEP[width] - 6, tuple(shapes))


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
            for (*_, label), share in zip(BUCKETS, row.shares, strict=True)
        )
        for row in rows
    )
    return Picture(
        "draws",
        f"Share of the training draws that are parent and child: {', '.join(near)}",
        f"Shares of the training draws by way of drawing. {said}.",
        _matrix(rows, WIDE),
        _matrix(rows, NARROW),
        notes=(
            "Over depths: every depth that occurs is drawn as often. Over ranges: each of these "
            "three is.",
        ),
    )
