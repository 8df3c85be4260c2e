"""Reconstruction: MAP, mean rank and hits@k of each source's positives among all rows, exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.special import digamma

from taxcheck.audit.metrics.counting import Counts, count_nearer
from taxcheck.audit.metrics.lists import Floats, IntArray, Ints, Lists
from taxcheck.geometry.space import Space
from taxcheck.statistics.passes import Executor

HITS = (1, 5, 10)


class TieRule(StrEnum):
    """Where a positive stands among negatives at exactly its distance."""

    SKLEARN = "sklearn"  # a block counts as one step of the ranking: precision and rank at its end
    OPTIMISTIC = "optimistic"  # before them
    MEAN = "mean"  # the expectation over all orders of the block
    PESSIMISTIC = "pessimistic"  # behind them


def ranks(counts: Counts, ties: TieRule) -> Floats:
    """Filtered rank of every positive, (edges,): 1 + the negatives before it, so 1 is best.

    sklearn ranks nothing; under its rule the rank is that of the block's end, where it takes the
    precision.
    """
    share = {TieRule.OPTIMISTIC: 0.0, TieRule.MEAN: 0.5}.get(ties, 1.0)
    return np.asarray(1 + counts.less + share * counts.equal)


def precisions(counts: Counts, positives: Lists, ties: TieRule) -> Floats:
    """Precision at every positive, (edges,): positives / candidates up to and including it.

    Their mean over a source is its average precision, as ``sklearn.metrics.
    average_precision_score`` gives it under ``SKLEARN``: sum over steps of (R_n - R_{n-1}) P_n.
    ``MEAN`` is the expectation of McSherry & Najork 2008 (doi:10.1007/978-3-540-78646-7_38).
    A positive without a distance comes after all others and all negatives under every rule.
    """
    owner = positives.owner
    order = np.lexsort((counts.separation, owner))
    s, key = owner[order], counts.separation[order]
    less, equal = counts.less[order], counts.equal[order]
    lost = np.isnan(key)
    place = np.arange(len(order)) - positives.starts[s] + 1  # 1, 2, ... of its source's positives
    new = np.r_[True, (s[1:] != s[:-1]) | (key[1:] != key[:-1])][: len(order)]  # NaN: a step each
    block = np.cumsum(new) - 1
    begin = np.flatnonzero(new)
    width = np.diff(np.r_[begin, len(order)])
    if ties is TieRule.SKLEARN:
        upto = (place[begin] + width - 1)[block]
        found = upto / (upto + less + equal)
    elif ties is TieRule.OPTIMISTIC:
        found = place / (place + less)
    elif ties is TieRule.PESSIMISTIC:
        found = place / (place + less + equal)
    else:
        found = _expected(place[begin], width, less[begin], equal[begin])[block]
    out = np.empty(len(order))
    out[order] = np.where(lost, place / np.maximum(place + less, 1), found)
    return out


def _expected(place: IntArray, width: IntArray, less: IntArray, equal: IntArray) -> Floats:
    """Expected precision of the positives of a block in random order; all (blocks,).

    With R positives and C candidates before the block, r positives among its n members, the i-th
    member is a positive with chance r/n and has then R + 1 + (i-1) b of them up to it on average,
    b = (r-1)/(n-1). So a positive's expectation is 1/n sum_i (R + 1 + (i-1) b) / (C + i), and
    (A + (i-1) b) / (C + i) = b + (A - b - b C) / (C + i) sums to n b + (A - b - b C)(psi(C+n+1) -
    psi(C+1)): no loop over a block that may be the whole table.
    """
    above = place - 1
    before = above + less
    members = width + equal
    step = (width - 1) / np.maximum(members - 1, 1)
    rest = above + 1 - step - step * before
    harmonic = np.where(
        members == 1, 1 / (before + 1), digamma(before + members + 1.0) - digamma(before + 1.0)
    )
    return np.asarray(step + rest * harmonic / members)


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
    """The scores of every source, from which all averages and their bootstraps follow.

    The averages of this class are over these sources alike; those of a sample with strata are
    ``Drawn``'s.
    """

    sources: IntArray  # (s,)
    edges: IntArray  # (s,) positives of each
    average_precision: Floats  # (s,)
    rank_sum: Floats  # (s,) sum of the filtered ranks of its positives; 1 is best
    best_rank: Floats  # (s,) the rank of its best positive
    ranks: Floats  # (edges,) the filtered rank of every positive, source by source
    hits: Mapping[int, IntArray]  # k of HITS -> (s,) positives at a filtered rank up to k
    ties: TieRule

    @property
    def owner(self) -> IntArray:
        """Position in ``sources`` of every rank, (edges,)."""
        return np.repeat(np.arange(len(self.sources)), self.edges)

    @property
    def map(self) -> float:
        """Mean over sources of the average precision; NaN without sources."""
        return float(self.average_precision.mean()) if len(self.sources) else float("nan")

    @property
    def mean_rank(self) -> float:
        """Mean over edges of the filtered rank; NaN without edges."""
        total = int(self.edges.sum())
        return float(self.rank_sum.sum() / total) if total else float("nan")

    def any_at(self, k: int) -> float:
        """Share of sources with some positive at a filtered rank up to k."""
        return float((self.best_rank <= k).mean()) if len(self.sources) else float("nan")


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
    workers: int | None = None,
    executor: Executor | None = None,
) -> Ranking:
    """Rank every positive of every source among all rows by distance, exactly; see ``Protocol``.

    Sample sources by ``positives.sample``, never candidates. A row that is no point ranks behind
    everything, as a source it scores the worst possible. ``GENSIM`` sets its own tie rule.
    """
    gensim = protocol is Protocol.GENSIM
    counts = count_nearer(
        space, positives, left_out, keep_self=gensim, workers=workers, executor=executor
    )
    return score(counts, positives, TieRule.OPTIMISTIC if gensim else ties)


def score(counts: Counts, positives: Lists, ties: TieRule = TieRule.SKLEARN) -> Ranking:
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
        rank_of,
        {k: np.bincount(owner[rank_of <= k], minlength=s) for k in HITS},
        ties,
    )
