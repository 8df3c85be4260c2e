"""Help comes at once: it loads nothing that only a run needs."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "numpy", "pandas", "pandera", "pyarrow", "scipy", "torch", "numba", "h5py", "jinja2",
    "sqlalchemy", "alembic", "pydantic", "starlette", "fastapi", "uvicorn",
}  # fmt: skip
COMMANDS = (
    "",
    "run",
    "train",
    "build",
    "fix",
    "compare",
    "init",
    "inspect",
    "evaluate",
    "why",
    "push", "serve",
            "worker", "token", "push")  # fmt: skip

LOADED = """
import sys
from taxcheck.cli import main
sys.argv = ["taxcheck", *sys.argv[1:], "--help"]
try:
    main()
finally:
    print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""


@pytest.mark.parametrize("command", COMMANDS)
def test_help_loads_nothing_heavy(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *command.split()], capture_output=True, text=True
    )
    assert done.stdout.startswith("Usage: "), done.stderr
    loaded = set(done.stderr.splitlines()[-1].split())
    assert "taxcheck" in loaded
    assert not loaded & HEAVY


def processor_seconds(*arguments: str) -> float:
    """Of a child, the median of five: what else runs on the machine hardly counts."""
    seconds = []
    for _ in range(5):
        child = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        assert child.returncode == 0
        seconds.append(used.ru_utime + used.ru_stime)
    return statistics.median(seconds)


def test_help_costs_a_few_starts_of_python() -> None:
    # measured: 4 to 5 times; one import of numpy or pyarrow alone would more than double that
    bare = processor_seconds(sys.executable, "-c", "pass")
    command = str(Path(sys.executable).with_name("taxcheck"))
    assert processor_seconds(command, "--help") < 12 * bare
