"""Shell completion: click's own scripts, and how long a key press waits."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = str(Path(sys.executable).parent / "taxcheck")
SHELLS = ("bash", "zsh", "fish")


def complete(shell: str, words: str, incomplete: str) -> list[str]:
    """What click offers where the shell asks it to complete."""
    env = os.environ | {"_TAXCHECK_COMPLETE": f"{shell}_complete", "COMP_WORDS": words}
    # fish hands over the incomplete word itself, the others its place among the words
    env["COMP_CWORD"] = incomplete if shell == "fish" else str(len(words.split(" ")) - 1)
    done = subprocess.run([COMMAND], env=env, capture_output=True, text=True, timeout=900)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_for_every_shell(shell):
    env = os.environ | {"_TAXCHECK_COMPLETE": f"{shell}_source"}
    done = subprocess.run([COMMAND], env=env, capture_output=True, text=True, timeout=900)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"_TAXCHECK_COMPLETE={shell}_complete" in done.stdout
    if shutil.which(shell):
        option = "--no-execute" if shell == "fish" else "-n"
        subprocess.run([shell, option], input=done.stdout, text=True, check=True, timeout=900)


@pytest.mark.parametrize("shell", SHELLS)
def test_commands_and_options_are_offered(shell):
    offered = " ".join(complete(shell, "taxcheck ", ""))
    assert all(command in offered for command in ("run", "build", "fix", "train", "compare"))
    offered = " ".join(complete(shell, "taxcheck run --pai", "--pai"))
    assert "--pairs" in offered
    assert "--mapping" not in offered


def test_a_choice_is_offered():
    assert [line.split(",")[-1] for line in complete("bash", "taxcheck run --fail-on w", "w")] == [
        "warn"
    ]


def test_a_key_press_imports_nothing_that_computes():
    """What takes time is imports: none of those may be among what completion needs."""
    code = (
        "import os, sys; from taxcheck.cli import cli; "
        "cli.main([], prog_name='taxcheck', complete_var='_TAXCHECK_COMPLETE', "
        "standalone_mode=False)"
    )
    env = os.environ | {
        "_TAXCHECK_COMPLETE": "bash_complete",
        "COMP_WORDS": "taxcheck run --",
        "COMP_CWORD": "2",
    }
    command = [sys.executable, "-X", "importtime", "-c", code]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=900)
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert "--pairs" in done.stdout
    assert "click" in imported
    assert not imported & {"numpy", "pandas", "pandera", "pyarrow", "scipy", "torch", "numba"}
