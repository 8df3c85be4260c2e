"""Waivers: findings that someone answers for until a date.

A waiver names a rule, who owns it, why, and the last day on which it holds; and it is bounded, by a
count, by the fingerprint of one input, or by the nodes that it is about.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Waiver:
    """One [[waiver]] of the policy. Of its bounds those that are given must all hold."""

    rule: str  # by its id
    owner: str
    reason: str
    expires: dt.date  # the last day on which it holds, UTC
    max_count: int | None = None
    fingerprint: str | None = None  # of one of the inputs, "blake3:<hex>"
    taxid: tuple[int | str, ...] = ()  # identifiers; every offending row must be about one
    idx: tuple[int, ...] = ()


KEYS = tuple(field.name for field in fields(Waiver))


class WaiverState(StrEnum):
    """What became of a waiver in one run; ``EXPIRED`` and ``STALE`` fail it."""

    WAIVED = "waived"  # its finding does not count
    EXPIRED = "expired"  # the day is past
    STALE = "stale"  # there is nothing to waive
    EXCEEDED = "exceeded"  # it does not cover what was found
    OTHER_DATA = "other data"  # its fingerprint is of another file
    NOT_JUDGED = "not judged"  # its rule did not run


@dataclass(frozen=True, slots=True)
class WaiverStatus:
    """A waiver with its state and one sentence that says so."""

    waiver: Waiver
    state: WaiverState
    message: str

    @property
    def fails(self) -> bool:
        """Whether the waiver itself fails the run."""
        return self.state in (WaiverState.EXPIRED, WaiverState.STALE)
