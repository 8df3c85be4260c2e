"""Pictures of the nodes: their roles, their coverage along idx and taxid, their pairs each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from taxcheck.model.pictures import Bar
from taxcheck.model.report import Report
from taxcheck.model.vocabulary import percent, plural

from ..text import clip, number
from ..view import FOUND, judging
from .svg import (
    NARROW,
    WIDE,
    Drawing,
    Picture,
    Shape,
    both,
    columns,
    from_to,
    line,
    meter,
    ranges,
    rebin,
    rect,
    text,
    text_width,
    ticks,
)

_BINS = 240
_ROWS = 24


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
        label = _role(bar)
        share = f"{_count(bar.value)} ({percent(bar.value / total)})"
        kind = f"role{min(position, 3)}"
        if bar.value:
            at, tip = min(x, WIDE - 1.5), f"{label}: {share}"
            shapes.append(rect(at, 26, max(width - 1, 1.5), 44, kind, tip))
        if bar.value and width > max(text_width(label), text_width(share, 9)) + 16:
            shapes.append(text(x, 17, label))
            shapes.append(text(x + 12, 54, share, f"on-{kind}"))
        elif bar.value:
            said = f"{label}: {share}"
            middle = min(x + max(width, 1.5) / 2, WIDE - 1)
            left = max(below, middle - text_width(said) / 2)
            below = left + text_width(said) + 16
            shapes.append(line(middle, 70, middle, 80, "leader"))
            at, anchor = (left, "start") if below < WIDE else (WIDE, "end")
            shapes.append(text(at, 95, said, anchor=anchor))
        x += width
    return Drawing(WIDE, 102 if below else 74, tuple(shapes))


def _roles_narrow(roles: Sequence[Bar], total: float) -> Drawing:
    shapes: list[Shape] = []
    for position, bar in enumerate(roles):
        share = bar.value / total
        said = f"{_count(bar.value)} ({percent(share)})"
        shapes += meter(position * 46, _role(bar), said, share, f"role{min(position, 3)}")
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
        fine=not never,
    )


_Row = tuple[str, Sequence[float], str]  # its label, its shares of 0 to 1, its kind
_Mark = tuple[float, str]  # where along the axis, 0 to 1, and its label


def _rows(
    rows: Sequence[_Row], width: int, marks: Sequence[_Mark], axis: Mapping[float, str]
) -> Drawing:
    """Rows of columns over one axis, each labelled where it stands."""
    height, step = (30, 54) if width == WIDE else (26, 50)
    top = 24.0 if marks else 4.0
    shapes: list[Shape] = []
    y = top
    for label, shares, kind in rows:
        base = y + height + 18
        shapes.append(text(0, y + 13, label))
        shapes.append(rect(0, base - height, width, height, "track"))
        path = columns(rebin(shares, _BINS), 0, base, width, height)
        shapes.append(Shape("path", kind, d=path))
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
    for at, label in marks:
        x = at * width
        shapes.append(line(x, top - 20, x, bottom, "mark"))
        left, anchor = (x - 7, "end") if at > 0.5 else (x + 7, "start")
        shapes.append(text(left, top - 9, label, "strong", anchor))
    return Drawing(width, bottom + 26, tuple(shapes))


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
    hole_count = report.statistics.mapping.holes if report.statistics.mapping else None
    rows = [("in a pair" if paired else "mapped", covered, "role0")]
    if any(never):
        rows.append(("in no pair", never, "role3"))
    if hole_count or any(holes):
        rows.append(("hole", holes, "hole"))
    fine = False
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
        also, fine = " and in a pair" if paired else "", True
        title = f"Every idx from 0 to {number(n - 1)} is mapped{also}"
    mark = (1 - lacking / n, f"table sized from the pairs: {number(size)} rows")
    marks = [mark] if lacking else []

    def drawn(width: int) -> Drawing:
        about = 8 if width == WIDE else 3
        return _rows(rows, width, marks, {t / n: number(t) for t in ticks(n, about)})

    return both(
        "id-axis",
        title,
        f"Shares of idx 0 to {number(n - 1)}, binned, that are in a pair, in no pair, or holes.",
        drawn,
        ("Height: share of the idx in that stretch, from none to all. Axis: idx.",),
        fine=fine,
    )


def taxid_axis(report: Report) -> Picture | None:
    """Coverage of the nodes in taxid order, where a rule found it cut at taxid = n_nodes."""
    shares, cut = report.pictures.taxid_axis, report.pictures.taxid_cut
    judged = judging(report, "taxid_axis")
    if not shares or cut is None or judged is None or judged.outcome not in FOUND:
        return None
    at, taxid, below, above = cut
    mark = (at, f"taxid {number(int(taxid))} = number of nodes")

    def drawn(width: int) -> Drawing:
        lower = f"lower taxids: {percent(below)} in a pair"
        before = lower if width == WIDE else f"lower: {percent(below)}"
        axis = {at / 2: before, (1 + at) / 2: f"higher: {percent(above)}"}
        return _rows([("in a pair", shares, "role0")], width, [mark], axis)

    return both(
        "taxid-axis",
        f"Of the nodes below taxid {number(int(taxid))}, the number of nodes, {percent(below)} "
        f"are in a pair; from there on {percent(above)}",
        f"Nodes in taxid order: {percent(below)} of those with a lower taxid are in a pair, "
        f"{percent(above)} of the others.",
        drawn,
        ("Height: share of the nodes in a pair. Axis: mapped nodes in the order of taxid.",),
    )


def pairs_per_node(report: Report) -> Picture | None:
    """Nodes by the number of pairs they are in, in bins that double."""
    bins = tuple(report.pictures.pairs_per_node or ())[:_ROWS]
    total = sum(nodes for *_, nodes in bins)
    if not total:
        return None
    lowest, highest, nodes = max(bins, key=lambda found: found[2])
    top = bins[-1]
    return both(
        "pairs-per-node",
        f"{number(nodes)} of {number(total)} nodes are in {from_to(lowest, highest)} pairs each; "
        f"{number(top[2])} in {number(top[0])} or more",
        "Nodes by their number of pairs. "
        + "; ".join(f"{number(a)} to {number(b)} pairs: {number(n)} nodes" for a, b, n in bins)
        + ".",
        lambda width: ranges(bins, width),
        ("Rows: pairs that a node is in, in bins that double. Bars: nodes.",),
    )
