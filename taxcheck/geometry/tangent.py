"""Tangent vectors at the origin, whose norm is the hyperbolic radius; last axis = coordinates.

z stands for the ball's point tanh(|z|/2) z/|z| (curvature -1): free parameters that no clip and no
boundary limits. Everything is computed in float64.
"""

from __future__ import annotations

import numpy as np

from taxcheck.geometry.ball import Floats, Rows


def _polar(z: Rows, curvature: float) -> tuple[Floats, Floats]:
    """Radius in units of 1/sqrt(c), (..., 1), and direction (..., d), zero at the origin."""
    z = np.asarray(z, dtype=np.float64)
    norm = np.linalg.norm(z, axis=-1, keepdims=True)
    direction = np.divide(z, norm, out=np.zeros_like(z), where=norm != 0)
    return np.asarray(norm * np.sqrt(curvature)), direction


def distance(u: Rows, v: Rows, curvature: float = 1.0) -> Floats:
    """Hyperbolic distance of exp(u) and exp(v); shapes (..., d) broadcast.

    sinh^2(d/2) = sinh^2((r1-r2)/2) + sinh r1 sinh r2 |u^-v^|^2 / 4, the hyperbolic law of cosines
    (Ratcliffe, Foundations of Hyperbolic Manifolds, 3.5) with half angles on both sides: a sum of
    what is never negative, so nothing cancels and no epsilon is needed. Radii up to 350.
    """
    (r1, u), (r2, v) = _polar(u, curvature), _polar(v, curvature)
    apart = np.sum((u - v) ** 2, axis=-1)
    r1, r2 = r1[..., 0], r2[..., 0]
    square = np.sinh((r1 - r2) / 2) ** 2 + np.sinh(r1) * np.sinh(r2) * apart / 4
    return np.asarray(2 * np.arcsinh(np.sqrt(square)) / np.sqrt(curvature))


def radius(z: Rows) -> Floats:
    """Distance to the origin: the norm, whatever the curvature; (..., d) -> (...)."""
    return np.asarray(np.linalg.norm(np.asarray(z, dtype=np.float64), axis=-1))


def to_ball(z: Rows, curvature: float = 1.0) -> Floats:
    """Exp-map at the origin, tanh(|z|/2) z/|z| for c = 1; (..., d)."""
    reach, direction = _polar(z, curvature)
    return np.asarray(np.tanh(reach / 2) * direction / np.sqrt(curvature))


def to_lorentz(z: Rows, curvature: float = 1.0) -> Floats:
    """Exp-map at the origin, (cosh |z|, sinh |z| z/|z|) for c = 1; (..., d) -> (..., d + 1)."""
    reach, direction = _polar(z, curvature)
    point = np.concatenate([np.cosh(reach), np.sinh(reach) * direction], axis=-1)
    return np.asarray(point / np.sqrt(curvature))
