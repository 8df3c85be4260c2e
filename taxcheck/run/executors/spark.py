"""A Spark cluster, for sites that have one: tasks over an RDD, no data frames."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.metadata import version
from itertools import islice
from operator import attrgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Generic

from taxcheck.model.errors import EngineError, one_line
from taxcheck.run.executors import tasks
from taxcheck.run.executors.cluster import Cluster
from taxcheck.run.executors.tasks import sound
from taxcheck.run.executors.threads import Threads
from taxcheck.statistics.passes import Batch, Data, Hear, Item, Job, Result, S, Shared, T

if TYPE_CHECKING:
    from pyspark import Broadcast
    from pyspark.sql import SparkSession

_MISSING = "the engine spark needs pyspark and Java 17: pip install 'taxcheck[spark]'"
_TRIES = 4  # of a task, as on a cluster, where Spark runs on this machine alone
_AHEAD = 4  # items that are done at once, for each core


class _Sent(Generic[T]):
    """A value that Spark brings to every worker once."""

    def __init__(self, broadcast: Broadcast[T]) -> None:
        self._broadcast = broadcast

    @property
    def value(self) -> T:
        """It."""
        value: T = self._broadcast.value
        return value


class Spark(Cluster):
    """Tasks as elements of an RDD; states meet on the workers, and only the last comes here."""

    def __init__(self, session: SparkSession, local: Threads, folder: Path | None) -> None:
        """``folder`` is one that all workers see; None where they share none."""
        super().__init__(local, folder)
        self._context = session.sparkContext

    def __str__(self) -> str:
        return f"Spark {self._context.version} at {self._context.master}"

    @contextmanager
    def sent(self, value: T) -> Iterator[Shared[T]]:
        """As a broadcast."""
        broadcast = self._context.broadcast(value)
        try:
            yield _Sent(broadcast)
        finally:
            broadcast.destroy()

    def tree_reduce(self, job: Job[Batch, S], data: Data[Batch], hear: Hear | None = None) -> S:
        """The state of all batches; ``hear`` is called in the order of the source."""
        from pyspark import StorageLevel

        parts = data.partitions()
        assert parts is not None
        given = tasks.cut(parts, self._context.defaultParallelism)
        with _speaking():
            folded = self._context.parallelize(given, len(given)).map(partial(_fold, job))
            if hear is not None:  # all of them at once, before they are told one by one
                folded = folded.persist(StorageLevel.DISK_ONLY)
                folded.count()
                for told in folded.map(attrgetter("told")).toLocalIterator(prefetchPartitions=True):
                    for one in told:
                        hear(one)
            state: S | tasks.Failed = folded.map(attrgetter("state")).treeReduce(tasks.merge)
            folded.unpersist()
        return sound(state)

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """The results in the order of the items, so many at once as there are cores for."""
        left = iter(enumerate(items))
        at_once = _AHEAD * self._context.defaultParallelism
        while some := list(islice(left, at_once)):
            with _speaking():
                found = self._context.parallelize(some, len(some)).map(partial(_apply, function))
                results: list[Result | tasks.Failed] = found.collect()
            for result in results:
                yield sound(result)


def _fold(job: Job[Any, S], task: tasks.Task) -> tasks.Folded[S]:
    return tasks.fold(job, task, {})


def _apply(function: Callable[[Item], Result], numbered: tuple[int, Item]) -> Result | tasks.Failed:
    return tasks.apply(function, *numbered, {})


@contextmanager
def _speaking() -> Iterator[None]:
    """What goes wrong between Spark and this process is one line."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (Py4JError, PySparkException) as error:
        said = str(getattr(error, "java_exception", None) or error)
        raise EngineError(f"Spark gave a task up: {_reason(said)}") from None
    except (ConnectionError, EOFError) as error:
        raise EngineError(f"Spark is gone ({one_line(error)})") from None


def _reason(said: str) -> str:
    """Of what Spark says the line that tells what happened on the worker."""
    lines = [line.strip() for line in said.splitlines()]
    if any("MemoryError" in line or "Python worker exited unexpectedly" in line for line in lines):
        return (
            "a worker died, mostly for want of memory; give workers more, or files with smaller "
            "row groups"
        )
    told = [line for line in lines if "Error: " in line and not line.startswith(("at ", "File "))]
    return one_line(told[-1] if told else said)


@contextmanager
def spark_session(local: Threads) -> Iterator[Spark]:
    """The session of the environment, or one of this machine, which ends with the block.

    EngineError where there is none, or where workers cannot do what is asked.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise EngineError(_MISSING) from None
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="taxcheck-spark-")))
        session = SparkSession.getActiveSession()
        if session is None:
            session = stack.enter_context(_begun(SparkSession, local.workers, folder))
        _refuse_others(session)
        here = session.sparkContext.master.startswith("local")
        yield Spark(session, local, folder if here else None)


@contextmanager
def _begun(kind: type[SparkSession], workers: int, folder: Path) -> Iterator[SparkSession]:
    """A session of our own; its Java process ends with it, and talks into a file."""
    from pyspark import SparkContext
    from pyspark.errors import PySparkException

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = kind.builder.appName("taxcheck").config("spark.ui.enabled", "false")
    if not any(os.environ.get(name) for name in ("SPARK_HOME", "SPARK_CONF_DIR", "MASTER")):
        builder = builder.master(f"local[{workers},{_TRIES}]")
        builder = builder.config("spark.local.dir", str(folder))
    try:
        with _errors_into(folder / "log"):
            session = builder.getOrCreate()
    except (PySparkException, RuntimeError, OSError) as error:
        raise EngineError(f"Spark does not start ({one_line(error)}); {_MISSING}") from None
    try:
        yield session
    finally:
        session.stop()
        gateway, java = SparkContext._gateway, getattr(SparkContext._gateway, "proc", None)
        SparkContext._gateway = SparkContext._jvm = None
        if gateway is not None:
            gateway.shutdown()
        if java is not None:
            java.stdin.close()  # it ends by this
            java.wait()


@contextmanager
def _errors_into(path: Path) -> Iterator[None]:
    """What processes that are started in the block say on standard error goes into a file."""
    before = os.dup(2)
    try:
        with path.open("wb") as log:
            os.dup2(log.fileno(), 2)
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)


def _refuse_others(session: SparkSession) -> None:
    """EngineError where a worker has no taxcheck, or another one than this process."""
    ours, context = version("taxcheck"), session.sparkContext
    cores = context.defaultParallelism
    try:
        # of the standard library, so that a worker without taxcheck can be asked as well
        asked = context.parallelize(["taxcheck"] * cores, cores).map(version)
        found = set(asked.collect())
    except Exception as error:
        if "PackageNotFoundError" not in str(error):
            raise
        found = {""}
    if others := sorted(found - {ours}):
        has = f"taxcheck {others[0]}" if others[0] else "no taxcheck"
        raise EngineError(
            f"a worker of Spark has {has}, and this is taxcheck {ours}; install the same on all "
            "workers"
        )
