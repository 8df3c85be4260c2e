"""What is changed in a base run, one choice at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from taxcheck.engine.config import TrainConfig
from taxcheck.engine.settings import apply, check

DEFAULT = "base"
# Plain Riemannian SGD on the sheet: nothing of its own hides what a choice does.
BASE = TrainConfig(geometry="lorentz", optimizer="rsgd", lr=0.1)


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
    """All of them, the base first; what counts in epochs is scaled from a run of 100."""
    near, far = round(epochs * 0.2), round(epochs * 0.5)
    yield Choice(DEFAULT, {})
    values: list[tuple[str, str, list[object]]] = [
        ("objective", "loss", ["margin"]),
        ("objective", "temperature", [0.5, 2.0]),
        ("objective", "source_weight", ["pairs"]),
        ("objective", "depth_weight", [1.0]),
        ("refinement", "refine", [0.0]),
        ("negatives", "negatives", [10, 50, 300]),
        ("negatives", "degree_share", [0.5]),
        ("negatives", "hard_share", [0.5]),
        ("draws", "grouping", ["pairs"]),
        ("draws", "balance", ["balanced", "oversample", "temperature"]),
        ("draws", "depth_cap", [10]),
        ("draws", "curriculum", [f"{near}:1-2,{far}:1-5"]),
        ("regulariser", "lambda_reg", [0.0, 0.003, 0.03, 0.1, 0.3, 1.0]),
        ("regulariser", "lambda_schedule", [f"0:0,{far}:0.1"]),
        ("geometry", "geometry", ["tangent", "ball", "euclidean"]),
        ("geometry", "max_radius", [8.0]),
        ("optimizer", "optimizer", ["adagrad"]),
        ("optimizer", "lr", [0.03, 0.3]),
        ("length", "epochs", [2 * epochs]),
    ]
    together: list[tuple[str, dict[str, object]]] = [
        ("start", {"init": "depth-aware"}),
        ("start", {"init": "uniform"}),
        ("start", {"init": "uniform", "burn_in": near}),
        ("start", {"cone_radius": 6.0}),
        ("regulariser", {"lambda_reg": 0.1, "init_max": 0.5}),
        ("regulariser", {"lambda_reg": 1.0, "init_max": 0.5}),
        ("length", {"epochs": 2 * epochs, "lambda_reg": 0.1}),
        ("length", {"epochs": 2 * epochs, "lambda_reg": 1.0}),
        ("length", {"epochs": 2 * epochs, "refine": 0.0}),
        ("length", {"epochs": 2 * epochs, "temperature": 0.5}),
        ("geometry", {"geometry": "ball", "max_norm": 1 - 1e-5}),
        ("geometry", {"dtype": "float32", "max_radius": 9.0}),
        ("optimizer", {"geometry": "tangent", "optimizer": "adam", "lr": 0.005}),
    ]
    found = [Choice(group, {key: value}) for group, key, some in values for value in some]
    found += [Choice(group, keys) for group, keys in together]
    order = list(dict.fromkeys(choice.group for choice in found))
    yield from sorted(found, key=lambda choice: order.index(choice.group))


# What decides most on Echinodermata, and what the weight of the regulariser costs elsewhere.
LARGE: tuple[Mapping[str, object], ...] = (
    {},
    {"lambda_reg": 0.0},
    {"lambda_reg": 0.1},
    {"lambda_reg": 1.0},
    {"temperature": 0.5},
    {"refine": 0.0},
    {"init": "uniform"},
)


def large(seconds: float, dim: int) -> Iterator[tuple[Choice, TrainConfig]]:
    """Those that are measured on larger data too, for so many seconds each."""
    base = replace(BASE, dim=dim, epochs=10_000, max_seconds=seconds)
    for keys in LARGE:
        choice = Choice("larger data", keys)
        yield choice, choice.config(base)
