"""Whether parents and siblings are found near a node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from taxcheck.audit.metrics.bootstrap import Interval, mean_interval
from taxcheck.audit.metrics.lists import IntArray, Ints, Lists, merge
from taxcheck.geometry.space import Space
from taxcheck.model.arrays import within

_TRIES = 16


def kin(ancestors: Lists, descendants: Lists) -> Lists:
    """Ancestors and descendants of the same sources in one list each.

    Where parents are ranked these are no candidates: in a perfect tree metric a node with c
    children ties them with its parent, so that unfiltered hits@1 cannot exceed 1/(1+c).
    """
    return merge(ancestors.n, ancestors.sources, [ancestors.keys(), descendants.keys()])


@dataclass(frozen=True, slots=True)
class Siblings:
    """How often a sibling is nearer than a random node of the same depth."""

    auc: Interval  # mean over sources of P(sibling nearer) + P(tie) / 2 over the draws
    sources: IntArray  # (s,)
    draws: int  # of each kind and source


def sibling_retrieval(
    space: Space,
    parents: Lists,
    depth: Ints,
    rng: np.random.Generator,
    *,
    sources: int = 2000,
    draws: int = 8,
) -> Siblings:
    """AUC of siblings against random nodes of the same depth that are none, on sampled sources.

    ``parents``: of every node that has one; ``depth`` (n,). A node qualifies that has a sibling
    and from whose depth a stranger was drawn in 16 tries. Drawn with replacement; a distance that
    does not exist is the larger one, a source that is no point scores 0. The interval bootstraps
    sources.
    """
    children = Lists.from_pairs(parents.targets, parents.sources[parents.owner], parents.n)
    place = np.full(parents.n, -1, dtype=np.int64)
    place[children.sources] = np.arange(len(children.sources))
    family = place[parents.targets]  # per (node, parent): which list of children
    able = np.flatnonzero(
        np.maximum.reduceat(children.lengths[family], parents.starts[:-1]) > 1
        if len(parents.sources)
        else []
    )
    chosen = np.sort(rng.choice(able, min(sources, len(able)), replace=False))
    node = np.repeat(parents.sources[chosen], draws)
    at = np.repeat(chosen, draws)
    sibling = _a_sibling(parents, children, family, at, node, rng)
    stranger = _a_stranger(parents, depth, at, node, rng)
    kept = np.repeat(((sibling >= 0) & (stranger >= 0)).reshape(-1, draws).all(axis=1), draws)
    node, sibling, stranger = node[kept], sibling[kept], stranger[kept]
    near, far = space.separation(node, sibling), space.separation(node, stranger)
    lost = np.isnan(near)
    near, far = np.where(lost, np.inf, near), np.where(np.isnan(far), np.inf, far)
    won = np.where(lost, 0.0, (near < far) + 0.5 * (near == far))
    scores = won.reshape(-1, draws).mean(axis=1)
    return Siblings(mean_interval(scores, rng), node[::draws], draws)


def _drawn(size: int, draw: Callable[[IntArray], IntArray]) -> IntArray:
    """What is drawn for places (size,), again where it is -1, as often as there are tries."""
    found = np.full(size, -1, dtype=np.int64)
    for _ in range(_TRIES):
        if len(places := np.flatnonzero(found < 0)):
            found[places] = draw(places)
    return found


def _a_sibling(
    parents: Lists,
    children: Lists,
    family: IntArray,
    at: IntArray,
    node: IntArray,
    rng: np.random.Generator,
) -> IntArray:
    """A random other child of a random parent that has one; -1 where the tries found none."""

    def draw(places: IntArray) -> IntArray:
        which = parents.starts[at[places]] + rng.integers(0, parents.lengths[at[places]])
        group = family[which]
        drawn = children.targets[children.starts[group] + rng.integers(0, children.lengths[group])]
        return np.where(drawn == node[places], -1, drawn)

    return _drawn(len(node), draw)


def _a_stranger(
    parents: Lists, depth: Ints, at: IntArray, node: IntArray, rng: np.random.Generator
) -> IntArray:
    """A random node of the same depth that shares no parent; -1 where the tries found none."""
    by_depth = np.argsort(depth, kind="stable")
    sorted_depth = np.asarray(depth)[by_depth]
    begin = np.searchsorted(sorted_depth, np.asarray(depth)[node])
    end = np.searchsorted(sorted_depth, np.asarray(depth)[node], "right")
    edges = np.sort(parents.sources[parents.owner] * parents.n + parents.targets)

    def draw(places: IntArray) -> IntArray:
        drawn = by_depth[begin[places] + rng.integers(0, end[places] - begin[places])]
        mine = parents.some(at[places])
        keys = drawn[mine.owner] * parents.n + mine.targets
        shares = np.bincount(mine.owner[within(edges, keys)], minlength=len(places)) > 0
        return np.where(shares | (drawn == node[places]), -1, drawn)

    return _drawn(len(node), draw)
