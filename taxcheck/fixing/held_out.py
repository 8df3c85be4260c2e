"""Held-out pairs go along with a repair: numbered as training is, and kept out of it.

What is held out stays so, for scores are compared with earlier ones on it: a pair that stands in
both is taken from training. But a node that training would then never name goes untrained, and
what is asked of it measures its first draw; its held-out pairs become training pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taxcheck.build.pairs import closure_blocks
from taxcheck.fixing.account import Account, account
from taxcheck.fixing.numbering import Numbering
from taxcheck.fixing.plan import Findings, Lacking, Step
from taxcheck.pipeline import Gathered
from taxcheck.statistics.hierarchy.closure import Closure
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.hierarchy.pairset import SlotSet
from taxcheck.statistics.values import IntArray


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The held-out pairs as they will be, and what became of the rows that there were."""

    pairs: SlotSet
    rows: int  # before
    leaked: int  # of the pairs, those that training has as well
    returned: int  # pairs that become training's
    left: int  # rows that are no pair of the repaired hierarchy, or repeat one

    def steps(self, findings: Findings) -> list[Step]:
        """What is done for the split."""
        rules = findings.among("PAIR012")
        return [
            Step(
                rules,
                "take held-out pairs out of training",
                self.leaked,
                "they stay held out, so that scores are of pairs that training never saw",
            ),
            Step(
                (),
                "move held-out pairs to training whose node training would not name",
                self.returned,
                "a node that is only held out is never trained",
            ),
            Step(
                (),
                "leave out held-out rows that repeat a pair, or are none of the hierarchy",
                self.left,
                "no other held-out pair changes for it",
            ),
        ]

    def lacking(self) -> list[Lacking]:
        """Where nothing is left to ask."""
        if len(self.pairs):
            return []
        why = f"none of the {self.rows:,} held-out rows can stay a held-out pair"
        return [Lacking("PAIR012", why, "the held-out pairs of this data, or no --held-out", True)]


def hold_out(
    data: Gathered,
    graph: Graph,
    closure: Closure,
    numbering: Numbering,
    cap: int | None,
    book: Account,
    *,
    sampled: bool,
) -> HeldOut | None:
    """Which pairs of the closure stay held out; None where no held-out pairs were given.

    Training will be all other pairs, or of a ``sampled`` set those that the ``book`` has.
    """
    assert data.intake is not None
    state = data.intake.held_out
    if state is None:
        return None
    own = account(state.spool, closure, numbering.old_to_new, cap, None)
    asked = own.marks.present()
    ends = closure.pairs(asked)[:2]
    if sampled:
        trained = book.marks.present()
        trained = trained[~own.marks.contains(trained)]
        named = _counts(closure.pairs(trained)[:2], graph.n)
    else:
        named = -_counts(ends, graph.n)
        for ancestor, descendant, _ in closure_blocks(graph, cap):
            named += _counts((ancestor, descendant), graph.n)
    lost = named == 0
    returned = lost[ends[0]] | lost[ends[1]]
    pairs = SlotSet(closure.expected)
    pairs.add(asked[~returned])
    return HeldOut(
        pairs,
        state.rows,
        int(np.count_nonzero(book.marks.contains(asked[~returned]))),
        int(np.count_nonzero(returned)),
        state.rows - own.kept,
    )


def _counts(ends: tuple[np.ndarray, np.ndarray], n: int) -> IntArray:
    """(n,) in how many pairs each node is."""
    counts: IntArray = np.bincount(ends[0], minlength=n) + np.bincount(ends[1], minlength=n)
    return counts
