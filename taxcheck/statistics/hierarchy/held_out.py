"""Held-out pairs against the training pairs: what leaked, and what follows from them anyway."""

from __future__ import annotations

import numpy as np

from taxcheck.rule import Defect
from taxcheck.statistics.hierarchy.closure import Closure
from taxcheck.statistics.hierarchy.judgement import shown
from taxcheck.statistics.hierarchy.pairset import PairSet
from taxcheck.statistics.samples import Offenders, Sink, node_samples
from taxcheck.statistics.spool import PairSpool
from taxcheck.statistics.values import BoolArray, HeldOutStatistics


def held_out_statistics(
    rows: int,
    spool: PairSpool,
    training: PairSet,
    implied_by: Closure,
    in_training: BoolArray,
    sink: Sink | None,
) -> HeldOutStatistics:
    """Compare the spooled held-out pairs with the set of training pairs.

    ``implied_by`` is the closure of the training pairs' own edges, ``in_training`` (n,) marks the
    nodes that some training pair has.
    """
    exact = Offenders("split_leak", "descendant_idx", sink, "held-out")
    turned = Offenders("split_leak", "descendant_idx", sink, "held-out")
    implied = Offenders("split_leak", "descendant_idx", table="held-out")
    held = np.zeros(len(in_training), dtype=bool)
    for batch in spool.batches():
        held[batch.ancestor] = held[batch.descendant] = True
        same = training.contains(batch.ancestor, batch.descendant)
        reverse = training.contains(batch.descendant, batch.ancestor) & ~same
        follows = (implied_by.find(batch.ancestor, batch.descendant)[0] >= 0) & ~same
        for offenders, chosen, reason in (
            (exact, same, "exact"),
            (turned, reverse, "reversed"),
            (implied, follows, "implied"),
        ):
            if chosen.any():
                offenders.add(batch.rows[chosen], shown(batch, chosen), reason)
    lonely = np.flatnonzero(held & ~in_training)
    return HeldOutStatistics(
        rows=rows,
        valid=len(spool),
        exact=exact.freeze(len(spool)),
        reversed=turned.freeze(len(spool)),
        implied=implied.freeze(len(spool)),
        only_held_out=Defect(len(lonely), int(np.count_nonzero(held)), node_samples(lonely)),
    )
