"""Settings: what can be said, and the one line for what cannot."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from taxcheck.engine.config import TrainConfig
from taxcheck.engine.presets import resolve
from taxcheck.engine.settings import BOUNDS, apply, changed, check, choices, kinds, plain
from taxcheck.model.errors import UsageError

DEFAULT = TrainConfig()


def test_the_defaults_can_be() -> None:
    assert check(DEFAULT) is DEFAULT
    assert changed(DEFAULT, DEFAULT) == {}


def test_every_number_has_bounds() -> None:
    assert set(BOUNDS) == {f.name for f in fields(TrainConfig) if kinds()[f.name] in (int, float)}


def test_stages_and_steps_from_text_and_from_lists() -> None:
    text = apply(DEFAULT, {"curriculum": "20:1-2, 50:1-5,60:3", "lambda_schedule": "0:0,50:0.01"})
    assert text.curriculum == ((20, 1, 2), (50, 1, 5), (60, 3, 3))
    assert text.lambda_schedule == ((0, 0.0), (50, 0.01))
    lists = {
        "curriculum": [[20, 1, 2], [50, 1, 5], [60, 3, 3]],
        "lambda_schedule": [[0, 0], [50, 0.01]],
    }
    assert apply(DEFAULT, lists) == text
    assert check(text) is text


def test_plain_values_give_the_config_back() -> None:
    config = replace(
        DEFAULT,
        curriculum=((20, 1, 2),),
        lambda_schedule=((0, 0.0), (7, 1 / 3)),
        dtype="float64",
        max_norm=1 - 1e-5,
    )
    assert apply(DEFAULT, plain(config)) == config
    assert apply(DEFAULT, {key: str(value) for key, value in plain(config).items()}) == config
    assert changed(config, DEFAULT) == {
        "curriculum": "20:1-2",
        "lambda_schedule": "0:0.0,7:0.3333333333333333",
        "max_norm": 1 - 1e-5,
    }


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("margin", -1, "margin = -1.0: must be 0 or more"),
        ("dim", 0, "dim = 0: must be 1 or more"),
        ("dim", True, "dim = True: must be a whole number"),
        ("dim", 2.5, "dim = 2.5: must be a whole number"),
        ("epochs", "ten", "epochs = 'ten': must be a whole number"),
        ("negatives", 0, "negatives = 0: must be 1 or more"),
        ("lr", float("nan"), "lr = nan: must be a number"),
        ("lr", "inf", "lr = 'inf': must be a number"),
        ("lr", 0, "lr = 0.0: must be more than 0"),
        ("max_norm", 1, "max_norm = 1.0: must be more than 0 and less than 1"),
        ("hard_share", 1.5, "hard_share = 1.5: must be 0 or more and 1 or less"),
        ("degree_share", -0.1, "degree_share = -0.1: must be 0 or more and 1 or less"),
        ("geometry", "sphere", "geometry = 'sphere': is none of ball, lorentz, tangent, euclidean"),
        ("device", 1, "device = 1: must be a text"),
        ("curriculum", "20:", "curriculum = '20:': must be stages such as 20:1-2,50:1-5"),
        ("curriculum", [[1, 2]], "curriculum = [[1, 2]]: must be stages"),
        ("lambda_schedule", "0:nan", "lambda_schedule = '0:nan': must be steps such as"),
        ("margn", 1, "unknown key 'margn'; did you mean margin?"),
        ("zzzzzzzz", 1, "unknown key 'zzzzzzzz'; `taxcheck train --help` lists all keys"),
    ],
)
def test_a_value_that_cannot_be_is_one_line(key: str, value: object, words: str) -> None:
    with pytest.raises(UsageError) as error:
        apply(DEFAULT, {key: value}, "train.toml")
    line = str(error.value)
    assert line.startswith(f"train.toml: {words}")
    assert "\n" not in line


def test_options_are_named_as_they_are_typed() -> None:
    with pytest.raises(UsageError, match=r"^`lambda_reg` -2\.0: must be 0 or more$"):
        apply(DEFAULT, {"lambda_reg": "-2"}, "options")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (
            {"geometry": "lorentz", "dtype": "float32", "max_radius": 14.0},
            ["max_radius = 14", "hold 9.0", "to 9 or dtype to float64"],
        ),
        (
            {"geometry": "lorentz", "max_radius": 20.0},
            ["max_radius = 20", "float64 lorentz", "19.1"],
        ),
        (
            {"geometry": "tangent", "dtype": "float32", "max_radius": 18.0},
            ["max_radius = 18", "17.3"],
        ),
        ({"geometry": "tangent", "max_radius": 38.0}, ["max_radius = 38", "37.4"]),
        (
            {"geometry": "ball", "dtype": "float32", "max_norm": 1 - 1e-9},
            ["max_norm = 0.999999999", "1 - 1e-7"],
        ),
        (
            {"geometry": "ball", "init": "depth-aware", "init_max": 0.99},
            ["init_max = 0.99", "max_norm = 0.98", "0.98 or less"],
        ),
        (
            {"init": "depth-aware", "init_max": 1 - 1e-9, "max_radius": 9.0},
            ["init_max", "max_radius = 9"],
        ),
        ({"init": "depth-aware", "init_min": 0.9}, ["init_min = 0.9", "init_max = 0.85"]),
        (
            {"init": "cones", "cone_radius": 38.0},
            ["cone_radius = 38", "max_radius = 37", "37 or less"],
        ),
        ({"nested_radii": ((0, 0.0), (4, 40.0))}, ["4:40", "max_radius = 37"]),
        ({"nested_radii": ((0, 1.0), (4, 0.5))}, ["4:0.5", "farther out than 0:1"]),
        ({"nested_radii": ((0, 0.0), (1, 0.0))}, ["1:0", "farther out than 0:0"]),
        ({"nested_radii": ((2, 1.0), (2, 5.0))}, ["2:5", "deeper"]),
        (
            {"geometry": "ball", "init": "cones", "cone_radius": 5.0},
            ["cone_radius = 5", "a radius of 4.6", "4.5 or less"],
        ),
        ({"geometry": "ball", "init": "uniform", "init_scale": 0.5}, ["init_scale = 0.5"]),
        ({"geometry": "lorentz", "optimizer": "adam"}, ["optimizer = 'adam'", "tangent"]),
        ({"anchor": "ancestor"}, ["anchor = 'ancestor'", "grouping to pairs"]),
        ({"degree_share": 0.6, "hard_share": 0.6}, ["degree_share", "hard_share", "1.2"]),
        ({"curriculum": ((20, 3, 2),)}, ["curriculum", "20:3-2", "no distance"]),
        ({"curriculum": ((20, 0, 2),)}, ["curriculum", "20:0-2", "from 1"]),
        ({"curriculum": ((20, 1, 2), (20, 1, 5))}, ["curriculum", "20:1-5", "no epoch"]),
        ({"curriculum": ((20, 4, 6),), "depth_cap": 3}, ["20:4-6", "depth_cap = 3"]),
        ({"lambda_schedule": ((5, 0.0), (3, 1.0))}, ["lambda_schedule", "3:1", "after epoch 5"]),
        ({"lambda_schedule": ((0, -1.0),)}, ["lambda_schedule", "negative"]),
        ({"burn_in": 100}, ["burn_in = 100", "epochs = 100"]),
        ({"backend": "numba", "device": "cuda"}, ["device = 'cuda'", "backend to torch"]),
        ({"margin": -1.0}, ["margin = -1.0"]),
        ({"dim": 2.5}, ["dim = 2.5"]),
    ],
)
def test_what_keys_say_together(keys: dict[str, object], words: list[str]) -> None:
    with pytest.raises(UsageError) as error:
        check(replace(DEFAULT, **keys))  # type: ignore[arg-type]
    line = str(error.value)
    assert all(word in line for word in words), line
    assert "\n" not in line


def test_flat_space_has_no_limit() -> None:
    check(replace(DEFAULT, geometry="euclidean", dtype="float32", optimizer="adam"))


def test_preset_then_file_then_options(tmp_path: Path) -> None:
    file = tmp_path / "train.toml"
    file.write_text('lr = 0.02\nmargin = 0.3\nlambda_schedule = "0:0,50:0.01"\n')
    config = resolve("fixed", file, {"margin": "0.4"})
    assert (config.lambda_reg, config.lr, config.margin) == (0.01, 0.02, 0.4)
    assert config.lambda_schedule == ((0, 0.0), (50, 0.01))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lr = ", "cannot be read as TOML"),
        ("lambda = 0.1\n", "unknown key 'lambda'"),
        ("[train]\nlr = 1\n", "unknown key 'train'"),
        (None, "does not exist"),
    ],
)
def test_a_file_that_cannot_be(tmp_path: Path, text: str | None, words: str) -> None:
    file = tmp_path / "train.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(UsageError, match=words) as error:
        resolve("default", file, {})
    assert "train.toml" in str(error.value)


def test_words_of_a_choice() -> None:
    assert choices("loss") == ("softmax", "margin")
    assert choices("lr") == ()


def test_a_file_may_begin_with_a_mark_of_its_byte_order(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_bytes(b"\xef\xbb\xbfdim = 7\n")
    assert resolve("default", file, {}).dim == 7
