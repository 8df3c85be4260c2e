"""`taxcheck evaluate`: published protocols on one table, exact, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass

import numpy as np

from taxcheck.audit.alignment import align
from taxcheck.config import Dataset
from taxcheck.errors import InputError
from taxcheck.intake import read_mapping, read_pairs
from taxcheck.metrics.bootstrap import Interval, mean_interval
from taxcheck.metrics.lists import Lists
from taxcheck.metrics.ranking import Protocol, Ranking, positives_of, rank
from taxcheck.metrics.ties import TieRule
from taxcheck.request import Request, open_sources, open_tables
from taxcheck.statistics.hierarchy.edges import graph_of
from taxcheck.statistics.pairs import PairState


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores of one table; intervals are of the sampled sources, 95 %."""

    path: str
    geometry: str
    protocol: str
    ties: str
    sources: int
    total: int
    edges: int
    nodes: int
    without_row: int  # nodes that the table has no row for: they rank behind all others
    seed: int
    map: Interval
    mean_rank: Interval
    hits: dict[int, Interval]

    def as_json(self) -> dict[str, object]:
        """Plain values."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """Lines for a person."""
        part = "all" if self.sources == self.total else f"{self.sources:,} of {self.total:,}"
        yield f"{self.path}: {self.geometry}, protocol {self.protocol}, ties {self.ties}"
        yield (
            f"{part} sources, {self.edges:,} positives, candidates among {self.nodes:,} nodes, "
            f"seed {self.seed}"
        )
        if self.without_row:
            yield f"{self.without_row:,} of the nodes have no row and rank behind all others"
        rows = {"MAP": self.map, "mean rank": self.mean_rank}
        rows |= {f"hits@{k}": interval for k, interval in self.hits.items()}
        for name, interval in rows.items():
            spread = f"  (95 % {interval.low:.4g} to {interval.high:.4g})"
            yield f"{name:10} {interval.value:.4f}" + ("" if part == "all" else spread)


def evaluate_table(request: Request, protocol: str, ties: str, sources: int | None) -> Evaluation:
    """Rank the positives of every source, or of ``sources`` drawn ones, among all nodes."""
    rng = np.random.default_rng(request.seed)
    with ExitStack() as resources:
        opened = open_sources(request, None)
        checkpoint = open_tables(request)["embeddings"]
        mapping = None
        if "mapping" in opened:
            mapping = read_mapping(opened["mapping"], request.workers, None)
        intake = read_pairs(opened["pairs"], None, mapping, request.workers, None, resources)
        table = align(checkpoint, intake.mapping)
        n = intake.mapping.n_nodes
        every = _positives(intake.training, Protocol(protocol), n)
    if not len(every.sources):
        raise InputError(f"{request.pairs}: no pair is left that could be ranked")
    space = table.space().take(np.arange(n))
    drawn = every if sources is None else every.sample(sources, rng)
    ranking = rank(
        space, drawn, protocol=Protocol(protocol), ties=TieRule(ties), workers=request.workers
    )
    weights = ranking.edges.astype(np.float64)
    return Evaluation(
        path=checkpoint.path,
        geometry=checkpoint.reading.geometry.value,
        protocol=protocol,
        ties=ranking.ties.value,
        sources=len(drawn.sources),
        total=len(every.sources),
        edges=int(ranking.edges.sum()),
        nodes=n,
        without_row=int(np.count_nonzero(~table.has_row[:n])),
        seed=request.seed,
        map=mean_interval(ranking.average_precision, rng),
        mean_rank=mean_interval(ranking.rank_sum, rng, weights=weights),
        hits={k: _hits(ranking, k, weights, rng) for k in ranking.hits},
    )


def _hits(
    ranking: Ranking,
    k: int,
    weights: np.ndarray[tuple[int], np.dtype[np.float64]],
    rng: np.random.Generator,
) -> Interval:
    return mean_interval(ranking.hits[k].astype(np.float64), rng, weights=weights)


def _positives(state: PairState, protocol: Protocol, n: int) -> Lists:
    if protocol is Protocol.EDGES:
        graph, _ = graph_of([state], Dataset())
        return positives_of(graph.parents, graph.children, n, protocol)
    batches = list(state.spool.batches())
    ancestors = np.concatenate([batch.ancestor for batch in batches])
    descendants = np.concatenate([batch.descendant for batch in batches])
    return positives_of(ancestors, descendants, n, protocol)
