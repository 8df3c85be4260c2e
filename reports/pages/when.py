"""Moments as people read them; UTC, since the server knows no other clock of its readers."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from taxcheck.model.vocabulary import plural

_UNITS = (("year", 365 * 86400), ("month", 30 * 86400), ("day", 86400), ("hour", 3600))
_LAST = 253_402_300_799_999  # of the year 9999


def _at(moment: int) -> datetime:
    return datetime.fromtimestamp(min(max(moment, 0), _LAST) / 1000, UTC)


@lru_cache(1 << 14)  # a page tells each moment a dozen times
def iso(moment: int) -> str:
    """For machines: ``2026-11-22T14:03:09Z``."""
    return _at(moment).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(1 << 14)
def minute(moment: int) -> str:
    """``2026-11-22 14:03``."""
    return _at(moment).strftime("%Y-%m-%d %H:%M")


def day(moment: int) -> str:
    """``2026-11-22``."""
    return _at(moment).strftime("%Y-%m-%d")


def lasted(milliseconds: int) -> str:
    """``3 days``, ``2 hours``, ``5 minutes``: the largest unit of a length of time."""
    seconds = max(milliseconds, 0) // 1000
    for word, size in (*_UNITS, ("minute", 60)):
        if seconds >= size:
            return plural(seconds // size, word)
    return plural(seconds, "second")


def ago(moment: int, now: int) -> str:
    """``3 days ago``; a clock that is ahead of ours gives no negative time."""
    return "just now" if now - moment < 60_000 else f"{lasted(now - moment)} ago"
