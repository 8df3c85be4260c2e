"""The lists of one protocol ranked in every reading of a table: as stored, in nulls, trained alone.

Readings that share a table share its pass: rows that are dealt anew within their depth are the
table's own, and a ranking of the trained rows alone counts the same candidates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from taxcheck.audit.metrics import nulls
from taxcheck.audit.metrics.counting import Question, answers
from taxcheck.audit.metrics.lists import Lists
from taxcheck.audit.metrics.ranking import Ranking, rank, score
from taxcheck.geometry.space import Space
from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.statistics.passes import Executor

NULL_INIT, NULL_SHUFFLED = "depth-aware init", "shuffled within depth"
NULL_COLLAPSED, NULL_POPULAR = "collapsed table", "popularity"


@dataclass(frozen=True, slots=True)
class Tables:
    """What is ranked: the table's points, how they are dealt anew, and an untrained table."""

    space: Space
    dealt: IntArray  # (n,) the row that stands for each node, of the same depth
    init: Space
    trained: BoolArray  # (n,)
    followers: IntArray  # (n,) pairs in which each node is the ancestor
    workers: int
    executor: Executor | None = None  # who ranks, beside these workers

    @classmethod
    def drawn(
        cls,
        space: Space,
        depth: IntArray,
        trained: BoolArray,
        followers: IntArray,
        workers: int,
        rng: np.random.Generator,
        executor: Executor | None = None,
    ) -> Tables:
        """The tables with their nulls drawn."""
        init = nulls.depth_aware_init(depth, space.coordinates.shape[1], rng)
        dealt = nulls.permutation_within_depth(depth, rng)
        return cls(space, dealt, init, trained, followers, workers, executor)


@dataclass(frozen=True, slots=True)
class Readings:
    """The same lists ranked in every reading."""

    own: Ranking
    nulls: Mapping[str, Ranking]  # of the compared sources alone
    trained: Ranking | None  # likewise; None where all rows were trained, or no list is left


def readings(
    tables: Tables,
    positives: Lists,
    compared: IntArray,
    left_out: Lists | None = None,
) -> Readings:
    """Rank ``positives``; in the nulls and among trained rows those at ``compared`` positions."""
    all_of_them = len(compared) == len(positives.sources)
    fewer = positives if all_of_them else positives.some(compared)
    omitted = left_out if left_out is None or all_of_them else left_out.some(compared)
    own, dealt = answers(
        tables.space,
        [Question(positives, left_out), Question(fewer, omitted, row_of=tables.dealt)],
        apart=None if tables.trained.all() else tables.trained,
        workers=tables.workers,
        executor=tables.executor,
    )
    trained = None
    if own.apart is not None:
        lists, edges, sources = fewer.among(tables.trained)
        if len(lists.sources):
            trained = score(own.apart.some(positives, compared).at(edges, sources), lists)
    init = rank(
        tables.init,
        fewer,
        left_out=omitted,
        workers=tables.workers,
        executor=tables.executor,
    )
    return Readings(
        own=score(own.whole, positives),
        nulls={
            NULL_INIT: init,
            NULL_SHUFFLED: score(dealt.whole, fewer),
            NULL_COLLAPSED: score(nulls.collapsed(fewer, omitted), fewer),
            NULL_POPULAR: score(nulls.popular(tables.followers, fewer, omitted), fewer),
        },
        trained=trained,
    )
