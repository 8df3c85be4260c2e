"""Does the embedding hold the hierarchy: every score with its interval and its nulls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from taxcheck.audit import relatives
from taxcheck.audit.alignment import Aligned
from taxcheck.audit.clades import NestedClades, Partition
from taxcheck.audit.group_scores import group_scores
from taxcheck.audit.metrics.bootstrap import Comparison, beats_nulls, mean_interval
from taxcheck.audit.metrics.ranking import Ranking, rank
from taxcheck.audit.metrics.retrieval import kin
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
    trained: BoolArray  # (n,)
    clades: Partition | None
    seed: int
    workers: int
    nested: NestedClades | None = None  # those whose spread is judged
    executor: Executor | None = None  # who ranks


def score_hierarchy(subject: Subject) -> HierarchyScores:
    """Score a table against its hierarchy, on seeded samples of sources, never of candidates."""
    rng = np.random.default_rng(subject.seed)
    tables = Tables.drawn(
        subject.space,
        subject.graph.depths,
        subject.trained,
        subject.followers,
        subject.workers,
        rng,
        subject.executor,
    )
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
    every = np.flatnonzero(graph.parent_counts > 0)
    if not len(every):
        return HierarchyScores(subject.seed)
    chosen = np.sort(rng.choice(every, min(SOURCES, len(every)), replace=False))
    positives = relatives.ancestors_in_pairs(subject.spool, chosen, n)

    compared = np.arange(len(chosen))
    if n >= LARGE:
        compared = np.sort(rng.choice(compared, min(FEWER, len(chosen)), replace=False))
    found = readings(tables, positives, compared)
    own, trained = found.own, found.trained
    flat = rank(
        subject.table.space("euclidean").first(n),
        positives.some(compared),
        workers=subject.workers,
        executor=subject.executor,
    )
    protocol = "nickel: a descendant's ancestors among all nodes but itself"
    if len(compared) < len(chosen):
        protocol += (
            f"; nulls, Euclidean distance and trained rows alone on {len(compared):,} of the "
            "sources"
        )
    facts = (protocol, len(chosen), len(every))

    def scored(
        values: Callable[[Ranking], Floats],
        total: Callable[[Ranking], float],
        weighted: bool = False,
        higher: bool = True,
    ) -> Score:
        weights = own.edges.astype(np.float64) if weighted else None
        comparison = beats_nulls(
            values(own)[compared],
            {name: values(ranking) for name, ranking in found.nulls.items()},
            rng,
            weights=None if weights is None else weights[compared],
            higher_is_better=higher,
        )
        if len(compared) < len(chosen):
            comparison = replace(comparison, score=mean_interval(values(own), rng, weights=weights))
        return as_score(
            comparison,
            facts,
            trained=None if trained is None else total(trained),
            euclidean=total(flat),
            higher=higher,
            compared=len(compared) if len(compared) < len(chosen) else None,
        )

    def hits(k: int) -> Score:
        return scored(lambda r: r.hits[k].astype(np.float64), lambda r: r.hits_at(k), True)

    return HierarchyScores(
        subject.seed,
        map=scored(lambda r: r.average_precision, lambda r: r.map),
        mean_rank=scored(lambda r: r.rank_sum, lambda r: r.mean_rank, True, False),
        hits={k: hits(k) for k in own.hits},
    )


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
