"""Nothing that a hostile file asks for happens, by whatever command it is read.

Three watches look on: canary files, Python's audit events inside of the process, and, where
strace is installed, the system calls from outside. The same watches look on while the same
payloads are unpickled carelessly: each must be seen there, or it would prove nothing here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.sources.checkpoints import test_hostile as known
from tests.trust import gadgets, seeds
from tests.trust.cage import ROOT
from tests.trust.targets import MAPPING, PAIRS, beside
from tests.trust.watch import MARK, MODULE

pytestmark = pytest.mark.long

STRACE = shutil.which("strace")
_CALLS = ("execve,execveat,socket,connect,open,openat,openat2,creat,mkdir,mkdirat,unlink,unlinkat,"
          "rename,renameat,renameat2,link,linkat,symlink,symlinkat,mknod,mknodat,chmod,fchmodat,"
          "truncate,ptrace,kill")  # fmt: skip
_ALARMING = re.compile(
    r"\b(execve|execveat|socket|connect|creat|mknod|mknodat|link|linkat|symlink|symlinkat|ptrace)\("
    rf"|O_CREAT|O_WRONLY|O_RDWR|{gadgets.SECRET}"
    r"|\b(mkdir|mkdirat|unlink|unlinkat|rename|renameat|renameat2|chmod|fchmodat|truncate)\("
)
_HARMLESS = ("/own/", "/dev/null", "= -1 E", "/proc/self/")


@dataclass(frozen=True)
class Seen:
    """What one job did."""

    name: str
    code: int | str
    error: str
    events: tuple[str, ...]
    new: tuple[str, ...]  # files in the working folder
    calls: tuple[str, ...]  # that change or start something outside of its own folder

    @property
    def anything(self) -> bool:
        return bool(self.events or self.new or self.calls)


def watched(folder: Path, jobs: dict[str, list[str]], *, careless: bool = False) -> list[Seen]:
    """Run the jobs in one process that is watched from inside and, with strace, from outside."""
    (folder.parent / MODULE).with_suffix(".py").write_text(gadgets.MAKE)
    listed = folder.parent / "jobs.json"
    listed.write_text(json.dumps({"jobs": list(jobs.values()), "careless": careless}))
    trace = folder.parent / "trace"
    command = [sys.executable, "-m", "tests.trust.watch", str(listed)]
    if STRACE:
        calls = f"trace={_CALLS}"
        options = ["-f", "--seccomp-bpf", "-y", "-qq", "-s", "300", "-e", calls, "-o", str(trace)]
        command = [STRACE, *options, *command]
    path = os.pathsep.join([str(ROOT), str(folder.parent)])
    environment = os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(said) == len(jobs), "a job ended the process"
    found = _by_job(trace.read_text(errors="replace").splitlines() if STRACE else (), len(jobs))
    return [
        Seen(name, one["code"], one["error"], tuple(one["events"]), tuple(one["new"]), also)
        for name, one, also in zip(jobs, said, found, strict=True)
    ]


def _by_job(lines: Sequence[str], count: int) -> list[tuple[str, ...]]:
    found: list[list[str]] = [[] for _ in range(count)]
    now: int | None = None
    for line in lines:
        if MARK in line:
            word, number = line.partition(MARK)[2].split('"')[0].split("-")
            now = int(number) if word == "begin" else None
        elif now is not None and _ALARMING.search(line):
            harmless = any(word in line for word in _HARMLESS)
            if not harmless or "execve" in line or "connect(" in line:
                found[now].append(line[:200])
    return [tuple(one) for one in found]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the commands run, with sound tables in it."""
    path = tmp_path / "work"
    path.mkdir()
    beside(path)
    return path


def test_the_watches_see_every_payload_when_it_is_unpickled(folder: Path) -> None:
    """The control. Where a payload cannot run here, as dill is not installed, it is left out."""
    jobs = {}
    for number, (name, body) in enumerate(gadgets.REAL.items()):
        path = folder / f"{number}.pkl"
        path.write_bytes(gadgets.bare(body))
        jobs[name] = [str(path)]
    seen = {one.name: one for one in watched(folder, jobs, careless=True)}
    made = {name for name, one in seen.items() if gadgets.CANARY in one.new}
    told = {name for name, one in seen.items() if len(one.events) > 1}  # more than find_class
    assert len(made) >= 35, sorted(set(jobs) - made)
    assert made | told >= set(jobs) - {"dill"}, sorted(set(jobs) - made - told)
    assert {"a socket", "ctypes"} <= told
    assert seen["os.system"].events[0].startswith("os.system")
    if STRACE:
        traced = {name for name, one in seen.items() if one.calls}
        assert made <= traced, sorted(made - traced)
        assert any("connect(" in call for call in seen["a socket"].calls)
        assert any("execve(" in call for call in seen["subprocess.Popen"].calls)


def commands(name: str) -> dict[str, list[str]]:
    """Every command that reads such a file."""
    given = [*MAPPING, *PAIRS]
    return {
        "inspect": ["inspect", name],
        "audit": ["run", "--embeddings", name, *given],
        "initial": ["run", "--embeddings", "sound.npy", "--initial", name],
        "evaluate": ["evaluate", name, *given],
        "why": ["why", "7594", "--embeddings", name, *given],
        "mapping": ["run", "--mapping", name, *PAIRS],
        "pairs": ["run", *MAPPING, "--pairs", name],
        "init": ["init", "--pairs", name, "--out", "own/policy.toml"],
        "build": ["build", name, "--out", "own/built"],
        "edges": ["build", name, "--format", "edges", "--out", "own/built"],
        "compare": ["compare", name, name],
        "baseline": ["run", *given, "--baseline", name],
        "policy": ["run", *given, "--policy", name],
        "taxonomy": ["run", *given, "--taxonomy", name],
        "fix": ["fix", "--pairs", name, "--out", "own/fixed"],
        "config": ["train", *given, "--config", name, "--out", "own/run"],
    }


def check(folder: Path, files: dict[str, Path], wanted: Sequence[str]) -> int:
    """Run the commands on the files; the number of jobs, of which none did anything."""
    import numpy as np

    np.save(folder / "sound.npy", seeds.TABLE)
    jobs = {
        f"{command} {name}": commands(path.name)[command]
        for name, path in files.items()
        for command in wanted
    }
    for one in watched(folder, jobs):
        assert not one.anything, one
        assert one.code in (0, 1, 2, 3), one
        assert one.error.count("\n") <= 1, one
    assert not list(folder.parent.rglob(gadgets.CANARY)), "a canary"
    assert not Path("/", gadgets.CANARY).exists()
    return len(jobs)


READS = ("inspect", "pairs", "build")
ALL = tuple(commands(""))


@pytest.mark.slow
def test_pickles_run_nothing(folder: Path) -> None:
    files = {}
    for wrapper, (suffix, wrap) in gadgets.WRAPPERS.items():
        for number, (name, body) in enumerate({**gadgets.REAL, **gadgets.NAMED}.items()):
            files[f"{name}, {wrapper}"] = folder / f"{wrapper}{number}{suffix}"
            files[f"{name}, {wrapper}"].write_bytes(wrap(body))
    assert check(folder, files, READS) == len(files) * len(READS) > 1000


def test_one_payload_through_every_command(folder: Path) -> None:
    files = {}
    for name, (suffix, wrap) in gadgets.WRAPPERS.items():
        files[name] = folder / f"{name}{suffix}"
        files[name].write_bytes(wrap(gadgets.REAL["os.system"]))
    assert check(folder, files, ALL) == 5 * 16


@pytest.mark.slow
def test_archives_lead_nowhere(folder: Path) -> None:
    (folder.parent / gadgets.SECRET).write_text("1\t|\t1\t|\tno rank\t|\n")
    files = {}
    for suffix, made in ((".tar.gz", gadgets.tars()), (".zip", gadgets.zips())):
        for number, (name, data) in enumerate(made.items()):
            files[f"{name}{suffix}"] = folder / f"a{number}{suffix}"
            files[f"{name}{suffix}"].write_bytes(data)
    assert check(folder, files, ("build", "inspect", "mapping", "taxonomy")) == 68


@pytest.mark.slow
def test_hdf5_reads_no_other_file(folder: Path) -> None:
    pytest.importorskip("h5py")
    files = {}
    for name, data in gadgets.hdf5(folder).items():
        files[name] = folder / f"{name}.h5"
        files[name].write_bytes(data)
    assert check(folder, files, ("inspect", "audit", "evaluate", "pairs")) == 16


@pytest.mark.slow
def test_everything_through_every_command(folder: Path) -> None:
    """All payloads in all wrappings by all commands, and the known hostile checkpoints too."""
    files = {}
    for number, (name, body) in enumerate({**gadgets.REAL, **gadgets.NAMED}.items()):
        suffix, wrap = list(gadgets.WRAPPERS.values())[number % len(gadgets.WRAPPERS)]
        files[name] = folder / f"p{number}{suffix}"
        files[name].write_bytes(wrap(body))
    for number, body in enumerate(known.BODIES.values()):
        files[f"body {number}"] = folder / f"b{number}.pt"
        files[f"body {number}"].write_bytes(list(known.WRAPPERS.values())[number % 3](body))
    for group in (known.ARRAYS, known.ZIPS, known.SAFE, known.TEXTS):
        for name, data in group.items():
            files[f"{id(group)} {name}"] = folder / f"k{len(files)}.bin"
            files[f"{id(group)} {name}"].write_bytes(data)
    assert check(folder, files, ALL) == len(files) * len(ALL) > 2000
