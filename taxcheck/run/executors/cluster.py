"""What clusters have in common: data that only this process reads, and how values are shared."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Self

from taxcheck.run.executors.mapped import mapped
from taxcheck.run.executors.threads import Threads
from taxcheck.statistics.passes import Data, Shared, T


class Cluster(ABC):
    """Workers in other processes, which keep nothing of what a pass has read."""

    keeps = False

    def __init__(self, local: Threads, folder: Path | None) -> None:
        """``folder`` is one that all workers see; None where they share none."""
        self._local, self._folder = local, folder

    def over(self, data: Data[Any]) -> Self | Threads:
        """Itself, or the threads of this process, where workers could not read the data."""
        return self._local if data.partitions() is None else self

    @contextmanager
    def publish(self, value: T) -> Iterator[Shared[T]]:
        """Give a value to all tasks: by a file that is mapped, or sent to every worker once."""
        shared = self.sent(value) if self._folder is None else mapped(value, self._folder)
        with shared as given:
            yield given

    @abstractmethod
    def sent(self, value: T) -> AbstractContextManager[Shared[T]]:
        """A value that every worker has once, until the block ends."""
