"""Named runs, and the order of what decides: preset, then config file, then options."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from taxcheck.engine.config import TrainConfig
from taxcheck.engine.settings import apply, check
from taxcheck.model.errors import UsageError


@dataclass(frozen=True, slots=True)
class Preset:
    """A named run: what it is for, and the keys in which it differs from the defaults."""

    name: str
    description: str
    keys: Mapping[str, object]
    forced: bool = False  # trains on data that the gate refuses, to show what comes of it

    @property
    def config(self) -> TrainConfig:
        """The defaults with the keys of this preset."""
        return apply(TrainConfig(), self.keys, f"preset {self.name}")


# What the incident's own account leaves open is chosen: dimension, optimizer, negatives, numbers.
_FIXED = {
    "dim": 50,
    "geometry": "ball",
    "dtype": "float32",
    "max_norm": 0.98,
    "table_from": "mapping",
    "init": "depth-aware",
    "init_min": 0.05,
    "init_max": 0.85,
    "loss": "margin",
    "margin": 0.2,
    "lambda_reg": 0.01,
    "grouping": "pairs",
    "source_weight": "pairs",
    "refine": 0.0,
    "negatives": 50,
    "optimizer": "adam",
    "lr": 0.005,
    "lr_schedule": "linear",  # this and burn-in keep the norms off the clip all along
    "burn_in": 5,
    "batch_size": 64,
    "epochs": 100,
    "early_stopping": 0,
}
# The run that the account recommends, setting by setting, in Riemannian steps: they keep the norms
# between 0.05 and 0.90 all along, where those of Adam by coordinates reach the clip.
_ACCOUNT: dict[str, object] = _FIXED | {
    "grouping": "sources",
    "optimizer": "rsgd",
    "lr_schedule": "constant",
    "burn_in": 0,
    "epochs": 10_000,
}
# What it proposes beyond that, all at once. While nothing holds the radii no table is the best.
_OPTIONAL: dict[str, object] = {
    "balance": "oversample",
    "depth1_factor": 10.0,
    "depth_cap": 10,
    "curriculum": "20:1-2,50:1-5",
    "lambda_schedule": "0:0,50:0.01",
    "best_from": 51,
}
# Each wrong way of the incident: what it is called, what went wrong, the keys that repeat it.
_WRONG: dict[str, tuple[str, dict[str, object]]] = {
    "clip": ("the clip at 1 - 1e-5, where gradients vanish", {"max_norm": 1 - 1e-5}),
    "init": ("depths laid out from 0.10 to 0.95", {"init_min": 0.10, "init_max": 0.95}),
    "lambda": ("the radius regularizer at 0.1", {"lambda_reg": 0.1}),
    "table": ("a table sized from the pairs alone", {"table_from": "pairs"}),
    "stopping": ("stopped after 5 evaluations without gain", {"early_stopping": 5}),
}
_ALL_WRONG = {key: value for _, keys in _WRONG.values() for key, value in keys.items()}
# With these, of all that was tried, the norms came to lie as the account found them.
_PUSHED: dict[str, object] = {
    "dim": 10,
    "anchor": "ancestor",
    "hard_share": 1.0,
    "negatives": 5,
    "margin": 1.0,
    "optimizer": "rsgd",
    "lr": 0.3,
    "lr_schedule": "constant",
    "burn_in": 0,
    "epochs": 30,
}

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "default",
            "What is recommended: tangent rows that start nested, softmax, Riemannian SGD, "
            "refinement at the end.",
            {},
        ),
        Preset(
            "dag",
            "Where levels are many, or most nodes have several parents: cones from the parents' "
            "midpoints, Adam.",
            {
                "init": "cones",
                "max_radius": 14.0,
                "optimizer": "adam",
                "lr": 0.01,
                "refine_lr": 0.01,
            },
        ),
        Preset(
            "fixed",
            "The incident's own repair, in 50 dimensions: clip 0.98, start 0.05 to 0.85, lambda "
            "0.01, a row for every node of the mapping.",
            _FIXED,
        ),
        Preset(
            "account",
            "The run that the incident's account recommends, setting by setting, with Riemannian "
            "steps: 10,000 epochs at 0.005, margin 0.2, lambda 0.01, clip 0.98.",
            _ACCOUNT,
        ),
        Preset(
            "account:optional",
            "The same with all that the account proposes beyond it: parents ten times as often, "
            "distances up to 10, a curriculum, and lambda 0 for 50 epochs.",
            _ACCOUNT | _OPTIONAL,
        ),
        Preset(
            "nickel",
            "As Nickel & Kiela 2017: ball, box of 1e-3, softmax over 50 uniform negatives, "
            "Riemannian SGD at 0.3, 20 epochs of burn-in at a hundredth.",
            {
                "geometry": "ball",
                "max_norm": 1 - 1e-5,
                "init": "uniform",
                "init_scale": 1e-3,
                "loss": "softmax",
                "lambda_reg": 0.0,
                "grouping": "pairs",
                "source_weight": "pairs",
                "refine": 0.0,
                "negatives": 50,
                "optimizer": "rsgd",
                "lr": 0.3,
                "lr_schedule": "constant",
                "burn_in": 20,
                "burn_in_factor": 0.01,
                "batch_size": 10,
                "epochs": 300,
            },
        ),
        Preset(
            "incident",
            "Everything that went wrong, at once, on pairs drawn as they come. Trains on data "
            "that the gate refuses (force), which run.json records.",
            _FIXED | _ALL_WRONG | _PUSHED,
            forced=True,
        ),
        *(
            Preset(
                f"incident:{part}",
                f"The repaired run with one wrong way back: {what}. Implies force.",
                _FIXED | keys,
                forced=True,
            )
            for part, (what, keys) in _WRONG.items()
        ),
    )
}


def find(name: str) -> Preset:
    """The preset of that name; UsageError names the nearest."""
    if name not in PRESETS:
        near = difflib.get_close_matches(name, PRESETS, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(PRESETS)}"
        raise UsageError(f"`preset` {name}: there is no such preset; {hint}")
    return PRESETS[name]


def load(path: Path) -> Mapping[str, object]:
    """The keys of a TOML file as they stand there; UsageError where it cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} cannot be read as TOML: {error}") from None


def resolve(preset: str, file: Path | None, options: Mapping[str, object]) -> TrainConfig:
    """The config of a run: the preset's keys, then the file's, then the options'; checked whole."""
    config = find(preset).config
    if file is not None:
        config = apply(config, load(file), str(file))
    return check(apply(config, options, "options"))
