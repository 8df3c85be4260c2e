"""Pictures of the nodes: their roles as one bar, and their coverage along idx and taxid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from taxcheck.data_bins import Bar
from taxcheck.report import Report

from .svg import (
    NARROW,
    WIDE,
    Drawing,
    Picture,
    Shape,
    columns,
    line,
    rebin,
    rect,
    text,
    text_width,
    ticks,
)
from .text import clip, number, percent, plural
from .view import FOUND, of_outcome

_BINS = 240
_CUT_RULE = "PAIR014"


def _role(bar: Bar) -> str:
    return clip(bar.label, 32)


def _count(value: float) -> str:
    return number(int(value) if value == int(value) else value)


def _roles_wide(roles: Sequence[Bar], total: float) -> Drawing:
    shapes: list[Shape] = []
    below = 0.0
    x = 0.0
    for position, bar in enumerate(roles):
        width = bar.value / total * WIDE
        label, count = _role(bar), f"{_count(bar.value)}"
        share = f"{count} ({percent(bar.value / total)})"
        kind = f"role{min(position, 3)}"
        if bar.value:
            shapes.append(
                rect(min(x, WIDE - 1.5), 26, max(width - 1, 1.5), 44, kind, f"{label}: {share}")
            )
        if bar.value and width > max(text_width(label), text_width(share, 9)) + 16:
            shapes.append(text(x, 17, label))
            shapes.append(text(x + 12, 54, share, f"on-{kind}"))
        elif bar.value:
            said = f"{label}: {share}"
            middle = min(x + max(width, 1.5) / 2, WIDE - 1)
            left = max(below, middle - text_width(said) / 2)
            below = left + text_width(said) + 16
            shapes.append(line(middle, 70, middle, 80, "leader"))
            shapes.append(
                text(left, 95, said) if below < WIDE else text(WIDE, 95, said, anchor="end")
            )
        x += width
    return Drawing(WIDE, 102 if below else 74, tuple(shapes))


def _roles_narrow(roles: Sequence[Bar], total: float) -> Drawing:
    shapes: list[Shape] = []
    for position, bar in enumerate(roles):
        y = position * 46
        shapes.append(text(0, y + 14, _role(bar)))
        shapes.append(
            text(
                NARROW, y + 14, f"{_count(bar.value)} ({percent(bar.value / total)})", anchor="end"
            )
        )
        width = bar.value / total * NARROW
        shapes.append(rect(0, y + 20, NARROW, 16, "track"))
        if bar.value:
            shapes.append(rect(0, y + 20, max(width, 1.5), 16, f"role{min(position, 3)}"))
    return Drawing(NARROW, len(roles) * 46 - 6, tuple(shapes))


def roles(report: Report) -> Picture | None:
    """Every mapped node once, by what it is in the pairs."""
    bars = report.pictures.roles
    total = sum(bar.value for bar in bars or ())
    if not bars or total <= 0:
        return None
    never = sum(bar.value for bar in bars[3:])  # both, only descendant, only ancestor, never
    title = (
        f"{_count(never)} of {_count(total)} mapped nodes ({percent(never / total)}) "
        f"{'is' if never == 1 else 'are'} in no training pair"
        if never
        else f"All {_count(total)} mapped nodes are in a training pair"
    )
    said = "; ".join(f"{_role(bar)}: {_count(bar.value)}" for bar in bars)
    return Picture(
        "roles",
        title,
        f"One bar of {_count(total)} nodes by role. {said}.",
        _roles_wide(bars, total),
        _roles_narrow(bars, total),
    )


@dataclass(frozen=True, slots=True)
class _Row:
    label: str
    shares: tuple[float, ...]
    kind: str


@dataclass(frozen=True, slots=True)
class _Mark:
    at: float  # 0 to 1
    label: str


def _rows(
    rows: Sequence[_Row],
    width: int,
    marks: Sequence[_Mark],
    axis: Mapping[float, str],
) -> Drawing:
    """Rows of columns over one axis, each labelled where it stands."""
    height, step = (30, 54) if width == WIDE else (26, 50)
    top = 24.0 if marks else 4.0
    shapes: list[Shape] = []
    y = top
    for row in rows:
        base = y + height + 18
        shapes.append(text(0, y + 13, row.label))
        shapes.append(rect(0, base - height, width, height, "track"))
        path = columns(rebin(row.shares, _BINS), 0, base, width, height)
        shapes.append(Shape("path", row.kind, d=path))
        y += step
    bottom = y
    shapes.append(line(0, bottom, width, bottom, "axis"))
    end = -1.0
    for at, label in axis.items():
        x = at * width
        shapes.append(line(x, bottom, x, bottom + 5, "axis"))
        wide = text_width(label)
        left = min(max(x - wide / 2, 0), width - wide)
        if left > end:
            anchor = "start" if left == 0 else "end" if x + wide / 2 > width else "middle"
            at_edge = {"start": 0.0, "end": float(width), "middle": x}[anchor]
            shapes.append(text(at_edge, bottom + 20, label, "tick", anchor))
            end = left + wide + 8
    for mark in marks:
        x = mark.at * width
        before = mark.at > 0.5
        shapes.append(line(x, top - 20, x, bottom, "mark"))
        shapes.append(
            text(
                x + (-7 if before else 7),
                top - 9,
                mark.label,
                "strong",
                "end" if before else "start",
            )
        )
    return Drawing(width, bottom + 26, tuple(shapes))


def _statistic(report: Report, section: str, key: str) -> int | None:
    values = report.statistics.get(section)
    found = values.get(key) if isinstance(values, Mapping) else None
    return found if isinstance(found, int) else None


def id_axis(report: Report) -> Picture | None:
    """Where along idx the nodes are in pairs, in none, or missing from the mapping."""
    bins, n = report.pictures.id_axis, report.pictures.n_nodes
    if not bins or not n:
        return None
    size = report.pictures.table_size
    lacking = n - size if size is not None and size < n else 0
    covered, never, holes = (tuple(b[i] for b in bins) for i in range(3))
    paired = report.pictures.roles is not None
    if not paired:
        covered, never = tuple(a + b for a, b in zip(covered, never, strict=True)), ()
    hole_count = _statistic(report, "mapping", "holes")
    rows = [_Row("in a pair" if paired else "mapped", covered, "role0")]
    if any(never):
        rows.append(_Row("in no pair", never, "role3"))
    if hole_count or any(holes):
        rows.append(_Row("hole", holes, "hole"))
    if lacking:
        title = (
            f"A table sized from the pairs ends at idx {number(n - lacking - 1)} and lacks the "
            f"last {plural(lacking, 'row')}"
        )
    elif hole_count:
        title = f"{number(hole_count)} of {number(n)} idx are mapped to by no identifier"
    elif any(never):
        title = "Where along idx the nodes in no pair lie"
    else:
        also = " and in a pair" if paired else ""
        title = f"Every idx from 0 to {number(n - 1)} is mapped{also}"
    marks = [_Mark(1 - lacking / n, f"table sized from the pairs: {number(size)} rows")]
    marks = marks if lacking else []
    wide, narrow = (
        _rows(rows, width, marks, {t / n: number(t) for t in ticks(n, about)})
        for width, about in ((WIDE, 8), (NARROW, 3))
    )
    return Picture(
        "id-axis",
        title,
        f"Shares of idx 0 to {number(n - 1)}, binned, that are in a pair, in no pair, or holes.",
        wide,
        narrow,
        notes=("Height: share of the idx in that stretch, from none to all. Axis: idx.",),
    )


def taxid_axis(report: Report) -> Picture | None:
    """Coverage of the nodes in taxid order, where a rule found it cut at taxid = n_nodes."""
    shares, cut = report.pictures.taxid_axis, report.pictures.taxid_cut
    found = {result.rule.id for result in of_outcome(report, *FOUND)}
    if not shares or cut is None or _CUT_RULE not in found:
        return None
    at, taxid, below, above = cut
    mark = _Mark(at, f"taxid {number(int(taxid))} = number of nodes")
    rows = [_Row("in a pair", shares, "role0")]
    wide, narrow = (
        _rows(rows, width, [mark], {at / 2: before, (1 + at) / 2: after})
        for width, before, after in (
            (WIDE, f"lower taxids: {percent(below)} in a pair", f"higher: {percent(above)}"),
            (NARROW, f"lower: {percent(below)}", f"higher: {percent(above)}"),
        )
    )
    return Picture(
        "taxid-axis",
        f"Of the nodes below taxid {number(int(taxid))}, the number of nodes, {percent(below)} "
        f"are in a pair; from there on {percent(above)}",
        f"Nodes in taxid order: {percent(below)} of those with a lower taxid are in a pair, "
        f"{percent(above)} of the others.",
        wide,
        narrow,
        notes=("Height: share of the nodes in a pair. Axis: mapped nodes in the order of taxid.",),
    )
