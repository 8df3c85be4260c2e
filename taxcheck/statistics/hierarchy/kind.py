"""Tree or DAG: what the pairs as a whole say, and whether a pair beyond the edges is false.

One dataset is of one kind, whichever columns its file has. So the kind is that of the transitive
reduction, which is the same for the pairs at distance 1 and for the closure that they generate.

A tree with wrong pairs and a DAG whose second parents lost their pairs at distance 1 may have the
same edges: one parent each. They differ in what lies beyond. The pairs of a DAG stay transitively
closed: who is above a node is above all that hangs from it, and so is all that is above him. Wrong
pairs seldom are. And where one row of a DAG was kept for each node and distance, the edges are a
tree that much of the rest contradicts, and that lacks much of what it implies. Such edges are no
measure of the other pairs, as long as all of them can be true together. Where a sample is meant, or
pairs up to a depth, what is missing says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray, Whole, bounded, distinct
from taxcheck.model.vocabulary import percent, plural
from taxcheck.policy.model import Dataset
from taxcheck.statistics.hierarchy.chains import Chains
from taxcheck.statistics.hierarchy.closure import Closure, closure_of
from taxcheck.statistics.hierarchy.edges import REDUCTION, without_shortcuts
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.hierarchy.pairset import PairSet
from taxcheck.statistics.values import Beyond, Kind

# Under this share of nodes with several parents, a tree was damaged; above it, a DAG was meant.
DAMAGED_SHARE = 0.01
# Above this share of closed ones, the pairs beyond the edges speak for lost edges.
_CLOSED_SHARE = 0.5
# So many, or this share, of wrong pairs are closed by chance; under 2 % of random ones are.
_BY_CHANCE = 2, 0.1
# Between these parts of the implied pairs missing, a file is neither a closure nor a list of edges.
_NEITHER = 0.25, 0.98
# Above these shares of nodes with a pair beyond the edges, and of implied pairs that are missing,
# the edges are no measure of the other pairs.
_CONTRADICTED, _MISSING = 0.2, 0.1
_FEWEST = 20  # such nodes
_REPLACED = 0.8  # of them that have as many pairs as their chains imply: pairs were replaced
_CHECKS = 1 << 22


@dataclass(frozen=True, slots=True)
class Likeness:
    """What the hierarchy is judged as."""

    kind: Kind
    reason: str
    strict: bool  # a pair that intact chains do not hold is false, unless it is ``supported``
    beyond: Beyond = field(default_factory=Beyond)
    supported: IntArray = field(default_factory=lambda: np.empty(0, np.int64))  # sorted keys


def likeness_of(
    graph: Graph,
    closure: Closure,
    pairs: PairSet,
    chains: Chains,
    dataset: Dataset,
    edges_from: str,
    one_parent: bool = False,
    memory: int | None = None,
) -> Likeness:
    """Judge all pairs, training and held out, against the edges and their closure.

    ``one_parent``: a taxonomy knows the nodes, and gives each of them one parent at most.
    """
    keys = _possible(pairs, closure)
    closed = _closed(keys, graph, closure, pairs)
    descendant, ancestor = np.divmod(keys, pairs.n)
    sure = chains.why_unknown(ancestor, descendant) == 0
    beyond = Beyond(int(np.count_nonzero(sure)), int(np.count_nonzero(closed & sure)))
    edges_lost = beyond.closed > _CLOSED_SHARE * beyond.pairs  # rather than pairs wrong
    reduced = without_shortcuts(graph, closure)  # of a graph without cycles, so has it none
    counts: Whole = (reduced if graph.acyclic is graph else reduced.acyclic).parent_counts
    del reduced
    explained = _explained(graph, closure, pairs) if dataset.depth_cap is None else 0.0
    stated = edges_from != REDUCTION
    if beyond.pairs:
        whole = _with_pairs(graph, keys[sure], pairs.n)
        wider = without_shortcuts(whole, closure_of(whole, memory)).acyclic.parent_counts
        beyond = replace(beyond, several_parents=int(np.count_nonzero(wider > 1)))
        if not beyond.several_parents:  # without second parents no edge of one was lost
            closed[:] = edges_lost = False
        if dataset.pairs == "closure" and _no_measure(graph, closure, pairs, keys[sure]):
            edges_lost, explained = True, 0.0
        if edges_lost and beyond.several_parents > np.count_nonzero(counts > 1):
            counts, stated = wider, False
    one_parent &= dataset.kind == "auto"
    if one_parent:
        counts = graph.parent_counts
    kind, reason = _kind(counts, graph, dataset, 0.0 if stated else explained, one_parent)
    if not (stated or one_parent) and edges_from != REDUCTION:
        reason += f", by {plural(beyond.pairs, 'pair')} beyond the depth-1 pairs"
    declared = dataset.kind == "tree" or one_parent
    strict = kind in (Kind.TREE, Kind.DAMAGED_TREE) and (declared or not edges_lost)
    chance = max(_BY_CHANCE[0], _BY_CHANCE[1] * len(keys))
    supported = keys[closed] if np.count_nonzero(closed) > chance and not declared else keys[:0]
    return Likeness(kind, reason, strict, beyond, supported)


def _kind(
    counts: Whole, graph: Graph, dataset: Dataset, explained: float, one_parent: bool
) -> tuple[Kind, str]:
    """``counts`` (n,) are the parents of each node, shortcuts and cycles left out."""
    several, with_parent = np.count_nonzero(counts > 1), np.count_nonzero(counts)
    on_cycle = len(graph.cycles()[0])
    share = f"{several:,} of {with_parent:,} nodes with a parent have several"
    if dataset.kind == "dag":
        return Kind.DAG, "the policy declares a DAG"
    if not several and not on_cycle:
        return Kind.TREE, "every node has at most one parent"
    if dataset.kind == "tree":
        return Kind.DAMAGED_TREE, f"the policy declares a tree, and {share}"
    if one_parent:
        return Kind.DAMAGED_TREE, f"the taxonomy gives each node one parent, and {share}"
    if 2 * on_cycle > np.count_nonzero(graph.parent_counts):
        return Kind.UNKNOWN, f"{on_cycle:,} nodes are on cycles, so it cannot be told which"
    if several < DAMAGED_SHARE * with_parent:
        return Kind.DAMAGED_TREE, f"{share}: under {percent(DAMAGED_SHARE)}, so a tree was meant"
    if several <= explained * with_parent:
        return Kind.UNKNOWN, f"{share}, which lost rows alone can explain: it cannot be told which"
    return Kind.DAG, f"{share}: {percent(DAMAGED_SHARE)} or more, so a DAG is meant"


def _explained(graph: Graph, closure: Closure, pairs: PairSet) -> float:
    """Which share of nodes may seem to have several parents because of damage.

    Without distances, the child of a node that lost the pair with its parent has both as parents:
    with a part r of the pairs lost, r (1 - r) of the nodes, or some more. And where much of what
    the pairs imply is missing, and much is there, they are neither a closure nor mere edges.
    """
    implied = closure.expected - len(graph.acyclic.parents)
    lost = (closure.expected - len(pairs.slots)) / implied if implied > 0 else 0.0
    return 1.0 if _NEITHER[0] < lost < _NEITHER[1] else 3 * lost * (1 - lost)


def _no_measure(graph: Graph, closure: Closure, pairs: PairSet, beyond: IntArray) -> bool:
    """Whether edges of one parent each contradict much that can be true all the same.

    ``beyond`` (k,) are the keys of the pairs that they contradict. Where a node has as many pairs
    as its chain implies, some of them took the place of those, and are wrong.
    """
    implied = closure.expected - len(graph.parents)
    nodes = distinct(beyond // pairs.n)
    if (
        graph.forest is None
        or len(nodes) < max(_CONTRADICTED * len(graph.parents), _FEWEST)
        or closure.expected - len(pairs.slots) < _MISSING * implied
    ):
        return False
    have = np.zeros(pairs.n, dtype=np.int64)
    held = pairs.slots.counts(*closure.spans())
    have[: len(held)] = held
    have += np.bincount(pairs.outside // pairs.n, minlength=pairs.n)
    if np.count_nonzero(have[nodes] == graph.forest.depth[nodes]) > _REPLACED * len(nodes):
        return False
    return not len(_with_pairs(graph, pairs.outside, pairs.n).cycles()[0])


def _possible(pairs: PairSet, closure: Closure) -> IntArray:
    """Keys of the pairs beyond the edges, but for those that would close a cycle."""
    descendant, ancestor = np.divmod(pairs.outside, pairs.n)
    possible: IntArray = pairs.outside[closure.find(descendant, ancestor)[0] < 0]
    return possible


def _with_pairs(graph: Graph, keys: IntArray, n: int) -> Graph:
    descendant, ancestor = np.divmod(keys, n)
    return Graph.from_edges(
        np.r_[graph.parents, ancestor], np.r_[graph.children, descendant], graph.present
    )


def _closed(keys: IntArray, graph: Graph, closure: Closure, pairs: PairSet) -> BoolArray:
    """Which pairs (a, d) have beside them those of a's parents with d, and of a with d's children.

    ``keys`` (k,) are d * n + a.
    """
    descendant, ancestor = np.divmod(keys, pairs.n)
    closed = np.ones(len(keys), dtype=bool)
    if not len(keys):
        return closed
    for up in (True, False):
        left = np.flatnonzero(closed)
        ends = (ancestor if up else descendant)[left]
        nodes = distinct(ends)
        neighbours, places = graph.acyclic.beside(nodes, up), np.searchsorted(nodes, ends)
        for part in bounded(neighbours.counts[places], _CHECKS):
            position, other = neighbours.expand(places[part])
            pair = left[part][position]
            a, d = (other, descendant[pair]) if up else (ancestor[pair], other)
            lacking = ~pairs.contains(closure, a, d) & (a != d)
            closed[pair[lacking]] = False
    return closed
