"""What a table tells of pairs that it was not trained on: memory and generalisation told apart."""

from __future__ import annotations

import numpy as np

from taxcheck.audit import relatives
from taxcheck.audit.metrics.lists import Lists
from taxcheck.audit.metrics.strata import draw
from taxcheck.audit.scores import NICKEL, SOURCES, Subject, reconstruct
from taxcheck.audit.values import HeldOutScores, Score
from taxcheck.model.arrays import IntArray, distinct, within
from taxcheck.model.finding import Unavailable
from taxcheck.statistics.spool import KeptPairs

_APART = 0x4E1D  # keeps the draws apart from those of the training pairs
PROTOCOL = f"{NICKEL} and those that are its ancestors in training"


def score_held_out(subject: Subject, training: Score | None) -> HeldOutScores | Unavailable:
    """Rank the held-out ancestors of a sample of descendants; ``training`` is the other MAP.

    The filtered setting of link prediction (Bordes et al. 2013): what training states is true, so
    it is no wrong answer, and is no candidate. Held-out pairs that training has are not scored.
    """
    spool, n = subject.held_out, subject.graph.n
    if spool is None:
        return Unavailable("no held-out pairs given")
    keys, repeated = unseen(spool, subject.spool, n)
    if not len(keys):
        why = "training has every held-out pair" if repeated else "the held-out file has no pair"
        return Unavailable(why)
    descendants, ancestors = np.divmod(keys, n)
    counts = np.bincount(descendants, minlength=n)
    every = np.flatnonzero(counts)
    rng = np.random.default_rng([subject.seed, _APART])
    drawn = draw(
        every,
        counts[every],
        SOURCES,
        rng,
        subject.graph.depths[every],
        (subject.above + counts)[every],
    )
    positives = Lists.from_pairs(descendants, ancestors, n, among=drawn.sources)
    known = relatives.ancestors_in_pairs(subject.spool, drawn.sources, n)
    found = reconstruct(subject.tables(rng), drawn, positives, known, PROTOCOL, rng)
    idle = ~(subject.trained[descendants] & subject.trained[ancestors])
    return HeldOutScores(
        pairs=len(keys),
        in_training=repeated,
        untrained=int(np.count_nonzero(idle)),
        training=training,
        **found,
    )


def unseen(held_out: KeptPairs, training: KeptPairs, n: int) -> tuple[IntArray, int]:
    """Sorted keys, descendant * n + ancestor, of held-out pairs that training lacks.

    And how many distinct ones it has.
    """
    none = np.empty(0, np.int64)
    parts = [batch.descendant * n + batch.ancestor for batch in held_out.batches()]
    keys = distinct(np.concatenate([none, *parts]))
    seen = np.zeros(len(keys), dtype=bool)
    for batch in training.batches():
        theirs = batch.descendant * n + batch.ancestor
        theirs = theirs[within(keys, theirs)]
        seen[np.searchsorted(keys, theirs)] = True
    return keys[~seen], int(np.count_nonzero(seen))
