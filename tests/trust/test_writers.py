"""Every writer on a disk that is full at every point, and when it is killed: whole, or not there.

Two kinds of full disk: a limit on the size of files, which ends a write at any byte, and a small
file system of its own, which only root can mount.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from taxcheck.commands.build.dataset import FILES
from tests.trust import seeds
from tests.trust.cage import ROOT, Cage
from tests.trust.targets import MAPPING, PAIRS, beside

pytestmark = pytest.mark.long

BAD = ("--mapping", "mapping.tsv", "--pairs", "bad.tsv")
OLD = "what was there before"


def html(path: Path) -> bool:
    return path.read_text(encoding="utf-8").rstrip().endswith("</html>")


def json_(path: Path) -> bool:
    return isinstance(json.loads(path.read_text(encoding="utf-8")), dict)


def xml(path: Path) -> bool:
    return path.read_text(encoding="utf-8").rstrip().endswith(">")


def text(path: Path) -> bool:
    return path.read_text(encoding="utf-8").endswith("\n")


def rows(path: Path) -> bool:
    found = sorted(p.name for p in path.iterdir())
    assert all(name.endswith(".parquet") and not name.startswith(".") for name in found), found
    return all(pq.read_table(path / name).num_rows > 0 for name in found)


def dataset(path: Path) -> bool:
    return {p.name for p in path.iterdir()} <= set(FILES) and (path / "manifest.json").is_file()


def repaired(path: Path) -> bool:
    there = {p.name for p in path.iterdir()}
    return {"mapping.tsv", "plan.json", "gate.html", "gate.json"} <= there


@dataclass(frozen=True)
class Writer:
    """A command that writes OUT, and how one sees that it is whole."""

    arguments: tuple[str, ...]
    whole: Callable[[Path], bool]
    folder: bool = False
    kept: bool = False  # files are added to a folder that stays where it was made


WRITERS = {
    "html": Writer(("run", *MAPPING, *PAIRS, "--html", "OUT"), html),
    "json": Writer(("run", *BAD, "--json", "OUT"), json_),
    "sarif": Writer(("run", *BAD, "--format", "sarif", "--output", "OUT"), json_),
    "junit": Writer(("run", *BAD, "--format", "junit", "--output", "OUT"), xml),
    "markdown": Writer(("run", *BAD, "--format", "markdown", "--output", "OUT"), text),
    "audit": Writer(("run", "--embeddings", "table.npy", *MAPPING, *PAIRS, "--html", "OUT"), html),
    "projection": Writer(("run", "--embeddings", "flat.npy", "--projection", "OUT"), html),
    "failures": Writer(("run", *BAD, "--failures", "OUT"), rows, folder=True, kept=True),
    "init": Writer(("init", *MAPPING, *PAIRS, "--force", "--out", "OUT"), text),
    "compare html": Writer(("compare", "one.json", "two.json", "--html", "OUT"), html),
    "compare json": Writer(("compare", "one.json", "two.json", "--json", "OUT"), json_),
    "evaluate": Writer(("evaluate", "table.npy", *MAPPING, *PAIRS, "--json", "OUT"), json_),
    "build": Writer(("build", "edges.tsv", "--split", "0.2", "--out", "OUT"), dataset, folder=True),
    "fix": Writer(("fix", *BAD, "--out", "OUT"), repaired, folder=True),
}  # fmt: skip


@pytest.fixture(scope="module")
def cage() -> Iterator[Cage]:
    with Cage() as opened:
        yield opened


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory, cage: Cage) -> Path:
    import numpy as np

    path = tmp_path_factory.mktemp("writers")
    beside(path)
    (path / "bad.tsv").write_bytes(seeds._text(seeds.PAIRS, "\t") + b"2\t2\t1\n-1\t2\t1\nx\t1\t1\n")
    np.save(path / "table.npy", seeds.TABLE)
    np.save(path / "flat.npy", seeds.TABLE[:, :2])
    edges = "".join(f"{child}\t{(child - 1) // 2}\n" for child in range(1, 200))
    (path / "edges.tsv").write_text("child\tparent\n" + edges)
    for name, given in (("one", PAIRS), ("two", BAD[2:])):
        (path / "d").mkdir(exist_ok=True)
        cage.run(["run", *MAPPING, *given, "--json", path / "d" / f"{name}.json"], path)
        (path / "d" / f"{name}.json").rename(path / f"{name}.json")
    (path / "d").rmdir()
    return path


def prepare(writer: Writer, folder: Path, *, old: bool) -> tuple[list[str], Path]:
    """The arguments, and the place that they write to."""
    out = folder / "o"
    if old and not writer.folder:
        out.write_text(OLD)
    return [str(out) if argument == "OUT" else argument for argument in writer.arguments], out


def judge(writer: Writer, out: Path, code: int | str, *, old: bool) -> None:
    """Whole new or whole old, and nothing else in its folder."""
    there = sorted(p.name for p in out.parent.iterdir())
    if code in (0, 1):
        assert there == ["o"]
        assert writer.whole(out)
    elif writer.kept and out.exists():
        assert there == ["o"]
        assert writer.whole(out), "the files that are there are whole"
    elif old and not writer.folder:
        assert there == ["o"]
        assert out.read_text() == OLD
    else:
        assert there == []


def sizes(random_: random.Random, more: int) -> list[int]:
    """Where the disk is full: at once, soon, and at ``more`` bytes nobody thought of."""
    return [0, 1, 7, 100, *(int(2 ** random_.uniform(4, 17)) for _ in range(more))]


@pytest.mark.parametrize("more", [3, pytest.param(20, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", WRITERS)
def test_a_disk_that_is_full_at_any_byte(
    name: str, more: int, cage: Cage, work: Path, tmp_path: Path
) -> None:
    writer, refused, done = WRITERS[name], 0, 0
    for number, size in enumerate([*sizes(random.Random(name), more), 1 << 30]):
        old = number % 2 == 1
        folder = tmp_path / str(number)
        folder.mkdir()
        arguments, out = prepare(writer, folder, old=old)
        found = cage.run(arguments, work, largest=size)
        assert found.wrong() is None, (size, found.wrong())
        judge(writer, out, found.code, old=old)
        if found.code in (0, 1):
            done += 1
        else:
            refused += 1
            assert found.code == 3, found
            assert str(out) in found.error, found
    assert refused >= 3
    assert done >= 1


@pytest.mark.parametrize("name", WRITERS)
def test_a_small_disk(name: str, cage: Cage, work: Path, small: Callable[[int], Path]) -> None:
    writer, codes = WRITERS[name], []
    for pages in (1, 4, 16, 64, 400):
        folder = small(4096 * pages)
        arguments, out = prepare(writer, folder, old=False)
        found = cage.run(arguments, work)
        assert found.wrong() is None, (pages, found.wrong())
        judge(writer, out, found.code, old=False)
        codes.append(found.code)
    assert codes[-1] in (0, 1)
    assert set(codes) <= {0, 1, 3}


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITERS)
def test_places_that_cannot_be(name: str, cage: Cage, work: Path, tmp_path: Path) -> None:
    """A folder in the place, a name that is too long, a parent that is a file or not there."""
    writer = WRITERS[name]
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine").write_text(OLD)
    (tmp_path / "file").write_text(OLD)
    before = sorted(tmp_path.rglob("*"))
    for out in ("taken", "x" * 300, "file/o", "none/o"):
        if (writer.folder and out == "none/o") or (writer.kept and out == "taken"):
            continue  # these make it, or add to it
        arguments = [str(tmp_path / out) if a == "OUT" else a for a in writer.arguments]
        found = cage.run(arguments, work)
        assert found.wrong() is None, (out, found.wrong())
        assert found.code in (2, 3), (out, found)
        assert sorted(tmp_path.rglob("*")) == before
    for strange in ("y" * 255, "\udcff" * 20, "-o\n\u202e <b>"):
        out = tmp_path / strange
        found = cage.run([str(out) if a == "OUT" else a for a in writer.arguments], work)
        assert found.wrong() is None, (strange, found.wrong())
        if not (writer.folder and "\udcff" in strange):  # Arrow wants names that are text
            assert found.code in (0, 1), found
            assert writer.whole(out)


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITERS)
def test_killed_at_any_moment(name: str, work: Path, tmp_path: Path) -> None:
    """Only hidden names are left beside the old file, or beside nothing."""
    writer = WRITERS[name]
    began = time.monotonic()
    arguments, out = prepare(writer, tmp_path, old=True)
    command = [sys.executable, "-m", "taxcheck.cli", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=work, env=environment, capture_output=True, timeout=900)
    assert writer.whole(out)
    whole = time.monotonic() - began
    for number in range(6):
        folder = tmp_path / f"k{number}"
        folder.mkdir()
        arguments, out = prepare(writer, folder, old=True)
        command = [sys.executable, "-m", "taxcheck.cli", *arguments]
        with subprocess.Popen(
            command, cwd=work, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            time.sleep(whole * random.uniform(0.6, 1.0))
            process.send_signal(signal.SIGKILL)
            process.wait()
        visible = [p.name for p in folder.iterdir() if not p.name.startswith(".")]
        assert visible in ([], ["o"])
        if out.is_file() and out.read_text() == OLD:
            continue
        if writer.kept and out.exists():
            for path in out.iterdir():
                assert path.name.startswith(".") or pq.read_table(path).num_rows
        elif out.exists():
            assert writer.whole(out)


class TestReading:
    """Inputs that fail while they are read."""

    def test_a_file_that_shrinks(self, tmp_path: Path) -> None:
        """Cut while a slow reader holds it: one line, whichever reader notices."""
        from taxcheck.model.errors import InputError
        from taxcheck.sources.tables.opening import open_pairs

        for seed in seeds.tables(seeds.PAIRS):
            path = tmp_path / f"p{seed.suffix}"
            path.write_bytes(seed.data)
            opened = open_pairs(str(path))
            path.write_bytes(seed.data[: len(seed.data) // 2])
            with pytest.raises(InputError) as told:
                list(opened.batches())
            assert "\n" not in str(told.value)

    @pytest.mark.parametrize("after", [0, 1, 50, 300])
    def test_a_disk_that_fails(
        self, after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """EIO behind so many bytes, by a file object that fails."""
        from taxcheck.model.errors import InputError
        from taxcheck.sources import files
        from taxcheck.sources.tables.opening import open_pairs

        class Failing:
            def __init__(self, stream: object, left: int) -> None:
                self._stream, self._left = stream, left

            def __getattr__(self, name: str) -> object:
                return getattr(self._stream, name)

            def __enter__(self) -> Failing:
                return self

            def __exit__(self, *_: object) -> None:
                self._stream.close()  # type: ignore[attr-defined]

            def read(self, size: int = -1) -> bytes:
                if self._left <= 0:
                    raise OSError(5, "Input/output error")
                data = self._stream.read(min(size, self._left) if size >= 0 else self._left)  # type: ignore[attr-defined]
                self._left -= len(data)
                return data

        whole = files.InputFile.open
        monkeypatch.setattr(files.InputFile, "open", lambda self: Failing(whole(self), after))
        read = []
        for seed in seeds.tables(seeds.PAIRS):
            path = tmp_path / f"p{seed.suffix}"
            path.write_bytes(seed.data)
            with contextlib.suppress(InputError):  # nothing else may come
                list(open_pairs(str(path)).batches())
                if len(seed.data) > after:
                    read.append(seed.suffix)
        assert set(read) <= {".npy", ".db", ".pkl"}  # which others open, by the file's path

    @pytest.mark.parametrize("name", ["mapping", "pairs", "embeddings", "taxonomy", "policy"])
    def test_what_may_not_be_read(self, name: str, cage: Cage, work: Path, tmp_path: Path) -> None:
        """Folders, pipes without a writer's data, links to nothing and in circles, devices."""
        (tmp_path / "circle").symlink_to(tmp_path / "circle")
        (tmp_path / "lost").symlink_to(tmp_path / "nothing")
        (tmp_path / "empty").touch()
        for bad in ("circle", "lost", "empty", "", "/dev/null", "/proc/self/mem", "x" * 5000):
            given = str(tmp_path / bad)
            arguments = ["run", *PAIRS, f"--{name}", given]
            found = cage.run(arguments, work)
            assert found.wrong() is None, (bad, found.wrong())
            assert found.code in (0, 2, 3), (bad, found)
