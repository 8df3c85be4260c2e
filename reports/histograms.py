"""Pictures of the pairs: how deep they reach, and how they are spread over the nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from taxcheck.report import Report

from .svg import NARROW, WIDE, Drawing, Picture, Shape, line, rect, round1, text, text_width, ticks
from .text import number, percent

# the same three stretches as the shares in the JSON report
BUCKETS = ((1, 1, "depth 1"), (2, 5, "depth 2 to 5"), (6, None, "deeper than 5"))
_COLUMNS = 80
_ROWS = 24


def _median(report: Report) -> float | None:
    pairs = report.statistics.get("pairs")
    depth = pairs.get("depth") if isinstance(pairs, Mapping) else None
    found = depth.get("median") if isinstance(depth, Mapping) else None
    return float(found) if isinstance(found, int | float) else None


def _by_depth(bars: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Pairs at each depth; what lies beyond the last column is gathered in it."""
    found: dict[int, int] = {}
    for depth, pairs in bars:
        if pairs:
            at = min(max(depth, 0), _COLUMNS)
            found[at] = found.get(at, 0) + pairs
    return found


def _bucket(found: Mapping[int, int], lowest: int, highest: int | None) -> int:
    return sum(
        n for depth, n in found.items() if depth >= lowest and (highest is None or depth <= highest)
    )


def _step(found: Mapping[int, int], x0: float, base: float, step: float, scale: float) -> str:
    path = [f"M{round1(x0)} {round1(base)}"]
    for position in range(1, max(found) + 1):
        y = base - found.get(position, 0) * scale
        path.append(f"V{round1(y)}H{round1(x0 + position * step)}")
    return "".join([*path, f"V{round1(base)}"])


def _depths(
    found: Mapping[int, int], closure: Mapping[int, int], width: int, median: float | None
) -> Drawing:
    wide = width == WIDE
    left, flags, plot = (64.0, 66.0, 210.0) if wide else (44.0, 66.0, 160.0)
    last = max([*found, *closure])
    first = min(1, *found)
    step = (width - left) / (last - first + 1)
    base = flags + plot
    tallest = max([*found.values(), *closure.values(), 1])
    scale = (plot - 8) / tallest
    total = sum(found.values())
    shapes: list[Shape] = []
    for position, (lowest, highest, _) in enumerate(BUCKETS):
        if lowest <= last:
            end = min(highest or last, last)
            x = left + (lowest - first) * step
            shapes.append(rect(x, flags, (end - lowest + 1) * step, plot, f"bucket{position}"))
    for tick in ticks(tallest, 4):
        y = base - tick * scale
        shapes.append(line(left, y, width, y, "grid"))
        said = number(tick) if wide or tick < 1000 else f"{tick / 1000:g}k"
        shapes.append(text(left - 8, y + 4, said, "tick", "end"))
    for depth in sorted(found):
        x = left + (depth - first) * step
        tip = f"depth {depth}{' and deeper' if depth == _COLUMNS else ''}: {number(found[depth])}"
        tall = found[depth] * scale
        shapes.append(rect(x + 0.5, base - tall, max(step - 1.5, 1), tall, "column", tip))
    if closure and closure != found:
        shapes.append(Shape("path", "closure", d=_step(closure, left, base, step, scale)))
        said = "outline: the complete closure" + (" of the depth-1 pairs" if wide else "")
        shapes.append(text(width - 8, flags + 18, said, "label", "end"))
    for position, (lowest, highest, label) in enumerate(BUCKETS):
        if lowest <= last:
            x, y = left + (lowest - first) * step, 16.0 + position * 19
            share = _bucket(found, lowest, highest)
            shapes.append(line(x, y - 12, x, base, "flag"))
            said = f"{label}: {number(share)} pairs" if wide else f"{label}: {number(share)}"
            said += f" ({percent(share / total)})"
            fits = x + 6 + text_width(said, 7.0) <= width
            at, anchor = (x + 6, "start") if fits else (float(width), "end")
            shapes.append(text(at, y, said, "strong", anchor))
    if median is not None and first <= median <= last:
        x = left + (median - first + 0.5) * step
        shapes.append(line(x, flags, x, base, "mark"))
        # a label is about 70 wide: it stands on the columns where all of them are tall enough
        under = range(int(median), min(int(median + 70 / step) + 1, last) + 1)
        inside = min(found.get(depth, 0) for depth in under) * scale > 24
        kind = "on-column" if inside else "strong"
        shapes.append(text(x + 6, base - 10 if inside else flags + 38, f"median {median:g}", kind))
    shapes.append(line(left, base, width, base, "axis"))
    every = 1 if step > 26 else 5 if step > 6 else 10
    for depth in range(first, last + 1):
        if depth in (first, last) or (depth % every == 0 and last - depth > every * 0.6):
            x = left + (depth - first + 0.5) * step
            said = f"{depth}+" if depth == _COLUMNS else str(depth)
            shapes.append(text(x, base + 18, said, "tick", "middle"))
    start = "levels from the ancestor down" if wide else "levels down"
    caption = f"depth_diff: {start} to the descendant"
    shapes.append(text(left, base + 40, caption, "tick"))
    return Drawing(width, base + 46, tuple(shapes))


def depths(report: Report) -> Picture | None:
    """Pairs by depth, in the three stretches that training cares about."""
    found = _by_depth(report.pictures.depths or ())
    total = sum(found.values())
    if len(found) < 2:  # one column would say nothing
        return None
    closure = _by_depth(report.pictures.closure_depths or ())
    shares = [(_bucket(found, low, high), label) for low, high, label in BUCKETS]
    largest, label = max(shares)
    where = {"depth 1": "at depth 1", "depth 2 to 5": "at depth 2 to 5"}.get(label, label)
    same = closure == found
    return Picture(
        "depths",
        f"{number(largest)} of {number(total)} pairs ({percent(largest / total)}) are {where}",
        "Pairs by depth difference. "
        + "; ".join(f"{label}: {number(n)} ({percent(n / total)})" for n, label in shares)
        + ".",
        _depths(found, closure, WIDE, _median(report)),
        _depths(found, closure, NARROW, _median(report)),
        notes=("The complete closure of these depth-1 pairs has the same histogram.",)
        if same
        else (),
    )


def closure(report: Report) -> Picture | None:
    """The same histogram, read against the complete closure."""
    picture = depths(report)
    complete = sum(pairs for _, pairs in report.pictures.closure_depths or ())
    held = sum(pairs for _, pairs in report.pictures.depths or ())
    if picture is None or not complete:
        return None
    title = f"The file has {number(held)} pairs, the complete closure {number(complete)}"
    return replace(picture, key="closure", title=title)


def ranges(bins: Sequence[tuple[int, int, int]], width: int) -> Drawing:
    """A bar for each range of counts: (lowest, highest, how many have it)."""
    most = max(nodes for *_, nodes in bins)
    left, right = (132.0, 76.0) if width == WIDE else (112.0, 60.0)
    shapes: list[Shape] = []
    for position, (lowest, highest, nodes) in enumerate(bins):
        y = position * 22.0
        said = number(lowest) if lowest == highest else f"{number(lowest)} to {number(highest)}"
        shapes.append(text(left - 10, y + 15, said, "tick", "end"))
        length = nodes / most * (width - left - right)
        if nodes:
            shapes.append(rect(left, y + 3, max(length, 1.5), 16, "column"))
        shapes.append(text(left + length + 8, y + 15, number(nodes)))
    return Drawing(width, len(bins) * 22.0 + 2, tuple(shapes))


def pairs_per_node(report: Report) -> Picture | None:
    """Nodes by the number of pairs they are in, in bins that double."""
    bins = tuple(report.pictures.pairs_per_node or ())[:_ROWS]
    total = sum(nodes for *_, nodes in bins)
    if not total:
        return None
    lowest, highest, nodes = max(bins, key=lambda found: found[2])
    said = number(lowest) if lowest == highest else f"{number(lowest)} to {number(highest)}"
    top = bins[-1]
    return Picture(
        "pairs-per-node",
        f"{number(nodes)} of {number(total)} nodes are in {said} pairs each; "
        f"{number(top[2])} in {number(top[0])} or more",
        "Nodes by their number of pairs. "
        + "; ".join(f"{number(a)} to {number(b)} pairs: {number(n)} nodes" for a, b, n in bins)
        + ".",
        ranges(bins, WIDE),
        ranges(bins, NARROW),
        notes=("Rows: pairs that a node is in, in bins that double. Bars: nodes.",),
    )
