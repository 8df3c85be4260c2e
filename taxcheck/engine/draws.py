"""Which pairs an epoch trains on, in which order, with which weights.

Everything follows from the seed and the number of the epoch, so that a resumed run draws as one
that was never interrupted; the size of the chunks changes nothing but where they are cut. Beyond
the pairs themselves the bookkeeping takes some numbers a node, and a chunk's worth of gathers;
only grouping "pairs" keeps up to 8 bytes a pair.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from taxcheck.arrays import distinct, ranges
from taxcheck.engine.config import TrainConfig
from taxcheck.engine.related import blocks
from taxcheck.engine.values import Int32Array, IntArray, TrainingData, Work

CHUNK = 1 << 17
NEAR, FAR = 1, 5  # the ranges of ``config.Dataset``'s sampler "balanced": 1, 2 to 5, beyond 5

_Doubles = npt.NDArray[np.float64]
_FARTHEST = np.iinfo(np.int16).max


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


class Draws:
    """The work of every epoch.

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
        self._counts = np.zeros(1, dtype=np.int64)
        if data.pairs:
            self._counts = np.zeros(int(data.distances.max()) + 1, dtype=np.int64)
        for first, end in blocks(data.starts):
            part = data.distances[data.starts[first] : data.starts[end]]
            self._counts += np.bincount(part, minlength=len(self._counts))
        self._stages: dict[tuple[int, int], _Stage] = {}

    def admitted(self, epoch: int) -> int:
        """How many pairs an epoch trains on; epochs count from 0. ValueError where it has none."""
        return self._stage(epoch).pairs

    def epoch(self, epoch: int, chunk: int = CHUNK) -> Iterator[Work]:
        """An epoch in pieces of about ``chunk`` pairs; epochs count from 0.

        A source is never cut in two. ValueError, naming the key, where no pair is admitted.
        """
        stage = self._stage(epoch)
        rng = np.random.default_rng([self._config.seed, epoch])
        if self._config.grouping == "sources":
            return self._by_source(stage, rng, chunk)
        return self._by_pair(stage, rng, chunk)

    def _by_source(self, stage: _Stage, rng: np.random.Generator, chunk: int) -> Iterator[Work]:
        starts = self._data.starts
        sources = np.flatnonzero(stage.positives).astype(np.int32)
        rng.shuffle(sources)
        sizes = stage.positives[sources]
        before = np.cumsum(sizes) - sizes
        cuts = distinct(np.searchsorted(before, np.arange(0, stage.pairs, max(chunk, 1))))
        for first, end in zip(cuts, np.r_[cuts[1:], len(sources)], strict=True):
            some = sources[first:end]
            at = ranges(starts[some], starts[some + 1] - starts[some])
            if stage.admitted is not None:
                at = at[stage.admitted[self._data.distances[at]]]
            offsets = np.zeros(len(some) + 1, dtype=np.int64)
            np.cumsum(sizes[first:end], out=offsets[1:])
            weights = self._weights(stage, at, np.repeat(some, sizes[first:end]))
            yield Work(some, offsets, self._data.ancestors[at], weights)

    def _by_pair(self, stage: _Stage, rng: np.random.Generator, chunk: int) -> Iterator[Work]:
        mass = self._counts[: len(stage.drawn)] * stage.drawn
        upto = np.cumsum(mass)
        base = np.cumsum(self._counts) - self._counts
        last = int(np.flatnonzero(mass)[-1])
        plain = stage.admitted is None and self._config.balance == "none"
        for start in range(0, stage.pairs, max(chunk, 1)):
            u = rng.random(min(chunk, stage.pairs - start))
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
            yield Work(sources, np.arange(len(at) + 1), positives, weights)

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

    def _stage(self, epoch: int) -> _Stage:
        cap = self._config.depth_cap or _FARTHEST
        bounds, key = (1, cap), "depth_cap"
        for until, least, largest in self._config.curriculum:
            if epoch < until:
                bounds, key = (least, min(largest, cap)), "curriculum"
                break
        if bounds not in self._stages:
            self._stages = {bounds: self._enter(*bounds, key)}
        return self._stages[bounds]

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
        weight = weight * admitted
        for first, end in blocks(data.starts):
            part = slice(data.starts[first], data.starts[end])
            distance = data.distances[part]
            owner = np.repeat(np.arange(end - first), np.diff(data.starts[first : end + 1]))
            own = weight[distance]
            if data.weights is not None:
                own = own * data.weights[part]
            positives[first:end] = np.bincount(owner[admitted[distance]], minlength=end - first)
            sums[first:end] = np.bincount(owner, weights=own, minlength=end - first)
        return positives, sums
