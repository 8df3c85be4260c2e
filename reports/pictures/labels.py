"""Where labels of marks on one axis stand, so that none covers another or the way to its mark."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import lru_cache
from itertools import permutations, product

from .svg import text_width

_Placed = tuple[tuple[float, int], ...]  # where each label starts, and in which line
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
    wide = tuple(text_width(said, _CHARACTER) for _, said in marks)
    return list(_least(tuple(x for x, _ in marks), wide, width))


@lru_cache(maxsize=512)  # the same score stands in several pictures
def _least(xs: tuple[float, ...], wide: tuple[float, ...], width: float) -> _Placed:
    every = range(len(xs))
    orders = list(permutations(every)) if len(xs) <= _ALL_ORDERS else [every, every[::-1]]
    sides = list(product((True, False), repeat=len(xs)))[:_MOST_SIDES]
    least, best = (sys.maxsize, sys.maxsize), _Placed()
    for order, side in product(orders, sides):
        placed = _placed(xs, wide, width, order, side)
        cost = (_crossings(xs, wide, placed), max((lane for _, lane in placed), default=0))
        if cost < least:
            least, best = cost, placed
        if least == (0, 0):
            break
    return best


def _crossings(xs: tuple[float, ...], wide: tuple[float, ...], placed: _Placed) -> int:
    """How many stems run through a label that stands above their own."""
    return sum(
        start < x < start + wide[at]
        for at, (start, lane) in enumerate(placed)
        for x, (_, below) in zip(xs, placed, strict=True)
        if below > lane
    )


def _placed(
    xs: tuple[float, ...],
    wide: tuple[float, ...],
    width: float,
    order: Sequence[int],
    right: Sequence[bool],
) -> _Placed:
    """Labels one after the other, each in the first line where it fits beside its stem."""
    found: dict[int, tuple[float, int]] = {}
    for at in order:
        sides = [xs[at] + _ASIDE, xs[at] - _ASIDE - wide[at]]
        sides = [left for left in sides if left >= 0 and left + wide[at] <= width] or [0.0]
        sides = sides if right[at] else sides[::-1]
        found[at] = next(
            (left, lane)
            for lane in range(len(xs))
            for left in sides
            if not any(
                line == lane and _meet(left, left + wide[at], start, start + wide[other])
                for other, (start, line) in found.items()
            )
        )
    return tuple(found[at] for at in range(len(xs)))


def _meet(start: float, end: float, left: float, right: float) -> bool:
    return start < right + _GAP and left < end + _GAP
