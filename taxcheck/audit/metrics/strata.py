"""Which sources are ranked: a stratified sample, so that a heavy tail has its share.

A mean rank hangs on few nodes: in WordNet's nouns those with many ancestors beside one line to the
root. Drawn alike with all others, a thousand sources may hold none of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taxcheck.audit.metrics.lists import Floats, IntArray, Ints
from taxcheck.model.arrays import BoolArray, distinct

_EVEN = 0.5  # of a sample is drawn in equal shares from all strata, the rest in proportion
_LEAST = 5  # sources of a stratum, where it has as many
_QUANTILES = (0.5, 0.9)  # of the number of ancestors, that part the nodes on one line
_DOUBLINGS = 16  # of the ancestors beside it, that part the others


@dataclass(frozen=True, slots=True)
class Drawn:
    """Sources drawn without replacement from strata, and how many sources each stands for.

    Totals are estimated by sum_h N_h / n_h sum_i y_hi, which is unbiased whatever the allocation
    (Cochran 1977, Sampling Techniques, 5.3). Means over edges use that all edges are counted: the
    excess of y over the edges x of its source is estimated so, and 1 + excess / all edges is the
    difference estimator (Sarndal, Swensson & Wretman 1992, 6.3), unbiased as well, and without
    error where y = x: a table whose every rank is 1 has that mean rank on any sample.
    """

    sources: IntArray  # (s,) ascending
    stratum: IntArray  # (s,) of each
    sizes: IntArray  # (h,) sources in each stratum
    edges: float  # of all sources

    @property
    def total(self) -> int:
        """How many sources there are."""
        return int(self.sizes.sum())

    @property
    def weights(self) -> Floats:
        """(s,) how many sources each stands for."""
        drawn = np.bincount(self.stratum, minlength=len(self.sizes))
        return (self.sizes / np.maximum(drawn, 1))[self.stratum]

    def some(self, positions: IntArray) -> Drawn:
        """Those at ``positions``, ascending, which must leave no stratum empty."""
        return Drawn(self.sources[positions], self.stratum[positions], self.sizes, self.edges)

    def counted(self, stated: Ints, found: Ints) -> Drawn:
        """The same where (s,) edges were ``found`` of as many ``stated``: repeated pairs are one.

        Where that differs, all edges are estimated, which makes means over edges those of ratios.
        """
        if np.array_equal(stated, found):
            return self
        whole = float((self.weights * found).sum())
        return Drawn(self.sources, self.stratum, self.sizes, whole)

    def thinned(self, size: int, rng: np.random.Generator) -> IntArray:
        """Ascending positions of a smaller sample, of about ``size``, all strata alike."""
        if size >= len(self.sources):
            return np.arange(len(self.sources))
        counts = np.bincount(self.stratum, minlength=len(self.sizes))
        return _taken(self.stratum, _shares(counts, size, even=0.0), rng)

    def mean(
        self, values: Floats, edges: Ints | None = None, among: IntArray | None = None
    ) -> float:
        """The mean over sources of values (k,), or over their ``edges`` (k,), which values sum.

        ``among`` (k,) are the sources, if not all, or not with all of their edges: the mean is a
        ratio of estimates then. NaN where there are none.
        """
        weights = self.weights
        if among is None:
            least, scale = (0.0, self.total) if edges is None else (1.0, self.edges)
            values = values if edges is None else values - edges
            return least + float((weights * values).sum() / scale) if scale else float("nan")
        weights = weights[np.searchsorted(self.sources, among)]
        whole = float((weights if edges is None else weights * edges).sum())
        return float((weights * values).sum() / whole) if whole else float("nan")

    def quantiles(self, values: Floats, owner: IntArray, shares: tuple[float, ...]) -> list[float]:
        """Quantiles over all edges of values (edges,), which belong to the sources at ``owner``.

        The inverse of the weighted empirical distribution (Hyndman & Fan 1996, definition 1).
        """
        if not len(values):
            return [float("nan")] * len(shares)
        order = np.argsort(values)
        upto = np.cumsum(self.weights[owner[order]])
        at = np.searchsorted(upto, np.asarray(shares) * upto[-1] * (1 - 1e-12))
        return [float(value) for value in values[order][at]]


def draw(
    sources: IntArray,
    edges: Ints,
    size: int | None,
    rng: np.random.Generator,
    depth: Ints | None = None,
    ancestors: Ints | None = None,
) -> Drawn:
    """Draw ``size`` sources, or all, of those with ``edges`` (k,) positives each, at least one.

    ``depth`` (k,) is the length of one line from each to a root: ``ancestors`` (k,) beside it, else
    edges, are what tells of several parents, and the strata are by their number, those without any
    by how many are on the line. Half of the sample is in proportion to the strata, half in equal
    shares.
    """
    counts = np.asarray(edges, dtype=np.int64)
    total = float(counts.sum())
    if size is None or size >= len(sources):
        nothing = np.zeros(len(sources), dtype=np.int64)
        return Drawn(sources, nothing, np.array([len(sources)]), total)
    found = _strata(counts if ancestors is None else np.asarray(ancestors), depth)
    sizes = np.bincount(found)
    if size < _LEAST * len(sizes):
        found, sizes = np.zeros_like(found), np.array([len(sources)])
    chosen = _taken(found, _shares(sizes, size, _EVEN), rng)
    return Drawn(sources[chosen], found[chosen], sizes, total)


def _strata(ancestors: Ints, depth: Ints | None) -> IntArray:
    """The stratum of every source, (k,), numbered from 0 without a gap."""
    beside = np.zeros_like(ancestors) if depth is None else np.maximum(ancestors - depth, 0)
    single: BoolArray = beside == 0
    bounds = distinct(np.quantile(ancestors[single], _QUANTILES)) if single.any() else np.empty(0)
    line = np.searchsorted(bounds, ancestors, "left")
    doublings = np.minimum(np.log2(np.maximum(beside, 1)).astype(np.int64), _DOUBLINGS)
    return np.unique(np.where(single, line, len(bounds) + 1 + doublings), return_inverse=True)[1]


def _shares(sizes: IntArray, size: int, even: float) -> IntArray:
    """How many to draw from each stratum, ``size`` in all: ``even`` of them in equal shares.

    No stratum gives more than it has; what it lacks the others give.
    """
    least = np.minimum(sizes, min(_LEAST, size // len(sizes)))
    shares, room = least.astype(np.float64), (sizes - least).astype(np.float64)
    while (left := size - shares.sum()) > 0.5 and (open_ := room > 0).any():
        own = (1 - even) * sizes / sizes[open_].sum() + even / np.count_nonzero(open_)
        more = np.minimum(np.where(open_, left * own, 0), room)
        shares, room = shares + more, room - more
    whole = np.floor(shares + 1e-9).astype(np.int64)
    order = np.argsort(whole - shares, kind="stable")
    whole[order[: size - int(whole.sum())]] += 1
    return whole


def _taken(stratum: IntArray, shares: IntArray, rng: np.random.Generator) -> IntArray:
    """Ascending positions of so many of each stratum, each with the same chance in its own."""
    dealt = rng.permutation(len(stratum))
    order = dealt[np.argsort(stratum[dealt], kind="stable")]
    sizes = np.bincount(stratum, minlength=len(shares))
    place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.sort(order[place < np.repeat(shares, sizes)])
