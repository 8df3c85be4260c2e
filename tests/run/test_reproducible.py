"""The same input gives the same bytes: workers, hash seeds and the order of files change nothing.

Every command runs as a person runs it, in a folder of its own with the same names in it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.long
HEALTHY = Path(__file__).parents[2] / "fixtures" / "healthy"
TAXCHECK = str(Path(sys.executable).with_name("taxcheck"))
DATA = ("--mapping", "mapping.tsv", "--pairs", "pairs.parquet")
# hash seed, workers, and whether the inputs were written in the other order
SETTINGS = {"first": ("0", "1", False), "second": ("4242", "3", True)}
FORMATS = ("html", "json", "sarif", "junit", "markdown", "github", "terminal")
# A report quotes the command that made it, and with it the one thing that was asked for otherwise.
WORKERS = re.compile(rb" (<span[^>]*>)?--workers(</span>)? \d")


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    """The same inputs twice: sound data, the same damaged, and a table that nobody trained."""
    pairs = pq.read_table(HEALTHY / "pairs.parquet").to_pandas()
    turned = pairs.iloc[50:90].rename(
        columns={"ancestor_idx": "descendant_idx", "descendant_idx": "ancestor_idx"}
    )
    rng = np.random.default_rng(0)
    table = rng.normal(size=(7_112, 4)) * 0.2
    made = {}
    for name, (*_, reverse) in SETTINGS.items():
        folder = made[name] = tmp_path_factory.mktemp(name)
        writers = [
            lambda f=folder: shutil.copy(HEALTHY / "mapping.tsv", f / "mapping.tsv"),
            lambda f=folder: shutil.copy(HEALTHY / "pairs.parquet", f / "pairs.parquet"),
            lambda f=folder: np.save(f / "table.npy", table.astype("float32")),
            lambda f=folder: (f / "taxdump").mkdir(),
            lambda f=folder: damaged(pairs, turned).to_csv(f / "bad.csv", index=False),
        ]
        for write in reversed(writers) if reverse else writers:
            write()
        for dump in sorted((HEALTHY / "taxdump").iterdir(), reverse=reverse):
            shutil.copy(dump, folder / "taxdump")
    return made


def damaged(pairs, turned):
    return pd.concat([pairs.iloc[200:], pairs.iloc[1_000:1_300], turned], ignore_index=True)


def run(folders: dict[str, Path], *arguments: str, code: int = 0, workers: bool = True) -> None:
    for name, (seed, threads, _) in SETTINGS.items():
        env = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000", "PYTHONHASHSEED": seed}
        own = (*arguments, "--workers", threads) if workers else arguments
        done = subprocess.run(
            [TAXCHECK, *own], cwd=folders[name], env=env, capture_output=True, text=True
        )
        assert done.returncode == code, done.stderr[-2_000:]
        (folders[name] / "printed.txt").write_text(done.stdout)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): digest(WORKERS.sub(b"", path.read_bytes()))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def same(folders: dict[str, Path], *written: str) -> None:
    first, second = (digests(folder) for folder in folders.values())
    assert first == second
    assert {*written, "printed.txt"} <= {name.split("/")[0] for name in first}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pairs", "code"),
    [
        pytest.param("pairs.parquet", 0, id="sound", marks=pytest.mark.slow),
        pytest.param("bad.csv", 1, id="damaged"),
    ],
)
def test_every_format_of_the_gate(folders, pairs: str, code: int) -> None:
    outputs = [part for name in FORMATS for part in ("--format", name, "--output", f"r.{name}")]
    given = ("--mapping", "mapping.tsv", "--pairs", pairs, "--taxonomy", "taxdump")
    run(folders, "run", *given, *outputs, code=code)
    same(folders, *(f"r.{name}" for name in FORMATS))


@pytest.mark.slow
def test_failures_are_the_same_rows_in_the_same_order(folders) -> None:
    given = ("--mapping", "mapping.tsv", "--pairs", "bad.csv", "--failures", "out")
    run(folders, "run", *given, code=1)
    first, second = (
        {path.name: pq.read_table(path) for path in (folder / "out").glob("*.parquet")}
        for folder in folders.values()
    )
    assert first
    assert first.keys() == second.keys()
    for name, rows in first.items():
        assert rows.equals(second[name]), name


@pytest.mark.slow
def test_an_audit(folders) -> None:
    formats = ("html", "json", "sarif", "junit", "markdown", "github", "terminal")
    outputs = [part for name in formats for part in ("--format", name, "--output", f"a.{name}")]
    table = ("--embeddings", "table.npy", "--geometry", "ball")
    projection = ("--taxonomy", "taxdump", "--projection", "p.html")  # of main directions, or UMAP
    run(folders, "run", *table, *DATA, *projection, *outputs, code=1)
    same(folders, "p.html", *(f"a.{name}" for name in formats))


@pytest.mark.slow
def test_a_projection_of_a_table_that_is_flat(folders) -> None:
    for folder in folders.values():
        np.save(folder / "flat.npy", np.load(folder / "table.npy")[:, :2])
    given = ("--embeddings", "flat.npy", "--geometry", "ball", "--mapping", "mapping.tsv")
    run(folders, "run", *given, "--projection", "flat.html")
    same(folders, "flat.html")


@pytest.mark.slow
def test_a_build_and_its_manifest(folders) -> None:
    given = ("build", "taxdump", "--out", "built", "--clean", "--split", "0.1", "--quiet")
    run(folders, *given, workers=False)
    same(folders, "built")


@pytest.mark.slow
def test_a_repair(folders) -> None:
    run(
        folders,
        "fix",
        *("--mapping", "mapping.tsv", "--pairs", "bad.csv", "--out", "fixed", "--taxonomy"),
        "taxdump",
        workers=False,
    )
    same(folders, "fixed")


@pytest.mark.slow
def test_a_comparison(folders) -> None:
    for pairs, name, code in (("pairs.parquet", "before", 0), ("bad.csv", "after", 1)):
        given = ("--mapping", "mapping.tsv", "--pairs", pairs, "--json", f"{name}.json")
        run(folders, "run", *given, code=code)
    outputs = ("--html", "c.html", "--json", "c.json")
    run(folders, "compare", "before.json", "after.json", *outputs, code=1, workers=False)
    same(folders, "c.html", "c.json")
