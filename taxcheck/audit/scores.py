"""Does the embedding hold the hierarchy: every score with its interval and its nulls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from taxcheck.audit import relatives
from taxcheck.audit.alignment import Aligned
from taxcheck.audit.clades import NestedClades, Partition
from taxcheck.audit.group_scores import group_scores
from taxcheck.audit.metrics.bootstrap import Comparison, beats_nulls, mean_interval
from taxcheck.audit.metrics.lists import Lists
from taxcheck.audit.metrics.ranking import Ranking, rank
from taxcheck.audit.metrics.retrieval import kin
from taxcheck.audit.metrics.strata import Drawn, draw
from taxcheck.audit.radius_scores import radius_scores
from taxcheck.audit.readings import Tables, readings
from taxcheck.audit.values import HierarchyScores, NullScore, Score
from taxcheck.geometry.space import Space
from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.passes import Executor
from taxcheck.statistics.spool import KeptPairs

SOURCES = 2_000
# Ranking costs sources x rows. In a large table the nulls, the Euclidean reading, the trained rows
# alone and the parents are ranked for fewer of the sources; a paired bootstrap is then over those.
LARGE = 500_000
FEWER = 250

NICKEL = "nickel: a descendant's ancestors among all nodes but itself"
# Of MAP, hits@k and an AUC; and of the mean rank, as ancestors do not count against each other.
OPTIMUM = 1.0

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is scored: the table as points, the hierarchy, and which nodes were trained."""

    table: Aligned
    space: Space
    graph: Graph
    spool: KeptPairs
    followers: IntArray  # (n,) pairs in which each node is the ancestor: its popularity
    above: IntArray  # (n,) pairs in which each node is the descendant
    trained: BoolArray  # (n,)
    clades: Partition | None
    seed: int
    workers: int
    nested: NestedClades | None = None  # those whose spread is judged
    executor: Executor | None = None  # who ranks
    held_out: KeptPairs | None = None

    def tables(self, rng: np.random.Generator) -> Tables:
        """What is ranked, with the nulls drawn."""
        return Tables.drawn(
            self.space,
            self.graph.depths,
            self.trained,
            self.followers,
            self.workers,
            rng,
            self.executor,
        )


def score_hierarchy(subject: Subject) -> HierarchyScores:
    """Score a table against its hierarchy, on seeded samples of sources, never of candidates."""
    rng = np.random.default_rng(subject.seed)
    tables = subject.tables(rng)
    found = _reconstruction(subject, tables, rng)
    found = replace(found, parent_hits=_parents(subject, tables, rng))
    space, graph, trained = subject.space, subject.graph, subject.trained
    reading = subject.table.checkpoint.reading
    found = radius_scores(found, space, graph, reading, trained, rng)
    return group_scores(
        found, space, graph, subject.clades, subject.nested, trained, rng, subject.workers
    )


def _reconstruction(subject: Subject, tables: Tables, rng: np.random.Generator) -> HierarchyScores:
    """MAP, mean rank and hits@k of all ancestors, protocol nickel."""
    graph, n = subject.graph, subject.graph.n
    every = np.flatnonzero(subject.above)
    if not len(every):
        return HierarchyScores(subject.seed)
    drawn = draw(every, subject.above[every], SOURCES, rng, graph.depths[every])
    positives = relatives.ancestors_in_pairs(subject.spool, drawn.sources, n)
    drawn = drawn.counted(subject.above[drawn.sources], positives.lengths)
    protocol, known = NICKEL, None
    if subject.held_out is not None:
        known = relatives.ancestors_in_pairs(subject.held_out, drawn.sources, n)
        protocol += ", and without those in held-out pairs"
    flat = subject.table.space("euclidean").first(n)
    found = reconstruct(tables, drawn, positives, known, protocol, rng, flat)
    return HierarchyScores(subject.seed, **found)


def reconstruct(
    tables: Tables,
    drawn: Drawn,
    positives: Lists,
    known: Lists | None,
    protocol: str,
    rng: np.random.Generator,
    flat: Space | None = None,
) -> dict[str, Any]:
    """``map``, ``mean_rank`` and ``hits`` of the positives of the sources drawn, each with nulls.

    What is ``known`` to be true as well is no candidate. ``flat`` are the rows as they are stored,
    where Euclidean distance is to be shown beside.
    """
    n, count = tables.space.n, len(drawn.sources)
    compared = drawn.thinned(FEWER, rng) if n >= LARGE else np.arange(count)
    fewer, part = drawn.some(compared), len(compared) if len(compared) < count else None
    found = readings(tables, positives, compared, known)
    own, trained = found.own, found.trained
    theirs = None
    if flat is not None:
        theirs = rank(
            flat,
            positives.some(compared),
            left_out=None if known is None else known.some(compared),
            workers=tables.workers,
            executor=tables.executor,
        )
    if part is not None:
        beside = "nulls" if flat is None else "nulls, Euclidean distance"
        protocol += f"; {beside} and trained rows alone on {part:,} of the sources"

    def scored(
        values: Callable[[Ranking], Floats], weighted: bool = False, higher: bool = True
    ) -> Score:
        def mean(ranking: Ranking, among: IntArray | None = None) -> float:
            return fewer.mean(values(ranking), ranking.edges if weighted else None, among)

        edges = own.edges.astype(np.float64) if weighted else None
        comparison = beats_nulls(
            values(own)[compared],
            {name: values(ranking) for name, ranking in found.nulls.items()},
            rng,
            edges=None if edges is None else edges[compared],
            drawn=fewer,
            higher_is_better=higher,
        )
        if part is not None:
            score = mean_interval(values(own), rng, edges=edges, drawn=drawn)
            comparison = replace(comparison, score=score)
        return as_score(
            comparison,
            (protocol, count, drawn.total),
            trained=None if trained is None else mean(trained, trained.sources),
            euclidean=None if theirs is None else mean(theirs),
            higher=higher,
            compared=part,
        )

    def hits(k: int) -> Score:
        return scored(lambda r: r.hits[k].astype(np.float64), True)

    middle, tail = drawn.quantiles(own.ranks, own.owner, (0.5, 0.99))
    mean_rank = scored(lambda r: r.rank_sum, True, False)
    return {
        "map": scored(lambda r: r.average_precision),
        "mean_rank": replace(mean_rank, percentiles={50: middle, 99: tail}),
        "hits": {k: hits(k) for k in own.hits},
    }


def _parents(subject: Subject, tables: Tables, rng: np.random.Generator) -> dict[int, Score]:
    """hits@k of any parent, where neither kin nor the node itself is a candidate."""
    graph = subject.graph
    every = np.flatnonzero(graph.parent_counts > 0)
    if not len(every):
        return {}
    size = min(SOURCES if graph.n < LARGE else FEWER, len(every))
    chosen = np.sort(rng.choice(every, size, replace=False))
    parents = relatives.parents(graph, chosen)
    related = kin(relatives.ancestors(graph, chosen), relatives.descendants(graph, chosen))

    found = readings(tables, parents, np.arange(len(chosen)), related)
    facts = ("any parent among nodes that are no kin", len(chosen), len(every))

    def within(ranking: Ranking, k: int) -> Floats:
        return (ranking.best_rank <= k).astype(np.float64)

    return {
        k: as_score(
            beats_nulls(
                within(found.own, k), {m: within(r, k) for m, r in found.nulls.items()}, rng
            ),
            facts,
            trained=None if found.trained is None else found.trained.any_at(k),
        )
        for k in found.own.hits
    }


def as_score(
    comparison: Comparison,
    facts: tuple[str, int, int],
    trained: float | None = None,
    euclidean: float | None = None,
    higher: bool = True,
    compared: int | None = None,
) -> Score:
    """A comparison with nulls as the rules judge it; ``facts``: protocol, sources, of how many."""
    return Score(
        value=comparison.score.value,
        low=comparison.score.low,
        high=comparison.score.high,
        nulls={
            name: NullScore(beside.value, beside.better.low)
            for name, beside in comparison.nulls.items()
        },
        protocol=facts[0],
        sources=facts[1],
        total=facts[2],
        trained_only=trained,
        euclidean=euclidean,
        higher_is_better=higher,
        compared=compared,
        optimum=OPTIMUM,
    )
