"""A start that is nearly an embedding already: radii by depth, and directions nested to match.

With x and z at radii r and s from the origin, let (x|z) = (r + s - d(x, z)) / 2, their Gromov
product: how far from the origin their ways part. A node x is nearer to z than to the origin where
(x|z) > s / 2, so the ancestors of x come before everything else where that holds for them and for
nothing else. With radii r_k that grow with depth it does where ways that part at depth k part
between r_(k-1) / 2 and r_k / 2: the ancestors above are then on the near side, siblings and their
subtrees on the far side. Two directions at an angle t part at -ln sin(t / 2), so a child turns
away from its parent by the angle that makes siblings part between the two bounds.

A node with parents in several branches starts between them; it is what training has to mend.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from taxcheck.engine.agreement import radius_limit
from taxcheck.engine.config import TrainConfig
from taxcheck.engine.layout import LARGEST, edges_of, midpoints, random_directions
from taxcheck.engine.values import IntArray, TrainingData

_Doubles = npt.NDArray[np.float64]
_ROOM = 1.0  # to either bound; beyond that it helps no more
_WITHIN = 0.95  # of the limit: rows have room to move outwards
_SPREAD = 0.17  # (ln 2) / 4: siblings part that much later than a child and its parent, halved


def nested(
    data: TrainingData, config: TrainConfig, rng: np.random.Generator
) -> tuple[_Doubles, _Doubles]:
    """Directions (n, d) and radii (n,) of all rows."""
    level, parent = levels(data), data.parent
    radii = _by_level(int(level.max(initial=0)), config)
    out, reach = random_directions(data.n_nodes, config.dim, rng), radii[level]
    edges = edges_of(data)
    several = np.diff(edges.indptr) > 1
    order = np.argsort(level, kind="stable")
    bounds = np.cumsum(np.bincount(level, minlength=len(radii)))
    for k in range(1, len(radii)):
        if radii[k - 1] == 0:
            continue  # the origin has no direction to turn from
        rows = order[bounds[k - 1] : bounds[k]]
        rows = rows[parent[rows] >= 0]
        above, shared = out[parent[rows]], several[rows]
        if shared.any():
            above[shared], _ = midpoints(edges[rows[shared]], out, np.minimum(reach, LARGEST))
        part = radii[k - 1] / 2 + min((radii[k] - radii[k - 1]) / 4, _ROOM) - _SPREAD
        angle = 2 * np.arcsin(np.exp(-max(part, 0.0)) / np.sqrt(2))
        out[rows] = _turned(above, out[rows], angle)
    return out, reach


def nested_radii(data: TrainingData, config: TrainConfig) -> _Doubles:
    """The radii (n,) alone, which the radial regulariser holds rows to."""
    level = levels(data)
    return np.asarray(_by_level(int(level.max(initial=0)), config)[level])


def levels(data: TrainingData) -> IntArray:
    """Steps of each node from the origin, (n,): its depth where there is one root.

    Several roots are one step from the origin, and so is a node in no pair.
    """
    paired = np.diff(data.starts) > 0
    paired[data.ancestors] = True
    roots = (data.parent < 0) & paired
    level: IntArray = data.depth.astype(np.int64) + (np.count_nonzero(roots) != 1)
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
    limit, largest = radius_limit(config), float(found.max())
    return found if largest <= limit else found * (_WITHIN * limit / largest)


def _turned(u: _Doubles, towards: _Doubles, angle: float) -> _Doubles:
    """Unit vectors u (k, d), turned by an angle towards others (k, d)."""
    across = towards - np.sum(towards * u, axis=1)[:, None] * u
    across /= np.maximum(np.linalg.norm(across, axis=1), 1e-300)[:, None]
    turned = np.cos(angle) * u + np.sin(angle) * across
    return np.asarray(turned / np.linalg.norm(turned, axis=1)[:, None])
