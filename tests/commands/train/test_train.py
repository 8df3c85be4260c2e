"""`taxcheck train` as a person types it: gate, training, audit, and the record of them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pytest

from taxcheck.cli import main
from taxcheck.cli.live import Live, clock, done, left, line
from taxcheck.commands.train.story import Watcher
from taxcheck.commands.train.story import train as run
from taxcheck.engine import dataset
from taxcheck.engine.config import TrainConfig
from taxcheck.engine.presets import PRESETS
from taxcheck.engine.progress import Progress
from taxcheck.engine.run_folder import RunFolder
from taxcheck.engine.settings import apply, kinds
from taxcheck.run.request import Request

pytestmark = pytest.mark.long

FAST = ["--workers", "1", "--epochs", "20", "--negatives", "50", "--dim", "5"]
NODES, BRANCHES = 121, 3


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree with three children everywhere, of depth 4; bad.tsv lacks its last 31 nodes."""
    folder = tmp_path_factory.mktemp("tree")
    parent = [-1] + [(node - 1) // BRANCHES for node in range(1, NODES)]
    rows = []
    for node in range(1, NODES):
        above, distance = parent[node], 1
        while above >= 0:
            rows.append((above, node, distance))
            above, distance = parent[above], distance + 1
    mapping = [f"{node + 100}\t{node}\n" for node in range(NODES)]
    (folder / "mapping.tsv").write_text("taxid\tidx\n" + "".join(mapping))
    for name, most in (("pairs", NODES), ("bad", 90)):
        text = "".join(f"{a}\t{d}\t{k}\n" for a, d, k in rows if d < most)
        (folder / f"{name}.tsv").write_text("ancestor_idx\tdescendant_idx\tdepth_diff\n" + text)
    return folder


def command(tree: Path, out: Path, *more: object, pairs: str = "pairs") -> list[str]:
    return [
        "train", "--mapping", str(tree / "mapping.tsv"), "--pairs", str(tree / f"{pairs}.tsv"),
        "--out", str(out), *map(str, more),
    ]  # fmt: skip


def train(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


def record(out: Path) -> dict[str, object]:
    return json.loads((out / "run.json").read_text())  # type: ignore[no-any-return]


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    found = capsys.readouterr().err.splitlines()
    assert len(found) == 1, found
    assert found[0].startswith("taxcheck: ")
    return found[0]


@pytest.fixture(scope="session")
def finished(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run1"
    assert train(*command(tree, out, *FAST, "--lr-schedule", "constant", "-q")) == 0
    return out


def test_a_sound_run_leaves_everything(finished: Path, tree: Path) -> None:
    names = {path.name for path in finished.iterdir()}
    assert names >= {
        "gate.html", "gate.json", "audit.html", "audit.json", "run.json", "metrics.jsonl",
        "explorer.html", "best.safetensors", "best.pt", "checkpoint.safetensors", "initial.npy",
    }  # fmt: skip
    said = record(finished)
    assert (said["state"], said["preset"], said["forced"], said["seed"]) == (
        "finished", "default", False, 0,
    )  # fmt: skip
    assert said["beyond_preset"] == {
        "dim": 5, "negatives": 50, "lr_schedule": "constant", "epochs": 20, "workers": 1,
    }  # fmt: skip
    assert list(said["config"]) == list(kinds())
    assert apply(TrainConfig(), said["config"]).dim == 5
    inputs = {given["role"]: given for given in said["inputs"]}
    assert inputs["pairs"]["file"] == str(tree / "pairs.tsv")
    assert inputs["mapping"]["rows"] == NODES
    assert inputs["pairs"]["fingerprint"].startswith("blake3:")
    assert said["gate"]["verdict"] == "pass"
    assert (said["audit"]["exit_code"], said["audit"]["rules"]["fail"]) == (0, [])
    assert said["training"]["epochs"] == 20
    (stage,) = said["draws"]  # every node has as many ancestors as its depth
    assert (stage["first"], stage["last"], stage["pairs"]) == (1, 20, 3 + 9 * 2 + 27 * 3 + 81 * 4)
    assert stage["drawn"] == pytest.approx([120 / 426, 306 / 426, 0])
    assert said["unused"] == []
    assert said["suited"] == {
        "preset": "default",
        "why": "4 levels, 3.0 children a parent, 0 % of the nodes with several parents",
        "shape": {"levels": 4, "branching": 3.0, "several_parents": 0.0},
    }
    assert {"python", "numpy", "taxcheck"} <= set(said["versions"])
    audited = json.loads((finished / "audit.json").read_text())
    assert {"mapping", "pairs", "checkpoint", "initial table"} == {
        given["role"] for given in audited["inputs"]
    }
    assert os.uname().nodename not in (finished / "run.json").read_text()


def test_a_failed_gate_refuses(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert train(*command(tree, out, *FAST, pairs="bad")) == 1
    shown = capsys.readouterr().out
    assert "31 of 121 nodes (25.6 %)" in shown
    assert "PAIR003 coverage_gap" in shown
    assert shown.splitlines()[-1].startswith("Not trained: ")
    assert {path.name for path in out.iterdir()} == {"gate.html", "gate.json", "run.json"}
    said = record(out)
    assert said["state"] == "refused"
    assert said["gate"]["rules"]["fail"] == ["PAIR003", "PAIR004"]


@pytest.mark.parametrize("how", [["--force"], ["--preset", "incident:table", "--burn-in", "0"]])
def test_force_is_recorded(tree: Path, tmp_path: Path, how: list[str]) -> None:
    out = tmp_path / "run"
    assert train(*command(tree, out, *FAST, "--epochs", 2, *how, "-q", pairs="bad")) == 1
    said = record(out)
    assert (said["state"], said["forced"]) == ("finished", True)
    assert said["gate"]["exit_code"] == said["audit"]["exit_code"] == 1
    assert ("TRAIN005" in said["audit"]["rules"]["fail"]) is ("--preset" in how)


def test_resumed_with_more_epochs(
    finished: Path, tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    shutil.copytree(finished, out)
    assert train(*command(tree, out, "--resume", "--epochs", 30)) == 0
    lines = re.findall(r"^epoch (\d+)/30 ", capsys.readouterr().out, re.M)
    assert lines == ["30"], "20 epochs were done"
    said = record(out)
    assert (said["training"]["epochs"], said["config"]["dim"]) == (30, 5)
    assert len((out / "metrics.jsonl").read_text().splitlines()) == 30


@pytest.fixture(scope="session")
def under_policy(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run that a policy, columns and held-out pairs were given to."""
    folder = tmp_path_factory.mktemp("given")
    shutil.copy(tree / "mapping.tsv", folder)
    header, *rows = (tree / "pairs.tsv").read_text().splitlines(keepends=True)
    (folder / "pairs.tsv").write_text("".join([header, *rows[:-1]]))
    (folder / "held.tsv").write_text(header + rows[-1])
    (folder / "own.toml").write_text(
        '[inputs]\nmapping = "mapping.tsv"\npairs = "pairs.tsv"\nheld_out = "held.tsv"\n'
        '[dataset]\npairs = "sampled"\n'
    )
    columns = ["--pair-columns", "ancestor,descendant,depth_diff", "--lr-schedule", "constant"]
    with contextlib.chdir(folder):
        assert train("train", "--policy", "own.toml", "--out", "run", *columns, *FAST,
                     "--epochs", 3, "--title", "stars", "-q") in (0, 1)  # fmt: skip
    return folder


def test_resume_needs_the_folder_alone(
    under_policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(under_policy, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    (tmp_path / "copy" / "taxcheck.toml").write_text('[dataset]\npairs = "edges"\n')  # since then
    before = record(Path("run"))
    assert train("train", "--resume", "--out", "run", "--epochs", 5, "-q") in (0, 1)
    now = record(Path("run"))
    assert now["training"]["epochs"] == 5  # type: ignore[index]
    assert [now[key] for key in ("policy", "title", "given", "inputs")] == [
        "own.toml",
        "stars",
        {"mapping": "mapping.tsv", "pairs": "pairs.tsv", "held_out": "held.tsv",
         "pair_columns": "ancestor,descendant,depth_diff"},
        before["inputs"],
    ]  # fmt: skip
    gate = json.loads(Path("run/gate.json").read_text())
    assert (gate["title"], gate["policy"]["differences"]) == (
        "stars", {"dataset.pairs": "sampled"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--policy", "other.toml"], ["--policy other.toml", "begun with own.toml"]),
        (["--pair-columns", "descendant,ancestor"], ["--pair-columns", "ancestor,descendant,d"]),
        (["--mapping-columns", "taxid,idx"], ["--mapping-columns taxid,idx", "begun with none"]),
        (["--taxonomy", "taxdump"], ["--taxonomy taxdump", "begun with none"]),
        (["--pairs", "held.tsv"], ["other pairs than held.tsv"]),
    ],
)
def test_what_is_given_on_top_of_resume_must_agree(
    under_policy: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    words: list[str],
) -> None:
    monkeypatch.chdir(under_policy)
    before = record(Path("run"))
    assert train("train", "--resume", "--out", "run", *more, "-q") == 2
    found = complaint(capsys)
    assert all(word in found for word in words), found
    assert record(Path("run")) == before


def test_a_file_that_has_moved_is_the_same_by_its_fingerprint(
    under_policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(under_policy, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    Path("pairs.tsv").rename("closure.tsv")
    assert train("train", "--resume", "--out", "run", "--pairs", "closure.tsv",
                 "--policy", Path("own.toml").resolve(), "--epochs", 4, "-q") in (0, 1)  # fmt: skip
    now = record(Path("run"))
    assert now["given"]["pairs"] == "closure.tsv"  # type: ignore[index]
    assert now["given"]["held_out"] == "held.tsv"  # type: ignore[index]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ([], ["holds a run already", "--resume"]),
        (["--resume", "--dim", "7"], ["dim = 5, not 7"]),
        (["--resume", "--preset", "fixed"], ["--resume", "--preset"]),
    ],
)
def test_a_run_is_neither_overwritten_nor_mixed(
    finished: Path,
    tree: Path,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    words: list[str],
) -> None:
    before = (finished / "run.json").read_text(), (finished / "best.safetensors").read_bytes()
    assert train(*command(tree, finished, *more, "-q")) == 2
    found = complaint(capsys)
    assert all(word in found for word in words), found
    now = (finished / "run.json").read_text(), (finished / "best.safetensors").read_bytes()
    assert now == before


def test_what_has_no_effect_is_told_before_the_first_step(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--epochs", "1", "--negatives", "9", "--workers", "1", "--batch-size", "1024"]
    train(*command(tree, tmp_path / "run", *given))
    told = "batch_size = 1024 is not used: it is for backend = torch"
    lines = capsys.readouterr().out.splitlines()
    assert told in lines
    assert f"preset default suits the data: {record(tmp_path / 'run')['suited']['why']}" in lines  # type: ignore[index]
    assert told in record(tmp_path / "run")["unused"]  # type: ignore[operator]


@pytest.mark.parametrize("more", [[], ["--resume"]])
def test_a_folder_in_which_another_process_trains_is_left_alone(
    finished: Path, tree: Path, capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in finished.iterdir()}
    with RunFolder(finished).held():  # as another process would: locks are of open files
        assert train(*command(tree, finished, *more, "-q")) == 2
    assert "another process is training in it; wait" in complaint(capsys)
    assert {path.name: path.stat().st_mtime_ns for path in finished.iterdir()} == before


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--margin", "-1"], ["--margin -1.0: must be 0 or more"]),
        (["--dim", "0"], ["--dim 0"]),
        (["--negatives", "0"], ["--negatives 0"]),
        (["--hard-share", "1.5"], ["--hard-share 1.5"]),
        (["--loss", "hinge"], ["--loss", "softmax"]),
        (["--curriculum", "20"], ["--curriculum 20", "20:1-2,50:1-5"]),
        (
            ["--geometry", "lorentz", "--max-radius", "14", "--dtype", "float32"],
            ["max_radius = 14", "9.0"],
        ),
        (["--preset", "incidnet"], ["--preset incidnet", "did you mean incident"]),
        (["--config", "none.toml"], ["none.toml", "does not exist"]),
        (["--epoch", "3"], ["--epoch", "--help"]),
        (["--resume"], ["holds no run", "without --resume"]),
    ],
)
def test_what_cannot_be_is_one_line_and_two(
    tree: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    words: list[str],
) -> None:
    assert train(*command(tree, tmp_path / "run", *more)) == 2
    found = complaint(capsys)
    assert all(word in found for word in words), found
    assert not (tmp_path / "run").exists(), "nothing was begun"


def test_an_input_that_is_not_there(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(*command(tree, tmp_path / "run", pairs="none")) == 3
    found = complaint(capsys)
    assert "none.tsv" in found
    said = record(tmp_path / "run")
    assert said["state"] == "stopped"
    assert "none.tsv" in str(said["why"])


@pytest.mark.slow
@pytest.mark.usefixtures("interruptible")
def test_interrupted_and_resumed(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    arguments = command(tree, out, *FAST, "--epochs", 100_000, "--evaluate-every", 50_000)
    process = subprocess.Popen(
        [sys.executable, "-m", "taxcheck.cli", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    metrics, until = out / "metrics.jsonl", time.monotonic() + 900
    while not (metrics.exists() and metrics.stat().st_size) and time.monotonic() < until:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=900)
    assert process.returncode == 130, errors
    (found,) = errors.splitlines()
    assert found.startswith("taxcheck: stopped by SIGINT")
    assert "--resume" in found
    said = record(out)
    assert said["state"] == "stopped"
    assert "SIGINT" in str(said["why"])
    epochs = len(metrics.read_text().splitlines())
    assert train(*command(tree, out, "--resume", "--max-seconds", 1e-6, "-q")) == 2
    assert record(out) == said, "a linear rate depends on its end, so this is refused"
    assert epochs >= 1


def test_help_lists_every_key_and_preset(capsys: pytest.CaptureFixture[str]) -> None:
    main(["train", "--help"])
    text = capsys.readouterr().out
    for key in kinds():
        assert f"--{key.replace('_', '-')} " in text
    for name in PRESETS:
        assert f"  {name} " in text
    for heading in ("The table:", "Objective:", "Presets:", "Exit codes:"):
        assert heading in text


def test_help_loads_no_engine() -> None:
    script = (
        "import sys\nfrom taxcheck.cli import main\n"
        "try:\n    main(['train', '--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'torch', 'numba', 'pyarrow', 'rich'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=900, check=False
    )
    assert ended.returncode == 0, ended.stderr


def test_five_lines_of_python(tree: Path, tmp_path: Path) -> None:
    seen: list[object] = []

    class Notes(Watcher):
        def trained(self, progress: Progress) -> None:
            seen.append(progress.epoch)

    request = Request(mapping=str(tree / "mapping.tsv"), pairs=str(tree / "pairs.tsv"))
    config = TrainConfig(epochs=3, workers=1, negatives=20)
    ended = run(request, tmp_path / "run", config, watcher=Notes())
    assert ended.trained is not None
    assert ended.trained.epoch == 3
    assert ended.audit is not None
    assert ended.exit_code == ended.audit.exit_code
    assert seen[-1] == 3


def test_of_a_run_whose_reader_left_the_record_says_so(tree: Path, tmp_path: Path) -> None:
    class Left(Watcher):
        def judged(self, *_: object) -> None:
            raise BrokenPipeError

    request = Request(mapping=str(tree / "mapping.tsv"), pairs=str(tree / "pairs.tsv"))
    with pytest.raises(BrokenPipeError):
        run(request, tmp_path / "run", TrainConfig(epochs=3, workers=1), watcher=Left())
    said = record(tmp_path / "run")
    assert (said["state"], said["why"]) == ("stopped", "whoever read the output left")


def test_labels_and_weights_without_a_mapping(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [line.split("\t") for line in (tree / "pairs.tsv").read_text().splitlines()[1:]]
    closure, out = tmp_path / "closure.csv", tmp_path / "run"
    text = "".join(f"x{d},x{a},{1 + int(k)}\n" for a, d, k in rows)
    closure.write_text("id1,id2,weight\n" + text)
    assert train("train", "--pairs", closure, "--out", out, *FAST, "-q") == 0
    table = ["--embeddings", out / "best.safetensors", "--pairs", closure]
    assert train("run", *table, "--mapping", out / "mapping.parquet") == 0
    capsys.readouterr()
    main(["why", "x7", *map(str, table), "--mapping", str(out / "mapping.parquet")])
    assert "x2" in capsys.readouterr().out, "(7 - 1) // 3 is its parent"


def progress(**more: object) -> Progress:
    values = {"epoch": 3, "epochs": 10, "share": 0.5, "seconds": 50.0, "loss": 2.5, "lr": 0.1}
    return Progress(**values | more)  # type: ignore[arg-type]


def test_a_line_for_every_evaluation(capsys: pytest.CaptureFixture[str]) -> None:
    now = progress(
        share=1.0,
        record={
            **{"loss": 2.5, "map": 0.5, "mean_rank": 3.25, "mean_rank_low": 2, "rank_p50": 1},
            **{"mean_rank_high": 7.08, "rank_p99": 41, "pairs_per_second": 12345.6, "lr": 0.1},
        },
        best_map=0.5,
        best_epoch=3,
    )
    with Live(terminal=False) as live:
        live.trained(progress())
        live.trained(progress(record={"loss": 1.0}))
        live.trained(now)
    assert capsys.readouterr().out == line(now) + "\n"
    assert line(now) == (
        "epoch 3/10 loss 2.5 MAP 0.5000 mean rank 3.2 (2.0 to 7.1) rank p50, p99 1, 41 "
        "norm p50 - p90 - p99 - pairs/s 12,346 lr 0.1 lambda - best 0.5000 at 3, 1:57 left"
    )


def test_what_is_left() -> None:
    assert done(progress()) == 0.25
    assert left(progress()) == 150.0
    assert clock(150) == "2:30"
    assert clock(3725) == "1:02:05"
    assert clock(left(progress(epoch=1, share=0.0))) == "?"


def test_a_terminal_shows_bar_and_table(capsys: pytest.CaptureFixture[str]) -> None:
    with Live(terminal=True) as live:
        live.trained(progress(record={"loss": 2.5, "map": 0.4321, "lambda_reg": 0.01}))
        live.trained(progress(epoch=4, loss=1.75, best_map=0.4321, best_epoch=3))
    shown = capsys.readouterr().err
    for word in ("epoch 4/10", "mean rank", "0.4321 at 3", "1.75"):
        assert word in shown


def test_what_a_split_left_is_trained_on_and_nothing_that_is_held_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the folder that `build --split` made, of its 360 pairs or so a tenth held out."""
    parents = "".join(f"n{node},n{(node - 1) // BRANCHES}\n" for node in range(1, NODES))
    (tmp_path / "edges.csv").write_text("child,parent\n" + parents)
    built = tmp_path / "built"
    main(["build", str(tmp_path / "edges.csv"), "--out", str(built), "--split", "0.1", "-q"])
    monkeypatch.chdir(built)
    rows = {name: set(zip(*pq.read_table(built / f"{name}.parquet").columns[:2], strict=True))
            for name in ("pairs", "held_out")}  # fmt: skip
    assert rows["held_out"]
    seen: list[set[tuple[int, int]]] = []
    made = dataset.training_data

    def noted(a: npt.NDArray[np.int32], d: npt.NDArray[np.int32], *args: Any, **more: Any) -> Any:
        seen.append(set(zip(a.tolist(), d.tolist(), strict=True)))
        return made(a, d, *args, **more)

    monkeypatch.setattr(dataset, "training_data", noted)
    out = tmp_path / "run"
    assert train("train", "--out", out, *FAST, "--epochs", 2, "-q") in (0, 1), "of its audit"
    said = record(out)
    assert (said["state"], said["forced"], said["gate"]["exit_code"]) == ("finished", False, 0)
    assert {given["role"] for given in said["inputs"]} == {"mapping", "pairs", "held-out"}
    (trained,) = seen
    assert trained == {(a.as_py(), d.as_py()) for a, d in rows["pairs"]}
    assert not trained & {(a.as_py(), d.as_py()) for a, d in rows["held_out"]}
