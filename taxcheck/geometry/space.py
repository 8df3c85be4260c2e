"""A table of any model as one representation, so that a measure is written once.

Hyperbolic rows become a unit direction and a radius in units of 1/sqrt(c): it holds what every
model can hold, and nothing cancels in its distance. Euclidean rows stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from taxcheck.geometry.ball import Floats, Rows
from taxcheck.geometry.models import model_of

Ints = npt.NDArray[np.integer]
_LARGEST = 300.0  # radii whose products of cosh still fit into float64
_ROWS = 1 << 16


@dataclass(frozen=True, slots=True)
class Space:
    """n points with their distances; rows that are no point have a NaN radius."""

    coordinates: Floats  # (n, d): unit directions (0 at the origin), or Euclidean points
    radii: Floats  # (n,) distance to the origin, in units of 1/sqrt(c)
    hyperbolic: bool
    curvature: float = 1.0

    @classmethod
    def of(cls, vectors: Rows, geometry: str, curvature: float = 1.0) -> Space:
        """Take rows (n, width) of a geometry.

        Rows that are not finite, outside the ball, on the lower sheet or beyond radius 300 are no
        points. ValueError for a geometry that is none.
        """
        model = model_of(geometry)
        flat, unit = not model.hyperbolic, np.sqrt(curvature) if model.hyperbolic else 1.0
        coordinates = np.zeros((len(vectors), vectors.shape[1] - model.time))
        radii = np.full(len(vectors), np.nan)
        for start in range(0, len(vectors), _ROWS):  # the table may be a memory map
            rows = slice(start, start + _ROWS)
            with np.errstate(invalid="ignore", over="ignore"):
                x = np.asarray(vectors[rows], dtype=np.float64)  # warns of a signalling NaN
                spatial = x[:, model.time :]
                norm = np.linalg.norm(spatial, axis=1)
                reach = model.radius(x, curvature) * unit
            sound = np.isfinite(norm) & (flat | (reach <= _LARGEST))
            where = (sound & (flat | (norm > 0)))[:, None]
            divisor = np.ones_like(norm) if flat else norm
            np.divide(spatial, divisor[:, None], out=coordinates[rows], where=where)
            radii[rows] = np.where(sound, reach, np.nan)
        return cls(coordinates, radii, not flat, 1.0 if flat else curvature)

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.radii)

    @property
    def unit(self) -> float:
        """The length 1/sqrt(c) that radii and distances are multiples of; 1 in flat space."""
        return 1 / float(np.sqrt(self.curvature)) if self.hyperbolic else 1.0

    @property
    def sound(self) -> npt.NDArray[np.bool_]:
        """Which rows are points, (n,)."""
        return np.isfinite(self.radii)

    def take(self, rows: Ints) -> Space:
        """The space of some rows, in the order given."""
        return replace(self, coordinates=self.coordinates[rows], radii=self.radii[rows])

    def first(self, n: int) -> Space:
        """The space of the first n rows, which are not copied."""
        return replace(self, coordinates=self.coordinates[:n], radii=self.radii[:n])

    def separation(self, u: Ints, v: Ints) -> Floats:
        """What grows with the distance of rows u and v, exactly comparable; broadcasts.

        Hyperbolic: cosh d - 1 = 2 sinh^2((r1-r2)/2) + sinh r1 sinh r2 |u^-v^|^2 / 2 (see
        ``tangent.distance``); Euclidean: |u-v|^2. NaN where a row is no point. Equal rows give
        equal numbers bit for bit, which the counting of ties rests on.
        """
        apart = np.sum((self.coordinates[u] - self.coordinates[v]) ** 2, axis=-1)
        r1, r2 = self.radii[u], self.radii[v]
        if not self.hyperbolic:
            return np.asarray(np.where(np.isfinite(r1 + r2), apart, np.nan))
        square = 2 * np.sinh((r1 - r2) / 2) ** 2 + np.sinh(r1) * np.sinh(r2) * apart / 2
        return np.asarray(square)

    def distance(self, u: Ints, v: Ints) -> Floats:
        """Distance of rows u and v, index arrays that broadcast; NaN where a row is no point."""
        square = self.separation(u, v)
        if not self.hyperbolic:
            return np.asarray(np.sqrt(square))
        return np.asarray(2 * np.arcsinh(np.sqrt(square / 2)) * self.unit)

    def between(self, u: Ints, v: Ints) -> Floats:
        """Distance of every row of u (k,) to every row of v (m,), (k, m); NaN as in ``distance``.

        What depends on one row alone is computed once, so this takes a fraction of the time of
        ``distance``, from which it differs by roundings. With e = exp(r) - 1 the square of
        2 sinh((r1-r2)/2) is (e1-e2)^2 / ((1+e1) (1+e2)), which loses nothing where radii are small.
        """
        apart = np.zeros((len(u), len(v)))
        step = np.empty_like(apart)
        for a, b in zip(self.coordinates[u].T, self.coordinates[v].T, strict=True):
            np.subtract(a[:, None], b, out=step)
            step *= step
            apart += step
        r1, r2 = self.radii[u][:, None], self.radii[v]
        if not self.hyperbolic:
            np.sqrt(apart, out=apart)
            apart[~np.isfinite(r1[:, 0])], apart[:, ~np.isfinite(r2)] = np.nan, np.nan
            return np.asarray(apart)
        apart *= np.sinh(r1) / 4
        apart *= np.sinh(r2)
        e1, e2 = np.expm1(r1), np.expm1(r2)
        np.subtract(e1, e2, out=step)
        step *= step
        step *= 1 / (4 * (1 + e1))
        step *= 1 / (1 + e2)
        apart += step
        np.arcsinh(np.sqrt(apart, out=apart), out=apart)
        apart *= 2 * self.unit
        return np.asarray(apart)

    def from_row(self, row: int) -> Floats:
        """Distance of every row to one, (n,): the radii once the space is re-centred on it."""
        return self.distance(np.array([row]), np.arange(self.n))

    def tangent(self) -> Floats:
        """Log-map coordinates (n, d), whose norms are the radii; the points in flat space."""
        if not self.hyperbolic:
            return np.where(self.sound[:, None], self.coordinates, np.nan)
        return np.asarray(self.coordinates * (self.radii * self.unit)[:, None])

    def directions(self) -> Floats:
        """Unit vectors (n, d); 0 at the origin, NaN where a row is no point."""
        if self.hyperbolic:
            return np.where(self.sound[:, None], self.coordinates, np.nan)
        norm = self.radii[:, None]
        out = np.where(norm == 0, 0.0, np.full_like(self.coordinates, np.nan))
        return np.asarray(np.divide(self.coordinates, norm, out=out, where=norm > 0))

    def left(self, rows: Ints) -> Floats:
        """Rows as left factors, (k, d + 2): ``left(u) @ right(v).T`` is their separation.

        With h = cosh r - 1 = 2 sinh^2(r/2): cosh d - 1 = (1+h1) h2 + h1 - sinh r1 sinh r2 <u^,v^>;
        every term shrinks with the radii, so small tables lose nothing. Euclidean:
        |v|^2 + |u|^2 - 2 <u,v>.
        """
        r, x = self.radii[rows], self.coordinates[rows]
        out = np.empty((len(r), x.shape[1] + 2))
        if self.hyperbolic:
            h = 2 * np.sinh(r / 2) ** 2
            out[:, 0], out[:, 1], out[:, 2:] = 1 + h, h, -np.sinh(r)[:, None] * x
        else:
            out[:, 0], out[:, 1], out[:, 2:] = 1, np.sum(x * x, axis=1), -2 * x
        return out

    def right(self, rows: Ints) -> Floats:
        """Rows as right factors, (k, d + 2); see ``left``."""
        r, x = self.radii[rows], self.coordinates[rows]
        out = np.empty((len(r), x.shape[1] + 2))
        out[:, 1] = 1
        if self.hyperbolic:
            out[:, 0], out[:, 2:] = 2 * np.sinh(r / 2) ** 2, np.sinh(r)[:, None] * x
        else:
            out[:, 0], out[:, 2:] = np.sum(x * x, axis=1), x
        return out
