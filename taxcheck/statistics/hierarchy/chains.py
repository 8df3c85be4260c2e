"""How far the chains of edges upwards are known: where they break, pass a cycle, or end early."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from taxcheck.model.arrays import IntArray, distinct
from taxcheck.statistics.hierarchy.closure import Closure
from taxcheck.statistics.hierarchy.forest import Forest
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.hierarchy.pairset import PairSet

# Why a pair is unproven; the first three are told of a node, for all that lies above it.
BROKEN_CHAIN, CYCLE, BEYOND_BOUND, BEYOND_EDGES, SHORTER_WAY = 1, 2, 3, 4, 5
REASONS = ("", "broken_chain", "cycle", "beyond_bound", "beyond_edges", "shorter_way")


@dataclass(frozen=True)
class Chains:
    """What the graph can contradict: which nodes have unknown ancestors, and where chains end."""

    doubt: npt.NDArray[np.uint8]  # (n,) why nothing is known above the node; 0: all is
    on_cycle: IntArray
    forest: Forest | None

    @classmethod
    def of(cls, graph: Graph, closure: Closure, pairs: PairSet) -> Chains:
        """What all pairs, training and held out, leave unknown.

        A pair that would close a cycle does not show that its descendant lacks a parent.
        """
        doubt = np.zeros(graph.n, dtype=np.uint8)
        descendant, ancestor = np.divmod(pairs.outside, pairs.n)
        called = descendant[closure.find(descendant, ancestor)[0] < 0]
        tops = distinct(called[graph.parent_counts[called] == 0])
        on_cycle, _ = graph.cycles()
        for nodes, why in ((tops, BROKEN_CHAIN), (on_cycle, CYCLE)):
            if len(nodes):
                doubt[graph.below(nodes)] = why
        doubt[closure.beyond] = BEYOND_BOUND
        return cls(doubt, on_cycle, graph.acyclic.forest)

    @cached_property
    def top(self) -> IntArray | None:
        """The root of each node's tree, (n,); None where the graph is no forest."""
        return None if self.forest is None else self.forest.tops()

    def why_unknown(self, ancestor: IntArray, descendant: IntArray) -> npt.NDArray[np.uint8]:
        """Why pairs that no chain holds may be true all the same, (k,); 0 where nothing says so.

        In a forest a pair from one tree to another shows that the other's root has lost its parent.
        """
        why = self.doubt[descendant]
        if len(why) and self.top is not None:
            why[(why == 0) & (self.top[ancestor] != self.top[descendant])] = BROKEN_CHAIN
        return why

    def open(self) -> dict[str, int]:
        """How many nodes have ancestors that are not known, by why."""
        counts = np.bincount(self.doubt, minlength=len(REASONS))
        return {REASONS[why]: int(counts[why]) for why in np.flatnonzero(counts[1:]) + 1}
