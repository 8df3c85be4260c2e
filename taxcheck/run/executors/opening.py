"""Which executor an engine is, by the name that the user gives it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from taxcheck.model.errors import UsageError
from taxcheck.run.executors.threads import Threads
from taxcheck.statistics.passes import Executor

THREADS = "threads"


@contextmanager
def executor_of(engine: str, workers: int) -> Iterator[Executor]:
    """The executor of an engine, as long as the block is open.

    UsageError for an engine that does not exist; EngineError where it does not start.
    """
    local = Threads(workers)
    if engine == THREADS:
        yield local
    elif engine == "dask" or "://" in engine:
        from taxcheck.run.executors.dask import dask_cluster  # a gate does not need them

        with dask_cluster(None if engine == "dask" else engine, local) as cluster:
            yield cluster
    elif engine == "spark":
        from taxcheck.run.executors.spark import spark_session

        with spark_session(local) as session:
            yield session
    else:
        raise UsageError(
            f"`engine` {engine}: is none of threads, dask and spark, nor the address of a Dask "
            "scheduler, such as tcp://host:8786"
        )
