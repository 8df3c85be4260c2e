"""The few relatives by which the place of a single row is judged, drawn for many nodes at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taxcheck.model.arrays import IntArray, distinct, within
from taxcheck.statistics.hierarchy.graph import Graph, Neighbours

STEPS = 3  # ancestors, from the parents up
EACH = 2  # siblings and children that are asked, drawn with replacement; ancestors of one step
RELATIONS = (*(f"ancestor {step}" for step in range(1, STEPS + 1)), "sibling", "child")
ANCESTORS, SIBLING, CHILD = range(STEPS), STEPS, STEPS + 1


@dataclass(frozen=True, slots=True)
class Relation:
    """Relatives of one kind, an edge each; arrays are (edges,)."""

    owner: IntArray  # position among the nodes that were asked about, ascending
    relative: IntArray
    # Nodes with this parent are no strangers to the relative: siblings among siblings; -1: none.
    family: IntArray


def relatives_of(graph: Graph, nodes: IntArray, rng: np.random.Generator) -> list[Relation]:
    """Relatives of nodes (k,), a Relation for each of RELATIONS.

    Siblings and children stand beside ancestors, since a row whose parent is misplaced is not
    misplaced with it. Where an ancestor is reached by several ways it counts at the shortest.
    """
    above = _ancestors(graph, nodes, rng)
    return [*above, _siblings(graph, nodes, rng), _children(graph, nodes, rng)]


def _ancestors(graph: Graph, nodes: IntArray, rng: np.random.Generator) -> list[Relation]:
    owner, at, found = np.arange(len(nodes)), nodes, []
    seen = np.empty(0, np.int64)
    for _ in range(STEPS):
        position, above = graph.parents_of.expand(at)
        keys = distinct(owner[position] * graph.n + above)
        keys = _few(keys[~within(seen, keys)], graph.n, rng)
        seen = distinct(np.concatenate([seen, keys]))
        owner, at = np.divmod(keys, graph.n)
        kept = at != nodes[owner]  # in a cycle a node is above itself
        owner, at = owner[kept], at[kept]
        found.append(Relation(owner, at, np.full(len(at), -1)))
    return found


def _few(keys: IntArray, n: int, rng: np.random.Generator) -> IntArray:
    """At most EACH of the keys of an owner, ascending."""
    owner = keys // n
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    many = np.diff(starts, append=len(keys))
    large = np.repeat(many > EACH, many)
    if not large.any():
        return keys
    some, of = keys[large], owner[large]
    shuffled = np.lexsort((rng.random(len(some)), of))
    place = np.arange(len(some)) - np.searchsorted(of, of)
    return np.sort(np.concatenate([keys[~large], some[shuffled[place < EACH]]]))


def _drawn(
    of: Neighbours, nodes: IntArray, each: int, rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """So many neighbours of every node that has one: (position in nodes, neighbour)."""
    counts = of.starts[nodes + 1] - of.starts[nodes]
    owner = np.repeat(np.arange(len(nodes)), np.where(counts > 0, each, 0))
    place = (rng.random(len(owner)) * counts[owner]).astype(np.int64)
    return owner, of.targets[of.starts[nodes[owner]] + place]


def _siblings(graph: Graph, nodes: IntArray, rng: np.random.Generator) -> Relation:
    owner, parent = _drawn(graph.parents_of, nodes, EACH, rng)
    _, sibling = _drawn(graph.children_of, parent, 1, rng)
    kept = sibling != nodes[owner]
    return Relation(owner[kept], sibling[kept], parent[kept])


def _children(graph: Graph, nodes: IntArray, rng: np.random.Generator) -> Relation:
    owner, child = _drawn(graph.children_of, nodes, EACH, rng)
    return Relation(owner, child, nodes[owner])
