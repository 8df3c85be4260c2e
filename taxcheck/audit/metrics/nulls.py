"""What a table scores that holds no hierarchy: null tables, and null counts without a table."""

from __future__ import annotations

import numpy as np

from taxcheck.audit.metrics.counting import Counts, not_negative
from taxcheck.audit.metrics.lists import Floats, IntArray, Ints, Lists
from taxcheck.geometry.space import Space


def depth_aware_init(depth: Ints, dim: int, rng: np.random.Generator) -> Space:
    """An untrained ball table whose norms know the depth: .05 + .80 depth / max(depth).

    Directions are uniform: normal vectors, normalised (Muller 1959). It is the init of the
    incident's mended engine, and its radius has a perfect rank correlation with depth. ``depth``
    (n,); below 0 (unknown) counts as 0.
    """
    level = np.maximum(np.asarray(depth, dtype=np.float64), 0)
    norm = 0.05 + 0.80 * level / max(float(level.max(initial=0)), 1.0)
    radii = np.log1p(norm) - np.log1p(-norm)
    x = rng.standard_normal((len(level), dim))
    return Space(x / np.linalg.norm(x, axis=1, keepdims=True), radii, hyperbolic=True)


def permutation_within_depth(depth: Ints, rng: np.random.Generator) -> IntArray:
    """A random permutation (n,) that maps every row to one of the same depth."""
    n = len(depth)
    drawn = rng.permutation(n)
    shuffled = drawn[np.argsort(np.asarray(depth)[drawn], kind="stable")]
    out = np.empty(n, dtype=np.int64)
    out[np.argsort(depth, kind="stable")] = shuffled
    return out


def collapsed(positives: Lists, left_out: Lists | None = None) -> Counts:
    """Counts of a table whose rows are all equal: every candidate ties with every positive."""
    removed = not_negative(positives, left_out)
    negatives = positives.n - removed.lengths
    edges = len(positives.targets)
    nothing = np.zeros(edges, dtype=np.int64)
    return Counts(np.zeros(edges), nothing, negatives[positives.owner], negatives)


def popular(scores: Ints | Floats, positives: Lists, left_out: Lists | None = None) -> Counts:
    """Counts of one order for all sources, highest score (n,) first.

    With the number of descendants as score it is the popularity null: it knows which nodes are
    ancestors of many, and nothing of the source. Exact, in O((n + edges) log n).
    """
    removed = not_negative(positives, left_out)
    values, level = np.unique(-np.asarray(scores, dtype=np.float64), return_inverse=True)
    levels = len(values)
    upto = np.r_[0, np.cumsum(np.bincount(level, minlength=levels))]
    # Positions among the removed of the same source: sorted by (source, level), searched twice.
    keys = np.sort(removed.owner * levels + level[removed.targets])
    owner, own = positives.owner, level[positives.targets]
    begin = np.searchsorted(keys, owner * levels)
    before = np.searchsorted(keys, owner * levels + own)
    behind = np.searchsorted(keys, owner * levels + own, "right")
    return Counts(
        separation=values[own],
        less=upto[own] - (before - begin),
        equal=upto[own + 1] - upto[own] - (behind - before),
        negatives=positives.n - removed.lengths,
    )
