"""The loop: what it steps with, when it evaluates, which table is the best, when it ends."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from taxcheck.engine.config import TrainConfig
from taxcheck.engine.progress import Progress
from taxcheck.engine.quality import Quality, norms
from taxcheck.engine.run_folder import RunFolder
from taxcheck.engine.schedule import out_of_patience, phase, regularizer_weight
from taxcheck.engine.standing import Standing
from taxcheck.engine.trainer import train
from taxcheck.errors import UsageError
from taxcheck.geometry.space import Space
from tests.engine.tiny import CONFIG, Tiny, tree

pytestmark = pytest.mark.usefixtures("no_fsync")


def test_learning_rates() -> None:
    def learning_rate(config: TrainConfig, *at: float) -> float:
        return phase(config, *at).lr

    linear = replace(CONFIG, lr=1.0, epochs=10, burn_in=2, burn_in_factor=0.01)
    assert [learning_rate(linear, k) for k in (0, 1)] == [0.01, 0.01]
    assert [learning_rate(linear, k) for k in (2, 6, 9)] == [1.0, 0.5, 0.125]
    timed = replace(linear, max_seconds=100.0)
    assert learning_rate(timed, 2, 75.0) == 0.25
    assert learning_rate(timed, 9, 1.0) == 0.125
    assert learning_rate(timed, 9, 101.0) == 0.0
    ends = replace(linear, refine=0.5, refine_lr=0.1)
    assert [learning_rate(ends, k) for k in (0, 2, 4)] == [0.01, 1.0, 0.5]
    assert [learning_rate(ends, k) for k in (6, 8)] == [0.1, 0.05]
    assert [phase(ends, k).refining for k in (0, 5, 6, 9)] == [False, False, True, True]
    constant = replace(linear, lr_schedule="constant")
    assert [learning_rate(constant, k) for k in (0, 2, 9)] == [0.01, 1.0, 1.0]


def test_regularizer_weights() -> None:
    stepped = replace(CONFIG, lambda_reg=0.5, lambda_schedule=((2, 0.0), (4, 0.01)))
    assert [regularizer_weight(stepped, k) for k in range(6)] == [0.5, 0.5, 0, 0, 0.01, 0.01]
    assert regularizer_weight(CONFIG, 7) == CONFIG.lambda_reg


def test_patience_is_compared_with_the_best_before() -> None:
    at = Standing(1)
    waited, best = [], []
    for score in (0.5, 0.5, 0.55, 0.58, 0.7, float("nan"), 0.1):
        best.append(at.judge(score, 0.1))
        waited.append(at.waited)
    assert waited == [0, 1, 2, 3, 0, 1, 2]
    assert best == [True, False, True, True, True, False, False], "the best is any that is larger"
    assert at.best_map == 0.7
    assert not out_of_patience(replace(CONFIG, early_stopping=0), 10**6)
    assert not out_of_patience(replace(CONFIG, early_stopping=3), 2)
    assert out_of_patience(replace(CONFIG, early_stopping=3), 3)


def test_a_run_from_end_to_end(tmp_path: Path) -> None:
    seen: list[Progress] = []
    done = train(tree(), CONFIG, RunFolder(tmp_path / "a/run1"), observe=seen.append, make=Tiny)
    lines = (tmp_path / "a/run1/metrics.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert records == list(done.history)
    assert [record["epoch"] for record in records] == list(range(1, 13))
    assert [k for k, record in enumerate(records, 1) if "map" in record] == [3, 6, 9, 12]
    # A full tree of 31 nodes has 2 * 1 + 4 * 2 + 8 * 3 + 16 * 4 pairs.
    assert all(record["pairs"] == 98 and record["nan_steps"] == 0 for record in records)
    assert all(record["reg_loss"] == records[0]["reg_loss"] for record in records)
    assert records[0]["lr"] == 0.3
    assert records[6]["lr"] == pytest.approx(0.15)
    best = max((record for record in records if "map" in record), key=lambda r: r["map"])
    assert (done.best_map, done.best_epoch) == (best["map"], best["epoch"])
    ends = [p for p in seen if p.record is not None]
    assert [p.epoch for p in ends] == list(range(1, 13))
    assert [p.epoch for p in ends if p.improved][-1] == done.best_epoch
    assert all(0 < p.share <= 1 for p in seen)
    assert done.updates.sum() == 12 * 98 * 2
    assert done.updates[-1] == 0, "the node in no pair"


def test_without_a_folder_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = train(tree(), CONFIG, make=Tiny)
    assert done.epoch == 12
    assert not list(tmp_path.iterdir())


class Still(Tiny):
    """Learns nothing, so that no evaluation is better than the one before."""

    def step(self, work, _, lambda_reg, negatives, temperature=None):  # type: ignore[no-untyped-def]
        return super().step(work, 0.0, lambda_reg, negatives, temperature)


@pytest.mark.parametrize(("patience", "epochs"), [(0, 12), (1, 6), (2, 9), (3, 12), (9, 12)])
def test_early_stopping(patience: int, epochs: int, tmp_path: Path) -> None:
    config, folder = replace(CONFIG, early_stopping=patience), RunFolder(tmp_path)
    done = train(tree(), config, folder, make=Still)
    assert done.epoch == epochs
    assert done.stopped_early is (epochs < 12)
    assert done.best_epoch == 3
    assert json.loads(folder.checkpoint.with_suffix(".json").read_text())["stopped_early"] is (
        epochs < 12
    )


def test_the_last_epoch_is_evaluated_and_time_ends_a_run() -> None:
    assert "map" in train(tree(), replace(CONFIG, evaluate_every=100), make=Tiny).history[-1]
    done = train(tree(), replace(CONFIG, max_seconds=1e-9), make=Tiny)
    assert done.epoch == 1, "the epoch in which time is up is the last"
    assert done.history[0]["pairs"] < 98
    assert "map" in done.history[0]


def test_plans_are_refused_before_the_first_step() -> None:
    config = replace(CONFIG, curriculum=((2, 1, 2), (4, 30, 40)))
    with pytest.raises(UsageError, match="curriculum: there are no pairs at distance 30 to 40"):
        train(tree(), config, make=Tiny)


def test_quality_of_a_table_that_is_known() -> None:
    data = tree(2)  # 0 above 1 and 2, and 3 in no pair
    table = np.array([[0.0, 0], [0.2, 0], [-0.2, 0], [0, 0.9]])
    config = replace(CONFIG, dim=2, evaluate_sources=10)
    found = Quality(data, config).measure(table)
    assert (found["map"], found["mean_rank"]) == (1.0, 1.0), "both have the root nearest"
    assert found["norm_max"] == pytest.approx(0.9)
    assert found["norm_p50"] == pytest.approx(0.2)
    table[1] = [0, 0.88]
    worse = Quality(data, config).measure(table)
    assert worse["map"] == 0.75, "1 has row 3 before its ancestor"
    assert worse["mean_rank"] == 1.5


def test_norms_of_every_model_are_those_of_the_ball() -> None:
    radius = np.array([1.0, 2.0, 3.0])
    lorentz = np.column_stack([np.cosh(radius), np.sinh(radius), 0 * radius])
    tangent = np.column_stack([radius, 0 * radius])
    for table, geometry in ((lorentz, "lorentz"), (tangent, "tangent")):
        found = norms(Space.of(table, geometry))
        assert found["norm_max"] == pytest.approx(np.tanh(1.5))
        assert found["norm_p50"] == pytest.approx(np.tanh(1.0))
    assert norms(Space.of(tangent, "euclidean"))["norm_max"] == 3
    assert np.isnan(norms(Space.of(np.full((2, 2), np.nan), "ball"))["norm_p90"])
