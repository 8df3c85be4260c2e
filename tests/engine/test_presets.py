"""Presets: each can be, and says what it is."""

from __future__ import annotations

import pytest

from taxcheck.engine.config import TrainConfig
from taxcheck.engine.presets import PRESETS, find, resolve
from taxcheck.engine.settings import changed, check
from taxcheck.model.errors import UsageError


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_can_be_trained(name: str) -> None:
    preset = PRESETS[name]
    check(preset.config)
    assert preset.description.endswith(".")
    assert preset.forced is name.startswith("incident")


def test_the_default_is_the_dataclass() -> None:
    assert find("default").config == TrainConfig()


def test_the_repair_as_it_was_recommended() -> None:
    config = find("fixed").config
    assert (config.geometry, config.max_norm, config.table_from) == ("ball", 0.98, "mapping")
    assert (config.init, config.init_min, config.init_max) == ("depth-aware", 0.05, 0.85)
    assert (config.lambda_reg, config.lr, config.margin, config.batch_size) == (
        0.01,
        0.005,
        0.2,
        64,
    )
    assert config.early_stopping == 0


@pytest.mark.parametrize("name", ["account", "account:optional"])
def test_the_accounts_runs_are_its_own_setting_by_setting(name: str) -> None:
    config = find(name).config
    assert (config.epochs, config.early_stopping, config.batch_size) == (10_000, 0, 64)
    assert (config.lr, config.lr_schedule, config.burn_in) == (0.005, "constant", 0)
    assert (config.loss, config.margin, config.lambda_reg) == ("margin", 0.2, 0.01)
    assert (config.max_norm, config.init_min, config.init_max) == (0.98, 0.05, 0.85)
    assert config.table_from == "mapping"


def test_the_optional_set_is_all_of_it_at_once() -> None:
    plain, optional = find("account").config, find("account:optional").config
    assert changed(optional, plain) == {
        "balance": "oversample", "depth_cap": 10, "curriculum": "20:1-2,50:1-5",
        "lambda_schedule": "0:0.0,50:0.01", "best_from": 51,
    }  # fmt: skip
    assert optional.depth1_factor == 10


def test_the_incident_is_the_repair_with_all_wrong_ways_back() -> None:
    fixed, incident = find("fixed").config, find("incident").config
    wrong = changed(incident, fixed)
    chosen = (
        "anchor", "hard_share", "negatives", "margin", "optimizer", "lr", "lr_schedule", "burn_in",
        "dim", "epochs",
    )  # fmt: skip
    assert all(wrong.pop(key) is not None for key in chosen), "what the account leaves open"
    assert wrong == {
        "max_norm": 1 - 1e-5,
        "table_from": "pairs",
        "init_min": 0.1,
        "init_max": 0.95,
        "lambda_reg": 0.1,
        "early_stopping": 5,
    }
    assert incident.balance == "none"
    parts: dict[str, object] = {}
    for name in PRESETS:
        if name.startswith("incident:"):
            one = changed(find(name).config, fixed)
            assert one.items() <= wrong.items()
            assert not parts.keys() & one.keys()
            parts |= one
    assert parts == wrong


def test_nickel() -> None:
    config = find("nickel").config
    assert (config.geometry, config.loss, config.optimizer) == ("ball", "softmax", "rsgd")
    assert (config.init, config.init_scale, config.negatives) == ("uniform", 1e-3, 50)
    assert (config.lr, config.burn_in, config.burn_in_factor) == (0.3, 20, 0.01)
    assert config.degree_share == config.hard_share == config.lambda_reg == 0


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"`preset` nickle: .*did you mean nickel"):
        resolve("nickle", None, {})
