"""A TrainConfig from keys and values of any source: all known, checked, and in agreement.

Nothing heavy is imported, so that ``taxcheck train --help`` can list the keys.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from functools import cache
from typing import Any, Literal, NoReturn, get_args, get_origin, get_type_hints

from taxcheck.engine.config import TrainConfig
from taxcheck.model.errors import UsageError

Stages = tuple[tuple[int, int, int], ...]
Steps = tuple[tuple[int, float], ...]
_STAGES = "stages such as 20:1-2,50:1-5 (until epoch 20 distances 1 to 2, until 50 1 to 5)"
_RADII = "radii by depth such as 0:0,3:20,12:34 (in lines between them)"
_STEPS = "steps such as 0:0,50:0.01 (0 from the start, 0.01 from epoch 50)"
_BOUNDS: dict[str, tuple[Callable[[float], bool], str]] = {  # the words, the test, the keys
    "1 or more": (
        lambda x: x >= 1,
        "dim depth1_factor negatives refine_nearest batch_size epochs evaluate_every "
        "evaluate_sources keep_last",
    ),
    "0 or more": (
        lambda x: x >= 0,
        "margin lambda_reg depth_weight depth_cap refine_window burn_in max_seconds "
        "early_stopping min_delta best_from workers seed max_radius",
    ),
    "more than 0": (
        lambda x: x > 0,
        "init_scale cone_step cone_growth cone_radius nested_step temperature "
        "balance_temperature lr refine_lr refine_temperature",
    ),
    "more than 0 and less than 1": (lambda x: 0 < x < 1, "max_norm init_max"),
    "0 or more and less than 1": (lambda x: 0 <= x < 1, "init_min"),
    "0 or more and 1 or less": (lambda x: 0 <= x <= 1, "degree_share hard_share refine"),
    "more than 0 and 1 or less": (lambda x: 0 < x <= 1, "burn_in_factor"),
}
BOUNDS = {key: words for words, (_, keys) in _BOUNDS.items() for key in keys.split()}


@cache
def kinds() -> Mapping[str, Any]:
    """The type of every key: int, float, str, a Literal, or a tuple for stages and steps."""
    return get_type_hints(TrainConfig)


def choices(key: str) -> tuple[str, ...]:
    """The words that a key may be; empty where it is no choice."""
    kind = kinds()[key]
    return get_args(kind) if get_origin(kind) is Literal else ()


def apply(base: TrainConfig, raw: Mapping[str, object], where: str = "") -> TrainConfig:
    """``base`` with the keys of ``raw`` in the place of its own; texts are understood too.

    ``where`` is the file that they come from, "options" for the command line. UsageError names
    the key and the value that cannot be. What keys say together is checked by ``check``.
    """
    values = {}
    for key, given in raw.items():
        if key not in kinds():
            _unknown(key, where)
        values[key] = _bounded(key, _converted(key, given, where), where)
    return replace(base, **values)


def check(config: TrainConfig) -> TrainConfig:
    """The same config, where its values can be and agree with each other; else UsageError."""
    for field in fields(config):
        value = getattr(config, field.name)
        _bounded(field.name, _converted(field.name, value, ""), "")
    for found in disagreements(config):
        raise UsageError(found)
    return config


def plain(config: TrainConfig) -> dict[str, int | float | str]:
    """Every key as a plain value, stages and steps as text; ``apply`` gives the config back."""
    return {f.name: _plain(f.name, getattr(config, f.name)) for f in fields(config)}


def changed(config: TrainConfig, base: TrainConfig) -> dict[str, int | float | str]:
    """The keys in which a config differs from another, as plain values."""
    other = plain(base)
    return {key: value for key, value in plain(config).items() if value != other[key]}


def _plain(key: str, value: Any) -> int | float | str:
    if key == "curriculum":
        return ",".join(f"{until}:{least}-{largest}" for until, least, largest in value)
    if key in ("lambda_schedule", "nested_radii"):
        return ",".join(f"{epoch}:{weight!r}" for epoch, weight in value)
    return value  # type: ignore[no-any-return]


def _unknown(key: str, where: str) -> NoReturn:
    import difflib

    near = difflib.get_close_matches(key, kinds(), n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else "`taxcheck train --help` lists all keys"
    raise UsageError(f"{where + ': ' if where else ''}unknown key {key!r}; {hint}")


def _refuse(key: str, value: object, where: str, why: str) -> NoReturn:
    shown = _plain(key, value) if isinstance(value, tuple) else value
    if where == "options":
        raise UsageError(f"`{key}` {shown}: {why}")
    raise UsageError(f"{where + ': ' if where else ''}{key} = {shown!r}: {why}")


def _converted(key: str, given: object, where: str) -> Any:
    kind = kinds()[key]
    if words := choices(key):
        if given not in words:
            _refuse(key, given, where, f"is none of {', '.join(words)}")
        return given
    if kind is str:
        if not isinstance(given, str) or not given:
            _refuse(key, given, where, "must be a text")
        return given
    if kind in (int, float):
        return _number(key, given, kind, where)
    return _rows(key, given, where)


def _number(key: str, given: object, kind: type, where: str) -> int | float:
    what = "a whole number" if kind is int else "a number"
    number: int | float | None = None
    try:
        if isinstance(given, str):
            number = kind(given.strip().replace("_", ""))
        elif isinstance(given, int) and not isinstance(given, bool):
            number = kind(given)
        elif isinstance(given, float) and kind is float:
            number = given
        if number is not None and math.isfinite(number):
            return number
    except (ValueError, OverflowError):  # no number, or one of hundreds of digits
        pass
    _refuse(key, given, where, f"must be {what}")


def _rows(key: str, given: object, where: str) -> Stages | Steps:
    """Stages or steps, from their text or from lists of numbers."""
    form = {"curriculum": _STAGES, "nested_radii": _RADII}.get(key, _STEPS)
    try:
        if isinstance(given, str):
            return _stages(given) if key == "curriculum" else _steps(given)
        if isinstance(given, list | tuple):
            text = [[str(number) for number in row] for row in given]
            if key == "curriculum":
                return _stages(",".join(f"{until}:{a}-{b}" for until, a, b in text))
            return _steps(",".join(f"{epoch}:{value}" for epoch, value in text))
    except (ValueError, TypeError):
        pass
    _refuse(key, given, where, f"must be {form}")


def _stages(text: str) -> Stages:
    rows = []
    for part in filter(None, text.replace(" ", "").split(",")):
        until, distances = part.split(":")
        least, _, largest = distances.partition("-")
        rows.append((int(until), int(least), int(largest or least)))
    return tuple(rows)


def _steps(text: str) -> Steps:
    rows = []
    for part in filter(None, text.replace(" ", "").split(",")):
        epoch, value = part.split(":")
        if not math.isfinite(float(value)):
            raise ValueError(value)
        rows.append((int(epoch), float(value)))
    return tuple(rows)


def _bounded(key: str, value: Any, where: str) -> Any:
    if key in BOUNDS and not _BOUNDS[BOUNDS[key]][0](value):
        _refuse(key, value, where, f"must be {BOUNDS[key]}")
    return value


def disagreements(config: TrainConfig) -> Iterator[str]:
    """What keys of a config say against each other: one line each, and what to set instead."""
    yield from _of_the_space(config)
    yield from _of_the_draws(config)
    yield from _of_the_steps(config)


def _of_the_space(config: TrainConfig) -> Iterator[str]:
    model, limit = config.model, config.radius_limit
    clip = model.limited_by == "max_norm"
    wider = " or dtype to float64" if config.dtype == "float32" else ""
    held = model.largest_radius(config.dtype)
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
    if config.optimizer not in model.optimizers:
        yield (
            f"optimizer = {config.optimizer!r} adds coordinates, which geometry = "
            f"'{config.geometry}' cannot do; set optimizer to {' or '.join(model.optimizers)}, or "
            "geometry to tangent"
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
    if config.best_from > config.epochs:
        yield (
            f"best_from = {config.best_from} is beyond epochs = {config.epochs}, so that no table "
            "could be the best: lower it"
        )
    if config.backend == "numba" and config.device != "cpu":
        yield (
            f"device = {config.device!r}: the kernel of backend = 'numba' runs on the CPU; set "
            "backend to torch"
        )
