"""`taxcheck evaluate`: published protocols on one table, exact, with bootstrap intervals."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from taxcheck.audit.alignment import align
from taxcheck.audit.geometry_scores import settled
from taxcheck.audit.metrics.bootstrap import Interval, beats_nulls, mean_interval
from taxcheck.audit.metrics.lists import Lists, merge
from taxcheck.audit.metrics.nulls import popular
from taxcheck.audit.metrics.ranking import Protocol, TieRule, positives_of, rank, score
from taxcheck.audit.metrics.strata import draw
from taxcheck.geometry.space import Space
from taxcheck.model.arrays import IntArray, within
from taxcheck.model.errors import InputError, UsageError
from taxcheck.model.paths import Paths, called
from taxcheck.policy.model import Dataset
from taxcheck.run.gather import gather
from taxcheck.run.intake import Intake
from taxcheck.run.request import Progress, Request
from taxcheck.statistics.hierarchy.edges import edges_of
from taxcheck.statistics.pairs import PairTable


@dataclass(frozen=True, slots=True)
class Ranked:
    """Scores of the pairs of one table; intervals are of the sampled sources, 95 %."""

    sources: int
    total: int
    edges: int
    filtered: tuple[str, ...]  # tables whose ancestors were no candidates, being true as well
    map: Interval
    popularity: float  # the MAP that candidates by their number of descendants have
    above_popularity: Interval  # by how much more the MAP is, source by source
    mean_rank: Interval
    ranks: dict[int, float]  # median and 99th percentile of the single ranks: {50: ..., 99: ...}
    hits: dict[int, Interval]

    def rows(self) -> Iterator[str]:
        """Lines for a person: what was left out, then a score each."""
        if self.filtered:
            yield f"filtered: ancestors in {' and '.join(self.filtered)} are no candidates"
        else:
            yield (
                "not filtered: no other pairs are known, so an ancestor that these pairs lack "
                "counts as wrong; name them with `known`"
            )
        whole = self.sources == self.total
        rows = {"MAP": self.map, "mean rank": self.mean_rank}
        rows |= {f"hits@{k}": interval for k, interval in self.hits.items()}
        for name, interval in rows.items():
            spread = "" if whole else f"  (95 % {interval.low:.4g} to {interval.high:.4g})"
            yield f"{name:10} {interval.value:.4f}{spread}"
            if name == "MAP":
                yield f"{'':10} popularity alone {self.popularity:.4f}, {self._standing()}"
            if name == "mean rank":
                yield f"{'':10} median {self.ranks[50]:,.4g}, 99th percentile {self.ranks[99]:,.4g}"

    def _standing(self) -> str:
        low, high = self.above_popularity.low, self.above_popularity.high
        if low > 0:
            return f"exceeded by {low:.4f} at least"
        return "not exceeded" if high <= 0 else "which these sources cannot tell apart"


@dataclass(frozen=True, slots=True)
class Evaluation(Ranked):
    """Scores of one table, and apart from them those of held-out pairs."""

    path: str
    geometry: str
    protocol: str
    ties: str
    nodes: int
    without_row: int  # nodes that the table has no row for: they rank behind all others
    seed: int
    table: str  # which array it is, how sure its geometry is, and how its rows were joined
    guesses: tuple[str, ...]  # of the reading, where others were possible, a sentence each
    in_training: int  # held-out positives that the pairs have as well, which are not scored
    held_out: Ranked | None  # None where none were given, or the pairs have all of them

    def lines(self) -> Iterator[str]:
        """Lines for a person."""
        yield f"{self.path}: {self.geometry}, protocol {self.protocol}, ties {self.ties}"
        yield f"{_counted(self)}, candidates among {self.nodes:,} nodes, seed {self.seed}"
        yield f"table {self.table}"
        yield from (f"guessed: {guess}" for guess in self.guesses)
        if self.without_row:
            yield f"{self.without_row:,} of the nodes have no row and rank behind all others"
        yield from self.rows()
        if self.held_out is not None:
            yield f"held-out pairs: {_counted(self.held_out)}"
        if self.in_training:
            yield (
                f"{self.in_training:,} positives of held-out pairs are among the pairs, and are "
                "not scored"
            )
        if self.held_out is not None:
            yield from self.held_out.rows()


def _counted(ranked: Ranked) -> str:
    whole = ranked.sources == ranked.total
    part = "all" if whole else f"{ranked.sources:,} of {ranked.total:,}"
    return f"{part} sources, {ranked.edges:,} positives"


@dataclass(frozen=True, slots=True)
class _Ranker:
    """One table of points, and how it is asked."""

    space: Space
    protocol: Protocol
    ties: TieRule
    most: int | None  # sources
    rng: np.random.Generator
    workers: int

    def ranked(
        self,
        every: Lists,
        known: Sequence[tuple[str, Lists]],
        followers: IntArray,
        depth: IntArray | None,
    ) -> Ranked:
        """The positives of ``every`` source, or of those drawn, without what else is ``known``."""
        chosen = every.sources
        depth = None if depth is None else depth[chosen]
        drawn = draw(chosen, every.lengths, self.most, self.rng, depth)
        lists = every.some(np.searchsorted(chosen, drawn.sources))
        left_out = _joined(lists, [one for _, one in known])
        own = rank(
            self.space,
            lists,
            protocol=self.protocol,
            ties=self.ties,
            left_out=left_out,
            workers=self.workers,
        )
        null = score(popular(followers, lists, left_out), lists, own.ties)
        edges, rng = own.edges.astype(np.float64), self.rng
        beside = beats_nulls(
            own.average_precision, {"popularity": null.average_precision}, rng, drawn=drawn
        )
        middle, tail = drawn.quantiles(own.ranks, own.owner, (0.5, 0.99))
        return Ranked(
            sources=len(lists.sources),
            total=len(chosen),
            edges=int(own.edges.sum()),
            filtered=tuple(name for name, _ in known),
            map=beside.score,
            popularity=beside.nulls["popularity"].value,
            above_popularity=beside.nulls["popularity"].better,
            mean_rank=mean_interval(own.rank_sum, rng, edges=edges, drawn=drawn),
            ranks={50: middle, 99: tail},
            hits={
                k: mean_interval(found.astype(np.float64), rng, edges=edges, drawn=drawn)
                for k, found in own.hits.items()
            },
        )


def evaluate_table(
    request: Request,
    protocol: str,
    ties: str,
    sources: int | None,
    progress: Progress | None = None,
) -> Evaluation:
    """Rank the positives of every source, or of ``sources`` drawn ones, among all nodes.

    Where nothing states the geometry a sample of the pairs tells it, as in a run. What the
    request's other tables of pairs state is no candidate (the filtered setting, Bordes et
    al. 2013); where it names none, those that its policy names. Held-out pairs are scored apart.
    """
    pairs = request.pairs
    if request.embeddings is None or pairs is None:
        raise UsageError("a table is scored against pairs: give `embeddings` and `pairs`")
    request = knowing(request)
    with gather(request, progress) as data:
        intake, checkpoint = data.intake, data.tables["embeddings"]
        assert intake is not None  # pairs were given
        table, dataset = align(checkpoint, intake.mapping), request.policy.dataset
        if checkpoint.reading.rivals:
            table, _ = settled(table, edges_of([intake.training], dataset).graph, request.seed)
            checkpoint = table.checkpoint
        n = intake.mapping.n_nodes
        read = _Read.of(request, intake, Protocol(protocol), n)
    if not len(read.pairs.sources):
        raise InputError(f"{called(pairs)}: no pair is left that could be ranked")
    ranker = _Ranker(
        table.space().take(np.arange(n)),
        Protocol(protocol),
        TieRule(ties),
        sources,
        np.random.default_rng(request.seed),
        request.workers,
    )
    reading = checkpoint.reading
    own, held, known = read.pairs, read.held_out, read.known
    named = [] if held is None else [(called(request.held_out or ""), held)]
    main = ranker.ranked(own, [*named, *known], read.followers, read.depth)
    apart = None
    if held is not None and len(held.sources):
        named = [(called(pairs), own)]
        apart = ranker.ranked(held, [*named, *known], read.followers, None)
    effective = TieRule.OPTIMISTIC if ranker.protocol is Protocol.GENSIM else ranker.ties
    return Evaluation(
        **{name: getattr(main, name) for name in Ranked.__dataclass_fields__},
        path=checkpoint.path,
        geometry=reading.geometry.value,
        protocol=protocol,
        ties=effective.value,
        nodes=n,
        without_row=int(np.count_nonzero(~table.has_row[:n])),
        seed=request.seed,
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
        in_training=read.repeated,
        held_out=apart,
    )


def knowing(request: Request) -> Request:
    """The request with the pairs that its policy names as known, where it says none itself.

    Those of another mapping are of other nodes.
    """
    stated = request.policy.inputs
    if request.known or _place(request.mapping or ()) != _place(stated.mapping or ()):
        return request
    read = {_place(path) for path in (request.pairs, request.held_out) if path is not None}
    named = [path for path in (stated.pairs, stated.held_out) if path is not None]
    further = tuple(path for path in named if _place(path) not in read)
    return (
        replace(request, known=further, known_columns=stated.pair_columns) if further else request
    )


def _place(path: Paths) -> tuple[str, ...]:
    paths = (path,) if isinstance(path, str) else path
    return tuple(sorted(map(os.path.realpath, paths)))


@dataclass(frozen=True, slots=True)
class _Read:
    """The pairs as lists, and what the draw and the null need."""

    pairs: Lists
    held_out: Lists | None  # without those that the pairs have
    repeated: int  # positives of the held-out pairs that these have
    known: tuple[tuple[str, Lists], ...]
    followers: IntArray  # (n,) pairs of training in which each node is the ancestor
    depth: IntArray | None  # (n,) see ``_farthest``

    @classmethod
    def of(cls, request: Request, intake: Intake, protocol: Protocol, n: int) -> _Read:
        dataset, training, held = request.policy.dataset, intake.training, intake.held_out
        pairs, unheld, repeated = _positives(training, protocol, n, dataset), None, 0
        if held is not None:
            unheld, repeated = _without(_positives(held, protocol, n, dataset), pairs)
        named = zip(request.known, intake.known, strict=True)
        trained = intake.known or (training,)  # pairs beside known ones were held out of these
        return cls(
            pairs=pairs,
            held_out=unheld,
            repeated=repeated,
            known=tuple((called(p), _positives(t, protocol, n, dataset)) for p, t in named),
            followers=np.sum([one.state.as_ancestor[:n] for one in trained], axis=0),
            depth=None if protocol is Protocol.EDGES else _farthest(training, n),
        )


def _joined(lists: Lists, parts: Sequence[Lists]) -> Lists | None:
    """What all parts have for the sources of ``lists``; None where there is no part."""
    if not parts:
        return None
    keys = [
        Lists.from_pairs(
            part.sources[part.owner], part.targets, lists.n, among=lists.sources
        ).keys()
        for part in parts
    ]
    return merge(lists.n, lists.sources, keys)


def _without(lists: Lists, others: Lists) -> tuple[Lists, int]:
    """The lists without what ``others`` have as well, and how much that is."""
    sources, n = lists.sources[lists.owner], lists.n
    theirs = others.sources[others.owner] * n + others.targets
    seen = within(theirs, sources * n + lists.targets)
    left = Lists.from_pairs(sources[~seen], lists.targets[~seen], n)
    return left, int(np.count_nonzero(seen))


def _positives(table: PairTable, protocol: Protocol, n: int, dataset: Dataset) -> Lists:
    if protocol is Protocol.EDGES:
        graph = edges_of([table], dataset).graph
        return positives_of(graph.parents, graph.children, n, protocol)
    batches = list(table.spool.batches())
    ancestors = np.concatenate([batch.ancestor for batch in batches])
    descendants = np.concatenate([batch.descendant for batch in batches])
    return positives_of(ancestors, descendants, n, protocol)


def _farthest(table: PairTable, n: int) -> IntArray | None:
    """(n,) the largest distance of a pair of each descendant; None where none is stated."""
    if not table.spool.has_depth:
        return None
    farthest = np.zeros(n, dtype=np.int64)
    for batch in table.spool.batches():
        if batch.depth_diff is not None:
            np.maximum.at(farthest, batch.descendant, batch.depth_diff)
    return farthest
