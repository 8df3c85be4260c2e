"""`torchrun --no-python taxcheck train`: two processes, one run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from taxcheck.engine.checkpoint import read_tensors
from tests.commands.train.test_train import command, record, train, tree  # noqa: F401 - a fixture

pytestmark = pytest.mark.long

pytest.importorskip("torch")

ROOT = Path(__file__).parents[2]
KEYS = ["--backend", "torch", "--epochs", 20, "--negatives", 50, "--dim", 5]
KEYS += ["--batch-size", 100, "--lr-schedule", "constant"]
KEYS += ["--preset", "dag"]  # the default's long steps make much of a rounding within ten epochs


def start(*arguments: str) -> subprocess.Popen[str]:
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    taxcheck = Path(sys.executable).with_name("taxcheck")
    launch += ["--nproc-per-node", "2", "--no-python", str(taxcheck), *arguments]
    return subprocess.Popen(
        launch,
        env=os.environ | {"GLOO_SOCKET_IFNAME": "lo"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def torchrun(*arguments: str) -> tuple[int, str, list[str]]:
    """The exit code of torchrun, what was shown, and the lines of taxcheck's own complaints."""
    process = start(*arguments)
    shown, errors = process.communicate(timeout=900)
    told = [line for line in errors.splitlines() if line.startswith("taxcheck: ")]
    return process.returncode, shown, told


@pytest.fixture(scope="module")
def runs(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:  # noqa: F811
    """The folder of a run of two processes, that of one, and what the two have shown."""
    folder = tmp_path_factory.mktemp("runs")
    code, shown, told = torchrun(*command(tree, folder / "both", *KEYS))
    assert (code, told) == (0, []), shown
    assert train(*command(tree, folder / "alone", *KEYS, "-q")) == 0
    return folder / "both", folder / "alone", shown


def last_map(run: Path) -> float:
    return float(json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])["map"])


@pytest.mark.slow
def test_two_processes_are_one_run(runs: tuple[Path, Path, str]) -> None:
    both, alone, shown = runs
    assert shown.count("epoch 20/20") == shown.count("audit: ") == 1, "the first shows"
    assert {p.name for p in both.iterdir()} == {p.name for p in alone.iterdir()}
    said = record(both)
    assert (said["state"], said["training"]["epochs"]) == ("finished", 20)  # type: ignore[index]
    assert said["config"] == record(alone)["config"]
    assert last_map(both) == pytest.approx(last_map(alone), abs=0.02)
    tables = [read_tensors(run / "checkpoint.safetensors")[0] for run in (both, alone)]
    np.testing.assert_array_equal(tables[0]["updates"], tables[1]["updates"])
    np.testing.assert_allclose(tables[0]["embeddings"], tables[1]["embeddings"], rtol=1e-5)


@pytest.mark.slow
def test_two_processes_go_on(
    runs: tuple[Path, Path, str],
    tree: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    both, alone = tmp_path / "both", tmp_path / "alone"
    for run, copy in zip(runs[:2], (both, alone), strict=True):
        shutil.copytree(run, copy)
    code, shown, told = torchrun(*command(tree, both, "--resume", "--epochs", "30"))
    assert (code, told) == (0, []), shown
    assert "epoch 30/30" in shown
    assert "epoch 10/30" not in shown
    lines = (both / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == list(range(1, 31))
    assert train(*command(tree, alone, "--resume", "--epochs", 30, "-q")) == 0
    assert last_map(both) == pytest.approx(last_map(alone), abs=0.02)


@pytest.mark.slow
def test_what_is_refused_is_said_once(tree: Path, tmp_path: Path) -> None:  # noqa: F811
    out = tmp_path / "run"
    code, shown, told = torchrun(*command(tree, out, *KEYS, pairs="bad"))
    assert (code, told) == (1, [])
    assert shown.count("Not trained: ") == shown.count("gate: ") == 1
    assert record(out)["state"] == "refused"
    assert {path.name for path in out.iterdir()} == {"gate.html", "gate.json", "run.json"}
    code, shown, told = torchrun(*command(tree, tmp_path / "none", pairs="none"))
    assert (code, shown, len(told)) == (1, "", 1)
    assert "none.tsv" in told[0]
    code, shown, told = torchrun(*command(tree, tmp_path / "numba", "--backend", "numba"))
    assert (code, shown, len(told)) == (1, "", 1)
    assert "start it without torchrun, or set backend to torch" in told[0]
    assert not (tmp_path / "numba").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("interruptible")
def test_stopped_by_a_signal(tree: Path, tmp_path: Path) -> None:  # noqa: F811
    out = tmp_path / "run"
    process = start(*command(tree, out, *KEYS, "--epochs", 100_000, "--evaluate-every", 50_000))
    metrics, until = out / "metrics.jsonl", time.monotonic() + 900
    while not (metrics.exists() and metrics.stat().st_size) and time.monotonic() < until:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=900)
    (told,) = (line for line in errors.splitlines() if line.startswith("taxcheck: "))
    assert told.startswith("taxcheck: stopped by SIGINT in epoch ")
    said = record(out)
    why = told.removeprefix("taxcheck: ").replace("--resume", "`resume`")  # a record names fields
    assert (said["state"], said["why"]) == ("stopped", why)
    standing = read_tensors(out / "checkpoint.safetensors")[1]["standing"]
    assert standing["epoch"] == len(metrics.read_text().splitlines())
