"""What the stored numbers and the engine's clip leave of radii and distances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from taxcheck.geometry.precision import largest_radius, radius_error
from taxcheck.geometry.space import Space
from taxcheck.metrics.graph_distance import pairs_of_rows
from taxcheck.metrics.lists import Floats, IntArray

_PAIRS = 100_000


@dataclass(frozen=True, slots=True)
class PrecisionLoss:
    """Bounds on the radius error of ball rows, in units of the radius at curvature -1."""

    dtype: str
    largest: float  # the worst row's bound
    median: float
    above: int  # rows whose bound exceeds the tolerance
    rows: int  # that are points
    tolerance: float
    reach: float  # the largest radius that the dtype holds


def precision_loss(space: Space, dtype: str, tolerance: float = 0.1) -> PrecisionLoss:
    """U e^rho / 2 of every row (see ``radius_error``) against a tolerance on its radius.

    A tenth of a unit is small against the step from parent to child of any trained table. KeyError
    for a dtype that is no float of 16, 32 or 64 bits.
    """
    radii = space.radii[space.sound]
    error = radius_error(radii, dtype)
    return PrecisionLoss(
        dtype=dtype,
        largest=float(error.max(initial=0)),
        median=float(np.median(error)) if len(error) else float("nan"),
        above=int((error > tolerance).sum()),
        rows=len(radii),
        tolerance=tolerance,
        reach=largest_radius(dtype),
    )


def sampled_distances(
    points: Callable[[IntArray], Space], n: int, rng: np.random.Generator, pairs: int = _PAIRS
) -> Floats:
    """Distances of random pairs of n rows, or of all where they are no more; in ``Space``'s unit.

    ``points`` gives the space of some rows, so that a table need not be held as points whole; pairs
    with a row that is no point are left out.
    """
    if n < 2:
        return np.empty(0)
    u, v, _ = pairs_of_rows(n, pairs, rng)
    rows, place = np.unique(np.concatenate([u, v]), return_inverse=True)
    distances = points(rows).distance(place[: len(u)], place[len(u) :])
    return np.asarray(distances[np.isfinite(distances)])
