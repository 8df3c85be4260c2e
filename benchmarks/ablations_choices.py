"""What is changed in a base run, one choice at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from taxcheck.engine.config import TrainConfig
from taxcheck.engine.settings import apply, check

DEFAULT = "default"
BASE = TrainConfig()


# Classes of animals lie at depth 4 and deeper: far steps above them set them apart.
LIFTED = "0:0,2:2,3:25,15:37"
ADAM: Mapping[str, object] = {"optimizer": "adam", "lr": 0.01, "refine_lr": 0.01}


@dataclass(frozen=True, slots=True)
class Choice:
    """One row of the page: the keys in which it differs from the base run."""

    group: str
    keys: Mapping[str, object]

    @property
    def name(self) -> str:
        return ", ".join(f"{key} {value}" for key, value in self.keys.items()) or DEFAULT

    def config(self, base: TrainConfig) -> TrainConfig:
        return check(apply(base, self.keys, self.group))


def choices(epochs: int) -> Iterator[Choice]:
    """All of them, the default first; what counts in epochs is scaled from a run of 100."""
    near, far = round(epochs * 0.2), round(epochs * 0.5)
    yield Choice(DEFAULT, {})
    values: list[tuple[str, str, list[object]]] = [
        ("start", "nested_step", [0.75, 1.0, 2.0]),
        ("start", "nested_radii", [LIFTED]),
        ("objective", "loss", ["margin"]),
        ("objective", "temperature", [0.5, 2.0]),
        ("objective", "source_weight", ["pairs"]),
        ("objective", "depth_weight", [1.0]),
        ("refinement", "refine", [0.0, 1.0]),
        ("negatives", "negatives", [10, 50, 300]),
        ("negatives", "degree_share", [0.5]),
        ("negatives", "hard_share", [0.5]),
        ("draws", "grouping", ["pairs"]),
        ("draws", "balance", ["balanced", "oversample", "temperature"]),
        ("draws", "depth_cap", [10]),
        ("draws", "curriculum", [f"{near}:1-2,{far}:1-5"]),
        ("regulariser", "lambda_reg", [0.0, 0.1, 1.0]),
        ("regulariser", "lambda_schedule", [f"0:0,{far}:0.1"]),
        ("geometry", "geometry", ["lorentz", "ball", "euclidean"]),
        ("geometry", "max_radius", [8.0, 14.0]),
        ("optimizer", "optimizer", ["adagrad"]),
        ("optimizer", "lr", [0.1, 0.2, 1.0]),
        ("length", "epochs", [near, 5 * epochs]),
    ]
    together: list[tuple[str, dict[str, object]]] = [
        ("start", {"init": "cones"}),
        ("start", {"init": "depth-aware"}),
        ("start", {"init": "uniform"}),
        ("start", {"init": "uniform", "burn_in": near}),
        ("start", {**ADAM, "init": "cones"}),
        ("start", {**ADAM, "init": "uniform"}),
        ("start", {"nested_radii": LIFTED, "lr": 0.05, "refine_lr": 0.05}),
        ("geometry", {"geometry": "ball", "max_norm": 1 - 1e-5}),
        ("geometry", {"dtype": "float32"}),
        ("optimizer", {**ADAM}),
    ]
    found = [Choice(group, {key: value}) for group, key, some in values for value in some]
    found += [Choice(group, keys) for group, keys in together]
    order = list(dict.fromkeys(choice.group for choice in found))
    yield from sorted(found, key=lambda choice: order.index(choice.group))


# What decides most on Echinodermata; in many dimensions the cost of a step grows with them.
LARGE: tuple[Mapping[str, object], ...] = (
    {},
    {"refine": 0.0},
    {"nested_step": 1.0},
    {"nested_radii": LIFTED},
    {"init": "uniform"},
    {**ADAM, "init": "cones"},
    {"dim": 100},
)


def large(seconds: float, dim: int) -> Iterator[tuple[Choice, TrainConfig]]:
    """Those that are measured on larger data too, for so many seconds each."""
    base = replace(BASE, dim=dim, epochs=10_000, max_seconds=seconds)
    for keys in LARGE:
        choice = Choice("larger data", keys)
        yield choice, choice.config(base)
