"""Which settings a run uses: declared once for each, and told where one has no effect."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from taxcheck.engine.backend import backend_of
from taxcheck.engine.config import TrainConfig
from taxcheck.engine.settings import changed, plain


@dataclass(frozen=True, slots=True)
class Use:
    """Which runs use a setting: in words, "" for all of them, and as a test."""

    where: str
    holds: Callable[[TrainConfig], bool]


def _weighs(config: TrainConfig) -> bool:
    weights = [weight for _, weight in config.lambda_schedule]
    return max(weights if _scheduled(config) else [config.lambda_reg, *weights]) > 0


def _scheduled(config: TrainConfig) -> bool:
    return bool(config.lambda_schedule) and config.lambda_schedule[0][0] <= 0


def _refines(config: TrainConfig) -> bool:
    """Whether an epoch is refined; where time decides, one may be."""
    epochs = config.epochs - config.burn_in
    reached = config.refine > 0 and (epochs - 1) / max(epochs, 1) >= 1 - config.refine
    return reached or (config.refine > 0 and config.max_seconds > 0)


def _plain(config: TrainConfig) -> bool:
    return config.refine < 1 or config.burn_in > 0


def _loss(name: str) -> Use:
    return Use(f"loss = {name}", lambda config: config.loss == name)


def _start(name: str) -> Use:
    return Use(f"init = {name}", lambda config: config.init == name)


def _balance(name: str) -> Use:
    return Use(f"balance = {name}", lambda config: config.balance == name)


def _limit(name: str, geometries: str) -> Use:
    return Use(f"geometry = {geometries}", lambda config: config.model.limited_by == name)


ALL = Use("", lambda _: True)
_TORCH = Use("backend = torch", lambda config: backend_of(config) == "torch")
_REFINED = Use("epochs of refinement, of which there are none", _refines)
_BY_DEPTH = Use(
    "init = depth-aware, and for a regularizer where init is not nested",
    lambda config: config.init == "depth-aware" or (config.init != "nested" and _weighs(config)),
)

USES: Mapping[str, Use] = {
    # The table
    "dim": ALL,
    "geometry": ALL,
    "dtype": ALL,
    "max_norm": _limit("max_norm", "ball"),
    "max_radius": _limit("max_radius", "tangent or lorentz"),
    "table_from": ALL,
    # Where rows start
    "init": ALL,
    "init_min": _BY_DEPTH,
    "init_max": _BY_DEPTH,
    "init_scale": _start("uniform"),
    "cone_step": _start("cones"),
    "cone_growth": _start("cones"),
    "cone_radius": _start("cones"),
    "nested_step": _start("nested"),
    "nested_radii": _start("nested"),
    # Objective
    "loss": ALL,
    "margin": _loss("margin"),
    "temperature": Use(
        "loss = softmax, before refinement",
        lambda config: config.loss == "softmax" and _plain(config),
    ),
    "lambda_reg": Use(
        "runs without a lambda_schedule from epoch 0", lambda config: not _scheduled(config)
    ),
    "lambda_schedule": ALL,
    "depth_weight": ALL,
    "source_weight": ALL,
    # Draws
    "grouping": ALL,
    "anchor": Use("grouping = pairs", lambda config: config.grouping == "pairs"),
    "balance": ALL,
    "depth1_factor": _balance("oversample"),
    "balance_temperature": _balance("temperature"),
    "depth_cap": ALL,
    "curriculum": ALL,
    "negatives": ALL,
    "degree_share": ALL,
    "hard_share": ALL,
    # Refinement
    "refine": ALL,
    "refine_lr": _REFINED,
    "refine_temperature": _REFINED,
    "refine_nearest": _REFINED,
    "refine_window": _REFINED,
    # Optimizer
    "optimizer": ALL,
    "lr": Use("epochs before refinement, of which there are none", _plain),
    "lr_schedule": ALL,
    "burn_in": ALL,
    "burn_in_factor": Use("burn_in of 1 or more", lambda config: config.burn_in > 0),
    "batch_size": _TORCH,
    # How long, and what is kept
    "epochs": ALL,
    "max_seconds": ALL,
    "early_stopping": ALL,
    "min_delta": Use("early_stopping of 1 or more", lambda config: config.early_stopping > 0),
    "best_from": ALL,
    "evaluate_every": ALL,
    "evaluate_sources": ALL,
    "keep_last": ALL,
    # The machine
    "backend": ALL,
    "device": _TORCH,
    "workers": ALL,
    "seed": ALL,
}


def used(config: TrainConfig) -> dict[str, int | float | str]:
    """The settings that have an effect on a run, as plain values."""
    return {key: value for key, value in plain(config).items() if USES[key].holds(config)}


def unused(config: TrainConfig, given: Collection[str] = ()) -> list[str]:
    """A line for every setting that is ``given``, or is not the default, and has no effect."""
    named = {*given, *changed(config, TrainConfig())}
    lines = [
        f"{key} = {value} is not used: it is for {USES[key].where}"
        for key, value in plain(config).items()
        if key in named and not USES[key].holds(config)
    ]
    return [*lines, *_never_reached(config)]


def _never_reached(config: TrainConfig) -> Iterator[str]:
    after = f"is not reached in epochs = {config.epochs}"
    begins = 0
    for until, least, largest in config.curriculum:
        if begins >= config.epochs:
            yield f"curriculum: the stage {until}:{least}-{largest} {after}"
        begins = until
    for start, weight in config.lambda_schedule:
        if start >= config.epochs:
            yield f"lambda_schedule: the step {start}:{weight:g} {after}"
