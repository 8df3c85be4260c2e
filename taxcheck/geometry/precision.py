"""How much of a radius a stored number can hold (Mishne et al. 2023, arXiv:2211.00181)."""

from __future__ import annotations

import numpy as np

from taxcheck.geometry.ball import Floats
from taxcheck.model.vocabulary import UNIT_ROUNDOFF

_LARGEST = 300.0  # a bound beyond it is as good as infinite, but still a number


def largest_ball_radius(dtype: str) -> float:
    """The radius of the outermost point that a dtype can tell from the boundary (c = 1).

    The largest norm below 1 is 1 - u, so ln((2-u)/u): 17.3 in float32, 37.4 in float64.
    """
    u = UNIT_ROUNDOFF[dtype]
    return float(np.log((2 - u) / u))


def largest_sheet_radius(dtype: str) -> float:
    """The radius from which on a dtype cannot tell whether a row is on the Lorentz sheet (c = 1).

    -x0^2 + |x|^2 = -1 is lost when u x0^2 reaches 1, at asinh(1/sqrt(u)), about ln 2 + ln(1/u)/2:
    9.0 in float32, 19.1 in float64.
    """
    return float(np.arcsinh(UNIT_ROUNDOFF[dtype] ** -0.5))


def ball_rounding(u: float, radius: Floats) -> Floats:
    """Bound u e^rho / 2 on the error of a ball row's radius, (...), for c = 1.

    d rho / d|x| = 2 / (1-|x|^2) = 2 cosh^2(rho/2), about e^rho / 2, times the rounding u of a norm
    near 1. Measured in float32 at rho 12.2: rms 0.0013 against a bound of 0.0059.
    """
    return np.asarray(u * np.exp(np.minimum(radius, _LARGEST)) / 2)


def sheet_rounding(u: float, radius: Floats) -> Floats:
    """How far a row of the Lorentz sheet may miss it, u e^(2 rho) / 2, (...), for c = 1."""
    return np.asarray(u * np.exp(2 * np.minimum(radius, _LARGEST)) / 2)


def plain_rounding(u: float, radius: Floats) -> Floats:
    """Bound u rho on the error of a radius that is the norm of the row, (...)."""
    return np.asarray(u * radius)
