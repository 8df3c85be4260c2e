"""Kills, full disks and NaN: what is left can be opened, and the run can go on."""

from __future__ import annotations

import json
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from taxcheck.engine.checkpoint import Checkpoints, read_tensors
from taxcheck.engine.progress import RunState
from taxcheck.engine.run_folder import RunFolder, whole
from taxcheck.engine.stepper import StepResult
from taxcheck.engine.stops import DivergedError
from taxcheck.engine.trainer import train
from taxcheck.model.errors import OutputError, UsageError
from taxcheck.sources.checkpoints.opening import open_checkpoint
from tests.engine import tiny
from tests.engine.test_resume import assert_same_run
from tests.engine.tiny import CONFIG, Tiny, nan, spoiling, tree

pytestmark = pytest.mark.usefixtures("no_fsync")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run that nothing happened to."""
    folder = RunFolder(tmp_path_factory.mktemp("whole"))
    train(tree(), CONFIG, folder, make=Tiny)
    return folder


def killed(folder: RunFolder, seconds: float) -> None:
    """A process begins or continues a run, and is killed so many seconds later."""
    command = [sys.executable, "-m", tiny.__name__, str(folder.path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(seconds)
        process.kill()
        assert process.wait() == -signal.SIGKILL


@pytest.mark.long
def test_killed_at_any_moment_the_run_goes_on_to_the_same_bits(
    tmp_path: Path, expected: RunFolder
) -> None:
    folder = RunFolder(tmp_path / "killed")
    for _ in range(3):
        killed(folder, random.uniform(0.0, 0.15))
        if folder.checkpoint.is_file():
            words = read_tensors(folder.checkpoint)[1]
            assert open_checkpoint(str(folder.checkpoint)).facts.epoch == words["epoch"] < 12
    train(tree(), CONFIG, folder, resume=True, make=Tiny)
    assert not list(folder.path.glob(".*")), "nothing half-written is left"
    assert_same_run(folder, expected)


class KilledError(BaseException):
    """Stands for the end of the process: nothing may catch it."""


@pytest.mark.parametrize("moment", range(28))
def test_killed_around_every_rename(
    moment: int, tmp_path: Path, expected: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(tmp_path / "killed")
    replace_file, seen = Path.replace, iter(range(1000))

    def dying(self: Path, target: Path) -> Path:
        before, after = next(seen), next(seen)
        if before == moment:
            raise KilledError
        done = replace_file(self, target)
        if after == moment:
            raise KilledError
        return done

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", dying)
        with pytest.raises(KilledError):
            train(tree(), CONFIG, folder, make=Tiny)
    if folder.checkpoint.is_file():
        read_tensors(folder.checkpoint)
    train(tree(), CONFIG, folder, resume=True, make=Tiny)
    assert_same_run(folder, expected)


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """Writes beyond a size fail as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_the_last_checkpoint(
    tmp_path: Path, expected: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(tmp_path / "full")
    save = Checkpoints.save

    def cramped(self: Checkpoints, stepper: Tiny, at: RunState) -> None:
        if at.epoch < 6:
            save(self, stepper, at)
            return
        with no_file_beyond(4096):
            save(self, stepper, at)

    with monkeypatch.context() as patched:
        patched.setattr(Checkpoints, "save", cramped)
        with pytest.raises(OutputError) as full:
            train(tree(), CONFIG, folder, make=Tiny)
    assert str(full.value).startswith(f"{folder.checkpoint}: cannot be written: ")
    assert "the last checkpoint is whole: make room and continue with `resume`" in str(full.value)
    assert "\n" not in str(full.value)
    assert read_tensors(folder.checkpoint)[1]["epoch"] == 3
    assert open_checkpoint(str(folder.checkpoint)).facts.epoch == 3
    assert not list(folder.path.glob(".*"))
    train(tree(), CONFIG, folder, resume=True, make=Tiny)
    assert_same_run(folder, expected)


def test_a_full_disk_under_the_metrics(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run1")

    class Cramped(Tiny):
        def step(self, chunk, phase, negatives):  # type: ignore[no-untyped-def]
            before = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
            limits.append(before)
            return super().step(chunk, phase, negatives)

    limits: list[tuple[int, int]] = []
    try:
        with pytest.raises(OutputError, match=r"metrics\.jsonl: cannot be written"):
            train(tree(), CONFIG, folder, make=Cramped)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits[0])
    train(tree(), CONFIG, folder, resume=True, make=Tiny)
    lines = [json.loads(line) for line in folder.metrics.read_text().splitlines()]
    assert [line["epoch"] for line in lines] == list(range(1, 13))


def test_a_file_gets_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("before")

    def halfway() -> None:
        with whole(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        halfway()
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert path.read_text() == "before"
    with (
        pytest.raises(OutputError, match="cannot be written: No such file"),
        whole(tmp_path / "none/b"),
    ):
        pass


def test_what_is_named_is_on_the_disk_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    replace_file = Path.replace
    monkeypatch.setattr("os.fsync", lambda _: done.append("synced"))
    monkeypatch.setattr(
        Path, "replace", lambda *paths: (done.append("named"), replace_file(*paths))[1]
    )
    with whole(tmp_path / "a") as file:
        file.write(b"whole")
    assert done == ["synced", "named", "synced"], "the file, and then the folder"


@pytest.mark.parametrize("spoil", [nan, lambda result: replace(result, finite=False)])
def test_nan_stops_at_once(spoil: object, tmp_path: Path) -> None:
    folder, steps = RunFolder(tmp_path / "run1"), 98 // 32 + 1
    with pytest.raises(DivergedError) as told:
        train(tree(), CONFIG, folder, make=spoiling(4 * steps + 2, spoil))  # type: ignore[arg-type]
    message = str(told.value)
    assert "in epoch 5, batch 2; its nodes are in" in message
    assert "start a new run with half of lr = 0.2" in message
    assert told.value.exit_code == 1
    with np.load(folder.nan_batch) as saved:
        assert (saved["epoch"], saved["step"]) == (5, 2)
        assert len(saved["positives"]) == saved["starts"][-1] == saved["pairs"]
        assert set(saved["sources"].tolist()) <= set(range(31))
    arrays, words = read_tensors(folder.checkpoint)
    assert words["epoch"] == 3
    assert np.isfinite(arrays["embeddings"]).all()
    last = json.loads(folder.metrics.read_text().splitlines()[-1])
    assert last == {"epoch": 5, "loss": None, "lr": pytest.approx(0.2), "nan_steps": 1}


def test_a_row_that_is_no_number_never_enters_a_checkpoint(tmp_path: Path) -> None:
    class Unseen(Tiny):
        def step(self, chunk, phase, negatives):  # type: ignore[no-untyped-def]
            result = super().step(chunk, phase, negatives)
            self._table[31] = np.nan if self._drawn[0] > 17 else 0
            return StepResult(result.loss, result.regularizer, result.pairs, finite=True)

    folder = RunFolder(tmp_path / "run1")
    with pytest.raises(DivergedError, match=r"epoch 6: 1 rows are no numbers, first idx 31"):
        train(tree(), CONFIG, folder, make=Unseen)
    assert read_tensors(folder.checkpoint)[1]["epoch"] == 3


def test_two_processes_never_share_a_folder(tmp_path: Path) -> None:
    """The lock is that of the process: when it is killed, the folder is free."""
    folder = RunFolder(tmp_path / "run1")
    script = (
        "import sys, time\nfrom pathlib import Path\n"
        "from taxcheck.engine.run_folder import RunFolder\n"
        "with RunFolder(Path(sys.argv[1])).held():\n"
        "    print('held', flush=True)\n    time.sleep(600)\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", script, folder.path], stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        refused = pytest.raises(UsageError, match="run1: another process is training in it;")
        with refused as told, folder.held():
            pass
        assert told.value.exit_code == 2
    finally:
        other.kill()
        other.wait()
    with folder.held():
        assert folder.path.is_dir()
    assert not list(folder.path.iterdir())
