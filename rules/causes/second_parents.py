"""The cause in which a DAG lost the edges of all parents of a node but one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.cause import Explanation, cause
from taxcheck.model.room import Room
from taxcheck.model.vocabulary import plural
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.hierarchy.kind import DAMAGED_SHARE
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.spool import KeptPairs
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.truth import Truth
from taxcheck.statistics.values import (
    HierarchyStatistics,
    Kind,
)

from .depth_columns import from_columns

_FEWEST = 20
_WHOLE = 0.99
# Of pairs that are missing as lost edges 9 in 10 seem so; of those that false edges imply, 1 in 50.
_AS_EDGES = 0.75
_OWN = "missing_ancestor_pair"
_ROW_BYTES = 80  # that a pair takes while all are looked at together


@cause(loss=True)
def lost_second_parents(
    symptoms: Symptoms,
    kept: KeptPairs,
    totals: PairState,
    graph: Graph,
    tree: HierarchyStatistics,
    room: Room,
    truth: Truth | None = None,
) -> Explanation | None:
    """In a DAG only one parent of each node was kept at distance 1.

    The depth-1 pairs are a tree, while all pairs together are closed: every ancestor of an
    ancestor is an ancestor, also where the tree has no such chain.

    Why it matters:
    Nothing is false here, though the chains of the tree contradict it: the pairs are those of a
    DAG whose second edges are missing. To delete what the tree does not hold would delete true
    pairs.

    How to fix:
    Keep every row of a child and its parents. A dictionary of parents, ``dict(zip(child,
    parent))``, or ``drop_duplicates("child")`` keeps one.

    Known exceptions:
    Pairs of a tree to which false ones were added are not closed, and where false edges took the
    place of true ones, what those imply is missing. Without distances every pair that no chain
    implies is an edge, and nothing is missing. With a taxonomy no node has two parents.

    References:
    - Aho, Garey & Ullman 1972, transitive reduction: https://doi.org/10.1137/0201008
    """
    names = [n for n in ("false_ancestor_pair", "false_ancestor_pair.unproven") if n in symptoms]
    beyond = sum(
        int(np.count_nonzero(symptoms[name].because(reason)))
        for name in names
        for reason in ("ancestry", "beyond_edges")
    )
    several = tree.beyond.several_parents
    if truth is not None or several < max(_FEWEST, DAMAGED_SHARE * len(graph.parents)):
        return None  # without second parents no edge of one is lost
    if beyond < _FEWEST or graph.parent_counts.max(initial=0) != 1 or not len(kept):
        return None
    room.ask(len(kept) * _ROW_BYTES, f"looking at {plural(len(kept), 'pair')} together")
    there = _There.of(kept, graph)
    explains: dict[str, BoolArray | bool] = {}
    if _OWN in symptoms:  # an edge that a longer chain implies
        lost = there.as_edges(*symptoms[_OWN].nodes)
        if np.count_nonzero(lost) < _AS_EDGES * len(lost):
            return None
        explains[_OWN] = np.ones(len(lost), dtype=bool)
        there = there.with_pairs(*symptoms[_OWN].nodes)
    whole = sum(int(np.count_nonzero(there.closed(*symptoms[name].nodes))) for name in names)
    every = sum(len(symptoms[name]) for name in names)
    if whole < _WHOLE * every:
        return None
    for name in names:  # what is not closed hangs from edges that are lost as well
        explains[name] = np.ones(len(symptoms[name]), dtype=bool)
    if "depth_mismatch" in symptoms:  # once it is read as a DAG, a way may be longer
        explains["depth_mismatch"] = from_columns(symptoms, totals, 0, Kind.DAG)
    return Explanation(
        message="only one parent of each node was kept at distance 1, in what is no tree: "
        f"{plural(every, 'pair')} run through parents that are not there, and are closed all the "
        "same",
        explains=explains,
        parameters={"pairs": every},
        free=1,
        impact=f"{plural(every, 'true pair')} will seem false, and the edges of second parents are "
        "never trained as such.",
        why_not="no pair says which of the distant ancestors are parents; give the edges",
    )


@dataclass(frozen=True)
class _There:
    """The pairs that are there, and their distances, beside a forest of one parent a node."""

    keys: IntArray  # (k,) ascending, descendant * n + ancestor
    distance: IntArray  # (k,)
    graph: Graph
    parent: IntArray  # (n,)

    @classmethod
    def of(cls, kept: KeptPairs, graph: Graph) -> _There:
        """All sound pairs; those without a distance are at 0."""
        batches = [*kept.batches()]
        keys = np.concatenate([b.descendant * graph.n + b.ancestor for b in batches])
        stated = [np.zeros(len(b.rows)) if b.depth_diff is None else b.depth_diff for b in batches]
        distance = np.concatenate(stated).astype(np.int64)
        order = np.argsort(keys)
        parent = np.full(graph.n, -1, dtype=np.int64)
        parent[graph.children] = graph.parents
        return cls(keys[order], distance[order], graph, parent)

    def with_pairs(self, ancestor: IntArray, descendant: IntArray) -> _There:
        """The same with further ones at distance 1."""
        keys = np.r_[self.keys, descendant * self.graph.n + ancestor]
        distance = np.r_[self.distance, np.ones(len(ancestor), dtype=np.int64)]
        order = np.argsort(keys)
        return replace(self, keys=keys[order], distance=distance[order])

    def at(self, ancestor: IntArray, descendant: IntArray) -> IntArray:
        """The distance of pairs, (k,); -1 where one is not there."""
        wanted = descendant * self.graph.n + ancestor
        at = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where(self.keys[at] == wanted, self.distance[at], -1)

    def closed(self, ancestor: IntArray, descendant: IntArray) -> BoolArray:
        """Which pairs have their ancestor's parent above their descendant; at the top all have."""
        above = self.parent[ancestor]
        asked = (above >= 0) & (above != descendant)
        return np.asarray(~asked | (self.at(above, descendant) >= 0))

    def as_edges(self, ancestor: IntArray, descendant: IntArray) -> BoolArray:
        """Which pairs, were they edges that are lost, have all that is two steps long beside them.

        Those are the ancestor's parent with the descendant, and the ancestor with its children.
        """
        above = self.parent[ancestor]
        two = self.at(above, descendant)
        sound = (above < 0) | ((two > 0) & (two <= 2))
        position, child = self.graph.children_of.expand(descendant)
        two = self.at(ancestor[position], child)
        sound[position[(two < 1) | (two > 2)]] = False
        return np.asarray(sound)
