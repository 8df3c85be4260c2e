"""What the keys of a TrainConfig say together: limits that hold, draws that exist, steps in order.

Nothing heavy is imported, as in ``settings``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from taxcheck.engine.config import TrainConfig

_MARGIN = 2.5  # from the last radius of the sheet: rows miss it by e^-5 of what they do there


def disagreements(config: TrainConfig) -> Iterator[str]:
    """What keys of a config say against each other: one line each, and what to set instead."""
    yield from _of_the_space(config)
    yield from _of_the_draws(config)
    yield from _of_the_steps(config)


def radius_limit(config: TrainConfig) -> float:
    """The largest hyperbolic radius that rows may have under this config.

    Without ``max_radius`` it is what numbers of the dtype hold well: 37 of tangent rows in float64,
    17 in float32; on the sheet, whose time coordinate loses digits on the way, 16 and 6.
    """
    if config.geometry == "ball":
        return 2 * math.atanh(config.max_norm)
    if config.geometry == "euclidean":
        return math.inf
    margin = _MARGIN if config.geometry == "lorentz" else 0.0
    return config.max_radius or float(math.floor(_held(config) - margin))


def _held(config: TrainConfig) -> float:
    from taxcheck.geometry.precision import largest_radius

    return largest_radius(config.dtype, "lorentz" if config.geometry == "lorentz" else "ball")


def _of_the_space(config: TrainConfig) -> Iterator[str]:
    limit, clip = radius_limit(config), config.geometry == "ball"
    wider = " or dtype to float64" if config.dtype == "float32" else ""
    held = _held(config)
    if clip and limit > held:
        digits = math.ceil(-math.log10(1 - math.tanh(held / 2))) - 1
        yield (
            f"max_norm = {config.max_norm}: {config.dtype} cannot tell it from 1; set max_norm to "
            f"1 - 1e-{digits} or less{wider}"
        )
    elif held < limit < math.inf:
        yield (
            f"max_radius = {limit:g}: {config.dtype} {config.geometry} rows hold {held:.1f} at "
            f"most; set max_radius to {math.floor(held)}{wider}"
        )
    room = f"max_norm = {config.max_norm:g}" if clip else f"max_radius = {limit:g}"
    if config.init == "depth-aware" and config.init_min > config.init_max:
        yield (
            f"init_min = {config.init_min:g} is more than init_max = {config.init_max:g}: the "
            "roots start nearest the origin, so give the smaller one as init_min"
        )
    if config.init == "depth-aware" and 2 * math.atanh(config.init_max) > limit:
        yield (
            f"init_max = {config.init_max:g} is beyond {room}: set it to "
            f"{math.floor(1000 * math.tanh(limit / 2)) / 1000:g} or less"
        )
    if config.init == "cones" and config.cone_radius > limit:
        yield (
            f"cone_radius = {config.cone_radius:g} is beyond {room}, a radius of {limit:.3g}: "
            f"set it to {math.floor(10 * limit) / 10:g} or less"
        )
    yield from _of_the_radii(config, limit, room)
    if config.geometry == "lorentz" and config.optimizer == "adam":
        yield (
            "optimizer = 'adam' adds coordinates, which geometry = 'lorentz' cannot do; set "
            "optimizer to rsgd or adagrad, or geometry to tangent"
        )
    if config.init == "uniform" and clip and config.init_scale * config.dim**0.5 > config.max_norm:
        yield f"init_scale = {config.init_scale:g} starts rows beyond {room}: set it to 0.001"


def _of_the_radii(config: TrainConfig, limit: float, room: str) -> Iterator[str]:
    before = (-1, 0.0)
    for depth, radius in config.nested_radii:
        point = f"nested_radii: the radius {depth}:{radius:g}"
        if depth <= before[0] or radius < before[1] or (depth > 0 and radius == before[1]):
            yield f"{point} must be deeper and farther out than {before[0]}:{before[1]:g}"
        if config.init == "nested" and radius > limit:
            yield f"{point} is beyond {room}: lower it, or raise the limit"
        before = (depth, radius)


def _of_the_draws(config: TrainConfig) -> Iterator[str]:
    total, before = config.degree_share + config.hard_share, 0
    if total > 1:
        yield (
            f"degree_share = {config.degree_share:g} and hard_share = {config.hard_share:g} are "
            f"shares of the same negatives and sum to {total:g}: lower one, to 1 or less together"
        )
    if config.anchor == "ancestor" and config.grouping != "pairs":
        yield (
            "anchor = 'ancestor' takes its pairs one by one: set grouping to pairs, or anchor to "
            "descendant"
        )
    for until, least, largest in config.curriculum:
        stage = f"curriculum: the stage {until}:{least}-{largest}"
        if least < 1 or largest < least:
            yield f"{stage} holds no distance; write the smaller one first, from 1"
        if until <= before:
            yield f"{stage} holds no epoch, since the one before ends at {before}; order them"
        if 0 < config.depth_cap < least:
            yield f"{stage} holds no pair, since depth_cap = {config.depth_cap}; leave one out"
        before = until


def _of_the_steps(config: TrainConfig) -> Iterator[str]:
    before = -1
    for epoch, weight in config.lambda_schedule:
        step = f"lambda_schedule: the step {epoch}:{weight:g}"
        if weight < 0:
            yield f"{step} is negative; a weight must be 0 or more"
        if epoch <= before:
            yield f"{step} must come after epoch {before}; order the steps, from 0"
        before = epoch
    if config.burn_in and config.burn_in >= config.epochs:
        yield (
            f"burn_in = {config.burn_in} leaves none of epochs = {config.epochs} at the full "
            "learning rate; lower burn_in or raise epochs"
        )
    if config.backend == "numba" and config.device != "cpu":
        yield (
            f"device = {config.device!r}: the kernel of backend = 'numba' runs on the CPU; set "
            "backend to torch"
        )
