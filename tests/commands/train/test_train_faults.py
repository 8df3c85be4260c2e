"""Everything that can go wrong around a run, once: one line, a documented code, nothing lost."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from taxcheck.engine.checkpoint import write_torch
from taxcheck.model.errors import OutputError
from tests.commands.train.test_train import (  # noqa: F401 - two of them are fixtures
    FAST,
    command,
    complaint,
    finished,
    record,
    train,
    tree,
)
from tests.engine.test_faults import no_file_beyond

pytestmark = pytest.mark.long

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:  # noqa: F811
    """A folder with a whole run of 20 epochs, to be spoilt."""
    return Path(shutil.copytree(finished, tmp_path / "run1"))


def left(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_other_pairs_on_resume(copy: Path, tree: Path, capsys: Captured) -> None:  # noqa: F811
    before = left(copy)
    for more in ([], ["--force"]):
        assert train(*command(tree, copy, "--resume", *more, "-q", pairs="bad")) == 2
        found = complaint(capsys)
        assert "run1: was begun with other pairs than " in found
        assert "give the same files, or start a new run in another folder" in found
    assert left(copy) == before, "not even a report is another"


def test_a_checkpoint_of_other_dimensions(
    copy: Path,
    tree: Path,  # noqa: F811
    tmp_path: Path,
    capsys: Captured,
) -> None:
    other = tmp_path / "other"
    train(*command(tree, other, *FAST, "--epochs", 1, "--dim", 4, "-q"))
    capsys.readouterr()
    shutil.copy(other / "checkpoint.safetensors", copy)
    assert train(*command(tree, copy, "--resume", "-q")) == 2
    assert "run1: was begun with dim = 4, not 5" in complaint(capsys)


@pytest.mark.parametrize("spoil", ["cut", "empty", "noise"])
def test_a_damaged_checkpoint(copy: Path, tree: Path, capsys: Captured, spoil: str) -> None:  # noqa: F811
    path = copy / "checkpoint.safetensors"
    whole = path.read_bytes()
    noise = np.random.default_rng(0).bytes(5000)
    path.unlink()  # a kept one may be the same file
    path.write_bytes({"cut": whole[:3000], "empty": b"", "noise": noise}[spoil])
    assert train(*command(tree, copy, "--resume", "--epochs", 30, "-q")) == 3
    found = complaint(capsys)
    assert str(path) in found
    assert found.endswith("or copy an older checkpoint-*.safetensors of the run over it")
    shutil.copy(max(copy.glob("checkpoint-*.safetensors")), path)
    assert train(*command(tree, copy, "--resume", "--epochs", 30, "-q")) == 0


def test_a_damaged_record(copy: Path, tree: Path, capsys: Captured) -> None:  # noqa: F811
    (copy / "run.json").write_text("{")
    assert train(*command(tree, copy, "--resume", "-q")) == 2
    assert "run.json: is no record of a run" in complaint(capsys)


def test_a_place_that_cannot_be(tree: Path, tmp_path: Path, capsys: Captured) -> None:  # noqa: F811
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path / "file", tmp_path / "file/run1"):
        assert train(*command(tree, out, *FAST, "-q")) == 3
        assert f"{out}: cannot be written: " in complaint(capsys)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_that_is_read_only(
    tree: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
) -> None:
    def refused(*_: object, **__: object) -> None:  # root may write everywhere
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "mkstemp", refused)
    assert train(*command(tree, tmp_path / "run1", *FAST, "-q")) == 3
    assert "run.json: cannot be written: Permission denied" in complaint(capsys)


@pytest.mark.parametrize("size", [100, 4_000, 20_000])
def test_a_full_disk(tree: Path, tmp_path: Path, capsys: Captured, size: int) -> None:  # noqa: F811
    out = tmp_path / "run1"
    with no_file_beyond(size):
        assert train(*command(tree, out, *FAST, "-q")) == 3
    assert "cannot be written: File too large" in complaint(capsys)
    assert not [path for path in out.iterdir() if path.stat().st_size > size]
    assert train(*command(tree, out, *FAST, "-q")) == 0, "with room it begins again"


def test_a_full_disk_under_torchs_writer(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    with (
        no_file_beyond(4096),
        pytest.raises(OutputError, match=r"best\.pt: cannot be written: torch could not"),
    ):
        write_torch(tmp_path / "best.pt", {"embeddings": np.zeros(10_000)}, {})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("backend", ["auto", "numba", "torch"])
def test_without_numba_and_torch(
    tree: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
    backend: str,
) -> None:
    for name in ("numba", "torch"):
        monkeypatch.setitem(sys.modules, name, None)
    out = tmp_path / "run1"
    assert train(*command(tree, out, *FAST, "--backend", backend)) == 2
    needed = "numba" if backend == "numba" else "torch"
    assert complaint(capsys).endswith(
        f"training needs {needed}, which is not installed: pip install 'taxcheck[torch]'"
    )
    assert not out.exists()


def test_a_folder_with_something_else_in_it(tree: Path, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "notes.txt").write_text("mine")
    assert train(*command(tree, tmp_path, *FAST, "-q")) == 0
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert record(tmp_path)["state"] == "finished"
