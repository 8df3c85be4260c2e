"""Edges of a set of which a part is held out: pairs that the whole speaks against make none.

Training and held-out pairs together are the closure, so a pair (a, d) of it has those of a's
parents with d beside it, and those of a with d's children. Where the whole holds all that the
training pairs imply, a held-out pair without them is wrong, or pairs were lost that nothing else
misses. As an edge it would only make more pairs look lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray, bounded, distinct, within
from taxcheck.policy.model import Dataset
from taxcheck.statistics.ancestry import Ancestry
from taxcheck.statistics.hierarchy.edges import Edges, edges_of
from taxcheck.statistics.hierarchy.slots import SlotSet
from taxcheck.statistics.pairs import PairTable

_CHECKS = 1 << 22  # pairs that are looked for at once


@dataclass(frozen=True, slots=True)
class SplitEdges:
    """What training and held-out pairs imply together, and what training implies alone."""

    every: Edges
    training: Edges
    lonely: IntArray  # sorted keys, descendant * n + ancestor, of held-out pairs that lack others


def split_edges(
    training: PairTable,
    held_out: PairTable,
    dataset: Dataset,
    memory: int | None = None,
    taxonomy: Ancestry | None = None,
) -> SplitEdges:
    """The edges of training and held-out pairs; a run may take ``memory`` bytes.

    Held-out pairs that the ``taxonomy`` denies make none either, and those that it holds make some.
    """
    own, tables = edges_of([training], dataset, memory), [training, held_out]
    keys = _beyond(own, tables)
    descendant, ancestor = np.divmod(keys, own.graph.n)
    denied = settled = np.zeros(len(keys), dtype=bool)
    if taxonomy is not None:
        true, denied = taxonomy.verdicts(ancestor, descendant)
        settled = true | denied
    lonely = keys[:0]
    if dataset.pairs == "closure" and not settled.all() and _complete(own, tables):
        lonely = _lonely(keys[~settled], own, tables)
    without = distinct(np.r_[lonely, keys[denied]])
    return SplitEdges(edges_of(tables, dataset, memory, without), own, lonely)


def _beyond(own: Edges, tables: Sequence[PairTable]) -> IntArray:
    """Sorted keys of held-out pairs that training neither has, in any direction, nor implies."""
    n = own.graph.n
    beyond = [np.empty(0, np.int64)]
    for batch in tables[-1].spool.batches():
        outside = own.closure.find(batch.ancestor, batch.descendant)[0] < 0
        beyond.append(distinct(batch.descendant[outside] * n + batch.ancestor[outside]))
    keys = distinct(np.concatenate(beyond))
    descendant, ancestor = np.divmod(keys, n)
    training = tables[:1]
    turned = _there(ancestor * n + descendant, training, n)
    return keys[~turned & ~_there(keys, training, n)]


def _lonely(keys: IntArray, own: Edges, tables: Sequence[PairTable]) -> IntArray:
    """Which of the pairs lack those that a closure has beside them."""
    n = own.graph.n
    lacking = np.zeros(len(keys), dtype=bool)
    descendant, ancestor = np.divmod(keys, n)
    for ends, up in ((ancestor, True), (descendant, False)):
        nodes = distinct(ends)
        neighbours, places = own.graph.acyclic.beside(nodes, up), np.searchsorted(nodes, ends)
        for part in bounded(neighbours.counts[places], _CHECKS):
            position, other = neighbours.expand(places[part])
            a, d = ancestor[part][position], descendant[part][position]
            asked = d * n + other if up else other * n + a
            absent = ~_there(asked, tables, n) & (other != (d if up else a))
            lacking[part.start + position[absent]] = True
    return keys[lacking]


def _there(keys: IntArray, tables: Sequence[PairTable], n: int) -> BoolArray:
    """Which keys are pairs of the tables, (k,) in any order."""
    asked = distinct(keys)
    found = np.zeros(len(asked), dtype=bool)
    for table in tables:
        for batch in table.spool.batches():
            own = batch.descendant * n + batch.ancestor
            own = own[within(asked, own)]
            found[np.searchsorted(asked, own)] = True
    return np.asarray(found[np.searchsorted(asked, keys)])


def _complete(own: Edges, tables: Sequence[PairTable]) -> bool:
    """Whether the tables hold all that the training pairs imply."""
    closure = own.closure
    if len(closure.beyond):
        return False
    seen = SlotSet(closure.size, sum(len(table.spool) for table in tables))
    for table in tables:
        for batch in table.spool.batches():
            slots, _ = closure.find(batch.ancestor, batch.descendant)
            seen.add(slots[slots >= 0])
    return len(seen) == closure.expected
