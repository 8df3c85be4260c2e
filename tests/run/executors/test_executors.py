"""What every executor does alike, and what is said where one cannot."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from taxcheck.model.errors import EngineError, InputError, UsageError
from taxcheck.run.executors import dask as dask_engine
from taxcheck.run.executors.opening import executor_of
from taxcheck.run.executors.tasks import cut
from tests.run.executors.numbers import AtHome, Numbers, Sum


def opened(engine):
    with executor_of(engine, 2) as executor:
        return executor


DATA = Numbers((3, 1, 30, 2, 0, 15))
SUM = 2 * sum(range(51))


@pytest.fixture(scope="module", params=["threads", "dask"])
def executor(request, cluster):
    with executor_of("threads" if request.param == "threads" else cluster, 2) as opened:
        yield opened


def test_every_batch_is_folded_once_and_told(executor):
    heard = []
    with executor.publish(np.array([2])) as shared:
        state = executor.tree_reduce(Sum(shared), DATA, heard.append)
        assert executor.tree_reduce(Sum(shared), DATA).total == SUM
    assert state.total == SUM
    assert sorted(one for one in heard if isinstance(one, int)) == list(range(0, 101, 10))


def test_values_that_are_published_at_once_stay_apart(executor):
    first, second, third = (executor.publish(np.array([k])) for k in (1, 2, 3))
    first.__enter__()
    with second as two:
        first.__exit__(None, None, None)
        with third as three:
            assert executor.tree_reduce(Sum(two), DATA).total == SUM
            assert executor.tree_reduce(Sum(three), DATA).total == 3 * SUM // 2


def test_a_cluster_tells_in_the_order_of_the_source(cluster):
    heard = []
    with executor_of(cluster, 2) as executor, executor.publish(np.array([2])) as shared:
        executor.tree_reduce(Sum(shared), DATA, heard.append)
    assert [one for one in heard if isinstance(one, int)] == list(range(0, 101, 10))
    ends = [one for one in heard if isinstance(one, str)]
    assert ends == [f"read up to {last}" for last in (3, 4, 34, 36, 36, 51)]


def test_results_come_in_the_order_of_the_items(executor):
    assert list(executor.map(abs, [-3, 2, -1] * 10)) == [3, 2, 1] * 10


def test_of_two_faults_of_the_data_the_first_is_raised(executor):
    faults = {5: "refused", 40: "refused"}
    with executor.publish(np.array([2])) as shared, pytest.raises(InputError, match="5: refused"):
        executor.tree_reduce(Sum(shared, faults), DATA, print)


def test_what_no_worker_can_read_is_read_here(cluster):
    home = AtHome(DATA.sizes)
    with executor_of(cluster, 2) as executor:
        runner = executor.over(home)
        assert runner is not executor
        assert runner.keeps
        with runner.publish(np.array([2])) as shared:
            assert runner.tree_reduce(Sum(shared), home).total == SUM


def test_a_task_is_of_neighbours_and_about_as_long_as_another():
    parts = Numbers((1,) * 100).partitions()
    tasks = cut(parts, 2)
    assert [part for task in tasks for part in task.partitions] == parts
    assert {len(task.partitions) for task in tasks} <= {16, 17}
    assert [task.number for task in tasks] == list(range(6))
    few = Numbers((5, 5)).partitions()
    assert [list(task.partitions) for task in cut(few, 8)] == [[few[0]], [few[1]]]
    assert len(cut([], 2)) == 1


def test_a_worker_that_is_killed_once_is_replaced(cluster, tmp_path):
    with executor_of(cluster, 2) as executor, executor.publish(np.array([2])) as shared:
        job = Sum(shared, {20: "killed"}, tmp_path / "killed")
        assert executor.tree_reduce(job, DATA).total == SUM
    assert (tmp_path / "killed").exists()


@pytest.mark.slow
def test_workers_that_die_of_a_task_every_time_are_one_line(cluster):
    with executor_of(cluster, 2) as executor, executor.publish(np.array([2])) as shared:
        with pytest.raises(EngineError, match="workers died of one task, again and again") as told:
            executor.tree_reduce(Sum(shared, {20: "killed"}), DATA)
        assert "\n" not in str(told.value)
        assert executor.tree_reduce(Sum(shared), DATA).total == SUM  # the cluster is still there


def test_a_worker_without_memory_is_one_line(cluster):
    told = pytest.raises(EngineError, match="a worker is out of memory")
    with executor_of(cluster, 2) as executor, executor.publish(np.array([2])) as shared, told:
        executor.tree_reduce(Sum(shared, {20: "memory"}), DATA)


def test_workers_with_another_taxcheck_are_refused(cluster, monkeypatch):
    monkeypatch.setattr(dask_engine, "_ours", lambda: "99.0")
    with pytest.raises(EngineError, match=r"has taxcheck 0\.\S+, and this is taxcheck 99\.0"):
        opened(cluster)


def test_workers_without_taxcheck_are_refused(cluster, monkeypatch):
    monkeypatch.setattr(dask_engine, "_NAME", "no-such-package")
    with pytest.raises(EngineError, match=r"tcp://\S+ has no taxcheck, and this is taxcheck"):
        opened(cluster)


def test_a_scheduler_that_is_not_there_is_one_line_soon(monkeypatch):
    monkeypatch.setattr(dask_engine, "_PATIENCE", 1.0)
    with pytest.raises(EngineError, match="no Dask scheduler answers there") as told:
        opened("tcp://127.0.0.1:9")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("engine", ["tcp://", "tcp://nowhere.invalid:8786", "http://127.0.0.1:9"])
def test_an_address_of_nothing_is_one_line(engine, monkeypatch):
    monkeypatch.setattr(dask_engine, "_PATIENCE", 1.0)
    before = _clients()  # of other tests
    gc.disable()  # so that only what the engine itself collects is collected
    try:
        with pytest.raises(EngineError, match="no Dask scheduler answers there"):
            opened(engine)
        left = [one for one in _clients() if one.status != "closed" and one not in before]
    finally:
        gc.enable()
    assert left == []  # it would close itself at any time, and wait for a client that starts


def _clients():
    from distributed import Client

    return [one for one in gc.get_objects() if isinstance(one, Client)]


def test_an_engine_that_does_not_exist():
    with pytest.raises(UsageError, match="`engine` ray: is none of threads, dask and spark"):
        opened("ray")


@pytest.mark.parametrize(("engine", "package"), [("dask", "distributed"), ("spark", "pyspark.sql")])
def test_an_extra_that_is_not_installed_is_named(engine, package, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(EngineError, match=rf"pip install 'taxcheck\[{engine}\]'"):
        opened(engine)
