"""Judging pairs against the closure that the depth-1 pairs imply.

A pair is proved when the closure holds it at its stated distance; false when intact chains of
depth-1 pairs contradict it; unproven when the descendant's chain is broken, so that nothing can
be said.

In a forest the chain of d is known up to its top. It contradicts any other ancestor within its
reach, and any ancestor under the same top, which would close a cycle. An ancestor from another
tree, further up than the chain reaches, only shows that the top lacks its parent. In a DAG a
second parent may always be missing, so a chain counts as intact unless some node on it has deep
pairs and no parent.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from taxcheck.statistics.hierarchy.forest import Forest
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.hierarchy.pairset import PairSet
from taxcheck.statistics.samples import Offenders
from taxcheck.statistics.spool import SpooledBatch
from taxcheck.statistics.values import BoolArray, IntArray


@dataclass(frozen=True, slots=True)
class Chains:
    """What the graph can contradict: which nodes hang from a broken chain, and where it ends."""

    broken: BoolArray  # (n,) the node, or one above it, has deep pairs and no parent
    forest: Forest | None
    top: IntArray | None  # (n,) the root of each node's tree; None: no forest

    @classmethod
    def of(cls, graph: Graph, is_descendant: BoolArray) -> Chains:
        """``is_descendant`` (n,) marks the nodes that some pair calls a descendant."""
        tops = np.flatnonzero(is_descendant & (graph.parent_counts == 0))
        broken = graph.below(tops) if len(tops) else np.zeros(graph.n, dtype=bool)
        forest = graph.forest
        return cls(broken, forest, None if forest is None else forest.tops())


@dataclass(slots=True)
class Judgement:
    """Counts over pairs, duplicates included; all workers mark the same set of pairs."""

    pairs: PairSet
    chains: Chains
    unproven: int = 0
    false: Offenders = field(
        default_factory=lambda: Offenders("false_ancestor_pair", "descendant_idx")
    )

    def update(self, batch: SpooledBatch) -> None:
        """Judge one batch and mark its pairs."""
        slot, distance = self.pairs.closure.find(batch.ancestor, batch.descendant)
        held = slot >= 0
        self.pairs.add(batch.ancestor, batch.descendant, slot, held)
        doubtful = ~held
        if batch.depth_diff is not None:
            doubtful |= distance != batch.depth_diff
        if doubtful.any():
            self.doubt(batch, doubtful, held, distance)

    def doubt(
        self, batch: SpooledBatch, doubtful: BoolArray, held: BoolArray, distance: IntArray
    ) -> None:
        """Sort the pairs that are not proved into false and unproven."""
        chosen = np.flatnonzero(doubtful)
        a, d = batch.ancestor[chosen], batch.descendant[chosen]
        here = held[chosen]
        stated = None if batch.depth_diff is None else batch.depth_diff[chosen]
        broken = self.chains.broken[d]
        if self.chains.forest is not None and self.chains.top is not None:
            known = here if stated is None else here | (stated <= self.chains.forest.depth[d])
            unproven = ~known & (self.chains.top[a] != self.chains.top[d])
        elif stated is None:
            unproven = broken & ~here
        else:
            # another way up, through the broken part, can only be shorter than the known one
            unproven = broken & (~here | ((stated < distance[chosen]) & (stated > 0)))
        self.unproven += int(np.count_nonzero(unproven))
        for reason, wrong in (("ancestry", ~unproven & ~here), ("distance", ~unproven & here)):
            if wrong.any():
                self.false.add(batch.rows[chosen[wrong]], shown(batch, chosen[wrong]), reason)

    def merge(self, other: Judgement) -> Judgement:
        """Give the counts of both parts."""
        return Judgement(
            self.pairs, self.chains, self.unproven + other.unproven, self.false.merge(other.false)
        )


def choose(batch: SpooledBatch, chosen: BoolArray) -> SpooledBatch:
    """The rows of a spooled batch that a mask keeps."""
    return SpooledBatch(
        batch.rows[chosen],
        batch.ancestor[chosen],
        batch.descendant[chosen],
        None if batch.depth_diff is None else batch.depth_diff[chosen],
        None if batch.flags is None else batch.flags[chosen],
    )


def shown(batch: SpooledBatch, chosen: IntArray | BoolArray) -> dict[str, IntArray]:
    """The cells of spooled pairs under the names that the report shows."""
    columns = {
        "ancestor_idx": batch.ancestor[chosen],
        "descendant_idx": batch.descendant[chosen],
    }
    return (
        columns if batch.depth_diff is None else columns | {"depth_diff": batch.depth_diff[chosen]}
    )
