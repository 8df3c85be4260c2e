"""What positives are contrasted with: the pools of negatives, and a reference way to draw them."""

from __future__ import annotations

import numpy as np

from taxcheck.engine.config import TrainConfig
from taxcheck.engine.related import is_ancestor
from taxcheck.engine.values import Int32Array, Negatives, TrainingData, Work


def negatives(data: TrainingData, config: TrainConfig) -> Negatives:
    """How many of each kind a source gets, and the nodes that they are drawn from.

    Candidates are the nodes in some pair: a node in none has no place that a negative could
    correct. ValueError, naming the key, where there is nothing to draw from.
    """
    if config.degree_share + config.hard_share > 1:
        raise ValueError("degree_share and hard_share add up to more than 1")
    used = np.diff(data.starts) > 0
    is_source = used.copy()
    used[data.ancestors] = True
    pool = np.flatnonzero(used).astype(np.int32)
    if len(pool) < 2:
        raise ValueError(f"negatives: {len(pool)} nodes are in some pair, so none can be drawn")
    degree = round(config.negatives * config.degree_share)
    hard = min(round(config.negatives * config.hard_share), config.negatives - degree)
    depths = data.depth[pool]
    counts = np.bincount(depths)
    starts = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=starts[1:])
    if hard and not (counts[data.depth[is_source]] > 1).any():
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


def draw(
    negatives: Negatives, data: TrainingData, work: Work, rng: np.random.Generator
) -> Int32Array:
    """Negatives of every source, (s, K): uniform ones, then by degree, then hard; -1: rejected.

    A draw is rejected, not repeated, where it is the source or one of its ancestors; a hard one,
    and any where the sources are ancestors, also where it is below the source. Hard ones have the
    depth of the descendant. All of ``data.related`` counts, so pairs that a cap or a
    curriculum leaves out are no negatives either.
    """
    rows, sources = len(work.sources), work.sources[:, None]  # (s, 1)
    uniform = negatives.pool[rng.integers(len(negatives.pool), size=(rows, negatives.uniform))]
    parts = [uniform]
    if negatives.degree:
        at = rng.integers(data.pairs, size=(rows, negatives.degree))
        parts.append(data.ancestors[at])
    if negatives.hard:
        peers = work.positives[work.starts[:-1], None] if negatives.anchored else sources
        depth = data.depth[peers]
        first = negatives.depth_starts[depth]
        size = negatives.depth_starts[depth + 1] - first
        at = first + (rng.random((rows, negatives.hard)) * size).astype(np.int64)
        parts.append(negatives.by_depth[at])
    drawn = np.concatenate(parts, axis=1)  # (s, K)
    rejected = (drawn == sources) | is_ancestor(data.related, drawn, sources)
    if negatives.anchored:
        rejected |= is_ancestor(data.related, sources, drawn)
    elif negatives.hard:
        hard = drawn[:, -negatives.hard :]
        rejected[:, -negatives.hard :] |= is_ancestor(data.related, sources, hard)
    return np.where(rejected, np.int32(-1), drawn)
