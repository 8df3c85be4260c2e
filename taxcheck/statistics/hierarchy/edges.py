"""Which pairs are the edges of the hierarchy: those at distance 1, or the transitive reduction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from taxcheck.arrays import distinct
from taxcheck.config import Dataset
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.spool import PairSpool
from taxcheck.statistics.values import BoolArray, IntArray


def present_in(states: Sequence[PairState]) -> BoolArray:
    """Which idx are in some pair of the states, (n,)."""
    present = np.zeros(states[0].nodes.n, dtype=bool)
    for state in states:
        present |= (state.as_ancestor > 0) | (state.as_descendant > 0)
    return present


def graph_of(states: Sequence[PairState], dataset: Dataset) -> tuple[Graph, str]:
    """The graph that the pairs of all states imply, and where its edges come from."""
    present = present_in(states)
    if dataset.pairs == "edges":
        (parents, children), source = _all_pairs([s.spool for s in states]), "declared edges"
    elif states[0].depth is not None:
        parents, children = _direct(states)
        source = "depth_diff"
    else:
        a, d = _all_pairs([s.spool for s in states])
        descendant, ancestor = np.divmod(distinct(d * len(present) + a), len(present))
        from taxcheck.statistics.hierarchy.reduction import (
            transitive_reduction,  # sparse: only when needed
        )

        parents, children = transitive_reduction(ancestor, descendant, present)
        source = "transitive reduction"
    return Graph.from_edges(parents, children, present), source


def _direct(states: Sequence[PairState]) -> tuple[IntArray, IntArray]:
    """The depth-1 pairs in the order of the source: what is sorted there stays sorted."""
    found = [edges for state in states for edges in sorted(state.edges, key=lambda e: e[0])]
    nothing = np.empty(0, np.int64)
    return (
        np.concatenate([nothing, *(parents for _, parents, _ in found)]),
        np.concatenate([nothing, *(children for _, _, children in found)]),
    )


def _all_pairs(spools: Sequence[PairSpool]) -> tuple[IntArray, IntArray]:
    batches = [batch for spool in spools for batch in spool.batches()]
    if not batches:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return (
        np.concatenate([b.ancestor for b in batches]),
        np.concatenate([b.descendant for b in batches]),
    )
