"""A repository as a user has it: data, a policy, a hook, a test; sound, broken or unreadable."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parents[2]
HEALTHY = ROOT / "fixtures" / "healthy"
POLICY = """[inputs]
mapping = "mapping.tsv"
pairs = "pairs.parquet"

[dataset]
kind = "tree"
"""


def environment(**more: str) -> dict[str, str]:
    """This environment, without what a CI that runs the tests has put into it."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "INPUT_", "GIT_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return kept | {"PATH": path, "TAXCHECK_TRACEBACK": ""} | more


@pytest.fixture(params=["sound", "broken", "unreadable"])
def state(request) -> str:
    return request.param


@pytest.fixture
def repository(tmp_path: Path, state: str) -> Path:
    """A git repository with all three integrations.

    Broken as in the incident: half of the pairs are lost, and with them the training of many nodes.
    """
    repository = tmp_path / "repository with a space"
    data = repository / "data"
    data.mkdir(parents=True)
    shutil.copy(HEALTHY / "mapping.tsv", data)
    shutil.copy(HEALTHY / "pairs.parquet", data)
    (data / "taxcheck.toml").write_text(POLICY)
    if state == "broken":
        table = pq.read_table(data / "pairs.parquet")
        pq.write_table(table.slice(0, table.num_rows // 2), data / "pairs.parquet")
    if state == "unreadable":
        whole = (data / "pairs.parquet").read_bytes()
        (data / "pairs.parquet").write_bytes(whole[: len(whole) // 2])
    (repository / "taxcheck.toml").write_text(
        '[inputs]\nmapping = "data/mapping.tsv"\npairs = "data/pairs.parquet"\n'
    )
    (repository / "test_data.py").write_text(
        "import pytest\n\n\n@pytest.mark.taxcheck\ndef test_the_data():\n    pass\n"
    )
    git(repository, "init", "--quiet")
    git(repository, "add", "--all")
    return repository


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment(), check=True, capture_output=True, text=True
    ).stdout
