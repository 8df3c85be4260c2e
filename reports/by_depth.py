"""Pictures of a share at every depth: children inside their parent, nodes without an update."""

from __future__ import annotations

from collections.abc import Sequence

from taxcheck.report import Report

from .svg import NARROW, WIDE, Drawing, Picture, Shape, line, rect, text
from .text import number, percent

_Rows = Sequence[tuple[int, int, float]]
_PLOT = 120.0


def _drawing(rows: _Rows, width: int, of: str, caption: str) -> Drawing:
    left, top = 52.0, 6.0
    base = top + _PLOT
    first, last = rows[0][0], rows[-1][0]
    step = (width - left) / (last - first + 1)
    shapes: list[Shape] = []
    for share in (0.0, 0.5, 1.0):
        y = base - share * _PLOT
        shapes.append(line(left, y, width, y, "grid"))
        shapes.append(text(left - 8, y + 4, f"{share * 100:.0f} %", "tick", "end"))
    every = 1 if step > 26 else 5 if step > 6 else 10
    for depth, total, share in rows:
        x = left + (depth - first) * step
        tip = f"depth {depth}: {percent(share)} of {number(total)} {of}"
        if share > 0:
            tall = max(share * _PLOT, 1)
            shapes.append(rect(x + 0.5, base - tall, max(step - 1.5, 1), tall, "role3", tip))
        if depth in (first, last) or (depth % every == 0 and last - depth > every * 0.6):
            shapes.append(text(x + step / 2, base + 18, str(depth), "tick", "middle"))
    shapes.append(line(left, base, width, base, "axis"))
    shapes.append(text(left, base + 38, caption, "tick"))
    return Drawing(width, base + 44, tuple(shapes))


def _picture(key: str, title: str, rows: _Rows, of: str, caption: str) -> Picture:
    said = "; ".join(
        f"depth {depth}: {percent(share)} of {total:,}" for depth, total, share in rows
    )
    return Picture(
        key,
        title,
        f"Shares by depth. {said}.",
        _drawing(rows, WIDE, of, caption),
        _drawing(rows, NARROW, of, caption),
    )


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
    return _picture("inside", title, rows, "edges", "depth of the child; height: share of edges")


def updates(report: Report) -> Picture | None:
    """Nodes that no training step ever updated, by depth."""
    rows = report.audit.updates_by_depth if report.audit else ()
    title = _titled("nodes had no update", rows)
    if title is None:
        return None  # the picture of the untrained rows says that there are none
    return _picture("updates", title, rows, "nodes", "depth of the node; height: share of nodes")
