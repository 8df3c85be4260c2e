"""The hyperboloid -x0^2 + x1^2 + ... = -1/c, x0 > 0; time first, last axis = d + 1 coordinates.

Equations: Nickel & Kiela 2018 (arXiv:1806.03417). Everything is computed in float64.
"""

from __future__ import annotations

import numpy as np

from taxcheck.geometry.ball import Floats, Rows


def inner(u: Rows, v: Rows) -> Floats:
    """Lorentzian product -u0 v0 + u1 v1 + ...; shapes (..., d + 1) broadcast (eq. 2)."""
    u, v = np.asarray(u, dtype=np.float64), np.asarray(v, dtype=np.float64)
    product = u * v
    return np.asarray(np.sum(product[..., 1:], axis=-1) - product[..., 0])


def distance(u: Rows, v: Rows, curvature: float = 1.0) -> Floats:
    """Hyperbolic distance 2 asinh(sqrt(c <u-v, u-v>_L) / 2) / sqrt(c); (..., d + 1) broadcast.

    arcosh(-<u,v>_L) (eq. 5) by cosh d - 1 = <u-v, u-v>_L / 2, which does not lose the distance of
    near points. A product that rounding makes negative counts as 0.
    """
    gap = np.asarray(u, dtype=np.float64) - np.asarray(v, dtype=np.float64)
    square = np.maximum(curvature * inner(gap, gap), 0)  # NaN stays NaN
    return np.asarray(2 * np.arcsinh(np.sqrt(square) / 2) / np.sqrt(curvature))


def radius(x: Rows, curvature: float = 1.0) -> Floats:
    """Distance to the origin, asinh(sqrt(c) |x1..xd|) / sqrt(c); (..., d + 1) -> (...).

    From the spatial part: for near points arcosh(x0) has lost it, and where float32 left the sheet
    the spatial part says where the row points. NaN on the lower sheet.
    """
    x = np.asarray(x, dtype=np.float64)
    space = np.linalg.norm(x[..., 1:], axis=-1) * np.sqrt(curvature)
    return np.asarray(np.where(x[..., 0] > 0, np.arcsinh(space) / np.sqrt(curvature), np.nan))


def sheet_error(x: Rows, curvature: float = 1.0) -> Floats:
    """|c <x,x>_L + 1| / (c x0^2), how far a row is off the sheet; (..., d + 1) -> (...).

    Relative to x0^2, as both squares are of that size and each is rounded: a float32 row at radius
    9 misses the sheet by 1.6 in absolute terms and is as good as it can be.
    """
    x = np.asarray(x, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.abs(curvature * inner(x, x) + 1) / (curvature * x[..., 0] ** 2))


def to_tangent(x: Rows, curvature: float = 1.0) -> Floats:
    """Log-map at the origin, its d spatial coordinates: radius(x) times the spatial direction."""
    x = np.asarray(x, dtype=np.float64)
    norm = np.linalg.norm(x[..., 1:], axis=-1, keepdims=True)
    reach = radius(x, curvature)[..., None]
    ratio = np.divide(reach, norm, out=np.where(np.isnan(reach), np.nan, 1.0), where=norm > 0)
    return np.asarray(ratio * x[..., 1:])


def to_ball(x: Rows, curvature: float = 1.0) -> Floats:
    """Stereographic projection x / (1 + x0) for c = 1 (eq. 11); (..., d + 1) -> (..., d)."""
    x = np.asarray(x, dtype=np.float64)
    return np.asarray(x[..., 1:] / (1 + np.sqrt(curvature) * x[..., :1]))
