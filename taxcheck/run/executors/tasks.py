"""What a cluster is given to do: neighbouring partitions are folded into one state.

A task is a function of this module and plain values, so that a worker needs taxcheck and the data,
and nothing of the process that began the pass.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from typing import Any, Generic, cast

from taxcheck.model.errors import TaxcheckError
from taxcheck.statistics.passes import Item, Job, Partition, Result, S, T

_TASKS_A_WORKER = 3  # so that the last one to finish is not waited for too long

_here = threading.local()  # what was shipped with the task of a thread


@dataclass(frozen=True, slots=True)
class Shipped(Generic[T]):
    """A value that comes with every task, by its name."""

    name: str

    @property
    def value(self) -> T:
        """It, within a task."""
        return cast("T", _here.values[self.name])


@contextmanager
def _at_hand(values: Mapping[str, Any]) -> Iterator[None]:
    _here.values = values
    try:
        yield
    finally:
        _here.values = {}


@dataclass(frozen=True, slots=True)
class Failed:
    """The error of a user, as a result: trying again would give it again."""

    task: int
    error: TaxcheckError


@dataclass(slots=True)
class Folded(Generic[S]):
    """What a task found, and what whoever began the pass is told of it."""

    state: S | Failed
    told: list[Any]


@dataclass(frozen=True, slots=True)
class Task:
    """Some neighbouring partitions; tasks are numbered in their order."""

    number: int
    partitions: Sequence[Partition[Any]]


def cut(partitions: Sequence[Partition[Any]], workers: int) -> list[Task]:
    """The partitions as tasks of about equal rows, a few for each worker."""
    wanted = max(min(len(partitions), _TASKS_A_WORKER * workers), 1)
    rows = sum(part.rows for part in partitions)
    tasks: list[list[Partition[Any]]] = [[]]
    before = 0
    for part in partitions:
        if tasks[-1] and before * wanted >= len(tasks) * rows:
            tasks.append([])
        tasks[-1].append(part)
        before += part.rows
    return [Task(number, parts) for number, parts in enumerate(tasks)]


def fold(job: Job[Any, S], task: Task, values: Mapping[str, Any]) -> Folded[S]:
    """Do a job on all partitions of a task."""
    told: list[Any] = []
    with _at_hand(values):
        try:
            state = job.empty()
            for part in task.partitions:
                for batch in part.batches(told.append):
                    found = job.read(batch)
                    state.update(found)
                    told += job.told(found)
        except TaxcheckError as error:
            return Folded(Failed(task.number, error), [])
    return Folded(state, told)


def apply(
    function: Callable[[Item], Result], number: int, item: Item, values: Mapping[str, Any]
) -> Result | Failed:
    """Call a function of one item."""
    with _at_hand(values):
        try:
            return function(item)
        except TaxcheckError as error:
            return Failed(number, error)


def merge(*states: S | Failed) -> S | Failed:
    """The state of several; of those that failed the first."""
    failed = [state for state in states if isinstance(state, Failed)]
    if failed:
        return min(failed, key=lambda one: one.task)
    return reduce(lambda a, b: a.merge(b), cast("Sequence[S]", states))


def sound(result: T | Failed) -> T:
    """A result; the TaxcheckError that a task ended with, as it was raised there."""
    if isinstance(result, Failed):
        raise result.error
    return result
