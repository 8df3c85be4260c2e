"""Where labels of marks on one axis stand, so that none covers another or the way to its mark."""

from __future__ import annotations

from collections.abc import Sequence

from .svg import text_width

_CHARACTER = 7.0
_GAP = 10.0
_ASIDE = 5.0  # a label beside its stem


def lanes(marks: Sequence[tuple[float, str]], width: float) -> list[tuple[float, int]]:
    """Where labels centred on their marks start, and in which line, so that none overlaps."""
    ends: list[float] = []
    placed: dict[int, tuple[float, int]] = {}
    for at in sorted(range(len(marks)), key=lambda at: marks[at][0]):
        x, said = marks[at]
        wide = text_width(said, _CHARACTER)
        left = max(min(x - wide / 2, width - wide), 0)
        lane = next((i for i, end in enumerate(ends) if left >= end + _GAP), len(ends))
        ends[lane:] = [left + wide, *ends[lane + 1 :]]
        placed[at] = (left, lane)
    return [placed[at] for at in range(len(marks))]


def stems(marks: Sequence[tuple[float, str]], width: float) -> list[tuple[float, int]]:
    """The same for labels beside the stems that lead to them, which no label may cross.

    The rightmost mark is placed first, so that the stems of those to its left pass it by.
    """
    placed: dict[int, tuple[float, float, int]] = {}  # start, end, line
    for at in sorted(range(len(marks)), key=lambda at: -marks[at][0]):
        x, said = marks[at]
        wide = text_width(said, _CHARACTER)
        start, lane = max(x - _ASIDE - wide, 0.0), len(marks)
        for lane in range(len(marks)):
            starts = [x + _ASIDE] if x + _ASIDE + wide <= width else []
            starts += [x - _ASIDE - wide] if x - _ASIDE - wide >= 0 else []
            fit = [left for left in starts if _free(left, left + wide, x, lane, marks, placed)]
            if fit:
                start = fit[0]
                break
        placed[at] = (start, start + wide, lane)
    return [(placed[at][0], placed[at][2]) for at in range(len(marks))]


def _free(
    start: float,
    end: float,
    x: float,
    lane: int,
    marks: Sequence[tuple[float, str]],
    placed: dict[int, tuple[float, float, int]],
) -> bool:
    for other, (left, right, line) in placed.items():
        overlaps = start < right + _GAP and left < end + _GAP
        if line == lane and overlaps:
            return False
        if line < lane and left < x < right:  # its stem would cross the other's label
            return False
        if line > lane and start < marks[other][0] < end:
            return False
    return True
