"""A cluster without any process: tasks are pickled, run in any order, and merged in any order."""

from __future__ import annotations

import pickle
from contextlib import contextmanager
from itertools import count

import numpy as np

from taxcheck.run.executors import tasks
from taxcheck.run.executors.tasks import Shipped, sound
from taxcheck.run.executors.threads import Threads


def shipped(value):
    return pickle.loads(pickle.dumps(value))


class Scattered:
    """An executor for so many workers."""

    keeps = False

    def __init__(self, workers, seed):
        self._workers, self._rng = workers, np.random.default_rng(seed)
        self._values, self._names, self.passes = {}, count(), 0

    def __str__(self):
        return "a cluster without processes"

    def over(self, data):
        return Threads(2) if data.partitions() is None else self

    @contextmanager
    def publish(self, value):
        name = str(next(self._names))
        self._values[name] = shipped(value)
        yield Shipped(name)
        del self._values[name]

    def tree_reduce(self, job, data, hear=None):
        self.passes += 1
        given = tasks.cut(data.partitions(), self._workers)
        folded = {}
        for k in self._rng.permutation(len(given)):
            done = tasks.fold(shipped(job), shipped(given[k]), self._values)
            folded[k] = shipped(done)
        for k in range(len(given)) if hear else ():
            for told in folded[k].told:
                hear(told)
        states = [folded[k].state for k in self._rng.permutation(len(given))]
        while len(states) > 1:
            fan = int(self._rng.integers(2, 4))
            states = [shipped(tasks.merge(*states[:fan])), *states[fan:]][::-1]
        return sound(states[0])

    def map(self, function, items):
        for number, item in enumerate(items):
            yield sound(shipped(tasks.apply(shipped(function), number, item, self._values)))
