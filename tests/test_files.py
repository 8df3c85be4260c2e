"""Hidden folders: one for each run, and none of the dead."""

from __future__ import annotations

import fcntl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from taxcheck.files import hidden_folder


def test_it_goes_with_the_block_and_stays_under_another_name(tmp_path):
    with hidden_folder(tmp_path / "out", "building") as folder:
        assert folder.name.startswith(".out.building-")
        (folder / "file").touch()
    assert not list(tmp_path.iterdir())
    with hidden_folder(tmp_path / "out", "building") as folder:
        folder.rename(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_only_what_was_left_at_this_place_is_removed(tmp_path):
    left = tmp_path / ".out.building-abcd_123"
    others = [
        ".out.building-mine", ".out.building-ABCDEFGH", ".other.building-abcdefgh",
        ".out.repairing-abcdefgh", "out.building-abcdefgh",
    ]  # fmt: skip
    for name in (left.name, *others):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".out.building-linked00").symlink_to(tmp_path / "elsewhere")
    (tmp_path / ".out.building-afile000").touch()
    with hidden_folder(tmp_path / "out", "building") as own:
        found = {path.name for path in tmp_path.iterdir()}
    assert found == {
        *others, own.name, "elsewhere", ".out.building-linked00", ".out.building-afile000",
    }  # fmt: skip


def test_runs_at_once_remove_nothing_of_each_other(tmp_path):
    def run(number: int) -> bool:
        with hidden_folder(tmp_path / "out", "building") as folder:
            (folder / "file").write_text(str(number))
            return (folder / "file").read_text() == str(number)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(run, range(400)))
    assert not list(tmp_path.iterdir())


def test_where_nothing_can_be_locked_nothing_is_removed(tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError("no locks here")

    monkeypatch.setattr(fcntl, "flock", refuse)
    left = Path(tmp_path / ".out.building-abcdefgh")
    left.mkdir()
    with hidden_folder(tmp_path / "out", "building") as folder:
        assert folder.is_dir()
    assert left.is_dir()
