"""How often something may be asked for: a bucket of permits that fills again steadily."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from threading import Lock

_MOST = 10_000  # buckets; one that is full again is forgotten


class Limiter:
    """``a_minute`` permits for each key, all of which may be used at once."""

    def __init__(self, a_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = float(a_minute)
        self._rate = a_minute / 60
        self._clock = clock
        self._buckets: dict[Hashable, tuple[float, float]] = {}  # permits left, and when
        self._lock = Lock()

    def wait(self, key: Hashable) -> float:
        """Take a permit: 0.0, or the seconds until there is one, and then none is taken."""
        with self._lock:
            now = self._clock()
            left, then = self._buckets.get(key, (self._size, now))
            left = min(self._size, left + (now - then) * self._rate)
            if left < 1:
                self._buckets[key] = left, now
                return (1 - left) / self._rate
            self._buckets[key] = left - 1, now
            if len(self._buckets) > _MOST:
                self._forget(now)
            return 0.0

    def _forget(self, now: float) -> None:
        self._buckets = {
            key: (left, then)
            for key, (left, then) in self._buckets.items()
            if left + (now - then) * self._rate < self._size
        }
