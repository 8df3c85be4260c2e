"""Where labels of marks on one axis stand, so that none covers another or the way to its mark."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations, product

from .svg import text_width

_CHARACTER = 7.0
_GAP = 10.0
_ALL_ORDERS = 4  # marks of which every order is tried
_MOST_SIDES = 64  # ways in which labels may prefer one side of their stem or the other
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
    """The same for labels beside the stems that lead to them, which no label should cross.

    Of the orders in which marks can be placed, the one with fewest crossings and lines is taken.
    """
    every = range(len(marks))
    orders = list(permutations(every)) if len(marks) <= _ALL_ORDERS else [every, every[::-1]]
    sides = list(product((True, False), repeat=len(marks)))[:_MOST_SIDES]
    return min(
        (_placed(marks, width, order, side) for order in orders for side in sides),
        key=lambda placed: (_crossings(marks, placed), max((n for _, n in placed), default=0)),
    )


def _end(marks: Sequence[tuple[float, str]], at: int, start: float) -> float:
    return start + text_width(marks[at][1], _CHARACTER)


def _crossings(marks: Sequence[tuple[float, str]], placed: Sequence[tuple[float, int]]) -> int:
    """How many stems run through a label that stands above their own."""
    return sum(
        start < x < _end(marks, at, start)
        for at, (start, lane) in enumerate(placed)
        for (x, _), (_, below) in zip(marks, placed, strict=True)
        if below > lane
    )


def _placed(
    marks: Sequence[tuple[float, str]],
    width: float,
    order: Sequence[int],
    right: Sequence[bool],
) -> list[tuple[float, int]]:
    """Labels one after the other, each in the first line where it fits beside its stem."""
    found: dict[int, tuple[float, int]] = {}
    for at in order:
        x, said = marks[at]
        wide = text_width(said, _CHARACTER)
        sides = [x + _ASIDE, x - _ASIDE - wide]
        sides = [left for left in sides if left >= 0 and left + wide <= width] or [0.0]
        sides = sides if right[at] else sides[::-1]
        found[at] = next(
            (left, lane)
            for lane in range(len(marks))
            for left in sides
            if not any(
                line == lane and _meet(left, left + wide, start, _end(marks, other, start))
                for other, (start, line) in found.items()
            )
        )
    return [found[at] for at in range(len(marks))]


def _meet(start: float, end: float, left: float, right: float) -> bool:
    return start < right + _GAP and left < end + _GAP
