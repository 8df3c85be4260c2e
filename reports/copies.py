"""The picture of the copies: groups of rows with the same numbers, the largest by name."""

from __future__ import annotations

from taxcheck.audit_bins import Copies, CopyGroup
from taxcheck.report import Report

from .svg import NARROW, WIDE, Drawing, Picture, Shape, rect, text
from .text import clip, number, percent, plural


def _members(group: CopyGroup, limit: int) -> str:
    """The first of them, as many names as there is room for, and how many more."""
    said, shown = clip(group.names[0], limit), 1
    for name in group.names[1:]:
        if len(said) + len(name) + 2 > limit:
            break
        said, shown = f"{said}, {name}", shown + 1
    return said + (f" and {number(group.size - shown)} more" if group.size > shown else "")


def _drawing(copies: Copies, width: int) -> Drawing:
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
    return Picture(
        "copies",
        title,
        f"Groups of equal rows. {said}.",
        _drawing(found, WIDE),
        _drawing(found, NARROW),
        notes=(f"The {shown} largest of {plural(found.groups, 'group')}.",)
        if found.groups > shown
        else (),
    )
