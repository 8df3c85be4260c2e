"""How far out a row may lie, and how far out the radial regulariser wants it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from taxcheck.engine.agreement import radius_limit
from taxcheck.engine.config import TrainConfig
from taxcheck.engine.nested import nested_radii
from taxcheck.engine.values import TrainingData


def radial_limit(config: TrainConfig) -> float:
    """The largest norm of a ball row, the largest hyperbolic radius of others, none in flat space.

    In the dtype of the table, so that a row at the limit is recognised as such.
    """
    if config.geometry == "euclidean":
        return float("inf")
    return config.max_norm if config.geometry == "ball" else radius_limit(config)


def radial_targets(data: TrainingData, config: TrainConfig) -> npt.NDArray[np.float64]:
    """Target of every row's radius, (n,), growing evenly with its depth.

    Rows that start nested are held to the radii that they start with. Otherwise the target is
    init_min + (init_max - init_min) * depth / max depth: a norm in the ball and in flat space; on
    other models this share of the largest radius, compared with the hyperbolic radius.
    """
    if config.init == "nested":
        radii = nested_radii(data, config)
        return np.asarray(np.tanh(radii / 2) if config.geometry == "ball" else radii)
    share = data.depth / max(int(data.depth.max(initial=0)), 1)
    target = config.init_min + (config.init_max - config.init_min) * share
    if config.geometry in ("tangent", "lorentz"):
        return np.asarray(target * radius_limit(config))
    return np.asarray(target)
