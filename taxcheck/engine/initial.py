"""Where rows start, and how far out they are held: near the origin, by depth, in cones, or nested.

A nested start is nearly an embedding already: radii by depth, and directions to match. With x and
z at radii r and s from the origin, let (x|z) = (r + s - d(x, z)) / 2, their Gromov product: how far
from the origin their ways part. A node x is nearer to z than to the origin where (x|z) > s / 2, so
the ancestors of x come before everything else where that holds for them and for nothing else. With
radii r_k that grow with depth it does where ways that part at depth k part between r_(k-1) / 2 and
r_k / 2: the ancestors above are then on the near side, siblings and their subtrees on the far side.
Two directions at an angle t part at -ln sin(t / 2), so a child turns away from its parent by the
angle that makes siblings part between the two bounds.

A node with parents in several branches starts between them; it is what training has to mend.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from taxcheck.engine.config import TrainConfig
from taxcheck.engine.dataset import TrainingData
from taxcheck.geometry.models import MODELS
from taxcheck.model.arrays import IntArray
from taxcheck.model.geometry import Geometry

Floats = npt.NDArray[np.floating]
_Doubles = npt.NDArray[np.float64]
_LARGEST = 300.0  # radii whose products of sinh still fit into float64
_LARGEST_STEP = 8.0
_DEEPEST, _ANCHOR = 12, 8  # steps grow up to the first depth; at the second they are cone_step
_ROOM = 1.0  # of nested radii to either bound; beyond that it helps no more
WITHIN = 0.95  # of the limit: nested rows have room to move outwards
_SPREAD = 0.17  # (ln 2) / 4: siblings part that much later than a child and its parent, halved
_ROWS = 1 << 16


def initial_table(data: TrainingData, config: TrainConfig, rng: np.random.Generator) -> Floats:
    """The first table, (n, width), in the geometry's own coordinates and ``config.dtype``.

    Directions and radii are chosen first, so that every geometry starts from the same picture;
    Euclidean rows take the hyperbolic radius as their norm. No radius exceeds the config's limit,
    or on the sheet what the dtype can hold.
    """
    if config.init == "uniform":
        directions, radii = _uniform(data, config, rng)
    elif config.init == "depth-aware":
        directions = _random_directions(data.n_nodes, config.dim, rng)
        radii = MODELS[Geometry.BALL].radius_at(_by_depth(data, config))
    elif config.init == "nested":
        directions, radii = nested(data, config, rng)
    else:
        directions, radii = cones(data, config, rng)
        radii *= config.cone_radius / max(float(radii.max(initial=0)), 1e-300)
    limit = config.radius_limit
    if config.model.time:  # beyond, rounding takes rows off the sheet
        limit = min(limit, config.model.largest_radius(config.dtype))
    return _rows(directions, np.minimum(radii, limit), config)


def radial_targets(data: TrainingData, config: TrainConfig) -> _Doubles:
    """Target of every row's radius, (n,), growing evenly with its depth.

    Rows that start nested are held to the radii that they start with. Otherwise the target is
    init_min + (init_max - init_min) * depth / max depth: a norm in the ball and in flat space; on
    other models this share of the largest radius, compared with the hyperbolic radius.
    """
    model = config.model
    if config.init == "nested":
        level = levels(data)
        radii = np.asarray(_by_level(int(level.max(initial=0)), config)[level])
        return model.norm_at(radii) if model.limited_by == "max_norm" else radii
    target = _by_depth(data, config)
    return np.asarray(target * (config.radius_limit if model.limited_by == "max_radius" else 1.0))


def _by_depth(data: TrainingData, config: TrainConfig) -> _Doubles:
    """From init_min at a root evenly to init_max at the largest depth, (n,)."""
    share = data.depth / max(int(data.depth.max(initial=0)), 1)
    return np.asarray(config.init_min + (config.init_max - config.init_min) * share)


def _uniform(
    data: TrainingData, config: TrainConfig, rng: np.random.Generator
) -> tuple[_Doubles, _Doubles]:
    """Coordinates even in [-scale, scale]; of Lorentz rows the spatial ones.

    As Nickel & Kiela 2017 (arXiv:1705.08039) and 2018 (arXiv:1806.03417) start.
    """
    x = rng.uniform(-config.init_scale, config.init_scale, (data.n_nodes, config.dim))
    norm = np.linalg.norm(x, axis=1)
    np.divide(x, norm[:, None], out=x, where=norm[:, None] > 0)
    return x, config.model.radius_at(norm)


def _rows(directions: _Doubles, radii: _Doubles, config: TrainConfig) -> Floats:
    """Directions (n, d) and hyperbolic radii (n,) as rows of a geometry; Lorentz time first."""
    model, room = config.model, np.inf
    if model.limited_by == "max_norm":
        # rounding to the dtype may lengthen a row at the limit by a few units
        room = config.max_norm * (1 - 4 * float(np.finfo(config.dtype).eps))
    table = np.empty((len(radii), model.width(directions.shape[1])), dtype=config.dtype)
    for start in range(0, len(radii), _ROWS):
        rows = slice(start, start + _ROWS)
        radius = radii[rows, None]
        if model.time:
            table[rows, :1] = np.cosh(radius)
        table[rows, model.time :] = np.minimum(model.norm_at(radius), room) * directions[rows]
    return table


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
    directions = _random_directions(data.n_nodes, config.dim, rng)
    radii = np.zeros(data.n_nodes)
    steps = config.cone_step * config.cone_growth ** (
        np.minimum(np.arange(int(depth.max(initial=0)) + 1), _DEEPEST) - float(_ANCHOR)
    )
    steps = np.minimum(steps, _LARGEST_STEP)
    radii[parent < 0] = steps[0]
    roots = np.flatnonzero((parent < 0) & data.paired)
    if len(roots) == 1:
        radii[roots] = 0.0
    for k, rows, above, radius in _downwards(data, depth, directions, radii):
        directions[rows], radii[rows] = _step(above, radius, steps[k], directions[rows])
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
    new = np.minimum(2 * np.arcsinh(np.sqrt(grown / 2)), _LARGEST)
    along = np.sinh(radius) * np.cosh(step) + np.cosh(radius) * np.sinh(step) * cos
    turned = along[:, None] * outward + np.sinh(step) * across
    length = np.linalg.norm(turned, axis=1)
    lost = (radius == 0) | (length == 0)
    turned[lost], length[lost] = towards[lost], 1.0
    turned /= length[:, None]
    turned /= np.linalg.norm(turned, axis=1, keepdims=True)
    return turned, new


def nested(
    data: TrainingData, config: TrainConfig, rng: np.random.Generator
) -> tuple[_Doubles, _Doubles]:
    """Directions (n, d) and radii (n,) of all rows."""
    level = levels(data)
    radii = _by_level(int(level.max(initial=0)), config)
    out, reach = _random_directions(data.n_nodes, config.dim, rng), radii[level]
    for k, rows, above, _ in _downwards(data, level, out, reach):
        if radii[k - 1] == 0:
            continue  # the origin has no direction to turn from
        part = radii[k - 1] / 2 + min((radii[k] - radii[k - 1]) / 4, _ROOM) - _SPREAD
        angle = 2 * np.arcsin(np.exp(-max(part, 0.0)) / np.sqrt(2))
        out[rows] = _turned(above, out[rows], angle)
    return out, reach


def levels(data: TrainingData) -> IntArray:
    """Steps of each node from the origin, (n,): its depth where there is one root.

    Several roots are one step from the origin, and so is a node in no pair.
    """
    paired = data.paired
    roots = np.count_nonzero((data.parent < 0) & paired)
    level: IntArray = data.depth.astype(np.int64) + (roots != 1)
    level[~paired] = 1
    return level


def _by_level(deepest: int, config: TrainConfig) -> _Doubles:
    """The radius of every level, (deepest + 1,), scaled down where the last is beyond the limit."""
    at = np.arange(deepest + 1, dtype=np.float64)
    found = at * config.nested_step
    if config.nested_radii:
        centre = () if config.nested_radii[0][0] == 0 else ((0, 0.0),)
        known, radius = np.array((*centre, *config.nested_radii), dtype=np.float64).T
        found = np.interp(at, known, radius)
        found += np.maximum(at - known[-1], 0) * config.nested_step
    limit, largest = config.radius_limit, float(found.max())
    return found if largest <= limit else found * (WITHIN * limit / largest)


def _turned(u: _Doubles, towards: _Doubles, angle: float) -> _Doubles:
    """Unit vectors u (k, d), turned by an angle towards others (k, d)."""
    across = towards - np.sum(towards * u, axis=1)[:, None] * u
    across /= np.maximum(np.linalg.norm(across, axis=1), 1e-300)[:, None]
    turned = np.cos(angle) * u + np.sin(angle) * across
    return np.asarray(turned / np.linalg.norm(turned, axis=1)[:, None])


def _downwards(
    data: TrainingData, level: npt.NDArray[np.integer], directions: _Doubles, radii: _Doubles
) -> Iterator[tuple[int, IntArray, _Doubles, _Doubles]]:
    """(k, its nodes with a parent, where those start from) of every level below the first.

    That is the parent, or of several the midpoint, as directions (m, d) and radii (m,); both are
    looked up only when the levels above are done.
    """
    edges, parent = _edges_of(data), data.parent
    several = np.diff(edges.indptr) > 1
    order, bounds = np.argsort(level, kind="stable"), np.cumsum(np.bincount(level))
    for k in range(1, len(bounds)):
        rows = order[bounds[k - 1] : bounds[k]]
        rows = rows[parent[rows] >= 0]
        above, radius, shared = directions[parent[rows]], radii[parent[rows]], several[rows]
        if shared.any():
            above[shared], radius[shared] = _midpoints(
                edges[rows[shared]], directions, np.minimum(radii, _LARGEST)
            )
        yield k, rows, above, radius


def _edges_of(data: TrainingData) -> csr_matrix:
    """The pairs at distance 1 of every node, (n, n) with a 1 for each."""
    close = data.distances == 1
    starts = np.concatenate([[0], np.cumsum(close, dtype=np.int64)])[data.starts]
    ones = np.ones(int(starts[-1]))
    return csr_matrix((ones, data.ancestors[close], starts), shape=(data.n_nodes, data.n_nodes))


def _midpoints(
    edges: csr_matrix, directions: _Doubles, radii: _Doubles
) -> tuple[_Doubles, _Doubles]:
    """Directions (k, d) and radii (k,) of the midpoints of the nodes that each row (k, n) names.

    The Lorentz centroid, the sum of points scaled back onto the sheet (Law et al. 2019): a node
    with parents in two branches starts between them, not in one, from where it would hardly leave.
    """
    used = np.flatnonzero(np.bincount(edges.indices, minlength=edges.shape[1]))
    sums = edges[:, used] @ (np.sinh(radii[used])[:, None] * directions[used])
    length = np.linalg.norm(sums, axis=1)
    time = edges[:, used] @ np.cosh(radii[used])
    radius = np.arctanh(np.minimum(length / time, 1 - 2.0**-53))
    return sums / np.maximum(length, 1e-300)[:, None], radius


def _random_directions(n: int, dim: int, rng: np.random.Generator) -> _Doubles:
    """Unit vectors (n, dim), evenly over the sphere."""
    x = rng.standard_normal((n, dim))
    for start in range(0, n, _ROWS):
        x[start : start + _ROWS] /= np.linalg.norm(x[start : start + _ROWS], axis=1, keepdims=True)
    return x
