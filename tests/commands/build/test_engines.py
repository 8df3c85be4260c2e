"""Whoever closes the hierarchy: the same files."""

from __future__ import annotations

from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from shutil import which

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.graphs import dag
from taxcheck.commands.build import dataset, pairs
from taxcheck.commands.build.dataset import BuildRequest, build
from tests.run.executors.scattered import Scattered

HEALTHY = "fixtures/healthy/taxdump"


@contextmanager
def scattered(*_):
    yield Scattered(workers=2, seed=0)


def built(folder, source=HEALTHY, **more):
    return build(BuildRequest(source=source, out=folder, **more)).lines


def files(folder):
    left_out = {"manifest.json", "taxcheck.toml"}  # they name the command
    return {p.name: p.read_bytes() for p in Path(folder).iterdir() if p.name not in left_out}


@pytest.mark.parametrize("asked", ["closure", "depth<=3"])
def test_a_forest_byte_for_byte(asked, tmp_path, monkeypatch):
    monkeypatch.setattr(dataset, "executor_of", scattered)
    monkeypatch.setattr(pairs.closure_batches, "__defaults__", (None, 500))
    monkeypatch.setattr(pairs.closure_by, "__defaults__", (None, 500))
    root = {"root": "Asteroidea", "pairs": asked}
    assert built(tmp_path / "a", **root) == built(tmp_path / "b", engine="dask", **root)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert len(pq.read_table(tmp_path / "b" / "pairs.parquet")) > 2_000


def test_the_rows_of_a_dag(monkeypatch):
    monkeypatch.setattr(pairs, "_DAG_NODES", 300)
    graph = dag(2_000, 9, 0.2, np.random.default_rng(1))
    here = pa.Table.from_batches(pairs.closure_batches(graph))
    there = pa.Table.from_batches(pairs.closure_by(Scattered(2, 0), graph))
    assert here.equals(there)
    assert len(here) > 10_000


def test_held_out_pairs_are_drawn_here_and_that_is_told(tmp_path, monkeypatch):
    def none(*_):
        raise AssertionError

    monkeypatch.setattr(dataset, "executor_of", none)
    lines = built(tmp_path / "a", root="Crinoidea", split=0.1, engine="dask")
    assert "note: held-out pairs are drawn here, so that dask had no part in it" in lines


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["dask", "spark"])
def test_by_a_cluster(engine, tmp_path):
    if engine == "spark" and (find_spec("pyspark") is None or which("java") is None):
        pytest.skip("there is no Spark, or no Java")
    before = built(tmp_path / "a")
    assert built(tmp_path / "b", engine=engine, workers=2) == before
    assert files(tmp_path / "a") == files(tmp_path / "b")
