"""A folder that is there whole or not at all, whatever ends the writing."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from taxcheck.commands.fix import write as written
from taxcheck.commands.fix.plan import Wishes
from taxcheck.commands.fix.repair import fix
from taxcheck.commands.selftest.folder import Folder
from taxcheck.files import whole_folder
from taxcheck.model.errors import OutputError, UsageError
from tests.commands.fix.repaired import repair, request_of

pytestmark = pytest.mark.long

PROGRAM = """
import sys, time
from pathlib import Path
from taxcheck.cli import main
from taxcheck.commands.fix import repair
written = repair._written
def slow(folder, *rest):
    Path("written").touch()
    time.sleep(900)
    return written(folder, *rest)
if sys.argv.pop(1) == "slow":
    repair._written = slow
main()
"""


def data(path: Path) -> dict[Path, bytes]:
    folder = Folder()
    folder.drop((0, 9))
    folder.write(path / "data")
    return contents(path / "data")


def contents(folder: Path) -> dict[Path, bytes]:
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def start(path: Path, kind: str, **more: object) -> subprocess.Popen[bytes]:
    given = ["--mapping", "data/mapping.tsv", "--pairs", "data/pairs.tsv", "--out", "fixed"]
    # what Python itself would keep of a module is cut as well where files may not be long
    environment = os.environ | {"PYTHONPATH": str(Path.cwd()), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, kind, "fix", *given],
        cwd=path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, env=environment,
        **more,  # type: ignore[call-overload]
    )  # fmt: skip


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_killed_while_it_writes(number, tmp_path):
    before = data(tmp_path)
    process = start(tmp_path, "slow")
    while not (tmp_path / "written").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(number)
    process.wait(900)
    left = [p.name for p in tmp_path.iterdir() if p.name.startswith(".fixed")]
    assert contents(tmp_path / "data") == before
    assert not (tmp_path / "fixed").exists()
    if number == signal.SIGKILL:  # nobody can clean up after it, but the next run
        assert len(left) == 1
        assert fix(request_of(tmp_path / "data"), tmp_path / "fixed").exit_code == 0
        assert not (tmp_path / left[0]).exists()
    else:
        assert process.returncode == 128 + number
        assert left == []


def test_the_folder_of_a_run_that_lives_is_let_be(tmp_path):
    data(tmp_path)
    process = start(tmp_path, "slow")
    try:
        while not (tmp_path / "written").exists():
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        (theirs,) = tmp_path.glob(".fixed.*")
        before = contents(theirs)
        assert fix(request_of(tmp_path / "data"), tmp_path / "fixed").exit_code == 0
        assert contents(theirs) == before != {}
    finally:
        process.kill()
        process.communicate(timeout=900)


def test_no_room_is_one_line_and_leaves_nothing(tmp_path):
    """A limit on the size of files is what a full disk is to the writer."""
    before = data(tmp_path)

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))

    process = start(tmp_path, "fast", preexec_fn=small)
    _, error = process.communicate(timeout=900)
    lines = error.decode().splitlines()
    assert process.returncode == 3, lines
    assert len(lines) == 1
    assert "fixed" in lines[0]
    assert ".fixed" not in lines[0]
    assert contents(tmp_path / "data") == before
    assert [p.name for p in tmp_path.iterdir()] == ["data"]


def test_a_dry_run_writes_nothing(tmp_path):
    before = data(tmp_path)
    seen = []
    fixed = fix(
        request_of(tmp_path / "data"),
        tmp_path / "deep" / "fixed",
        dry_run=True,
        shown=lambda _, plan: seen.append(plan),
    )
    assert (fixed.exit_code, fixed.after, fixed.written) == (0, None, ())
    assert [step.rows for step in seen[0].steps] == [1]
    assert contents(tmp_path) == before
    assert [p.name for p in tmp_path.iterdir()] == ["data"]


def test_the_plan_is_shown_before_anything_is_written(tmp_path):
    data(tmp_path)
    out = tmp_path / "fixed"
    names = []
    fix(
        request_of(tmp_path / "data"),
        out,
        shown=lambda _, __: names.extend(p.name for p in tmp_path.iterdir()),
    )
    assert names == ["data"]
    assert out.is_dir()


def test_a_result_that_the_gate_fails_is_not_kept(tmp_path, monkeypatch):
    """Whatever the planning believed, the gate has the last word."""
    data(tmp_path)
    write = written.write_pairs
    monkeypatch.setattr(
        written, "write_pairs", lambda path, batches, schema: write(path, list(batches)[:0], schema)
    )
    with pytest.raises(Exception, match="no rows"):
        fix(request_of(tmp_path / "data"), tmp_path / "fixed")
    monkeypatch.setattr(
        written,
        "write_pairs",
        lambda path, batches, schema: write(path, [b.slice(0, 31) for b in batches], schema),
    )
    fixed = fix(request_of(tmp_path / "data"), tmp_path / "fixed")
    assert (fixed.exit_code, fixed.written) == (1, ())
    assert [cause.id for cause, _ in fixed.after.by_cause] == ["PAIR003"]  # the tiger's
    assert [p.name for p in tmp_path.iterdir()] == ["data"]


def test_what_is_there_is_never_overwritten(tmp_path):
    (tmp_path / "fixed").mkdir()
    (tmp_path / "fixed" / "mine").touch()
    with pytest.raises(UsageError, match="never overwritten"):
        repair(Folder(), tmp_path, Wishes(oversample=2))
    assert [p.name for p in (tmp_path / "fixed").iterdir()] == ["mine"]


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "fixed").mkdir()
    assert repair(Folder(), tmp_path, Wishes(oversample=2)).written


def test_no_permission_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(OutputError, match="cannot be written"),
        whole_folder(tmp_path / "file/out", "repairing"),
    ):
        pass


def test_standard_input_cannot_be_read_twice(tmp_path):
    from taxcheck.run.request import Request

    with pytest.raises(UsageError, match="not standard input"):
        fix(Request(mapping="-", pairs="pairs.tsv"), tmp_path / "fixed")
