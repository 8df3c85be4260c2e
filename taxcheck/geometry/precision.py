"""How much of a radius a stored number can hold (Mishne et al. 2023, arXiv:2211.00181)."""

from __future__ import annotations

import numpy as np

from taxcheck.geometry.ball import Floats, radius_of_norm

# Unit roundoff u: half the gap between 1 and the next number.
UNIT_ROUNDOFF = {
    "float16": 2.0**-11,
    "bfloat16": 2.0**-8,
    "float32": 2.0**-24,
    "float64": 2.0**-53,
}


def unit_roundoff(dtype: str) -> float:
    """Unit roundoff of float16, bfloat16, float32 or float64; KeyError for any other name."""
    return UNIT_ROUNDOFF[dtype]


def largest_radius(dtype: str, model: str = "ball") -> float:
    """The radius of the outermost point that a dtype can tell from the boundary (c = 1).

    Ball: the largest norm below 1 is 1 - u, so ln((2-u)/u): 17.3 in float32, 37.4 in float64.
    Lorentz: -x0^2 + |x|^2 = -1 is lost when u x0^2 reaches 1, at asinh(1/sqrt(u)), about ln 2 +
    ln(1/u)/2: 9.0 in float32, 19.1 in float64.
    """
    u = unit_roundoff(dtype)
    if model == "ball":
        return float(np.log((2 - u) / u))
    if model == "lorentz":
        return float(np.arcsinh(u**-0.5))
    raise ValueError(f"model is 'ball' or 'lorentz', not {model!r}")


def radius_error(radius: Floats, dtype: str) -> Floats:
    """Bound u e^rho / 2 on the error of a ball row's radius, (...), for c = 1.

    d rho / d|x| = 2 / (1-|x|^2) = 2 cosh^2(rho/2), about e^rho / 2, times the rounding u of a norm
    near 1. Measured in float32 at rho 12.2: rms .0013 against a bound of .0059.
    """
    return np.asarray(unit_roundoff(dtype) * np.exp(np.minimum(radius, 700.0)) / 2)


def distance_ceiling(max_norm: float, curvature: float = 1.0) -> float:
    """The largest distance of two rows under a clip: opposite each other, 2 ln((1+m)/(1-m))."""
    return 2 * radius_of_norm(max_norm, curvature)
