"""What a table scores that holds no hierarchy: null tables, and null counts without a table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from taxcheck.geometry.space import Space
from taxcheck.metrics.counting import Counts, not_negative
from taxcheck.metrics.lists import Floats, IntArray, Ints, Lists


def _random_directions(n: int, dim: int, rng: np.random.Generator) -> Floats:
    """Uniform on the sphere, (n, dim): normal vectors, normalised (Muller 1959)."""
    x = rng.standard_normal((n, dim))
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True))


def depth_aware_init(
    depth: Ints, dim: int, rng: np.random.Generator, low: float = 0.05, span: float = 0.80
) -> Space:
    """An untrained ball table whose norms know the depth: low + span depth / max(depth).

    Directions are random. It is the init of the incident's mended engine, and its radius has a
    perfect rank correlation with depth. ``depth`` (n,); below 0 (unknown) counts as 0.
    """
    level = np.maximum(np.asarray(depth, dtype=np.float64), 0)
    norm = low + span * level / max(float(level.max(initial=0)), 1.0)
    radii = np.log1p(norm) - np.log1p(-norm)
    return Space(_random_directions(len(level), dim, rng), radii, hyperbolic=True)


def random_directions(space: Space, rng: np.random.Generator) -> Space:
    """The table with its own radii in random directions; rows that are no point stay so."""
    directions = _random_directions(space.n, space.coordinates.shape[1], rng)
    if not space.hyperbolic:
        directions = directions * np.nan_to_num(space.radii)[:, None]
    return replace(space, coordinates=directions)


def permutation_within_depth(depth: Ints, rng: np.random.Generator) -> IntArray:
    """A random permutation (n,) that maps every row to one of the same depth."""
    n = len(depth)
    drawn = rng.permutation(n)
    shuffled = drawn[np.argsort(np.asarray(depth)[drawn], kind="stable")]
    out = np.empty(n, dtype=np.int64)
    out[np.argsort(depth, kind="stable")] = shuffled
    return out


def shuffled_within_depth(space: Space, depth: Ints, rng: np.random.Generator) -> Space:
    """The table's own points, dealt anew among the nodes of each depth (n,)."""
    return space.take(permutation_within_depth(depth, rng))


def collapsed(
    positives: Lists, left_out: Lists | None = None, *, keep_self: bool = False
) -> Counts:
    """Counts of a table whose rows are all equal: every candidate ties with every positive."""
    removed = not_negative(positives, left_out, keep_self)
    negatives = positives.n - removed.lengths
    edges = len(positives.targets)
    nothing = np.zeros(edges, dtype=np.int64)
    return Counts(np.zeros(edges), nothing, negatives[positives.owner], negatives)


def popular(
    scores: Ints | Floats,
    positives: Lists,
    left_out: Lists | None = None,
    *,
    keep_self: bool = False,
) -> Counts:
    """Counts of one order for all sources, highest score (n,) first.

    With the number of descendants as score it is the popularity null: it knows which nodes are
    ancestors of many, and nothing of the source. Exact, in O((n + edges) log n).
    """
    removed = not_negative(positives, left_out, keep_self)
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
