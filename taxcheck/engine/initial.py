"""Where rows start: near the origin, by depth, in cones, or nested."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from taxcheck.engine.agreement import radius_limit
from taxcheck.engine.config import TrainConfig
from taxcheck.engine.layout import LARGEST, edges_of, midpoints, random_directions
from taxcheck.engine.nested import nested
from taxcheck.engine.values import Floats, TrainingData
from taxcheck.geometry.precision import largest_radius

_Doubles = npt.NDArray[np.float64]
_LARGEST_STEP = 8.0
_DEEPEST, _ANCHOR = 12, 8  # steps grow up to the first depth; at the second they are cone_step
_ROWS = 1 << 16


def initial_table(data: TrainingData, config: TrainConfig, rng: np.random.Generator) -> Floats:
    """The first table, (n, width), in the geometry's own coordinates and ``config.dtype``.

    Directions and radii are chosen first, so that every geometry starts from the same picture;
    Euclidean rows take the hyperbolic radius as their norm. No radius exceeds the config's limit,
    or what the dtype can hold.
    """
    if config.init == "uniform":
        directions, radii = _uniform(data, config, rng)
    elif config.init == "depth-aware":
        directions = random_directions(data.n_nodes, config.dim, rng)
        share = data.depth / max(int(data.depth.max(initial=0)), 1)
        norm = config.init_min + share * (config.init_max - config.init_min)
        radii = 2 * np.arctanh(np.minimum(norm, 1 - 2.0**-53))
    elif config.init == "nested":
        directions, radii = nested(data, config, rng)
    else:
        directions, radii = cones(data, config, rng)
        radii *= config.cone_radius / max(float(radii.max(initial=0)), 1e-300)
    return _rows(directions, np.minimum(radii, _limit(config)), config)


def _limit(config: TrainConfig) -> float:
    """The largest radius that the config allows and the dtype can hold."""
    if config.geometry in ("ball", "lorentz"):
        return min(radius_limit(config), largest_radius(config.dtype, config.geometry))
    return radius_limit(config)


def cones(
    data: TrainingData, config: TrainConfig, rng: np.random.Generator
) -> tuple[_Doubles, _Doubles]:
    """Every child one hyperbolic step from its parents' midpoint: directions (n, d), radii (n,).

    A step to depth k is min(8, cone_step * cone_growth ** (min(k, 12) - 8)), in a direction drawn
    evenly over the sphere: most of it is outwards in the end, because hyperbolic room is, and a
    subtree fills a cone. A single root lies at the origin; several roots, and nodes in no pair, are
    one step from it. The first radii are unscaled, and deep trees reach far: nothing beyond 300.
    """
    parent, depth = data.parent, data.depth
    directions = random_directions(data.n_nodes, config.dim, rng)
    radii = np.zeros(data.n_nodes)
    steps = config.cone_step * config.cone_growth ** (
        np.minimum(np.arange(int(depth.max(initial=0)) + 1), _DEEPEST) - float(_ANCHOR)
    )
    steps = np.minimum(steps, _LARGEST_STEP)
    top = parent < 0
    radii[top] = steps[0]
    paired = np.diff(data.starts) > 0
    paired[data.ancestors] = True
    roots = np.flatnonzero(top & paired)
    if len(roots) == 1:
        radii[roots] = 0.0
    edges = edges_of(data)
    several = np.diff(edges.indptr) > 1
    order = np.argsort(depth, kind="stable")
    bounds = np.cumsum(np.bincount(depth, minlength=len(steps)))
    for k in range(1, len(steps)):
        level = order[bounds[k - 1] : bounds[k]]
        level = level[parent[level] >= 0]
        outward, radius = directions[parent[level]], radii[parent[level]]
        shared = several[level]
        if shared.any():
            outward[shared], radius[shared] = midpoints(
                edges[level[shared]], directions, np.minimum(radii, LARGEST)
            )
        directions[level], radii[level] = _step(outward, radius, steps[k], directions[level])
    return directions, radii


def _step(
    outward: _Doubles, radius: _Doubles, step: float, towards: _Doubles
) -> tuple[_Doubles, _Doubles]:
    """The points one step from points (k, d) at radii (k,), in unit tangent directions (k, d).

    The hyperbolic law of cosines with phi the angle to the outward direction (Ratcliffe,
    Foundations of Hyperbolic Manifolds, 3.5): cosh R = cosh r cosh w + sinh r sinh w cos phi, as
    cosh R - 1 = 2 sinh^2((r - w)/2) + sinh r sinh w (1 + cos phi), which cancels nowhere. At the
    origin the direction turns by the angle with sine sinh w sin phi / sinh R and cosine
    (sinh r cosh w + cosh r sinh w cos phi) / sinh R.
    """
    cos = np.clip(np.sum(towards * outward, axis=1), -1, 1)
    across = towards - cos[:, None] * outward
    grown = 2 * np.sinh((radius - step) / 2) ** 2 + np.sinh(radius) * np.sinh(step) * (1 + cos)
    new = np.minimum(2 * np.arcsinh(np.sqrt(grown / 2)), LARGEST)
    along = np.sinh(radius) * np.cosh(step) + np.cosh(radius) * np.sinh(step) * cos
    turned = along[:, None] * outward + np.sinh(step) * across
    length = np.linalg.norm(turned, axis=1)
    lost = (radius == 0) | (length == 0)
    turned[lost], length[lost] = towards[lost], 1.0
    turned /= length[:, None]
    turned /= np.linalg.norm(turned, axis=1, keepdims=True)
    return turned, new


def _uniform(
    data: TrainingData, config: TrainConfig, rng: np.random.Generator
) -> tuple[_Doubles, _Doubles]:
    """Coordinates even in [-scale, scale]; of Lorentz rows the spatial ones.

    As Nickel & Kiela 2017 (arXiv:1705.08039) and 2018 (arXiv:1806.03417) start.
    """
    x = rng.uniform(-config.init_scale, config.init_scale, (data.n_nodes, config.dim))
    norm = np.linalg.norm(x, axis=1)
    np.divide(x, norm[:, None], out=x, where=norm[:, None] > 0)
    if config.geometry == "ball":
        return x, np.asarray(2 * np.arctanh(np.minimum(norm, 1 - 2.0**-53)))
    return x, np.asarray(np.arcsinh(norm) if config.geometry == "lorentz" else norm)


def _rows(directions: _Doubles, radii: _Doubles, config: TrainConfig) -> Floats:
    """Directions (n, d) and hyperbolic radii (n,) as rows of a geometry; Lorentz time first."""
    lorentz = config.geometry == "lorentz"
    table = np.empty((len(radii), directions.shape[1] + lorentz), dtype=config.dtype)
    for start in range(0, len(radii), _ROWS):
        rows = slice(start, start + _ROWS)
        radius = radii[rows, None]
        if lorentz:
            table[rows, :1] = np.cosh(radius)
            table[rows, 1:] = np.sinh(radius) * directions[rows]
        elif config.geometry == "ball":
            # rounding to the dtype may lengthen a row at the limit by a few units
            room = config.max_norm * (1 - 4 * float(np.finfo(config.dtype).eps))
            table[rows] = np.minimum(np.tanh(radius / 2), room) * directions[rows]
        else:
            table[rows] = radius * directions[rows]
    return table
