"""What an epoch trains on: pairs in which order and with which weights, and against what.

Everything follows from the seed and the number of the epoch, so that a resumed run draws as one
that was never interrupted; the size of the chunks changes nothing but where they are cut. Beyond
the pairs themselves the bookkeeping takes some numbers a node, and a chunk's worth of gathers;
only grouping "pairs" keeps up to 8 bytes a pair.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from taxcheck.engine.config import TrainConfig
from taxcheck.engine.dataset import BLOCK, TrainingData
from taxcheck.geometry.space import Space
from taxcheck.model.arrays import Int32Array, IntArray, bounded, distinct, ranges
from taxcheck.model.vocabulary import FAR, NEAR, number, percent

_Doubles = npt.NDArray[np.float64]
_FARTHEST = np.iinfo(np.int16).max
_SCANNED = 100_000  # candidates that a source is held against; of more, so many are drawn


@dataclass(frozen=True, slots=True)
class Chunk:
    """Sources with some of their positives: one batch, or a chunk that a kernel walks through.

    A source is a descendant, its positives are ancestors; all positives of one entry share the
    negatives that are drawn for it. To draw pair by pair, repeat the source with one positive each.
    """

    sources: Int32Array  # (s,)
    starts: IntArray  # (s + 1,) into positives and weights
    positives: Int32Array  # (p,)
    weights: npt.NDArray[np.float32]  # (p,) factor of each pair's loss


def balance_shares(counts: IntArray, config: TrainConfig) -> _Doubles:
    """The share of the draws that each distance gets; ``counts[k]`` pairs are at distance k.

    "balanced" shares the draws equally between the ranges 1, 2 to 5 and beyond 5 that occur;
    "temperature" draws a distance as count ** (1 / T), as languages are drawn in multilingual
    translation (Arivazhagan et al. 2019, arXiv:1907.05019).
    """
    distance, mass = np.arange(len(counts)), counts.astype(np.float64)
    if config.balance == "balanced":
        part = np.where(distance <= NEAR, 0, np.where(distance <= FAR, 1, 2))
        held = np.bincount(part, weights=mass, minlength=3)
        mass = mass / np.maximum(held, 1)[part]
    elif config.balance == "oversample":
        mass[1:2] *= config.depth1_factor
    elif config.balance == "temperature":
        mass = mass ** (1 / config.balance_temperature) * (counts > 0)
    return np.asarray(mass / mass.sum())


@dataclass(frozen=True, slots=True)
class _Stage:
    """What is the same in all epochs that admit the same distances."""

    pairs: int
    positives: IntArray  # (n,) admitted positives of each source
    admitted: npt.NDArray[np.bool_] | None  # [distance]; None: all
    drawn: _Doubles  # [distance] how often each of its pairs is drawn in an epoch, 1 on average
    weight: _Doubles | None  # [distance] weight of a pair; None: 1
    per_source: _Doubles | None  # (n,) factor on it; None: 1


class Sampler:
    """The pairs of every epoch, in chunks.

    Grouping "sources" takes each source once, in random order, with all its admitted positives;
    the balance is then in the weights. Grouping "pairs" draws as many pairs as are admitted, with
    replacement and already balanced; each is its own entry.

    A weight is the product of balance (grouping "sources"), distance ** -depth_weight and the
    pair's own weight, over its mean; with source_weight "sources" every source's weights are then
    scaled to the same sum. So the weights of an epoch add up to its pairs (grouping "pairs": on
    average), whatever the settings, and a learning rate keeps its meaning.
    """

    def __init__(self, data: TrainingData, config: TrainConfig) -> None:
        self._data, self._config = data, config
        self._counts = np.zeros(int(data.distances.max(initial=0)) + 1, dtype=np.int64)
        for start in range(0, data.pairs, BLOCK):
            part = data.distances[start : start + BLOCK]
            self._counts += np.bincount(part, minlength=len(self._counts))
        self._stages: dict[tuple[int, int], _Stage] = {}

    def shares(self, epoch: int) -> tuple[_Doubles, _Doubles]:
        """By distance, shares of an epoch's draws and of their weight, on average; [distance]."""
        stage, data = self._stage(epoch), self._data
        admitted = np.ones(len(self._counts)) if stage.admitted is None else 1.0 * stage.admitted
        often = admitted * (stage.drawn if self._config.grouping == "pairs" else 1.0)
        weight = np.zeros(len(self._counts))
        counts = np.diff(data.starts)
        for nodes in bounded(counts, BLOCK):
            part = np.arange(data.starts[nodes.start], data.starts[nodes.stop])
            owner = np.repeat(np.arange(data.n_nodes, dtype=np.int32)[nodes], counts[nodes])
            own = self._weights(stage, part, owner)
            weight += np.bincount(data.distances[part], weights=own, minlength=len(weight))
        drawn, weight = self._counts * often, weight * often
        return drawn / drawn.sum(), weight / weight.sum()

    def pairs(self, epoch: int) -> int:
        """How many pairs an epoch trains on; epochs count from 0. ValueError where it has none."""
        return self._stage(epoch).pairs

    def epoch(self, epoch: int, size: int) -> Iterator[Chunk]:
        """An epoch in pieces of about ``size`` pairs; epochs count from 0.

        A source is never cut in two. ValueError, naming the key, where no pair is admitted.
        """
        stage = self._stage(epoch)
        rng = np.random.default_rng([self._config.seed, epoch])
        if self._config.grouping == "sources":
            return self._by_source(stage, rng, size)
        return self._by_pair(stage, rng, size)

    def _by_source(self, stage: _Stage, rng: np.random.Generator, size: int) -> Iterator[Chunk]:
        starts = self._data.starts
        sources = np.flatnonzero(stage.positives).astype(np.int32)
        rng.shuffle(sources)
        sizes = stage.positives[sources]
        before = np.cumsum(sizes) - sizes
        cuts = distinct(np.searchsorted(before, np.arange(0, stage.pairs, max(size, 1))))
        for first, end in zip(cuts, np.r_[cuts[1:], len(sources)], strict=True):
            some = sources[first:end]
            at = ranges(starts[some], starts[some + 1] - starts[some])
            if stage.admitted is not None:
                at = at[stage.admitted[self._data.distances[at]]]
            offsets = np.r_[0, np.cumsum(sizes[first:end])]
            weights = self._weights(stage, at, np.repeat(some, sizes[first:end]))
            yield Chunk(some, offsets, self._data.ancestors[at], weights)

    def _by_pair(self, stage: _Stage, rng: np.random.Generator, size: int) -> Iterator[Chunk]:
        mass = self._counts[: len(stage.drawn)] * stage.drawn
        upto = np.cumsum(mass)
        base = np.cumsum(self._counts) - self._counts
        last = int(np.flatnonzero(mass)[-1])
        plain = stage.admitted is None and self._config.balance == "none"
        for start in range(0, stage.pairs, max(size, 1)):
            u = rng.random(min(size, stage.pairs - start))
            if plain:
                at = (u * stage.pairs).astype(np.int64)
            else:
                u *= upto[-1]
                k = np.minimum(np.searchsorted(upto, u, side="right"), last)
                within = ((u - (upto[k] - mass[k])) / mass[k] * self._counts[k]).astype(np.int64)
                at = self._by_distance[base[k] + np.clip(within, 0, self._counts[k] - 1)]
            sources = self._owner[at]
            weights = self._weights(stage, at, sources)
            positives = self._data.ancestors[at]
            if self._config.anchor == "ancestor":
                sources, positives = positives, sources
            yield Chunk(sources, np.arange(len(at) + 1), positives, weights)

    def _weights(
        self, stage: _Stage, at: npt.NDArray[np.integer], sources: Int32Array
    ) -> npt.NDArray[np.float32]:
        """Weights of the pairs at positions (k,), whose sources are given."""
        out = np.ones(len(at))
        if stage.weight is not None:
            out = stage.weight[self._data.distances[at]]
        if self._data.weights is not None:
            out = out * self._data.weights[at]
        if stage.per_source is not None:
            out = out * stage.per_source[sources]
        return out.astype(np.float32)

    @cached_property
    def _owner(self) -> Int32Array:
        """The source of every pair, (pairs,)."""
        nodes = np.arange(self._data.n_nodes, dtype=np.int32)
        return np.repeat(nodes, np.diff(self._data.starts))

    @cached_property
    def _by_distance(self) -> Int32Array:
        """Positions of all pairs, nearest first, (pairs,); NumPy sorts int16 by radix."""
        return np.argsort(self._data.distances, kind="stable").astype(np.int32)

    def distances(self, epoch: int) -> tuple[int, int, str]:
        """The least and the largest distance that an epoch admits, and the key that says so."""
        cap = self._config.depth_cap or _FARTHEST
        for until, least, largest in self._config.curriculum:
            if epoch < until:
                return least, min(largest, cap), "curriculum"
        return 1, cap, "depth_cap"

    def _stage(self, epoch: int) -> _Stage:
        least, largest, key = self.distances(epoch)
        if (least, largest) not in self._stages:
            self._stages = {(least, largest): self._enter(least, largest, key)}
        return self._stages[least, largest]

    def _enter(self, least: int, largest: int, key: str) -> _Stage:
        data, config = self._data, self._config
        distance = np.arange(len(self._counts))
        admitted = (distance >= least) & (distance <= largest)
        counts = np.where(admitted, self._counts, 0)
        pairs = int(counts.sum())
        if not pairs:
            where = f"at distance {least} to {largest}" if data.pairs else "at all"
            raise ValueError(f"{key}: there are no pairs {where}")
        drawn = balance_shares(counts, config) * pairs / np.maximum(counts, 1)
        weight = np.maximum(distance, 1.0) ** -config.depth_weight
        everything = bool(pairs == data.pairs)
        positives = np.diff(data.starts)
        total = counts * drawn * weight  # of the weights of an epoch, by distance
        sums: _Doubles | None = None
        if not everything or data.weights is not None or config.source_weight == "sources":
            positives, sums = self._sums(admitted, drawn * weight)
        mean = float(total.sum() if sums is None else sums.sum()) / pairs
        if not mean:
            raise ValueError(f"weights: all pairs at distance {least} to {largest} weigh 0")
        weight = weight / mean
        per_source: _Doubles | None = None
        if config.source_weight == "sources" and sums is not None:
            per_source = np.zeros(data.n_nodes)
            alive = sums > 0
            per_source[alive] = pairs / np.count_nonzero(alive) / (sums[alive] / mean)
        if config.grouping == "sources":
            weight = weight * drawn
        flat = bool(np.allclose(weight[counts > 0], 1, rtol=1e-12))
        return _Stage(
            pairs=pairs,
            positives=positives,
            admitted=None if everything else admitted,
            drawn=drawn,
            weight=None if flat else weight,
            per_source=per_source,
        )

    def _sums(self, admitted: npt.NDArray[np.bool_], weight: _Doubles) -> tuple[IntArray, _Doubles]:
        """Admitted positives of every source, and the sum of their weights, (n,) each."""
        data = self._data
        positives, sums = np.zeros(data.n_nodes, np.int64), np.zeros(data.n_nodes)
        weight, counts = weight * admitted, np.diff(data.starts)
        for nodes in bounded(counts, BLOCK):
            part = slice(data.starts[nodes.start], data.starts[nodes.stop])
            distance, n = data.distances[part], len(counts[nodes])
            owner = np.repeat(np.arange(n), counts[nodes])
            own = weight[distance]
            if data.weights is not None:
                own = own * data.weights[part]
            positives[nodes] = np.bincount(owner[admitted[distance]], minlength=n)
            sums[nodes] = np.bincount(owner, weights=own, minlength=n)
        return positives, sums


@dataclass(frozen=True, slots=True)
class StageDraws:
    """The pairs of the epochs that admit the same distances, at distance 1, 2 to 5, and beyond."""

    first: int  # epoch, from 1
    last: int
    pairs: int  # of each epoch
    drawn: tuple[float, float, float]  # shares of the draws, which sum to 1
    weight: tuple[float, float, float]  # shares of their weight in the loss

    def __str__(self) -> str:
        epochs = f"epoch {self.first}" + (f" to {self.last}" if self.last > self.first else "")
        drawn, weight = (
            [percent(share) for share in shares] for shares in (self.drawn, self.weight)
        )
        said = f"{drawn[0]} at distance 1, {drawn[1]} at 2 to 5, {drawn[2]} beyond"
        if weight != drawn:
            said += f"; of the weight {weight[0]}, {weight[1]} and {weight[2]}"
        return f"{epochs}: {number(self.pairs)} pairs drawn, {said}"


def stage_draws(sampler: Sampler, epochs: int) -> list[StageDraws]:
    """What every stage of a run draws; a stage ends where other distances are admitted."""
    starts = [
        epoch
        for epoch in range(epochs)
        if not epoch or sampler.distances(epoch)[:2] != sampler.distances(epoch - 1)[:2]
    ]
    found = []
    for first, end in pairwise([*starts, epochs]):
        drawn, weight = (_by_range(shares) for shares in sampler.shares(first))
        found.append(StageDraws(first + 1, end, sampler.pairs(first), drawn, weight))
    return found


def _by_range(shares: _Doubles) -> tuple[float, float, float]:
    """Shares at distance 1, 2 to 5, and beyond."""
    near, far = float(shares[: NEAR + 1].sum()), float(shares[: FAR + 1].sum())
    return near, far - near, max(1 - far, 0.0)


@dataclass(frozen=True, slots=True)
class Negatives:
    """How negatives are drawn: per source ``uniform + degree + hard`` of them, with replacement.

    None is ever the source, or one of the nodes that it is trained to be near; a hard one shares
    the source's depth and is neither its ancestor nor its descendant; a degree one is drawn as
    often as it is an ancestor in the pairs. ``pool`` are the candidates of uniform draws. Where
    ``nearest`` is not 0, up to so many candidates join that are hardly farther away than the
    farthest positive: by ``window`` at most. ``anchored``: sources are the ancestors of pairs; none
    is then below them, and the hard ones share the depth of the descendant.
    """

    uniform: int
    degree: int
    hard: int
    pool: Int32Array  # (candidates,)
    by_depth: Int32Array  # (candidates,) nodes sorted by depth
    depth_starts: IntArray  # (depths + 1,) into by_depth
    nearest: int = 0
    window: float = 0.0
    anchored: bool = False


def negatives_of(data: TrainingData, config: TrainConfig) -> Negatives:
    """How many of each kind a source gets, and the nodes that they are drawn from.

    Candidates are the nodes in some pair: a node in none has no place that a negative could
    correct. ValueError, naming the key, where there is nothing to draw from.
    """
    if config.degree_share + config.hard_share > 1:
        raise ValueError("degree_share and hard_share add up to more than 1")
    pool = np.flatnonzero(data.paired).astype(np.int32)
    if len(pool) < 2:
        raise ValueError(f"negatives: {len(pool)} nodes are in some pair, so none can be drawn")
    degree = round(config.negatives * config.degree_share)
    hard = min(round(config.negatives * config.hard_share), config.negatives - degree)
    depths = data.depth[pool]
    counts = np.bincount(depths)
    starts = np.r_[0, np.cumsum(counts)]
    if hard and not (counts[data.depth[np.diff(data.starts) > 0]] > 1).any():
        raise ValueError("hard_share: no source has another node at its depth to be drawn")
    return Negatives(
        uniform=config.negatives - degree - hard,
        degree=degree,
        hard=hard,
        anchored=config.anchor == "ancestor",
        pool=pool,
        by_depth=pool[np.argsort(depths, kind="stable")],
        depth_starts=starts,
    )


def draw_negatives(
    negatives: Negatives, data: TrainingData, chunk: Chunk, rng: np.random.Generator
) -> Int32Array:
    """Negatives of every source, (s, K): uniform ones, then by degree, then hard; -1: rejected.

    A draw is rejected, not repeated, where it is the source or one of its ancestors; a hard one,
    and any where the sources are ancestors, also where it is below the source. Hard ones have the
    depth of the descendant. All of ``data.ancestry`` counts, so pairs that a cap or a
    curriculum leaves out are no negatives either.
    """
    rows, sources = len(chunk.sources), chunk.sources[:, None]  # (s, 1)
    uniform = negatives.pool[rng.integers(len(negatives.pool), size=(rows, negatives.uniform))]
    parts = [uniform]
    if negatives.degree:
        at = rng.integers(data.pairs, size=(rows, negatives.degree))
        parts.append(data.ancestors[at])
    if negatives.hard:
        like = chunk.positives[chunk.starts[:-1], None] if negatives.anchored else sources
        depth = data.depth[like]
        first = negatives.depth_starts[depth]
        size = negatives.depth_starts[depth + 1] - first
        at = first + (rng.random((rows, negatives.hard)) * size).astype(np.int64)
        parts.append(negatives.by_depth[at])
    drawn = np.concatenate(parts, axis=1)  # (s, K)
    rejected = (drawn == sources) | data.ancestry.is_above(drawn, sources)
    if negatives.anchored:
        rejected |= data.ancestry.is_above(sources, drawn)
    elif negatives.hard:
        hard = drawn[:, -negatives.hard :]
        rejected[:, -negatives.hard :] |= data.ancestry.is_above(sources, hard)
    return np.where(rejected, np.int32(-1), drawn)


def refined(negatives: Negatives, config: TrainConfig) -> Negatives:
    """The negatives of refinement: those of before, and the nearest candidates."""
    window = config.refine_window * config.refine_temperature
    return replace(negatives, nearest=config.refine_nearest, window=window)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A table's candidates as they stood at one moment, w = d + 2 factors each; see ``Space``."""

    space: Space
    ids: Int32Array  # (m,)
    rights: npt.NDArray[np.floating]  # (m, w)

    @classmethod
    def of(
        cls,
        table: npt.NDArray[np.floating],
        config: TrainConfig,
        pool: Int32Array,
        rng: np.random.Generator,
    ) -> Snapshot:
        """Take all of ``pool``, or a part of it drawn by ``rng`` where it is large."""
        if len(pool) > _SCANNED:
            pool = np.sort(rng.choice(pool, _SCANNED, replace=False))
        space = Space.of(table, config.geometry)
        return cls(space, pool, space.right(pool))

    def nearest(self, data: TrainingData, chunk: Chunk, negatives: Negatives) -> Int32Array:
        """Up to ``negatives.nearest`` candidates of every source, (s, nearest), nearest first.

        Those no farther than ``negatives.window`` beyond the farthest positive; -1 fills the row,
        and stands where a candidate is the source or an ancestor of it.
        """
        owner = np.repeat(np.arange(len(chunk.sources)), np.diff(chunk.starts))
        far = np.zeros(len(chunk.sources))
        np.maximum.at(far, owner, self.space.distance(chunk.sources[owner], chunk.positives))
        reach = far + negatives.window
        largest = 2 * np.sinh(reach / 2) ** 2 if self.space.hyperbolic else reach**2
        apart = self.space.left(chunk.sources) @ self.rights.T  # (s, m)
        most = min(negatives.nearest, len(self.ids))
        at = np.argpartition(apart, most - 1, axis=1)[:, :most]
        values = np.take_along_axis(apart, at, axis=1)
        order = np.argsort(values, axis=1, kind="stable")
        at = np.take_along_axis(at, order, axis=1)
        values = np.take_along_axis(values, order, axis=1)
        found, sources = self.ids[at], chunk.sources[:, None]
        out = values >= largest[:, None]
        out |= (found == sources) | data.ancestry.is_above(found, sources)
        return np.where(out, np.int32(-1), found)
