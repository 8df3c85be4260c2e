"""Held-out pairs for link prediction, none of which the training pairs imply.

Some edges (p, c) are cut, p no root and c no leaf. Held out is every pair (p, d) with d at or below
c, unless d is also below a child of p whose edge was not cut. A chain of training pairs from p to d
would have to leave p through such a child, so no held-out pair follows from training, not even
through several steps. Training keeps the pairs of d with the ancestors of p: it knows about where
the subtree of c belongs, and is asked below which node there. Every node stays in training: a pair
with a root is never held out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
import pyarrow as pa

from taxcheck.commands.build.pairs import (
    PAIR_SCHEMA,
    Pairs,
    as_batches,
    closure_blocks,
    count_pairs,
    depths_of,
)
from taxcheck.model.arrays import BoolArray, IntArray, distinct, within
from taxcheck.model.errors import InputError
from taxcheck.statistics.hierarchy.graph import Graph, Neighbours

PROTOCOL = (
    "Some edges (p, c) are cut, p no root and c no leaf. Held out are the pairs (p, d) for every d "
    "at or below c that is below no child of p whose edge stays. No chain of training pairs leads "
    "from p to such a d, so nothing held out is implied. Pairs with roots, edges of leaves and "
    "every node stay in training. No single cut has more than a tenth of the held-out pairs."
)
_LARGEST_PART = 10
_EMPTY = pa.RecordBatch.from_pylist([], schema=PAIR_SCHEMA)


@dataclass(frozen=True)
class Split:
    """Which edges are cut."""

    graph: Graph
    cap: int | None
    cut: BoolArray  # (edges,) in the graph's order

    def batches(self) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
        """(training, held-out) batches, which together are the closure."""
        depth = depths_of(self.graph)
        for pairs, held in self._blocks():
            parts = [list(as_batches(_where(pairs, mask), depth)) for mask in (~held, held)]
            yield from zip_longest(*parts, fillvalue=_EMPTY)

    def _blocks(self) -> Iterator[tuple[Pairs, BoolArray]]:
        graph = self.graph
        if graph.forest is not None:
            below_cut = np.zeros(graph.n, dtype=bool)
            below_cut[graph.children[self.cut]] = True
            for pairs in closure_blocks(graph, self.cap):
                ancestor, descendant, distance = pairs
                # The child of the ancestor on the way is the ancestor of the row before.
                child = np.where(distance == 1, descendant, np.roll(ancestor, 1))
                yield pairs, below_cut[child]
            return
        kept = Neighbours.build(graph.children[~self.cut], graph.parents[~self.cut], graph.n)
        for pairs in closure_blocks(graph):
            held = ~_through(kept, pairs, graph.n)
            near = slice(None) if self.cap is None else pairs[2] <= self.cap
            yield (pairs[0][near], pairs[1][near], pairs[2][near]), held[near]


def _through(kept: Neighbours, pairs: Pairs, n: int) -> BoolArray:
    """Which pairs of a block have a way whose first step, at the ancestor, is a kept edge."""
    ancestor, descendant = pairs[0].astype(np.int64), pairs[1].astype(np.int64)
    own = distinct(descendant)
    at, above = kept.expand(np.concatenate([ancestor, own]))
    known = distinct(np.concatenate([descendant, own])[at] * n + above)
    return within(known, descendant * n + ancestor)


def _where(pairs: Pairs, mask: BoolArray) -> Pairs:
    return pairs[0][mask], pairs[1][mask], pairs[2][mask]


def choose(graph: Graph, cap: int | None, share: float, seed: int) -> Split:
    """Cut edges in an order drawn from ``seed`` until ``share`` of all pairs is held out, or less.

    Raises InputError where no edge may be cut.
    """
    below, pairs = _sizes(graph, cap)
    budget = int(share * pairs)
    is_parent = np.zeros(graph.n, dtype=bool)
    is_parent[graph.parents] = True
    may = (graph.parent_counts[graph.parents] > 0) & is_parent[graph.children]
    cost = np.ones(len(graph.children), np.int64) if cap == 1 else below[graph.children]
    if may.any() and cap is None:
        may &= cost <= max(budget // _LARGEST_PART, int(cost[may].min()))
    if not may.any() or budget < 1:
        raise InputError(
            f"`split` {share:g}: nothing can be held out of {pairs:,} pairs: an edge whose parent "
            "is no root and whose child is no leaf is needed; give a larger share or hierarchy"
        )
    order = np.random.default_rng(seed).permutation(np.flatnonzero(may))
    if graph.forest is not None and (cap is None or cap == 1):
        chosen = _fill(order, cost[order], budget)
    else:
        chosen = _longest(graph, cap, order, budget)
    if not len(chosen):
        raise InputError(
            f"`split` {share:g}: the smallest subtree has more pairs than {share:g} of {pairs:,}; "
            "give a larger share"
        )
    return _cutting(graph, cap, chosen)


def _cutting(graph: Graph, cap: int | None, edges: IntArray) -> Split:
    cut = np.zeros(len(graph.children), dtype=bool)
    cut[edges] = True
    return Split(graph, cap, cut)


def _sizes(graph: Graph, cap: int | None) -> tuple[IntArray, int]:
    """(n,) nodes at or below each node, and the number of pairs."""
    if graph.forest is not None:
        return graph.forest.size.astype(np.int64), count_pairs(graph.forest, cap)
    pairs = 0
    below = np.ones(graph.n, dtype=np.int64)
    for ancestor, _, distance in closure_blocks(graph):
        pairs += len(ancestor) if cap is None else int(np.count_nonzero(distance <= cap))
        below += np.bincount(ancestor, minlength=graph.n)
    return below, pairs


def _fill(order: IntArray, cost: IntArray, budget: int) -> IntArray:
    """In order, every edge that still fits."""
    chosen = []
    for edge, price in zip(order.tolist(), cost.tolist(), strict=True):
        if price <= budget:
            chosen.append(edge)
            budget -= price
        if not budget:
            break
    return np.array(chosen, dtype=np.int64)


def _longest(graph: Graph, cap: int | None, order: IntArray, budget: int) -> IntArray:
    """The longest beginning of the order that holds out no more than the budget.

    A pair is held out once the last edge is cut by which a way from its ancestor can begin; how
    many pairs have it in which place of the order says what every beginning holds out.
    """
    place = np.full(len(graph.children), len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    upwards = Neighbours.build(graph.children, np.arange(len(graph.children)), graph.n)
    held = np.zeros(len(order) + 1, dtype=np.int64)
    for ancestor, descendant, distance in closure_blocks(graph):
        own = distinct(descendant)
        at, edge = upwards.expand(np.concatenate([ancestor, own]).astype(np.int64))
        key = np.concatenate([descendant, own])[at].astype(np.int64) * graph.n
        key += graph.parents[edge]
        by_key = np.argsort(key, kind="stable")
        first = np.flatnonzero(np.diff(key[by_key], prepend=-1))
        last = np.maximum.reduceat(place[edge][by_key], first)
        if cap is not None:
            near = distance <= cap
            asked = np.sort(descendant[near].astype(np.int64) * graph.n + ancestor[near])
            last = last[within(asked, key[by_key][first])]
        held += np.bincount(last, minlength=len(held))
    return order[: np.searchsorted(np.cumsum(held[:-1]), budget, side="right")]
