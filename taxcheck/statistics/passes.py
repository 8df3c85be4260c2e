"""A pass over data: a job that is done part by part, wherever an executor has that done.

A job is a plain value: it pickles, and holds no file, lock or function. It makes states, which
merge (``statistics.state``), so that what a pass gives depends neither on how the data is cut, nor
on who reads which part of it, nor on the order in which they do. The executors themselves are in
``run.executors``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from taxcheck.statistics.state import State

T = TypeVar("T")
Item = TypeVar("Item")
Result = TypeVar("Result")
Value = TypeVar("Value", covariant=True)
Batch = TypeVar("Batch")
BatchIn = TypeVar("BatchIn", contravariant=True)
BatchOut = TypeVar("BatchOut", covariant=True)
S = TypeVar("S", bound=State)  # type: ignore[type-arg]
SOut = TypeVar("SOut", bound=State, covariant=True)  # type: ignore[type-arg]

# Hears what a pass has to tell beside its state; see ``Job.told``.
Hear = Callable[[Any], None]


class Partition(Protocol[BatchOut]):
    """A part of some data. It pickles, and any process that sees the data can read it."""

    @property
    def rows(self) -> int:
        """About how many it has."""

    def batches(self, tell: Hear) -> Iterator[BatchOut]:
        """Its batches in the order of the source; what is known after the last one is told."""


class Data(Protocol[BatchOut]):
    """What a pass goes over."""

    def batches(self) -> Iterator[BatchOut]:
        """All of it in the order of the source."""

    def partitions(self) -> Sequence[Partition[BatchOut]] | None:
        """The same in parts, in that order; None where this process alone can read it."""


class Job(Protocol[BatchIn, SOut]):
    """What is done with every batch."""

    def empty(self) -> SOut:
        """The state of no batch."""

    def read(self, batch: BatchIn) -> Any:
        """What the state takes of a batch."""

    def told(self, found: Any) -> Iterable[Any]:
        """Of what the state takes: what whoever began the pass wants to hear as it is."""


class Shared(Protocol[Value]):
    """A value that all tasks of a pass read, by whatever way it came to them."""

    @property
    def value(self) -> Value:
        """It; nobody may write to its arrays."""


class Executor(Protocol):
    """Where passes are run."""

    @property
    def keeps(self) -> bool:
        """Whether what a pass has read can be kept at hand, by the process that began it."""

    def over(self, data: Data[Any]) -> Executor:
        """Who runs passes over this data: itself, or this process, where others cannot read it."""

    def publish(self, value: T) -> AbstractContextManager[Shared[T]]:
        """Give a value to all tasks, until the block ends."""

    def tree_reduce(self, job: Job[Batch, S], data: Data[Batch], hear: Hear | None = None) -> S:
        """The state of all batches.

        ``hear`` is called with all that the job tells, in this process: from several threads at
        once, or part by part in the order of the source. TaxcheckError where the job raises one;
        EngineError where those who should run it are not there, or died of it.
        """

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """The results in the order of the items; ``function`` pickles, as they do."""
