"""A Dask cluster: futures alone, none of its shuffle or its data frames."""

from __future__ import annotations

import gc
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from taxcheck.model.errors import EngineError, one_line
from taxcheck.run.executors import tasks
from taxcheck.run.executors.cluster import Cluster
from taxcheck.run.executors.tasks import Shipped, sound
from taxcheck.run.executors.threads import Threads
from taxcheck.statistics.passes import Batch, Data, Hear, Item, Job, Result, S, Shared, T

if TYPE_CHECKING:
    from distributed import Client, Future, LocalCluster

_MISSING = "the engine dask needs dask and distributed: pip install 'taxcheck[dask]'"
_NAME = "taxcheck"
_PATIENCE = 10.0  # seconds until a scheduler that does not answer is one that is not there
_LEVEL = "distributed.nanny.pre-spawn-environ.DASK_LOGGING__DISTRIBUTED"  # of workers of ours
_FAN = 8  # states that are merged at once
_TRIES = 3  # where all workers died that had what was sent to them
_LOST = "scheduler-connection-lost"  # how Dask says so
_MORE = "give workers more, or files with smaller row groups"
_AHEAD = 2  # items under way for each worker


class Dask(Cluster):
    """Tasks as futures of a cluster; states meet on the workers, and only the last comes here."""

    def __init__(self, client: Client, where: str, local: Threads, folder: Path | None) -> None:
        """``folder`` is one that all workers see; None where they share none."""
        super().__init__(local, folder)
        self._client, self._where = client, where
        self._sent: dict[str, tuple[object, Future]] = {}
        self._names = count()

    def __str__(self) -> str:
        return f"Dask, {self._workers()} workers at {self._where}"

    @contextmanager
    def sent(self, value: T) -> Iterator[Shared[T]]:
        """By the cluster, anew where workers died with it."""
        name = str(next(self._names))
        self._sent[name] = value, self._lasting(lambda: self._send(value))
        try:
            yield Shipped(name)
        finally:
            del self._sent[name]

    def tree_reduce(self, job: Job[Batch, S], data: Data[Batch], hear: Hear | None = None) -> S:
        """The state of all batches; ``hear`` is called in the order of the source."""
        parts = data.partitions()
        assert parts is not None
        given = tasks.cut(parts, self._workers())
        heard = 0  # tasks whose words came

        def once() -> S | tasks.Failed:
            nonlocal heard
            folded = [self._submit(_fold, job, task, self._shipped) for task in given]
            states = [self._submit(_state, one) for one in folded]
            told = [self._submit(_told, one) for one in folded[heard:]] if hear else []
            del folded
            while len(states) > 1:
                fans = [states[k : k + _FAN] for k in range(0, len(states), _FAN)]
                states = [self._submit(tasks.merge, *fan) for fan in fans]
            told.reverse()
            while told and hear is not None:
                for one in told.pop().result():
                    hear(one)
                heard += 1
            state: S | tasks.Failed = states[0].result()
            return state

        return sound(self._lasting(once))

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """The results in the order of the items; few more are under way than workers can do."""
        under_way: deque[tuple[int, Item, Future]] = deque()

        def begun(number: int, item: Item) -> Future:
            return self._submit(_apply, function, number, item, self._shipped)

        def next_result() -> Result:
            number, item, future = under_way.popleft()
            waits = [future]

            def once() -> Result | tasks.Failed:
                if not waits:
                    waits.append(begun(number, item))
                found: Result | tasks.Failed = waits.pop().result()
                return found

            return sound(self._lasting(once))

        for number, item in enumerate(items):
            under_way.append((number, item, begun(number, item)))
            if len(under_way) > _AHEAD * self._workers():
                yield next_result()
        while under_way:
            yield next_result()

    def _submit(self, function: Callable[..., Any], *given: Any) -> Future:
        """A future, which the scheduler calls off once nobody holds it any more."""
        return self._client.submit(function, *given, pure=False)

    def _lasting(self, work: Callable[[], T]) -> T:
        """What some work gives; it is done anew where workers died with what was sent to them.

        What goes wrong between the cluster and this process is one line.
        """
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError
        from distributed.comm import CommClosedError

        for _ in range(_TRIES):
            try:
                return work()
            except KilledWorker:
                break
            except FutureCancelledError as error:
                if error.reason == _LOST or self._client.status != "running":
                    raise self._gone(error) from None
                self._send_again()
            except (CommClosedError, TimeoutError) as error:
                raise self._gone(error) from None
            except MemoryError:
                raise EngineError(f"{self._where}: a worker is out of memory; {_MORE}") from None
        raise EngineError(
            f"{self._where}: workers died of one task, again and again, mostly for want of memory; "
            f"{_MORE}"
        )

    def _gone(self, error: Exception) -> EngineError:
        return EngineError(f"{self._where}: the scheduler is gone ({one_line(error)})")

    def _send(self, value: object) -> Future:
        return self._client.scatter(value, broadcast=True, hash=False)

    def _send_again(self) -> None:
        for name, (value, _) in self._sent.items():
            self._sent[name] = value, self._send(value)

    @property
    def _shipped(self) -> dict[str, Future]:
        return {name: future for name, (_, future) in self._sent.items()}

    def _workers(self) -> int:
        return max(len(self._client.scheduler_info(n_workers=-1)["workers"]), 1)


def _fold(job: Job[Any, S], task: tasks.Task, values: dict[str, Any]) -> tasks.Folded[S]:
    return tasks.fold(job, task, values)


def _apply(
    function: Callable[[Item], Result], number: int, item: Item, values: dict[str, Any]
) -> Result | tasks.Failed:
    return tasks.apply(function, number, item, values)


def _state(folded: tasks.Folded[S]) -> S | tasks.Failed:
    return folded.state


def _told(folded: tasks.Folded[Any]) -> list[Any]:
    return folded.told


@contextmanager
def dask_cluster(address: str | None, local: Threads) -> Iterator[Dask]:
    """The cluster of a scheduler, or one of this machine, which ends with the block.

    EngineError where there is none, or where workers cannot do what is asked.
    """
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError:
        raise EngineError(_MISSING) from None
    logger = logging.getLogger("distributed")
    with ExitStack() as stack:
        stack.callback(logger.setLevel, logger.level)
        logger.setLevel(logging.CRITICAL + 1)  # what matters comes as an exception
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="taxcheck-dask-")))
        if address is None:
            settings = {"temporary_directory": str(folder), _LEVEL: "critical"}
            stack.enter_context(dask.config.set(settings))
            cluster = stack.enter_context(_local(LocalCluster, local.workers))
            client = stack.enter_context(Client(cluster))
            where = "this machine"
        else:
            client = stack.enter_context(_client(Client, address))
            where = address
            _refuse_others(client, address)
        yield Dask(client, where, local, folder if address is None else None)


def _client(kind: type[Client], address: str) -> Client:
    """A client of the scheduler at an address; EngineError where none answers."""
    try:
        return kind(address, timeout=_PATIENCE)
    except (OSError, TimeoutError, ValueError) as error:
        problem = one_line(error)
    # What did not connect closes itself when it is collected, and waits for ever where that happens
    # while another client starts: so it is collected now.
    gc.collect()
    raise EngineError(
        f"{address}: no Dask scheduler answers there ({problem}); start one with `dask scheduler`, "
        "or check the address"
    )


@contextmanager
def _local(kind: type[LocalCluster], workers: int) -> Iterator[LocalCluster]:
    try:
        cluster = kind(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
        )
    except (OSError, TimeoutError, RuntimeError) as error:
        raise EngineError(f"no Dask cluster starts on this machine ({one_line(error)})") from None
    with cluster:
        yield cluster


def _ours() -> str:
    return version("taxcheck")


def _refuse_others(client: Client, address: str) -> None:
    """EngineError where a worker has no taxcheck, or another one than this process."""
    ours = _ours()
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError:
        raise EngineError(
            f"{address}: the scheduler has no workers; start some with `dask worker {address}`"
        ) from None
    # of the standard library, so that a worker without taxcheck can be asked as well
    found: dict[str, Any] = client.run(version, _NAME, on_error="return")
    for worker, theirs in sorted(found.items()):
        if theirs != ours:
            has = "no taxcheck" if isinstance(theirs, Exception) else f"taxcheck {theirs}"
            raise EngineError(
                f"{address}: worker {worker} has {has}, and this is taxcheck {ours}; install the "
                "same on all workers"
            )
