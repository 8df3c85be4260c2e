"""Rank and precision of every positive under a rule for candidates at the same distance."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from scipy.special import digamma

from taxcheck.metrics.counting import Counts
from taxcheck.metrics.lists import Floats, IntArray, Lists


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
