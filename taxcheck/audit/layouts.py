"""A table in two dimensions, all rows of it: of several ways the one that keeps most is taken.

Every layout is made of the table's numbers alone. A picture drawn by the taxonomy would look as
good for a table that learned nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from taxcheck.audit.metrics.faithfulness import Faithfulness, held, look, median_rank
from taxcheck.audit.seriation import seriate
from taxcheck.geometry.space import Space
from taxcheck.model.arrays import FloatArray, IntArray

_LOOKED_AT = 40_000_000  # distances of a sample to all rows
_FEWEST, _MOST = 100, 500  # rows of that sample
_OWN = "the table itself, which has no more dimensions"


@dataclass(frozen=True, slots=True)
class Tried:
    """One way to lay a table out, and what it keeps."""

    name: str
    found: Faithfulness


@dataclass(frozen=True, slots=True)
class Layout:
    """A table in two dimensions, and how that compares with the other ways."""

    name: str
    plane: Space  # (n, 2); rows that are no points stay none
    found: Faithfulness
    table_rank: float  # the median rank of the parent in the table itself
    others: tuple[Tried, ...]  # that keep less, best first


def lay_out(space: Space, parent: IntArray, seed: int) -> Layout:
    """The layout that keeps most of the ten nearest rows, by a sample of rows among all.

    ``parent`` (n,) is -1 for none; it is judged by, never drawn by. With as many kept, the one
    wins in which the parent is nearer.
    """
    sound = np.flatnonzero(space.sound)
    points = space.take(sound)
    inside = np.full(space.n + 1, -1, dtype=np.int64)  # the last entry answers for -1
    inside[sound] = np.arange(len(sound))
    above = inside[parent][sound]
    size = min(len(sound), max(_FEWEST, min(_MOST, _LOOKED_AT // max(len(sound), 1))))
    rows = np.sort(np.random.default_rng(seed).choice(len(sound), size, replace=False))
    table = look(points, rows, above)
    found = [
        (name, plane, held(table, look(plane, rows, above)))
        for name, plane in ((name, way(points)) for name, way in ways(points).items())
    ]
    found.sort(key=lambda one: (-one[2].kept, one[2].parent_rank))
    name, plane, best = found[0]
    coordinates, radii = np.zeros((space.n, 2)), np.full(space.n, np.nan)
    coordinates[sound], radii[sound] = plane.coordinates, plane.radii
    return Layout(
        name,
        replace(plane, coordinates=coordinates, radii=radii),
        best,
        median_rank(table),
        tuple(Tried(other, kept) for other, _, kept in found[1:]),
    )


def ways(space: Space) -> Mapping[str, Callable[[Space], Space]]:
    """The ways to lay out points of a space, by what they are called; all rows are points."""
    if space.coordinates.shape[1] <= 2:
        return {_OWN: _itself}
    return _IN_A_DISC if space.hyperbolic else _IN_A_PLANE


def _itself(space: Space) -> Space:
    missing = 2 - space.coordinates.shape[1]
    return replace(space, coordinates=np.pad(space.coordinates, ((0, 0), (0, missing))))


def _leading(x: FloatArray) -> FloatArray:
    """The two leading directions of (n, d), not centred, (d, 2).

    An eigenvector has no sign of its own: its largest entry is made positive.
    """
    _, vectors = np.linalg.eigh(x.T @ x)
    leading = vectors[:, ::-1][:, :2]
    largest = np.abs(leading).argmax(axis=0)
    return np.asarray(leading * np.where(leading[largest, [0, 1]] < 0, -1.0, 1.0))


def _polar(space: Space, across: FloatArray, radii: FloatArray) -> Space:
    """Points in the direction of (n, 2) at given radii (n,)."""
    length = np.linalg.norm(across, axis=1, keepdims=True)
    unit = np.divide(across, length, out=np.zeros_like(across), where=length > 0)
    return replace(space, coordinates=unit, radii=np.where(length[:, 0] > 0, radii, 0.0))


def _tangent(space: Space) -> Space:
    z = space.coordinates * space.radii[:, None]
    across = z @ _leading(z)
    return _polar(space, across, np.linalg.norm(across, axis=1))


def _angles(space: Space) -> Space:
    return _polar(space, space.coordinates @ _leading(space.coordinates), space.radii)


def _sheet(space: Space) -> Space:
    """The foot of each row on the hyperbolic plane through the origin that the farthest rows span.

    The geodesic projection onto a plane with a share q of the direction in it has
    tanh r' = q tanh r.
    """
    far = space.coordinates * np.exp(space.radii - space.radii.max(initial=0.0))[:, None]
    across = space.coordinates @ _leading(far)
    share = np.linalg.norm(across, axis=1)
    inside = np.minimum(np.tanh(space.radii) * share, 1 - 2.0**-53)
    return _polar(space, across, np.arctanh(inside))


def _seriated(space: Space) -> Space:
    """Rows on the circle in their order, evenly; equal directions at one place."""
    order = seriate(space.coordinates)
    ordered = space.coordinates[order]
    first = np.ones(space.n, dtype=bool)
    first[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    run = np.cumsum(first) - 1
    sizes = np.bincount(run)
    middle = np.cumsum(sizes) - sizes / 2
    angle = np.empty(space.n)
    angle[order] = 2 * np.pi * middle[run] / max(space.n, 1)
    around = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return replace(space, coordinates=around)


def _flat(x: FloatArray, space: Space) -> Space:
    return replace(space, coordinates=x, radii=np.linalg.norm(x, axis=1))


def _components(space: Space) -> Space:
    centred = space.coordinates - space.coordinates.mean(axis=0)
    return _flat(centred @ _leading(centred), space)


def _around_the_mean(space: Space) -> Space:
    centred = space.coordinates - space.coordinates.mean(axis=0)
    length = np.linalg.norm(centred, axis=1)
    unit = centred / np.where(length > 0, length, 1.0)[:, None]
    return _flat(_seriated(replace(space, coordinates=unit)).coordinates * length[:, None], space)


_IN_A_DISC = MappingProxyType(
    {
        "an order of all directions on a circle, radii kept": _seriated,
        "the two leading directions, radii kept": _angles,
        "the two leading directions of the log-map": _tangent,
        "the plane of the farthest rows": _sheet,
    }
)
_IN_A_PLANE = MappingProxyType(
    {
        "the two principal components": _components,
        "an order of all directions on a circle, distances from the mean kept": _around_the_mean,
    }
)
