"""Held-out pairs against the training pairs: what leaked, what follows anyway, what is false."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray, distinct, within
from taxcheck.model.finding import Defect
from taxcheck.statistics.ancestry import Ancestry
from taxcheck.statistics.hierarchy.closure import Closure
from taxcheck.statistics.hierarchy.compare import compare
from taxcheck.statistics.hierarchy.proof import Proof
from taxcheck.statistics.hierarchy.sweep import verdicts
from taxcheck.statistics.offenders import DefectState, Sink, node_samples, of_pairs, record
from taxcheck.statistics.spool import KeptPairs
from taxcheck.statistics.values import HeldOutStatistics


def held_out_statistics(
    rows: int,
    spool: KeptPairs,
    proof: Proof,
    implied_by: Closure,
    in_training: BoolArray,
    sink: Sink | None,
    lonely: IntArray | None = None,
    taxonomy: Ancestry | None = None,
) -> HeldOutStatistics:
    """Compare the spooled held-out pairs with the training pairs of a proof.

    ``implied_by`` is the closure of the training pairs' own edges, ``in_training`` (n,) marks the
    nodes that some training pair has. Held-out pairs are false by what proves training pairs so,
    but for the ancestry of nodes that the ``taxonomy`` knows, which decides it. ``lonely`` are
    sorted keys, descendant * n + ancestor, of pairs that lack what they imply.
    """
    exact, turned, implied, false, alone = (
        DefectState.empty("split_leak", "descendant_idx", "held-out") for _ in range(5)
    )
    lonely = np.empty(0, np.int64) if lonely is None else lonely
    keys = [np.empty(0, np.int64)]
    held = np.zeros(len(in_training), dtype=bool)
    for batch in spool.batches():
        held[batch.ancestor] = held[batch.descendant] = True
        same = proof.training.contains(proof.closure, batch.ancestor, batch.descendant)
        reverse = proof.training.contains(proof.closure, batch.descendant, batch.ancestor) & ~same
        keys.append(batch.descendant * len(in_training) + batch.ancestor)
        follows = (implied_by.find(batch.ancestor, batch.descendant)[0] >= 0) & ~same
        for state, chosen, reason, told in (
            (exact, same, "exact", sink),
            (turned, reverse, "reversed", sink),
            (implied, follows, "implied", None),  # what follows from training is no leak
        ):
            if chosen.any():
                found = of_pairs("split_leak", batch, chosen, reason, table="held-out")
                record(found, state, told)
        judged = replace(batch, depth_diff=None) if proof.flat else batch
        doubtful = np.flatnonzero(~same & ~reverse)
        compared = compare(judged, proof.closure, len(in_training)).doubtful
        doubtful = np.intersect1d(doubtful, compared, assume_unique=True)
        open_ = within(lonely, batch.descendant * len(in_training) + batch.ancestor)
        if taxonomy is not None:
            true, denied = taxonomy.verdicts(batch.ancestor, batch.descendant)
            denied &= ~same & ~reverse
            if denied.any():
                found = of_pairs("split_leak", batch, denied, "taxonomy", table="held-out")
                record(found, false, None)
            open_ &= ~true & ~denied
            # a true pair may still state a distance that its chain contradicts
            related = proof.closure.find(batch.ancestor, batch.descendant)[0] >= 0
            doubtful = doubtful[~denied[doubtful] & (related | ~true)[doubtful]]
        for wrong, offenders in verdicts(
            judged, doubtful, proof.closure, proof.chains, proof.likeness
        ):
            if wrong:
                record(offenders, false, None)
                a, d = offenders.nodes
                open_ &= ~within(
                    distinct(d * len(in_training) + a),
                    batch.descendant * len(in_training) + batch.ancestor,
                )
        if open_.any():
            record(of_pairs("split_leak", batch, open_, "lonely", table="held-out"), alone, None)
    only = np.flatnonzero(held & ~in_training)
    return HeldOutStatistics(
        rows=rows,
        valid=len(spool),
        exact=exact.freeze(len(spool)),
        reversed=turned.freeze(len(spool)),
        implied=implied.freeze(len(spool)),
        only_held_out=Defect(len(only), int(np.count_nonzero(held)), node_samples(only)),
        false=false.freeze(len(spool)),
        lonely=alone.freeze(len(spool)),
        repeated=len(spool) - len(distinct(np.concatenate(keys))),
    )
