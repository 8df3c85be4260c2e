"""The loop: what it steps with, when it evaluates, which table is the best, when it ends."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from taxcheck.engine import checkpoint
from taxcheck.engine.progress import Evaluator, Progress
from taxcheck.engine.run_folder import RunFolder
from taxcheck.engine.trainer import train
from taxcheck.model.errors import UsageError
from tests.engine.tiny import CONFIG, Tiny, tree

pytestmark = pytest.mark.usefixtures("no_fsync")


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

    def step(self, chunk, phase, negatives):  # type: ignore[no-untyped-def]
        return super().step(chunk, replace(phase, lr=0.0), negatives)


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


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def after(self, seconds: float, call: Any) -> Any:
        """The same function, which takes so many seconds."""

        def slow(*given: Any, **more: Any) -> Any:
            self.now += seconds
            return call(*given, **more)

        return slow


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A step takes a second, the first ten more; an evaluation five, a file one."""
    clock = Clock()
    monkeypatch.setattr("time.perf_counter", clock)
    monkeypatch.setattr(Evaluator, "measure", clock.after(5, Evaluator.measure))
    monkeypatch.setattr(checkpoint, "write_tensors", clock.after(1, checkpoint.write_tensors))
    monkeypatch.setattr(checkpoint, "write_torch", clock.after(1, checkpoint.write_torch))
    return clock


class Stepping(Tiny):
    """Tiny on such a clock."""

    steps = 0

    def step(self, chunk, phase, negatives):  # type: ignore[no-untyped-def]
        time.perf_counter.now += 1 + 10 * (not self.steps)  # type: ignore[attr-defined]
        self.steps += 1
        return super().step(chunk, phase, negatives)


@pytest.mark.parametrize("limit", [60, 200])
def test_a_limit_of_time_holds_for_all_that_comes_after_the_steps(
    limit: float, tmp_path: Path, clock: Clock
) -> None:
    config = replace(CONFIG, max_seconds=limit, epochs=10_000)
    done = train(tree(), config, RunFolder(tmp_path), make=Stepping)
    assert "map" in done.history[-1]
    assert limit - 20 < clock.now - 100 <= limit
    assert done.seconds <= clock.now - 100
    assert done.epoch < 100


def test_the_length_of_a_run_is_foretold_once(clock: Clock) -> None:
    seen: list[Progress] = []
    config = replace(CONFIG, epochs=100, evaluate_every=100)
    train(tree(), config, observe=seen.append, make=Stepping)
    (foretold,) = [p.foretold for p in seen if p.foretold is not None]
    steps = sum(p.record is None for p in seen)
    assert steps > 300
    assert foretold == pytest.approx(10 + steps, rel=0.3), "chunks differ in length"
    assert clock.now > 100 + steps


def test_the_last_epoch_is_evaluated_and_time_ends_a_run() -> None:
    assert "map" in train(tree(), replace(CONFIG, evaluate_every=100), make=Tiny).history[-1]
    done = train(tree(), replace(CONFIG, max_seconds=1e-9), make=Tiny)
    assert done.epoch == 1, "the epoch in which time is up is the last"
    assert done.history[0]["pairs"] < 98
    assert "map" in done.history[0]


@pytest.mark.parametrize(("waits", "best"), [(0, 3), (3, 3), (4, 6), (10, 12), (12, 12)])
def test_the_best_table_can_wait_for_an_epoch(waits: int, best: int, tmp_path: Path) -> None:
    config, folder = replace(CONFIG, best_from=waits), RunFolder(tmp_path)
    assert train(tree(), config, folder, make=Still).best_epoch == best
    assert checkpoint.read_tensors(folder.best)[1]["epoch"] == best


def test_equal_runs_leave_equal_tables_byte_by_byte(tmp_path: Path) -> None:
    for name in ("a", "elsewhere/b"):
        train(tree(), CONFIG, RunFolder(tmp_path / name), make=Tiny)
    for file in ("best.safetensors", "best.pt"):
        one, other = ((tmp_path / name / file).read_bytes() for name in ("a", "elsewhere/b"))
        assert one == other


def test_plans_are_refused_before_the_first_step() -> None:
    config = replace(CONFIG, curriculum=((2, 1, 2), (4, 30, 40)))
    with pytest.raises(UsageError, match="curriculum: there are no pairs at distance 30 to 40"):
        train(tree(), config, make=Tiny)
