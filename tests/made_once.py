"""Values that are dear to make: one process of a run makes each, the others read it."""

from __future__ import annotations

import fcntl
import os
import pickle
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

FOLDER = "TAXCHECK_TESTS_MADE"  # in the environment of a run and of its workers
T = TypeVar("T")


def made_once(make: Callable[[], T]) -> Callable[[], T]:
    """The value of a function, which nobody may change."""

    @cache
    def made() -> T:
        if FOLDER not in os.environ:  # no test runs
            return make()
        path = Path(os.environ[FOLDER]) / f"{make.__module__}.{make.__qualname__}"
        with path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                begun = path.with_suffix(".begun")
                begun.write_bytes(pickle.dumps(make()))
                begun.rename(path)
        value: T = pickle.loads(path.read_bytes())
        return value

    return made
