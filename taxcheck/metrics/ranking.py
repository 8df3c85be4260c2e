"""Reconstruction: MAP, mean rank and hits@k of each source's positives among all rows, exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from taxcheck.geometry.space import Space
from taxcheck.metrics.counting import Counts, count_nearer
from taxcheck.metrics.lists import Floats, IntArray, Ints, Lists
from taxcheck.metrics.ties import TieRule, precisions, ranks

HITS = (1, 5, 10)


class Protocol(StrEnum):
    """What is ranked for whom."""

    # A source is a descendant, its positives are its ancestors, so a root is no source; candidates
    # are all nodes but itself: Nickel & Kiela 2017, as reconstruction_worker of
    # facebookresearch/poincare-embeddings (hype/graph.py) computes it.
    NICKEL = "nickel"
    # The same pairs as gensim's ReconstructionEvaluation ranks them: the source is a candidate of
    # its own, at distance 0, and ties go to the positive, so a collapsed table scores 1.
    GENSIM = "gensim"
    # Positives are the neighbours in the graph: Sala et al. 2018 (arXiv:1804.03329), sec. 2.
    EDGES = "edges"


@dataclass(frozen=True, slots=True)
class Ranking:
    """The scores of every source, from which all averages and their bootstraps follow."""

    sources: IntArray  # (s,)
    edges: IntArray  # (s,) positives of each
    average_precision: Floats  # (s,)
    rank_sum: Floats  # (s,) sum of the filtered ranks of its positives; 1 is best
    best_rank: Floats  # (s,) the rank of its best positive
    hits: Mapping[int, IntArray]  # k -> (s,) positives at a filtered rank up to k
    ties: TieRule

    @property
    def map(self) -> float:
        """Mean over sources of the average precision; NaN without sources."""
        return float(self.average_precision.mean()) if len(self.sources) else float("nan")

    @property
    def mean_rank(self) -> float:
        """Mean over edges of the filtered rank; NaN without edges."""
        total = int(self.edges.sum())
        return float(self.rank_sum.sum() / total) if total else float("nan")

    def hits_at(self, k: int) -> float:
        """Share of edges at a filtered rank up to k, one of those asked for."""
        total = int(self.edges.sum())
        return float(self.hits[k].sum() / total) if total else float("nan")

    def any_at(self, k: int) -> float:
        """Share of sources with some positive at a filtered rank up to k."""
        return float((self.best_rank <= k).mean()) if len(self.sources) else float("nan")

    @property
    def mrr(self) -> float:
        """Mean over sources of 1 / the rank of the best positive."""
        return float((1 / self.best_rank).mean()) if len(self.sources) else float("nan")


def positives_of(
    ancestors: Ints, descendants: Ints, n: int, protocol: Protocol = Protocol.NICKEL
) -> Lists:
    """The lists that a protocol ranks, from pairs (edges,): the closure, or for EDGES the edges."""
    if protocol is Protocol.EDGES:
        both = np.concatenate([descendants, ancestors]), np.concatenate([ancestors, descendants])
        return Lists.from_pairs(*both, n)
    return Lists.from_pairs(descendants, ancestors, n)


def rank(
    space: Space,
    positives: Lists,
    *,
    protocol: Protocol = Protocol.NICKEL,
    ties: TieRule = TieRule.SKLEARN,
    left_out: Lists | None = None,
    hits: Sequence[int] = HITS,
    workers: int | None = None,
) -> Ranking:
    """Rank every positive of every source among all rows by distance, exactly; see ``Protocol``.

    Sample sources by ``positives.sample``, never candidates. A row that is no point ranks behind
    everything, as a source it scores the worst possible. ``GENSIM`` sets its own tie rule.
    """
    gensim = protocol is Protocol.GENSIM
    counts = count_nearer(space, positives, left_out, keep_self=gensim, workers=workers)
    return score(counts, positives, TieRule.OPTIMISTIC if gensim else ties, hits)


def score(
    counts: Counts,
    positives: Lists,
    ties: TieRule = TieRule.SKLEARN,
    hits: Sequence[int] = HITS,
) -> Ranking:
    """The scores that follow from counts, of a table or of a null; empty lists score NaN."""
    s = len(positives.sources)
    owner, lengths = positives.owner, positives.lengths
    rank_of = ranks(counts, ties)
    precision = precisions(counts, positives, ties)
    with np.errstate(invalid="ignore"):
        ap = np.bincount(owner, precision, minlength=s) / lengths
    best = np.full(s, np.nan)
    np.fmin.at(best, owner, rank_of)
    return Ranking(
        positives.sources,
        lengths,
        ap,
        np.bincount(owner, rank_of, minlength=s).astype(np.float64),
        best,
        {k: np.bincount(owner[rank_of <= k], minlength=s) for k in hits},
        ties,
    )
