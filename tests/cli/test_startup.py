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
    "explore",
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
    """Of a child, the median of three: what else runs on the machine hardly counts."""
    seconds = []
    for _ in range(3):
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


HEALTHY = Path(__file__).parents[2] / "fixtures" / "healthy"
GATE = ("run", "--mapping", str(HEALTHY / "mapping.tsv"), "--pairs", str(HEALTHY / "pairs.parquet"))
UNUSED = HEAVY - {"numpy", "pyarrow"} | {"rich", "xml", "tomlkit", "http"}


def test_a_gate_on_sound_data_loads_what_it_uses() -> None:
    script = LOADED.replace(', "--help"]', "]")
    done = subprocess.run([sys.executable, "-c", script, *GATE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stderr.splitlines()[-1].split())
    assert "pyarrow" in loaded
    assert not loaded & UNUSED


def test_a_gate_costs_a_few_imports() -> None:
    # measured: 2.1 times, 3.1 where Python keeps no compiled modules; before, 5.9 times
    libraries = "import numpy, pyarrow.compute, pyarrow.parquet"
    bare = processor_seconds(sys.executable, "-c", libraries)
    command = str(Path(sys.executable).with_name("taxcheck"))
    assert processor_seconds(command, *GATE) < 4 * bare


def ran(script: str) -> str:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_pandas_is_as_usual_once_something_loads_it() -> None:
    ran(
        "import sys\n"
        "from taxcheck.cli.lean import start_lean\n"
        "start_lean()\n"
        "import numpy as np, pyarrow as pa\n"
        "assert pa.array(np.arange(3)).to_numpy().tolist() == [0, 1, 2]\n"
        "assert pa.scalar('x').as_py() == 'x'\n"
        "assert 'pandas' not in sys.modules\n"
        "import pandas as pd\n"
        "assert pa.array(pd.Series([1.5, None])).null_count == 1\n"
        "table = pa.table({'a': [1, 2]})\n"
        "assert pa.Table.from_pandas(table.to_pandas()).equals(table)\n"
        "import pandera.pandas\n"
        "assert 'pyspark' not in sys.modules\n"
        "assert not [f for f in sys.meta_path if type(f).__module__ == 'taxcheck.cli.lean']\n"
    )


def test_beside_a_plugin_pyarrow_finds_pandas_as_usual() -> None:
    ran(
        "import sys\n"
        "from types import SimpleNamespace\n"
        "from taxcheck.model import installed\n"
        "theirs = SimpleNamespace(dist=SimpleNamespace(name='theirs'))\n"
        "installed.plugins = lambda group: (theirs,)\n"
        "from taxcheck.cli.lean import start_lean\n"
        "start_lean()\n"
        "import pyarrow as pa\n"
        "pa.scalar(0)\n"
        "assert 'pandas' in sys.modules\n"
    )
