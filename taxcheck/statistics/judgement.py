"""Judging pairs against the closure that the depth-1 pairs imply.

A pair is proved when the closure holds it at its stated distance; false when an intact chain of
depth-1 pairs contradicts it; unproven when the descendant's chain is broken, so that nothing can
be said. In a forest the chain is known up to where it breaks, and contradicts any other ancestor
within that reach.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from taxcheck.statistics.graph import Graph
from taxcheck.statistics.pairset import PairSet
from taxcheck.statistics.samples import Offenders
from taxcheck.statistics.spool import SpooledBatch
from taxcheck.statistics.values import BoolArray, IntArray


@dataclass(frozen=True, slots=True)
class Chains:
    """What the graph can contradict: which nodes hang from a broken chain, and its reach."""

    broken: BoolArray  # (n,) the node, or one above it, has deep pairs and no parent
    reach: IntArray | None  # (n,) steps up to the end of the chain; None: no forest

    @classmethod
    def of(cls, graph: Graph, is_descendant: BoolArray) -> Chains:
        """``is_descendant`` (n,) marks the nodes that some pair calls a descendant."""
        tops = np.flatnonzero(is_descendant & (graph.parent_counts == 0))
        broken = graph.below(tops) if len(tops) else np.zeros(graph.n, dtype=bool)
        return cls(broken, graph.forest.depth if graph.forest is not None else None)


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
        if self.chains.reach is not None:
            known = here if stated is None else here | (stated <= self.chains.reach[d])
            turned, _ = self.pairs.closure.find(d, a)
            unproven = broken & ~known & (turned < 0)
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
