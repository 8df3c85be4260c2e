"""The picture that joins before and after: which rows were never trained, why, and who says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from taxcheck.audit_bins import Untrained
from taxcheck.report import Report

from .labels import lanes
from .svg import NARROW, WIDE, Drawing, Picture, Shape, line, rect, text, text_width
from .text import clip, number, percent

_RULE, _BOX = "EMB006", "inside the init box"
_SHADES = 4
_BAR = 34.0
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
    return _Row(
        heading,
        tuple(
            (clip(said, 48), rows, f"never{i % _SHADES}") for i, (said, rows) in enumerate(parts)
        ),
    )


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
    judged = next((r.finding for r in report.results if r.rule.id == _RULE and r.finding), None)
    if judged is None or judged.count == found.never:
        return found
    embeddings = report.statistics.get("embeddings")
    known = embeddings.get("never_trained") if isinstance(embeddings, Mapping) else None
    both = known.get("by_both", {}) if isinstance(known, Mapping) else {}
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
        ("trained", found.rows - found.never - left_out, "role0"),
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
    for row in rows:
        drawn, y = _bar(row, y, WIDE)
        shapes += drawn
        y += 12
    if parts:
        # what was never trained is spread over the whole width
        start = (1 - rows[-1].parts[-1][1] / rows[-1].total) * WIDE
        shapes.append(line(start, y - 10, 0, y + 34, "leader"))
        shapes.append(line(WIDE, y - 10, WIDE, y + 34, "leader"))
        y += 34
    for row in parts:
        drawn, y = _bar(row, y, WIDE)
        shapes += drawn
        y += 14
    return Drawing(WIDE, y, tuple(shapes))


def _narrow(rows: Sequence[_Row]) -> Drawing:
    shapes: list[Shape] = []
    y = 0.0
    for row in rows:
        shapes.append(text(0, y + 14, row.heading, "strong"))
        y += 24
        for label, count, kind in row.parts:
            said = f"{number(count)} ({percent(count / row.total)})"
            shapes.append(text(0, y + 14, clip(label, 26)))
            shapes.append(text(NARROW, y + 14, said, anchor="end"))
            shapes.append(rect(0, y + 20, NARROW, 12, "track"))
            if count:
                shapes.append(rect(0, y + 20, max(count / row.total * NARROW, 1.5), 12, kind))
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
        notes=(
            *(
                ["A row counts once: under its strongest evidence, and under one explanation."]
                * bool(parts)
            ),
            *([_NOT_COUNTED] * bool(left_out)),
        ),
    )


def _title(found: Untrained, before: _Row | None, left_out: int) -> str:
    if not found.never and left_out:
        return f"No sign that any of {number(found.rows)} rows was left untrained"
    if not found.never:
        return f"All {number(found.rows)} rows were trained"
    told = (
        f"{number(found.never)} of {number(found.rows)} rows ({percent(found.never / found.rows)})"
    )
    told += " was never trained" if found.never == 1 else " were never trained"
    lacking = before.parts[1][1] if before else 0
    if lacking == found.never:
        return f"{told}: as many as the nodes that are in no pair"
    if lacking:
        return f"{told}; {number(lacking)} nodes are in no pair"
    return told
