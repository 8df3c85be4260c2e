"""The place of one node: who stands before its parent, and whether that is usual where it hangs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taxcheck.audit.clades import Partition
from taxcheck.audit.metrics.kinship import ANCESTORS
from taxcheck.audit.metrics.standing import POOL, strangers_before
from taxcheck.audit.placement import Placements
from taxcheck.geometry.space import Space
from taxcheck.model.arrays import IntArray
from taxcheck.statistics.hierarchy.graph import Graph

_COMPARED = 10  # nodes, fewer tell nothing of what is usual


@dataclass(frozen=True, slots=True)
class NodePlace:
    """Where the nearest parent of a node stands, by the values that rows are judged by.

    Numbers of strangers are out of POOL, whatever the number that was compared.
    """

    parent: int
    before: float
    strangers: int  # as deep as the parent, that were compared
    who: IntArray  # of them, who stand before the parent, the nearest first
    among: str  # whose nodes the next three are of: a clade, or all
    compared: int
    usual: tuple[float, float]  # median and 95th percentile of those
    beyond: float  # share of those that have fewer before their parent, 0 to 1
    by_chance: float  # how often a random row has relatives as near; NaN: not told
    misplaced: bool  # it is named
    asked: bool  # it is one of the nodes that are judged, which may be a sample


def node_place(
    idx: int, placement: Placements, space: Space, graph: Graph, clades: Partition | None
) -> NodePlace | None:
    """The place of a node; None where it has no parent with strangers as deep."""
    place, parents = placement.place, graph.parents_of.expand(np.array([idx]))[1]
    best: tuple[float, int, IntArray, int] | None = None
    for parent in parents.tolist():
        who, share, strangers = strangers_before(space, place.pools, idx, parent)
        if not np.isnan(share) and (best is None or share < best[0]):
            best = share, parent, who, strangers
    if best is None:
        return None
    share, parent, who, strangers = best
    others, among = np.ones(len(place.nodes), dtype=bool), "all"
    if clades is not None and idx < len(clades.of) and clades.of[idx] >= 0:
        inside = place.nodes < len(clades.of)
        others[inside] = clades.of[place.nodes[inside]] == clades.of[idx]
        others[~inside] = False
        among = clades.labels[clades.of[idx]]
    others &= place.nodes != idx
    known = place.shares[others, ANCESTORS[0]]
    known = known[~np.isnan(known)]
    told = len(known) >= _COMPARED
    median, tail = np.percentile(known, [50, 95]).tolist() if told else (np.nan, np.nan)
    at = int(np.searchsorted(place.nodes, idx))
    asked = at < len(place.nodes) and int(place.nodes[at]) == idx
    return NodePlace(
        parent=parent,
        before=share * POOL,
        strangers=strangers,
        who=who,
        among=among,
        compared=len(known),
        usual=(median * POOL, tail * POOL),
        beyond=float((known < share).mean()) if told else float("nan"),
        by_chance=float(place.p[at]) if asked else float("nan"),
        misplaced=asked and bool(placement.named[at]),
        asked=asked,
    )
