"""The names of the spaces that rows of a table are points of; ``taxcheck.geometry`` knows the rest.

Below everything that has a choice of them, and without NumPy, so that a command line starts fast.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, get_args


class Geometry(StrEnum):
    """The space that rows are points of."""

    BALL = "ball"  # Poincare ball: |x| < 1 / sqrt(c)
    LORENTZ = "lorentz"  # hyperboloid, time first: -x0^2 + x1^2 + ... = -1 / c
    TANGENT = "tangent"  # tangent vectors at the origin, mapped by exp_0 before use
    EUCLIDEAN = "euclidean"


GeometryName = Literal["ball", "lorentz", "tangent", "euclidean"]  # as they are typed
GEOMETRIES: tuple[GeometryName, ...] = get_args(GeometryName)
