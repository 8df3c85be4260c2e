"""States: what is folded over batches, merged over workers, and frozen into a value.

A state class has ``empty(...)``, ``update(batch)``, ``merge(other)`` and mostly ``freeze()``;
``merge`` returns a new state and is associative and commutative with ``empty`` as identity, so the
frozen value does not depend on how the data was split, in which order it came, or how many workers
folded it. A state is a plain value: it pickles, and holds no file, lock or function. Whoever folds
also hands offenders to the sink and sound pairs to the spool. States that do not belong together
refuse to merge.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from typing import Any, Protocol, Self, TypeVar

from taxcheck.model.errors import BrokenError

Batch = TypeVar("Batch")
BatchIn = TypeVar("BatchIn", contravariant=True)


class State(Protocol[BatchIn]):
    """A statistic on its way: mutable only through ``update``."""

    def update(self, batch: BatchIn) -> None:
        """Fold one batch in."""

    def merge(self, other: Self) -> Self:
        """Give the state of both parts of the data."""


def refuse_unless(same: bool, why: str) -> None:
    """BrokenError for states that do not belong together."""
    if not same:
        raise BrokenError(f"these states do not merge: {why}")


S = TypeVar("S", bound=State)  # type: ignore[type-arg]


def collect(
    batches: Iterable[Batch],
    empty: Callable[[], S],
    workers: int = 1,
    prepare: Callable[[Batch], Any] = lambda batch: batch,
) -> S:
    """Fold all batches in one pass, with a state for each worker, and merge the states.

    ``prepare`` turns what is read into what the state takes, within the worker.
    The workers are threads that take the next batch as they become free: NumPy and Arrow release
    the interpreter's lock on arrays of this size. An exception in one worker ends the others.
    """
    source = _Shared(batches)

    def fold(_: int) -> S:
        state = empty()
        try:
            for batch in source:
                state.update(prepare(batch))
        except BaseException:
            source.close()
            raise
        return state

    if workers <= 1:
        return fold(0)
    with ThreadPoolExecutor(workers) as pool:
        states = list(pool.map(fold, range(workers)))
    return reduce(lambda a, b: a.merge(b), states)


class _Shared(Iterable[Batch]):
    """One iterator that several threads may draw from."""

    def __init__(self, batches: Iterable[Batch]) -> None:
        self._iterator = iter(batches)
        self._lock = threading.Lock()
        self._closed = False

    def close(self) -> None:
        self._closed = True

    def __iter__(self) -> Iterator[Batch]:
        while True:
            with self._lock:
                if self._closed:
                    return
                try:
                    batch = next(self._iterator)
                except StopIteration:
                    self._closed = True
                    return
                except BaseException:
                    self._closed = True
                    raise
            yield batch
