"""Spark does what the others do; a session is half a minute, and so all of this is slow."""

from __future__ import annotations

import os
import subprocess
import sys
from shutil import which

import numpy as np
import pytest

from taxcheck.model.errors import EngineError, InputError
from taxcheck.run.executors.opening import executor_of
from tests.run.executors.numbers import Numbers, Sum
from tests.run.executors.reports import checked, corrupted, partitions_of, run_by
from tests.run.executors.test_equal import ALL, SOME
from tests.run.executors.test_faults import MAPPING, PAIRS, running

pytest.importorskip("pyspark", reason="the extra spark is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(which("java") is None, reason="there is no Java"),
]
DATA = Numbers((3, 1, 30, 2, 0, 15))
SUM = 2 * sum(range(51))


@pytest.fixture(scope="module")
def spark():
    with executor_of("spark", 2) as session:
        yield session


def test_every_batch_is_folded_once_and_told_in_order(spark):
    heard = []
    with spark.publish(np.array([2])) as shared:
        assert spark.tree_reduce(Sum(shared), DATA, heard.append).total == SUM
        assert spark.tree_reduce(Sum(shared), DATA).total == SUM
    assert [one for one in heard if isinstance(one, int)] == list(range(0, 101, 10))
    assert list(spark.map(abs, [-3, 2, -1] * 10)) == [3, 2, 1] * 10


def test_what_is_sent_where_no_disk_is_shared(spark, monkeypatch):
    monkeypatch.setattr(spark, "_folder", None)
    with spark.publish(np.array([2])) as shared:
        assert spark.tree_reduce(Sum(shared), DATA).total == SUM


def test_faults(spark, tmp_path):
    with spark.publish(np.array([2])) as shared:
        once = Sum(shared, {20: "killed"}, tmp_path / "killed")
        assert spark.tree_reduce(once, DATA).total == SUM
        for fault, error, said in (
            ("refused", InputError, "20: refused"),
            ("memory", EngineError, "a worker died, mostly for want of memory"),
            ("killed", EngineError, "a worker died, mostly for want of memory"),
        ):
            with pytest.raises(error, match=said) as told:
                spark.tree_reduce(Sum(shared, {20: fault}), DATA)
            assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", SOME)
def test_a_corruption_by_spark(name, spark, tmp_path, monkeypatch):
    request = corrupted(name, tmp_path)
    expected = checked(request)
    with run_by(spark, monkeypatch), partitions_of(1, monkeypatch):
        assert checked(request) == expected


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in ALL if name not in SOME])
def test_every_corruption_by_spark(name, spark, tmp_path, monkeypatch):
    test_a_corruption_by_spark(name, spark, tmp_path, monkeypatch)


def test_a_session_of_our_own_ends_with_the_command(tmp_path):
    env = {**os.environ, "TMPDIR": str(tmp_path), "TAXCHECK_TEST_MARKER": str(tmp_path)}
    command = [sys.executable, "-m", "taxcheck.cli", "run", "--mapping", MAPPING, "--pairs", PAIRS]
    done = subprocess.run(
        [*command, "--engine", "spark"], env=env, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("PASS") == 1
    assert list(tmp_path.iterdir()) == []
    assert running(str(tmp_path)) == []
