"""A reader who leaves ends a command with a code of its own, and never with a verdict."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from taxcheck.cli import cli
from tests.case_folders import case_folder
from tests.typed import typed

DATA = case_folder("HIER001", "ok")
FILES = f"--mapping {DATA}/mapping.tsv --pairs {DATA}/pairs.tsv"
TABLE = f"{DATA}/checkpoint.safetensors"
NODE = (DATA / "mapping.tsv").read_text().splitlines()[1].split("\t")[0]
EDGES = "child,parent\nb,a\nc,a\n"
COMMANDS = {
    "build": "edges.csv --out built",
    "compare": "report.json report.json",
    "evaluate": f"{TABLE} {FILES} --sources 5",
    "explain": "PAIR003",
    "explore": f"{TABLE} {FILES} --out -",
    "fix": f"{FILES} --out fixed --dry-run",
    "init": f"{FILES} --out -",
    "inspect": TABLE,
    "push": "--to http://127.0.0.1:9",
    "rules": "",
    "run": FILES,
    "schema": "",
    "serve": "--check",
    "selftest": f"--mapping {DATA}/none.tsv --pairs {DATA}/none.tsv 2>&1",
    "token": "create --scope push",
    "train": f"{FILES} --out run1 --help",
    "why": f"{NODE} {FILES} --embeddings {TABLE}",
    "worker": "--help",
    "": "",
    "--help": "",
    "nonsense": "2>&1",
}


def code_of(line: str, folder: Path) -> int:
    """The exit code of a command whose output nobody reads."""
    script = f"{shlex.quote(sys.executable)} -m taxcheck {line}"
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            ["sh", "-c", f"{script}; exit $?"], stdout=write, stderr=subprocess.PIPE,
            cwd=folder, text=True, timeout=300,
        )  # fmt: skip
    finally:
        os.close(write)
    assert done.stderr == "", "and nothing is said"
    return done.returncode


def prepare(command: str, folder: Path) -> None:
    """What a command reads in its folder."""
    (folder / "edges.csv").write_text(EDGES)
    if command == "compare":
        assert typed("run", *shlex.split(FILES), "--json", folder / "report.json").returncode == 0


# How a process ends is the same for all; and of what is given to a shell only a shell makes sense.
STARTED = {"run", "--help", *(name for name in COMMANDS if "2>&1" in COMMANDS[name])}


@pytest.mark.long
@pytest.mark.parametrize(
    "command",
    [pytest.param(c, marks=() if c in STARTED else pytest.mark.slow) for c in COMMANDS],
)
def test_every_command_ends_with_the_code_of_a_closed_pipe(command: str, tmp_path: Path) -> None:
    prepare(command, tmp_path)
    assert code_of(f"{command} {COMMANDS[command]}", tmp_path) == 141


@pytest.mark.long
@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in STARTED])
def test_every_command_lets_a_closed_pipe_end_it(command: str, tmp_path: Path) -> None:
    prepare(command, tmp_path)
    read, write = os.pipe()
    os.close(read)
    done = typed(*shlex.split(f"{command} {COMMANDS[command]}"), cwd=tmp_path, stdout=write)
    assert (done.returncode, done.stderr) == (141, "")


def test_every_command_is_tried() -> None:
    assert set(cli.commands) == {name for name in COMMANDS if name.isalpha() and name != "nonsense"}
