"""A setting that is declared as used changes a run, and one that is not does not."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("numba")

from taxcheck.engine.config import TrainConfig
from taxcheck.engine.progress import CLOCK
from taxcheck.engine.run_folder import RunFolder
from taxcheck.engine.settings import check, kinds
from taxcheck.engine.trainer import train
from taxcheck.engine.uses import ALL, USES, unused, used
from taxcheck.model.errors import UsageError
from tests.engine.tiny import tree

pytestmark = pytest.mark.usefixtures("no_fsync")
DATA = tree(4)
DEFAULT = TrainConfig(
    dim=3, epochs=6, negatives=8, workers=1, evaluate_every=2, refine_nearest=4, min_delta=5.0
)
RUNS = {
    "default": DEFAULT,
    "all-refined": replace(DEFAULT, refine=1.0, lambda_schedule=((0, 0.1),), balance="balanced"),
    "lorentz": replace(
        DEFAULT, geometry="lorentz", init="cones", loss="margin", burn_in=2, early_stopping=6,
        epochs=8, evaluate_every=1,
        balance="temperature", max_radius=4.0, lr=0.1, lambda_reg=0.1, grouping="pairs",
    ),
    "ball": replace(
        DEFAULT, backend="torch", geometry="ball", init="depth-aware", optimizer="adam", lr=0.1,
        refine=0.0, balance="oversample", depth1_factor=3.0, batch_size=8, grouping="pairs",
    ),
    "flat": replace(
        DEFAULT, geometry="euclidean", init="uniform", optimizer="adagrad", lambda_reg=0.0,
        lr_schedule="constant", init_scale=0.1,
    ),
}  # fmt: skip
# Another value of each key; of a choice it is any other one. What is not here is not of the table:
# another size of it, another machine.
OTHER: dict[str, Any] = {
    "dim": 4, "max_norm": 0.86, "max_radius": 3.0, "init_min": 0.2, "init_max": 0.7,
    "init_scale": 0.05, "cone_step": 0.3, "cone_growth": 3.0, "cone_radius": 1.0,
    "nested_step": 1.0, "nested_radii": ((0, 0.0), (3, 9.0)), "margin": 3.0, "temperature": 0.5,
    "lambda_reg": 0.9, "lambda_schedule": ((3, 0.7),), "depth_weight": 1.0, "depth1_factor": 9.0,
    "balance_temperature": 7.0, "depth_cap": 2, "curriculum": ((3, 1, 1),), "negatives": 4,
    "degree_share": 0.5, "hard_share": 0.5, "refine": 0.7, "refine_lr": 0.05,
    "refine_temperature": 2.0, "refine_nearest": 1, "refine_window": 0.0, "lr": 0.02, "burn_in": 3,
    "burn_in_factor": 0.5, "batch_size": 3, "epochs": 3, "max_seconds": 1e-9, "early_stopping": 1,
    "min_delta": 0.001, "evaluate_every": 3, "evaluate_sources": 5, "keep_last": 2,
    "seed": 1, "workers": 3,
}  # fmt: skip
ELSEWHERE = {"table_from", "device", "best_from"}  # best_from: see test_trainer.py
SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in RUNS if name != "default"]


def outcome(config: TrainConfig, folder: Path) -> tuple[object, ...]:
    """All that a run leaves, without its clocks."""
    done = train(DATA, config, RunFolder(folder))
    history = [{k: v for k, v in record.items() if k not in CLOCK} for record in done.history]
    names = sorted(path.name for path in folder.iterdir())
    table = (folder / "best.safetensors").stat().st_size, done.best_epoch
    return done.table.tobytes(), repr(history), names, table, done.updates.tobytes()


def others(key: str, config: TrainConfig) -> Any:
    if key in OTHER:
        return OTHER[key]
    from taxcheck.engine.settings import choices

    return next(
        word for word in reversed(choices(key)) if word not in (getattr(config, key), "auto")
    )


def test_every_setting_says_who_uses_it() -> None:
    assert list(USES) == [field.name for field in fields(TrainConfig)] == list(kinds())
    assert set(OTHER) | ELSEWHERE <= set(kinds())


@pytest.mark.parametrize("name", ["default", *SLOW])
def test_used_settings_change_a_run_and_others_do_not(name: str, tmp_path: Path) -> None:
    config = check(RUNS[name])
    before, wrong = outcome(config, tmp_path / "before"), []
    for number, key in enumerate(USES):
        if key in ELSEWHERE:
            continue
        try:
            changed = check(replace(config, **{key: others(key, config)}))
        except UsageError:
            continue  # this run cannot be so
        if key == "workers" and used(config).get("batch_size"):
            continue  # of torch they are threads of the evaluation, which changes no number
        after = outcome(changed, tmp_path / str(number))
        if (after != before) is not USES[key].holds(config):
            wrong.append(key)
    assert not wrong


def test_each_declaration_is_tried_both_ways() -> None:
    for key, use in USES.items():
        ways = {use.holds(config) for config in RUNS.values()}
        assert ways == ({True} if use is ALL else {True, False}), key


def test_what_has_no_effect_is_a_line_each() -> None:
    assert unused(TrainConfig()) == [], "defaults that nobody named are nobody's mistake"
    bare = TrainConfig(dim=3, batch_size=64, margin=0.5)
    told = unused(bare, ["cone_step", "dim"])
    assert told == [
        "cone_step = 1.2 is not used: it is for init = cones",
        "margin = 0.5 is not used: it is for loss = margin",
        "batch_size = 64 is not used: it is for backend = torch",
    ]
    late = TrainConfig(
        epochs=6, curriculum=((6, 1, 2), (9, 1, 3)), lambda_schedule=((0, 0.0), (50, 0.01))
    )
    assert unused(late) == [
        "curriculum: the stage 9:1-3 is not reached in epochs = 6",
        "lambda_schedule: the step 50:0.01 is not reached in epochs = 6",
    ]
    two = replace(DEFAULT, epochs=2, refine_lr=0.3)
    assert unused(two)[:2] == [
        "refine_lr = 0.3 is not used: it is for epochs of refinement, of which there are none",
        "refine_nearest = 4 is not used: it is for epochs of refinement, of which there are none",
    ]
