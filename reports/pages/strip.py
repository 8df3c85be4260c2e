"""Rows of cells, one a run: what each came to is told by its height as well as by its colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ..pictures.svg import box

HEIGHT = 20
_STEP, _WIDE = 10, 8  # of a cell, with the gap and without
# the worse, the taller; what was not judged is a line on the ground
TALL = {"error": 20, "fail": 20, "warn": 14, "waived": 10, "info": 8, "pass": 8, "skipped": 3}
_UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Strip:
    """Cells as one path for each outcome; ``width`` in units of the drawing."""

    width: int
    paths: tuple[tuple[str, str], ...]  # class, and the path
    said: str  # in words, for those who do not see it


def strip(outcomes: Sequence[str], cells: int) -> Strip:
    """Outcomes flush right in a row of so many cells; "" is an empty one."""
    return _strip(tuple(outcomes), cells)


@lru_cache(4096)  # a page of many datasets draws few that it did not draw a moment ago
def _strip(outcomes: tuple[str, ...], cells: int) -> Strip:
    shown = outcomes[-cells:]
    first = cells - len(shown)
    found: dict[str, list[str]] = {}
    for at, outcome in enumerate(shown, first):
        if outcome:
            tall = TALL.get(outcome, _UNKNOWN)
            kind = outcome if outcome in TALL else "skipped"
            found.setdefault(kind, []).append(_cell(at, tall))
    paths = tuple((kind, "".join(boxes)) for kind, boxes in found.items())
    return Strip(cells * _STEP, paths, _words([o for o in shown if o]))


@lru_cache(4096)
def _cell(at: int, tall: int) -> str:
    return box(at * _STEP + 1, HEIGHT - tall, _WIDE, tall)


def _words(outcomes: Sequence[str]) -> str:
    if not outcomes:
        return "no runs"
    counts = {kind: outcomes.count(kind) for kind in dict.fromkeys(outcomes)}
    said = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    return f"last {len(outcomes)}: {said}; newest {outcomes[-1]}"
