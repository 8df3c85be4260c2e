"""A cache that is broken, hostile, full or shared: the run goes on as without one.

Asked are the report itself, as JSON, and the exit code; of the cache at most one line is said.
"""

from __future__ import annotations

import json
import os
import random
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from blake3 import blake3

from taxcheck.run.cache.folder import keep, look_up
from taxcheck.run.cache.trust import Trust
from tests.trust.cage import ROOT, Cage
from tests.trust.damage import bitten
from tests.trust.seeds import Seed
from tests.trust.targets import MAPPING, beside

pytestmark = pytest.mark.long

CODES = {"pairs.tsv": 0, "bad.tsv": 1}
MAGIC = b"taxcheck result 3\n"
ANSWERED = "cache: the inputs are those of "


@dataclass(frozen=True)
class Asked:
    """What a run said: its exit code, its report without the command, and its standard error."""

    code: int | str
    report: object
    error: str


class Runs:
    """The gate on the same sound and bad pairs, again and again."""

    def __init__(self, cage: Cage, work: Path, out: Path) -> None:
        self._cage, self._work, self._out = cage, work, out
        self.fresh = {pairs: self._ask(pairs) for pairs in CODES}
        assert {pairs: one.code for pairs, one in self.fresh.items()} == CODES

    def _ask(self, pairs: str, *cache: str, largest: int = -1) -> Asked:
        self._out.unlink(missing_ok=True)
        written = ("--json", str(self._out)) if largest < 0 else ()
        given = ["run", *MAPPING, "--pairs", pairs, *written, *cache]
        found = self._cage.run(given, self._work, largest=largest)
        report = json.loads(self._out.read_text()) if written else None
        if report is not None:
            del report["command"]
        return Asked(found.code, report, found.error)

    def same(self, folder: str | Path, pairs: str = "bad.tsv", *, largest: int = -1) -> str:
        """What is said of this cache, once the run proved to be the one without it."""
        found, fresh = self._ask(pairs, "--cache", str(folder), largest=largest), self.fresh[pairs]
        assert found.code == fresh.code, found.error
        assert found.report == (fresh.report if largest < 0 else None)
        line = found.error.removesuffix("\n")
        assert not line or (line.startswith("cache: ") and line.isprintable()), found.error
        return line


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    work = tmp_path_factory.mktemp("cache")
    beside(work)
    (work / "bad.tsv").write_text((work / "pairs.tsv").read_text() + "0\t99\t1\n2\t2\t1\n")
    with pytest.MonkeyPatch.context() as patch, Cage() as cage:
        patch.setenv("SOURCE_DATE_EPOCH", "1700000000")  # reports of the same bytes
        yield Runs(cage, work, tmp_path_factory.mktemp("out") / "r.json")


@pytest.fixture(scope="module")
def entry(runs: Runs, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, bytes]:
    """The name of the entry of the bad pairs, and what it holds."""
    folder = tmp_path_factory.mktemp("kept")
    assert runs.same(folder) == ""
    (path,) = folder.glob("*.result")
    return path.name, path.read_bytes()


def packed(body: bytes, magic: bytes = MAGIC) -> bytes:
    """An entry of whoever knows how one is made."""
    return magic + blake3(body).digest() + body


@pytest.mark.slow
@pytest.mark.parametrize(
    "place", ["file", "file/below", "x" * 300, "/proc/none", "/dev/full", "lost", "a\nb\x1b[31m/c"]
)
def test_a_place_that_cannot_be(place: str, runs: Runs, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "lost").symlink_to(tmp_path / "file" / "nothing")
    (tmp_path / "a\nb\x1b[31m").write_text("a file whose name is to be shown in one line")
    for pairs in (*CODES, *CODES):
        said = runs.same(tmp_path / place, pairs)
        assert "cannot be written" in said
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_that_may_only_be_read(
    runs: Runs, small: Callable[[int], Path], entry: tuple[str, bytes]
) -> None:
    """What is there answers, and nothing else can be kept."""
    folder = small(1 << 20)
    (folder / entry[0]).write_bytes(entry[1])
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    assert "Read-only file system" in runs.same(folder, "pairs.tsv")
    assert runs.same(folder).startswith(ANSWERED), "so that nothing had to be written"
    assert [path.name for path in folder.iterdir()] == [entry[0]]


def test_damaged_entries(runs: Runs, entry: tuple[str, bytes], tmp_path: Path) -> None:
    """Bitten, or with a digest that fits what is no entry: the report is made again, and kept."""
    name, whole = entry
    body = whole[len(MAGIC) + 32 :]
    random_ = random.Random(7)
    damaged = [bitten(random_, Seed("", whole, ()), ()) for _ in range(10)]
    deep, claims = b"\x91" * 100_000 + b"\xc0", b"\xdd\xff\xff\xff\xff"
    damaged += [
        *(whole[:size] for size in (0, 1, len(MAGIC), len(MAGIC) + 32, len(whole) - 1)),
        packed(body, b"taxcheck result 2\n"),
        packed(b""), packed(body[: len(body) // 2]), packed(body + b"\0"), packed(deep),
        packed(claims), packed(b"\xdf" + claims[1:] + b"\xa1a\x01"), packed(b"\x81\xa3key" + deep),
        packed(body[:1] + body[1:].replace(b"key", b"kex", 1)),
        packed(struct.pack(">B", 0x93) + b"\xc0" * 3),
    ]  # fmt: skip
    for content in damaged:
        if content == whole:
            continue
        (tmp_path / name).write_bytes(content)
        assert runs.same(tmp_path) == ""
        assert (tmp_path / name).read_bytes() == whole
    made = (tmp_path / name).stat().st_ino
    assert runs.same(tmp_path).startswith(ANSWERED)
    assert (tmp_path / name).stat().st_ino == made, "answered, and not made again"


def test_something_else_in_the_place_of_an_entry(
    runs: Runs, entry: tuple[str, bytes], tmp_path: Path
) -> None:
    """A pipe without a writer is not waited for, and a link is not followed to write."""
    name, whole = entry
    folders = {kind: tmp_path / kind for kind in ("folder", "pipe", "link", "circle", "zeros")}
    for folder in folders.values():
        folder.mkdir()
    (mine := tmp_path / "mine").write_text("mine")
    (folders["folder"] / name).mkdir()
    os.mkfifo(folders["pipe"] / name)
    (folders["link"] / name).symlink_to(mine)
    (folders["circle"] / name).symlink_to(folders["circle"] / name)
    (folders["zeros"] / name).symlink_to("/dev/zero")
    assert "cannot be written" in runs.same(folders.pop("folder"))
    for folder in folders.values():
        assert runs.same(folder) == ""
        assert (folder / name).read_bytes() == whole
        assert not (folder / name).is_symlink()
    assert mine.read_text() == "mine"


def test_a_disk_that_is_full_at_any_byte(
    runs: Runs, entry: tuple[str, bytes], tmp_path: Path
) -> None:
    name, whole = entry
    for size in (0, 1, 5, 150, 200, len(whole) // 2, len(whole) - 1):
        folder = tmp_path / str(size)
        assert "File too large" in runs.same(folder, largest=size)
        assert not [path.name for path in folder.iterdir() if path.name.endswith(".partial")]
        assert not (folder / name).exists()
        assert runs.same(folder) == ""
        assert (folder / name).read_bytes() == whole


def test_a_small_disk(runs: Runs, entry: tuple[str, bytes], small: Callable[[int], Path]) -> None:
    name, whole = entry
    said = []
    for pages in (1, 2, 3, 400):
        folder = small(4096 * pages)
        said.append(runs.same(folder))
        kept = {path.name for path in folder.iterdir()} - {"CACHEDIR.TAG", ".gitignore"}
        assert kept == (set() if said[-1] else {name})
    assert "No space left on device" in said[0]
    assert said[-1] == ""
    assert (folder / name).read_bytes() == whole


WRITING = """
import sys
from pathlib import Path
from taxcheck.run.cache.folder import keep
folder, key, most, times = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
print("ready", flush=True)
for number in range(times):
    keep(folder, key.format(number), key.encode() * 200_000, most)
"""


def writing(folder: Path, key: str, most: int, times: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITING, str(folder), key, str(most), str(times)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_killed_while_it_writes(tmp_path: Path) -> None:
    """An entry is the whole one or is not there; what is left beside it has a hidden name."""
    random_ = random.Random(3)
    for _ in range(12):
        process = writing(tmp_path, "key", 9, 100_000)
        time.sleep(random_.uniform(0, 0.03))
        process.kill()
        process.communicate()
        assert look_up(tmp_path, "key", Trust()) in (None, b"key" * 200_000)
        assert {p.name for p in tmp_path.iterdir() if not p.name.startswith(".")} <= {
            "key.result", "CACHEDIR.TAG",
        }  # fmt: skip
    keep(tmp_path, "key", b"new")
    assert look_up(tmp_path, "key", Trust()) == b"new"


def test_several_processes_that_remove_what_the_others_keep(tmp_path: Path) -> None:
    processes = [writing(tmp_path, f"{name}{{}}", 2, 15) for name in "abc"]
    while any(process.poll() is None for process in processes):
        for path in tmp_path.glob("*.result"):
            assert look_up(tmp_path, path.stem, Trust()) in (
                None,
                f"{path.stem[0]}{{}}".encode() * 200_000,
            )
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    assert not list(tmp_path.glob(".*.partial"))
    assert 1 <= len(list(tmp_path.glob("*.result"))) <= 4
