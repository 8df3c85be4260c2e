"""Parents, ancestors and descendants of chosen nodes, as the lists that metrics rank."""

from __future__ import annotations

import numpy as np

from taxcheck.audit.metrics.lists import Lists
from taxcheck.model.arrays import IntArray, distinct, ranges, within
from taxcheck.statistics.hierarchy.graph import Graph, Neighbours
from taxcheck.statistics.spool import KeptPairs


def parents(graph: Graph, nodes: IntArray) -> Lists:
    """The parents of nodes (s,); nodes without one keep an empty list."""
    at, found = graph.parents_of.expand(nodes)
    return Lists.from_pairs(nodes[at], found, graph.n, among=nodes)


def ancestors(graph: Graph, nodes: IntArray) -> Lists:
    """Everything above nodes (s,)."""
    return _reached(graph.parents_of, nodes, graph.n)


def descendants(graph: Graph, nodes: IntArray) -> Lists:
    """Everything below nodes (s,): slices of the Euler tour in a forest."""
    forest = graph.forest
    if forest is None:
        return _reached(graph.children_of, nodes, graph.n)
    tour = np.empty(graph.n, dtype=np.int64)
    tour[forest.entry] = np.arange(graph.n)
    below = forest.size[nodes].astype(np.int64) - 1
    found = tour[ranges(forest.entry[nodes].astype(np.int64) + 1, below)]
    return Lists.from_pairs(np.repeat(nodes, below), found, graph.n, among=nodes)


def _reached(neighbours: Neighbours, nodes: IntArray, n: int) -> Lists:
    """All nodes reached from each node, level by level; shared paths are walked once a source."""
    owner, at = np.arange(len(nodes)), nodes
    known = np.empty(0, np.int64)
    while len(at):
        position, found = neighbours.expand(at)
        keys = distinct(owner[position] * n + found)
        keys = keys[~within(known, keys)]
        known = distinct(np.concatenate([known, keys]))
        owner, at = np.divmod(keys, n)
    owner, found = np.divmod(known, n)
    return Lists.from_pairs(nodes[owner], found, n, among=nodes)


def ancestors_in_pairs(spool: KeptPairs, nodes: IntArray, n: int) -> Lists:
    """The ancestors that the pairs themselves give nodes (s,)."""
    wanted = np.zeros(n, dtype=bool)
    wanted[nodes] = True
    sources, targets = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for batch in spool.batches():
        chosen = np.flatnonzero(wanted[batch.descendant])
        sources.append(batch.descendant[chosen])
        targets.append(batch.ancestor[chosen])
    return Lists.from_pairs(np.concatenate(sources), np.concatenate(targets), n, among=nodes)
