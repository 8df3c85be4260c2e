"""The Poincare ball of curvature -c: points with ``sqrt(c) |x| < 1``; last axis = coordinates.

Equations: Ungar, A Gyrovector Space Approach to Hyperbolic Geometry (2008), as in Ganea, Becigneul
& Hofmann 2018 (arXiv:1805.09112). Everything is computed in float64. A row outside the ball is no
point, and whatever is asked about it is NaN.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.floating]


def _unit(x: Rows, curvature: float) -> Floats:
    return np.asarray(np.asarray(x, dtype=np.float64) * np.sqrt(curvature))


def _room(x: Floats) -> Floats:
    """1 - |x|^2 as (1 - |x|)(1 + |x|), NaN outside the open ball; (..., d) -> (...)."""
    norm = np.linalg.norm(x, axis=-1)
    return np.asarray(np.where(norm < 1, (1 - norm) * (1 + norm), np.nan))


def distance(u: Rows, v: Rows, curvature: float = 1.0) -> Floats:
    """Hyperbolic distance 2 asinh(sqrt(|u-v|^2 / ((1-|u|^2)(1-|v|^2)))) / sqrt(c).

    The usual arcosh form (Nickel & Kiela 2017, eq. 1, arXiv:1705.08039) by the half-angle formula
    cosh d - 1 = 2 sinh^2(d/2): nothing cancels for near points. Shapes (..., d) broadcast.
    """
    u, v = _unit(u, curvature), _unit(v, curvature)
    gap = np.linalg.norm(u - v, axis=-1)
    return np.asarray(2 * np.arcsinh(gap / np.sqrt(_room(u) * _room(v))) / np.sqrt(curvature))


def radius(x: Rows, curvature: float = 1.0) -> Floats:
    """Distance to the origin, ln((1+|x|)/(1-|x|)) / sqrt(c) = 2 artanh(|x|); (..., d) -> (...)."""
    norm = np.linalg.norm(_unit(x, curvature), axis=-1)
    inside = np.where(norm < 1, norm, np.nan)
    return np.asarray((np.log1p(inside) - np.log1p(-inside)) / np.sqrt(curvature))


def radius_of_norm(norm: float, curvature: float = 1.0) -> float:
    """The largest radius under a clip of the norm, such as 0.98 -> 4.60; infinite from 1 on."""
    inside = float(norm) * float(np.sqrt(curvature))
    if inside >= 1:
        return float("inf")
    return float((np.log1p(inside) - np.log1p(-inside)) / np.sqrt(curvature))


def to_tangent(x: Rows, curvature: float = 1.0) -> Floats:
    """Log-map at the origin as a vector whose norm is the radius; inverse of ``tangent.to_ball``.

    z = radius(x) x/|x|. (Ganea et al., eq. 13, has half of it: there the ball's metric at the
    origin, 2|z|, makes up the radius.) Shapes (..., d).
    """
    x = _unit(x, curvature)
    norm = np.linalg.norm(x, axis=-1, keepdims=True)
    inside = np.where(norm < 1, norm, np.nan)
    reach = np.log1p(inside) - np.log1p(-inside)
    ratio = np.divide(reach, norm, out=np.full_like(norm, 2.0), where=norm > 0)
    return np.asarray(ratio * x / np.sqrt(curvature))


def to_lorentz(x: Rows, curvature: float = 1.0) -> Floats:
    """(1+|x|^2, 2x) / (1-|x|^2), time first (Nickel & Kiela 2018, eq. 11, arXiv:1806.03417).

    Shapes (..., d) -> (..., d + 1); the sheet is -x0^2 + x1^2 + ... = -1/c.
    """
    x = _unit(x, curvature)
    room = _room(x)[..., None]
    square = np.sum(x * x, axis=-1, keepdims=True)
    return np.asarray(np.concatenate([1 + square, 2 * x], axis=-1) / room / np.sqrt(curvature))
