"""Flat space, the control that stands beside every hyperbolic reading; last axis = coordinates."""

from __future__ import annotations

import numpy as np

from taxcheck.geometry.ball import Floats, Rows


def distance(u: Rows, v: Rows) -> Floats:
    """|u - v| in float64; shapes (..., d) broadcast."""
    gap = np.asarray(u, dtype=np.float64) - np.asarray(v, dtype=np.float64)
    return np.asarray(np.linalg.norm(gap, axis=-1))


def radius(x: Rows) -> Floats:
    """Distance to the origin in float64; (..., d) -> (...)."""
    return np.asarray(np.linalg.norm(np.asarray(x, dtype=np.float64), axis=-1))
