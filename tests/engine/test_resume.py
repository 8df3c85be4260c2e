"""A run that was interrupted and goes on ends with the same bits as one that never was."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from taxcheck.engine.checkpoint import read_tensors
from taxcheck.engine.config import TrainConfig
from taxcheck.engine.dataset import TrainingData
from taxcheck.engine.progress import CLOCK
from taxcheck.engine.run_folder import RunFolder
from taxcheck.engine.stepper import Floats, Stepper, StepResult
from taxcheck.engine.stops import StoppedError
from taxcheck.engine.trainer import MakeStepper, train
from taxcheck.model.errors import UsageError
from tests.engine.tiny import CONFIG, Tiny, sends, spoiling, tree

pytestmark = pytest.mark.usefixtures("no_fsync")
SHORT = replace(CONFIG, epochs=6)


def assert_same_run(one: RunFolder, other: RunFolder) -> None:
    """Everything but the clock is equal, bit for bit."""
    for name in ("checkpoint.safetensors", "best.safetensors"):
        arrays, words = read_tensors(one.path / name)
        others, expected = read_tensors(other.path / name)
        assert set(arrays) == set(others)
        for key in set(arrays) - {"history." + name for name in CLOCK}:
            np.testing.assert_array_equal(arrays[key], others[key], strict=True, err_msg=key)
        assert without_clock(words) == without_clock(expected)
    lines, expected_lines = (
        [without_clock(json.loads(line)) for line in run.metrics.read_text().splitlines()]
        for run in (one, other)
    )
    assert lines == expected_lines


def without_clock(words: dict[str, Any]) -> dict[str, Any]:
    return {
        key: without_clock(value) if isinstance(value, dict) else value
        for key, value in words.items()
        if key not in CLOCK
    }


class Stopping:
    """A real stepper whose n-th step is followed by SIGTERM."""

    def __init__(self, inner: Stepper, at: int) -> None:
        self._inner, self._at, self._steps = inner, at, 0

    def step(self, *arguments: Any) -> StepResult:
        self._steps += 1
        if self._steps == self._at:
            signal.raise_signal(signal.SIGTERM)
        return self._inner.step(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def kernel(data: TrainingData, config: TrainConfig, table: Floats) -> Stepper:
    from taxcheck.engine.kernel_stepper import KernelStepper

    return KernelStepper(data, config, table)


def autograd(data: TrainingData, config: TrainConfig, table: Floats) -> Stepper:
    from taxcheck.engine.torch_stepper import TorchStepper

    return TorchStepper(data, config, table)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize(
    ("make", "config"),
    [
        (Tiny, CONFIG),
        (kernel, replace(CONFIG, backend="numba", geometry="lorentz", init="cones")),
        (kernel, replace(CONFIG, backend="numba", geometry="tangent", optimizer="adam", lr=0.01)),
        (autograd, replace(SHORT, geometry="lorentz", init="cones", hard_share=0.3)),
        (autograd, replace(SHORT, geometry="tangent", optimizer="adam", lr=0.01)),
        (autograd, replace(SHORT, geometry="ball", optimizer="adagrad", grouping="pairs")),
    ],
    ids=["tiny", "numba", "numba-adam", "torch", "torch-adam", "torch-adagrad-pairs"],
)
def test_stopped_twice_and_continued(
    make: MakeStepper, config: TrainConfig, tmp_path: Path
) -> None:
    data, whole, parted = tree(), RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "parted")
    done = train(data, config, whole, make=make)
    steps = [5, 9] if config.backend == "torch" else [2, 3]  # within an epoch, and at its end
    for at in steps:

        def stopping(
            data: TrainingData, config: TrainConfig, table: Floats, at: int = at
        ) -> Stepper:
            return Stopping(make(data, config, table), at)  # type: ignore[return-value]

        with pytest.raises(StoppedError) as stopped:
            train(data, config, parted, resume=True, make=stopping)
        assert stopped.value.exit_code == 143
        assert f"{parted.checkpoint} holds all of it" in str(stopped.value)
    again = train(data, config, parted, resume=True, make=make)
    assert np.array_equal(again.table, done.table)
    assert np.array_equal(again.updates, done.updates)
    assert not np.array_equal(np.load(whole.initial), done.table)
    assert_same_run(parted, whole)


@pytest.mark.long
@pytest.mark.usefixtures("interruptible")
def test_ctrl_c(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run1")
    with pytest.raises(StoppedError, match="SIGINT in epoch 1;") as stopped:
        train(tree(), CONFIG, folder, make=spoiling(2, sends(signal.SIGINT)))
    assert stopped.value.exit_code == 130
    assert read_tensors(folder.checkpoint)[1]["standing"]["works"] == 2
    with pytest.raises(StoppedError, match="nothing was written"):
        train(tree(), CONFIG, make=spoiling(2, sends(signal.SIGINT)))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_run_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run1")
    done = train(tree(), CONFIG, folder, make=Tiny)
    before = folder.checkpoint.read_bytes()
    with pytest.raises(UsageError, match="holds a run already; continue it with `resume`"):
        train(tree(), CONFIG, folder, make=Tiny)
    again = train(tree(), CONFIG, folder, resume=True, make=Tiny)
    assert (again.epoch, again.best_map, again.history) == (12, done.best_map, done.history)
    assert np.array_equal(again.table, done.table)
    assert folder.checkpoint.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"dim": 4}, "was begun with dim = 3, not 4"),
        ({"seed": 1}, "was begun with seed = 0, not 1"),
        ({"backend": "numba"}, "was begun with backend = torch, not numba"),
        ({"lambda_schedule": ((3, 0.0),)}, "was begun with lambda_schedule = , not 3:0"),
        ({"epochs": 20}, "was begun with epochs = 12, not 20; .* only lr_schedule = constant can"),
        ({"evaluate_sources": 7}, "was begun with evaluate_sources = 1000, not 7"),
    ],
)
def test_other_settings_are_refused(change: dict[str, Any], told: str, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run1")
    train(tree(), replace(CONFIG, epochs=1), folder, make=Tiny)
    folder = RunFolder(tmp_path / "run2")
    train(tree(), CONFIG, folder, make=Tiny)
    with pytest.raises(UsageError, match=told):
        train(tree(), replace(CONFIG, **change), folder, resume=True, make=Tiny)


def test_what_leaves_the_path_as_it_is_may_change(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run1")
    train(tree(), replace(CONFIG, early_stopping=1), folder, make=Tiny)
    unused = {"max_radius": 3.0, "margin": 7.0, "cone_step": 2.0}
    free = {"keep_last": 1, "evaluate_every": 2, "early_stopping": 0, "min_delta": 0.1}
    train(tree(), replace(CONFIG, **unused, **free), folder, resume=True, make=Tiny)


def test_other_data_are_refused(tmp_path: Path) -> None:
    folder, data = RunFolder(tmp_path / "run1"), tree()
    train(data, CONFIG, folder, inputs={"mapping": "blake3:aaaa"}, make=Tiny)
    less = replace(data, distances=np.ones_like(data.distances))
    with pytest.raises(UsageError, match="was begun with other pairs or another hierarchy"):
        train(less, CONFIG, folder, resume=True, make=Tiny)
    with pytest.raises(UsageError, match=r"other mapping \(blake3:aaaa then, blake3:bbbb now\)"):
        train(data, CONFIG, folder, resume=True, inputs={"mapping": "blake3:bbbb"}, make=Tiny)
    train(data, CONFIG, folder, resume=True, make=Tiny)


def test_a_constant_rate_can_be_extended(tmp_path: Path) -> None:
    config = replace(CONFIG, lr_schedule="constant", lr=0.05)
    train(tree(), config, RunFolder(tmp_path / "whole"), make=Tiny)
    folder = RunFolder(tmp_path / "parts")
    train(tree(), replace(config, epochs=6), folder, make=Tiny)
    assert train(tree(), config, folder, resume=True, make=Tiny).epoch == 12
    assert_same_run(folder, RunFolder(tmp_path / "whole"))


def test_other_workers_are_one_line(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run1")
    config = replace(CONFIG, backend="numba", epochs=2)
    train(tree(), config, folder, make=kernel)
    with pytest.raises(UsageError, match=r"cannot be continued here \(random: .* same workers"):
        train(tree(), replace(config, workers=2), folder, resume=True, make=kernel)


def test_lost_lines_come_back_and_later_ones_go(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run1")
    with pytest.raises(StoppedError):
        train(tree(), CONFIG, folder, make=spoiling(30, sends(signal.SIGTERM)))
    lines = folder.metrics.read_text().splitlines()
    for left in (lines[:-2], [*lines, '{"epoch": 99}', '{"epoch": 1'], []):
        folder.metrics.write_text("\n".join(left))
        with pytest.raises(StoppedError):
            train(tree(), CONFIG, folder, resume=True, make=spoiling(1, sends(signal.SIGTERM)))
        assert folder.metrics.read_text().splitlines()[: len(lines)] == lines
