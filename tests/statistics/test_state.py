"""Folding batches by several workers: all are taken, once, and a fault ends it."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from taxcheck.statistics.state import _Shared, collect
from taxcheck.statistics.values import Identifiers
from tests.statistics.small_taxonomy import ids


class Taken:
    def __init__(self, batches=()):
        self.batches = [*batches]

    def update(self, batch):
        self.batches.append((batch, threading.get_ident()))

    def merge(self, other):
        return Taken(self.batches + other.batches)


@pytest.mark.parametrize("workers", [0, 1, 2, 5])
def test_every_batch_is_prepared_and_taken_once(workers):
    state = collect(range(100), Taken, workers, prepare=lambda k: 10 * k)
    assert sorted(batch for batch, _ in state.batches) == list(range(0, 1000, 10))


def test_one_worker_needs_no_thread_and_no_preparation():
    state = collect("ab", Taken)
    assert state.batches == [("a", threading.get_ident()), ("b", threading.get_ident())]


@pytest.mark.parametrize("workers", [1, 4])
def test_a_source_that_fails_is_not_asked_again(workers):
    class Failing:
        asked = 0

        def __iter__(self):
            return self

        def __next__(self):
            self.asked += 1
            raise ValueError("row 7")

    source = Failing()
    with pytest.raises(ValueError, match="row 7"):
        collect(source, Taken, workers)
    assert source.asked == 1


def test_after_a_fault_no_worker_is_given_anything():
    class Again:
        """Goes on after its fault, as an iterator may."""

        def __init__(self):
            self.numbers = iter([0, ValueError("row 1"), 2])

        def __iter__(self):
            return self

        def __next__(self):
            given = next(self.numbers)
            if isinstance(given, ValueError):
                raise given
            return given

    shared = _Shared(Again())
    assert next(iter(shared)) == 0
    with pytest.raises(ValueError, match="row 1"):
        next(iter(shared))
    assert list(shared) == []


def test_a_source_that_has_ended_is_not_asked_again():
    class Once:
        asked = 0

        def __iter__(self):
            return self

        def __next__(self):
            self.asked += 1
            raise StopIteration

    source = Once()
    assert collect(source, Taken, 3).batches == []
    assert source.asked == 1


def test_the_identifier_of_an_idx():
    numbers = Identifiers(ids(7, -1, 0), None)
    assert [numbers.of(k) for k in (-1, 0, 1, 2, 3)] == [None, 7, None, 0, None]
    texts = Identifiers(None, np.array(["a", None, "b"], dtype=object))
    assert [texts.of(k) for k in (-1, 0, 1, 2, 3)] == [None, "a", None, "b", None]
    assert Identifiers(None, None).of(0) is None
    assert type(numbers.of(0)) is int
