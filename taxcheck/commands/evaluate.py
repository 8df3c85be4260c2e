"""`taxcheck evaluate`: published protocols on one table, exact, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from taxcheck.audit.alignment import align
from taxcheck.audit.metrics.bootstrap import Interval, mean_interval
from taxcheck.audit.metrics.lists import Lists
from taxcheck.audit.metrics.ranking import Protocol, TieRule, positives_of, rank
from taxcheck.model.errors import InputError, UsageError
from taxcheck.model.paths import called
from taxcheck.policy.model import Dataset
from taxcheck.run.gather import gather
from taxcheck.run.request import Progress, Request
from taxcheck.statistics.hierarchy.edges import edges_of
from taxcheck.statistics.pairs import PairTable


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
    table: str  # which array it is, how sure its geometry is, and how its rows were joined
    guesses: tuple[str, ...]  # of the reading, where others were possible, a sentence each

    def lines(self) -> Iterator[str]:
        """Lines for a person."""
        part = "all" if self.sources == self.total else f"{self.sources:,} of {self.total:,}"
        yield f"{self.path}: {self.geometry}, protocol {self.protocol}, ties {self.ties}"
        yield (
            f"{part} sources, {self.edges:,} positives, candidates among {self.nodes:,} nodes, "
            f"seed {self.seed}"
        )
        yield f"table {self.table}"
        yield from (f"guessed: {guess}" for guess in self.guesses)
        if self.without_row:
            yield f"{self.without_row:,} of the nodes have no row and rank behind all others"
        rows = {"MAP": self.map, "mean rank": self.mean_rank}
        rows |= {f"hits@{k}": interval for k, interval in self.hits.items()}
        for name, interval in rows.items():
            spread = f"  (95 % {interval.low:.4g} to {interval.high:.4g})"
            yield f"{name:10} {interval.value:.4f}" + ("" if part == "all" else spread)


def evaluate_table(
    request: Request,
    protocol: str,
    ties: str,
    sources: int | None,
    progress: Progress | None = None,
) -> Evaluation:
    """Rank the positives of every source, or of ``sources`` drawn ones, among all nodes."""
    rng = np.random.default_rng(request.seed)
    if request.embeddings is None or request.pairs is None:
        raise UsageError("a table is scored against pairs: give `embeddings` and `pairs`")
    with gather(request, progress) as data:
        intake, checkpoint = data.intake, data.tables["embeddings"]
        assert intake is not None
        table = align(checkpoint, intake.mapping)
        n = intake.mapping.n_nodes
        every = _positives(intake.training, Protocol(protocol), n, request.policy.dataset)
    if not len(every.sources):
        raise InputError(f"{called(request.pairs)}: no pair is left that could be ranked")
    space = table.space().take(np.arange(n))
    drawn = every if sources is None else every.sample(sources, rng)
    ranking = rank(
        space, drawn, protocol=Protocol(protocol), ties=TieRule(ties), workers=request.workers
    )
    weights, reading = ranking.edges.astype(np.float64), checkpoint.reading
    return Evaluation(
        path=checkpoint.path,
        geometry=reading.geometry.value,
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
        hits={
            k: mean_interval(found.astype(np.float64), rng, weights=weights)
            for k, found in ranking.hits.items()
        },
        table=f"{checkpoint.key}, {reading.geometry.value} ({reading.confidence}), {table.by}",
        guesses=(
            *checkpoint.guesses,
            *table.left_out,
            *(
                f"{source.path}: {guess}"
                for source in data.inputs
                if source.reading is not None
                for guess in source.reading.guesses
            ),
        ),
    )


def _positives(table: PairTable, protocol: Protocol, n: int, dataset: Dataset) -> Lists:
    if protocol is Protocol.EDGES:
        graph = edges_of([table], dataset).graph
        return positives_of(graph.parents, graph.children, n, protocol)
    batches = list(table.spool.batches())
    ancestors = np.concatenate([batch.ancestor for batch in batches])
    descendants = np.concatenate([batch.descendant for batch in batches])
    return positives_of(ancestors, descendants, n, protocol)
