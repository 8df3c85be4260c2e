"""Runs of idx that differ from those of the mapping by one number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taxcheck.model.arrays import IntArray
from taxcheck.statistics.numbering import Numbering
from taxcheck.statistics.values import MappingStatistics

from .renumbering import FEWEST, NEARLY

_MOST_RUNS = 6  # places where rows were lost or added; of more it is another build
_FOLLOWED = 10_000  # runs, beyond which nothing is a place
_NOISE = 3  # idx in a row that differ alone from those around them are no run


@dataclass(frozen=True, slots=True)
class Run:
    """Idx that differ from those of the mapping by one number."""

    first: int
    last: int
    higher: int  # in the pairs
    idx: int = 0  # how many are known; 0 for an end that is taken for that of the mapping


def runs_of(numbering: Numbering, used: IntArray, mapping: MappingStatistics) -> tuple[Run, ...]:
    """The runs of one difference; none where there are too many to be places of lost rows.

    Where nothing tells what the first and the last idx that are used stand for, they are taken for
    the first and the last that are mapped.
    """
    idx, higher = numbering.differences()
    every = len(idx)
    if every < FEWEST:
        return ()
    runs = _collapsed(idx, higher)
    if len(runs) > _MOST_RUNS:
        lone = [run for run in runs if run.idx < _NOISE]
        if not lone:
            return ()
        starts, ends = (np.array([getattr(run, end) for run in lone]) for end in ("first", "last"))
        within_ = np.searchsorted(starts, idx, side="right") - 1
        kept = (within_ < 0) | (idx > ends[np.maximum(within_, 0)])
        if np.count_nonzero(kept) < NEARLY * every:
            return ()
        runs = _collapsed(idx[kept], higher[kept])
    first, last = np.flatnonzero(mapping.mapped)[[0, -1]]
    before, after = int(used[0] - first), int(used[-1] - last)
    if used[0] < idx[0] and before != runs[0].higher:
        runs = [Run(int(used[0]), int(used[0]) - 1, before), *runs]
    if used[-1] > idx[-1] and after != runs[-1].higher:
        runs = [*runs, Run(int(used[-1]) + 1, int(used[-1]), after)]
    return tuple(runs) if len(runs) <= _MOST_RUNS and any(r.higher for r in runs) else ()


def _collapsed(idx: IntArray, higher: IntArray) -> list[Run]:
    starts = np.flatnonzero(np.r_[True, higher[1:] != higher[:-1]])
    ends = np.r_[starts[1:], len(idx)]
    return [
        Run(int(idx[a]), int(idx[b - 1]), int(higher[a]), int(b - a))
        for a, b in zip(starts[:_FOLLOWED], ends[:_FOLLOWED], strict=True)
    ]


def side(shift: int) -> str:
    """``12 higher``, or lower, as the idx of the pairs are beside those of the mapping."""
    return f"{abs(shift):,} {'higher' if shift > 0 else 'lower'}"
