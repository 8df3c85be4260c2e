"""One record for each space: what a choice of ``Geometry`` decides stands here, by its name.

The formulas are functions of ``ball``, ``lorentz`` and ``tangent``; for autograd they are in
``autograd``, which is only imported when somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np

from taxcheck.geometry import ball, lorentz, tangent
from taxcheck.geometry.ball import Floats, Rows
from taxcheck.geometry.precision import (
    ball_rounding,
    largest_ball_radius,
    largest_sheet_radius,
    plain_rounding,
    sheet_rounding,
)
from taxcheck.model.geometry import GEOMETRIES, Geometry

if TYPE_CHECKING:
    from taxcheck.geometry.autograd import Autograd


def _norm(rows: Rows, _: float) -> Floats:
    return tangent.radius(rows)


def _same(x: Floats) -> Floats:
    return x


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """How points of a space are written down, and what follows for whoever stores or moves them.

    Radii are hyperbolic, in units of 1/sqrt(c) where c is not given; in flat space they are norms.
    Unless said otherwise the norm of a row is its radius.
    """

    name: Geometry
    code: int  # of the fused kernel
    time: int = 0  # columns before the spatial ones: a row of the sheet has its time there
    hyperbolic: bool = True
    limited_by: Literal["max_norm", "max_radius"] | None  # the key that rows are held inside of
    optimizers: tuple[str, ...] = ("rsgd", "adam", "adagrad")  # which may move a row
    radius: Callable[[Rows, float], Floats] = _norm  # rows (..., width) and c -> radius (...)
    norm_at: Callable[[Floats], Floats] = _same  # radius -> norm of the spatial columns
    radius_at: Callable[[Floats], Floats] = _same  # and back
    # unit roundoff, radii -> error of each at most
    rounding: Callable[[float, Floats], Floats] = plain_rounding
    largest_radius: Callable[[str], float]  # dtype -> the outermost radius that it can hold
    room: float = 0.0  # that rows keep from it, where nothing else is asked for

    def width(self, dim: int) -> int:
        """Columns of a table of that dimension."""
        return dim + self.time

    @property
    def autograd(self) -> Autograd:
        """The same space for torch."""
        from taxcheck.geometry.autograd import AUTOGRAD

        return AUTOGRAD[self.name]


def model_of(geometry: str) -> Model:
    """The record of a space. ValueError for a name that is none."""
    if geometry not in MODELS:
        raise ValueError(f"geometry is none of {', '.join(GEOMETRIES)}: {geometry!r}")
    return MODELS[geometry]


MODELS: Mapping[str, Model] = MappingProxyType(
    {
        model.name: model
        for model in (
            Model(
                name=Geometry.BALL,
                code=0,
                limited_by="max_norm",
                radius=ball.radius,
                norm_at=lambda radius: np.tanh(radius / 2),
                radius_at=lambda norm: np.asarray(2 * np.arctanh(np.minimum(norm, 1 - 2.0**-53))),
                rounding=ball_rounding,
                largest_radius=largest_ball_radius,
            ),
            Model(
                name=Geometry.LORENTZ,
                code=2,
                time=1,
                limited_by="max_radius",
                optimizers=("rsgd", "adagrad"),  # Adam adds coordinates, which leaves the sheet
                radius=lorentz.radius,
                norm_at=np.sinh,
                radius_at=np.arcsinh,
                rounding=sheet_rounding,
                largest_radius=largest_sheet_radius,
                room=2.5,  # rows miss the sheet by e^-5 of what they do at the last radius
            ),
            Model(
                name=Geometry.TANGENT,
                code=1,
                limited_by="max_radius",
                largest_radius=largest_ball_radius,
            ),
            Model(
                name=Geometry.EUCLIDEAN,
                code=3,
                hyperbolic=False,
                limited_by=None,
                largest_radius=lambda _: float("inf"),
            ),
        )
    }
)
