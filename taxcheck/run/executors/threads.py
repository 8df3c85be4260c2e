"""Threads of this process: the default, and the reference that all other executors are held to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Generic

from taxcheck.statistics.passes import Batch, Data, Hear, Item, Job, Result, S, T
from taxcheck.statistics.state import collect


@dataclass(frozen=True, slots=True)
class Here(Generic[T]):
    """A value that never leaves the process."""

    value: T


@dataclass(frozen=True, slots=True)
class Threads:
    """They take the next batch of one stream as they become free, each with a state of its own."""

    workers: int = 1
    keeps = True

    def over(self, data: Data[Any]) -> Threads:
        """Itself: this process reads everything."""
        del data
        return self

    def publish(self, value: T) -> AbstractContextManager[Here[T]]:
        """The value as it is."""
        return nullcontext(Here(value))

    def tree_reduce(self, job: Job[Batch, S], data: Data[Batch], hear: Hear | None = None) -> S:
        """The state of all batches; ``hear`` is called from several threads at once."""

        def read(batch: Batch) -> Any:
            found = job.read(batch)
            if hear is not None:
                for told in job.told(found):
                    hear(told)
            return found

        return collect(data.batches(), job.empty, self.workers, read)

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """The results in the order of the items."""
        with ThreadPoolExecutor(max(self.workers, 1)) as pool:
            yield from pool.map(function, items)
