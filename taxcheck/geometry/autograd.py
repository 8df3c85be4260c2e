"""The spaces for autograd, on any device; the last axis holds the coordinates.

The numbers are those of ``taxcheck.geometry`` at curvature -1, in the dtype of the tensors. Every
distance has a finite gradient everywhere: zero between equal points, where there is none, and the
true one at the origin, where polar coordinates have none. What is no point gives NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor
from torch.linalg import vector_norm

from taxcheck.model.geometry import Geometry

_NUDGE = 1e-15  # its square is still a normal float32


@dataclass(frozen=True, slots=True)
class Autograd:
    """What training asks of a space; x, gradients and steps are (..., width).

    ``reach`` is what the radial regulariser compares: the norm in the ball and in flat space, the
    hyperbolic radius elsewhere. ``length`` is the Riemannian length of a tangent vector.
    """

    distance: Callable[[Tensor, Tensor], Tensor]  # u, v broadcast -> (...)
    reach: Callable[[Tensor], Tensor]  # x -> (...)
    riemannian: Callable[[Tensor, Tensor], Tensor]  # x, gradient by coordinates -> tangent vector
    length: Callable[[Tensor, Tensor], Tensor]  # x, tangent vector -> (...)
    retract: Callable[[Tensor, Tensor], Tensor]  # x, step -> the point that -step leads to
    project: Callable[[Tensor, float], Tensor]  # x, largest ``reach`` -> rows within it


def _distance_of(square: Tensor) -> Tensor:
    """2 asinh(sqrt(square)) of sinh^2(d/2), with a zero gradient at 0; NaN stays NaN."""
    zero = square == 0
    root = torch.sqrt(torch.where(zero, torch.ones_like(square), square))
    return torch.where(zero, torch.zeros_like(square), 2 * torch.asinh(root))


def _polar(x: Tensor) -> tuple[Tensor, Tensor]:
    """Norm (...) and unit vector (..., d).

    The origin has no direction, and a gradient through polar coordinates would be zero there. A
    point 1e-15 beside it has, and its gradient is that of the origin to 15 digits.
    """
    norm = vector_norm(x, dim=-1, keepdim=True)
    x = x + _NUDGE * (norm == 0).to(x.dtype)
    norm = vector_norm(x, dim=-1, keepdim=True)
    return norm[..., 0], x / norm


def _split(x: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The part of v along x, (..., 1), the rest (..., d), and |x| (..., 1)."""
    norm, unit = _polar(x)
    along = (v * unit).sum(-1, keepdim=True)
    return along, v - along * unit, norm[..., None]


def _norm(x: Tensor) -> Tensor:
    norm: Tensor = vector_norm(x, dim=-1)
    return norm


def _within(x: Tensor, limit: float) -> Tensor:
    """Rows of a norm beyond ``limit`` scaled down to it."""
    norm = vector_norm(x, dim=-1, keepdim=True)
    return torch.where(norm > limit, x * (limit / norm), x)


def _room(x: Tensor) -> Tensor:
    """1 - |x|^2 as (1 - |x|)(1 + |x|), NaN outside the open ball; (..., d) -> (...)."""
    norm = _norm(x)
    return torch.where(norm < 1, (1 - norm) * (1 + norm), torch.nan)


def _ball_distance(u: Tensor, v: Tensor) -> Tensor:
    """2 asinh(|u-v| / sqrt((1-|u|^2)(1-|v|^2))), see ``geometry.ball.distance``."""
    return 2 * torch.asinh(_norm(u - v) / torch.sqrt(_room(u) * _room(v)))


def _ball_riemannian(x: Tensor, grad: Tensor) -> Tensor:
    """(1-|x|^2)^2 / 4 times the gradient (Nickel & Kiela 2017, arXiv:1705.08039, sec. 3.1)."""
    return grad * (_room(x)[..., None] ** 2 / 4)


def _tangent_distance(u: Tensor, v: Tensor) -> Tensor:
    """sinh^2(d/2) = sinh^2((r1-r2)/2) + sinh r1 sinh r2 |u^-v^|^2/4, see ``geometry.tangent``."""
    (r1, u), (r2, v) = _polar(u), _polar(v)
    apart = ((u - v) ** 2).sum(-1)
    return _distance_of(
        torch.sinh((r1 - r2) / 2) ** 2 + torch.sinh(r1) * torch.sinh(r2) * apart / 4
    )


def _tangent_riemannian(z: Tensor, grad: Tensor) -> Tensor:
    """Radial part as it is, the rest times (r / sinh r)^2: the metric is dr^2 + sinh^2 r dtheta^2.

    These are normal coordinates at the origin (Ratcliffe, Foundations of Hyperbolic Manifolds,
    sec. 3.4); the gradient raises its index by the inverse of the metric.
    """
    _, rest, r = _split(z, grad)
    return grad - rest + rest * (r / torch.sinh(r)) ** 2


def _tangent_retract(z: Tensor, step: Tensor) -> Tensor:
    """The radius falls by the step's part along it, the direction turns by the rest / r."""
    along, rest, r = _split(z, step)
    turn = vector_norm(rest, dim=-1, keepdim=True)
    unit, far = z / torch.where(r == 0, 1.0, r), torch.where(turn == 0, 1.0, turn)
    angle = turn / torch.where(r == 0, 1.0, r)
    moved = (r - along) * (torch.cos(angle) * unit - torch.sin(angle) * rest / far)
    return torch.where(r == 0, z - step, moved)


def _tangent_length(z: Tensor, v: Tensor) -> Tensor:
    along, rest, r = _split(z, v)
    return _norm(torch.cat([along, rest * (torch.sinh(r) / r)], dim=-1))


def _on_sheet(space: Tensor) -> Tensor:
    """The row (sqrt(1 + |x|^2), x) of spatial coordinates x; (..., d) -> (..., d + 1)."""
    time = torch.sqrt(1 + (space * space).sum(-1, keepdim=True))
    return torch.cat([time, space], dim=-1)


def _lorentz_distance(u: Tensor, v: Tensor) -> Tensor:
    """The distance of ``_tangent_distance`` with sinh r = |x1..xd|, from the spatial parts alone.

    <u-v, u-v>_L subtracts numbers of the size e^2r, which in float32 leaves nothing from radius 8
    on. The time coordinate follows from the others, so its derivative is 0; the Riemannian
    gradient does not depend on which of them a function is written in.
    """
    (s1, u), (s2, v) = _polar(u[..., 1:]), _polar(v[..., 1:])
    apart = ((u - v) ** 2).sum(-1)
    return _distance_of(
        torch.sinh((torch.asinh(s1) - torch.asinh(s2)) / 2) ** 2 + s1 * s2 * apart / 4
    )


def _lorentz_radius(x: Tensor) -> Tensor:
    """asinh(|x1..xd|)."""
    return torch.asinh(_norm(x[..., 1:]))


def _lorentz_riemannian(x: Tensor, grad: Tensor) -> Tensor:
    """The gradient h, its time negated, projected: h + <x,h>_L x (arXiv:1806.03417, alg. 1).

    <x,h>_L is the plain product of x and the gradient, as both signs cancel.
    """
    flipped = torch.cat([-grad[..., :1], grad[..., 1:]], dim=-1)
    return flipped + (x * grad).sum(-1, keepdim=True) * x


def _lorentz_length(x: Tensor, v: Tensor) -> Tensor:
    """sqrt(<v,v>_L) from the spatial parts: across the radius as it is, along it divided by x0.

    A tangent vector's time is x.v / x0, so nothing of the size e^2r has to be subtracted.
    """
    along, rest, _ = _split(x[..., 1:], v[..., 1:])
    return _norm(torch.cat([along / x[..., :1], rest], dim=-1))


def _lorentz_retract(x: Tensor, step: Tensor) -> Tensor:
    """exp_x(-step) = cosh |step| x - sinh |step| step / |step| (arXiv:1806.03417, eq. 9).

    Time is computed from the rest, so that rows never drift off the sheet.
    """
    length = _lorentz_length(x, step)[..., None]
    still = length == 0
    ratio = torch.where(still, 1.0, torch.sinh(length) / torch.where(still, 1.0, length))
    return _on_sheet(torch.cosh(length) * x[..., 1:] - ratio * step[..., 1:])


def _within_sheet(x: Tensor, limit: float) -> Tensor:
    largest = math.sinh(limit)
    inside = _norm(x[..., 1:])[..., None] <= largest
    return torch.where(inside, x, _on_sheet(_within(x[..., 1:], largest)))


AUTOGRAD: Mapping[str, Autograd] = MappingProxyType(
    {
        Geometry.BALL: Autograd(
            distance=_ball_distance,
            reach=_norm,
            riemannian=_ball_riemannian,
            length=lambda x, v: 2 * _norm(v) / _room(x),
            retract=torch.sub,  # first order; ``project`` follows (arXiv:1705.08039, eq. 5)
            project=_within,
        ),
        Geometry.TANGENT: Autograd(
            distance=_tangent_distance,
            reach=_norm,
            riemannian=_tangent_riemannian,
            length=_tangent_length,
            retract=_tangent_retract,
            project=_within,
        ),
        Geometry.LORENTZ: Autograd(
            distance=_lorentz_distance,
            reach=_lorentz_radius,
            riemannian=_lorentz_riemannian,
            length=_lorentz_length,
            retract=_lorentz_retract,
            project=_within_sheet,
        ),
        Geometry.EUCLIDEAN: Autograd(
            distance=lambda u, v: _norm(u - v),
            reach=_norm,
            riemannian=lambda _, grad: grad,
            length=lambda _, v: _norm(v),
            retract=torch.sub,
            project=_within,
        ),
    }
)
