"""Seconds by stage, for the report."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from taxcheck.model.errors import UsageError


class Clock:
    """Adds up the time of named stages."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Count the time of the block towards a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._stages[stage] = self._stages.get(stage, 0.0) + time.perf_counter() - start

    def seconds(self) -> dict[str, float]:
        """Seconds of every stage, and the total so far."""
        return self._stages | {"total": time.perf_counter() - self._start}


def created() -> tuple[str, bool]:
    """The report's date, ISO 8601 in UTC, and whether it is the true one.

    Where SOURCE_DATE_EPOCH is set it is that date, so that equal inputs give equal bytes.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch is None:
        return dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), True
    try:
        date = dt.datetime.fromtimestamp(int(epoch), dt.UTC)
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"SOURCE_DATE_EPOCH = {epoch!r} is no number of seconds") from None
    return date.isoformat(timespec="seconds"), False
