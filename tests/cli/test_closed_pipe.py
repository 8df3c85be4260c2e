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


@pytest.mark.long
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_ends_with_the_code_of_a_closed_pipe(command: str, tmp_path: Path) -> None:
    (tmp_path / "edges.csv").write_text(EDGES)
    if command == "compare":
        main = f"{shlex.quote(sys.executable)} -m taxcheck run {FILES} --json report.json"
        subprocess.run(["sh", "-c", f"{main} >/dev/null"], cwd=tmp_path, check=True, timeout=300)
    assert code_of(f"{command} {COMMANDS[command]}", tmp_path) == 141


def test_every_command_is_tried() -> None:
    assert set(cli.commands) == {name for name in COMMANDS if name.isalpha() and name != "nonsense"}
