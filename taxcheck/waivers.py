"""Waivers: findings that someone answers for until a date. A value, and how the policy states it.

A waiver names a rule, who owns it, why, and the last day on which it holds; and it is bounded, by a
count, by the fingerprint of one input, or by the nodes that it is about.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from taxcheck.errors import UsageError

KEYS = ("rule", "owner", "reason", "expires", "max_count", "fingerprint", "taxid", "idx")
_BOUNDS = ("max_count", "fingerprint", "taxid", "idx")


@dataclass(frozen=True, slots=True)
class Waiver:
    """One [[waiver]] of the policy. Of its bounds those that are given must all hold."""

    rule: str
    owner: str
    reason: str
    expires: dt.date  # the last day on which it holds, UTC
    max_count: int | None = None
    fingerprint: str | None = None  # of one of the inputs, "blake3:<hex>"
    taxid: tuple[int | str, ...] = ()  # identifiers; every offending row must be about one
    idx: tuple[int, ...] = ()


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


def parse_waivers(
    raw: object, rules: Mapping[str, str], unknown: Callable[[str, str], UsageError]
) -> tuple[Waiver, ...]:
    """The policy's [[waiver]] tables; ``rules`` maps ids and names to ids.

    Raises UsageError that names what is missing or wrong; ``unknown`` makes the one for a key.
    """
    if not isinstance(raw, list):
        raise UsageError("policy: waivers are written as [[waiver]], one table each")
    return tuple(_waiver(table, f"waiver {at}", rules, unknown) for at, table in enumerate(raw, 1))


def _waiver(
    raw: object, where: str, rules: Mapping[str, str], unknown: Callable[[str, str], UsageError]
) -> Waiver:
    if not isinstance(raw, Mapping):
        raise UsageError("policy: waivers are written as [[waiver]], one table each")
    for key in raw:
        if key not in KEYS:
            raise unknown(where, key)
    texts = {}
    for key in ("rule", "owner", "reason"):
        value = raw.get(key)
        if not isinstance(value, str) or not value.strip():
            raise UsageError(f'policy: {where} needs {key} = "…"')
        texts[key] = value.strip()
    if texts["rule"] not in rules:
        raise UsageError(f"policy: {where} waives {texts['rule']!r}, which is no rule")
    if not any(key in raw for key in _BOUNDS):
        raise UsageError(f"policy: {where} has no bound: give one of {', '.join(_BOUNDS)}")
    return Waiver(
        rule=rules[texts["rule"]],
        owner=texts["owner"],
        reason=texts["reason"],
        expires=_date(raw.get("expires"), where),
        max_count=_count(raw.get("max_count"), where),
        fingerprint=_fingerprint(raw.get("fingerprint"), where),
        taxid=tuple(_nodes(raw.get("taxid", []), f"{where}: taxid", (int, str))),
        idx=tuple(int(n) for n in _nodes(raw.get("idx", []), f"{where}: idx", (int,))),
    )


def _date(value: object, where: str) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError:
        raise UsageError(f"policy: {where} needs expires = YYYY-MM-DD, a date") from None


def _count(value: object, where: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise UsageError(f"policy: {where}: max_count must be a whole number, not {value!r}")
    return value


def _fingerprint(value: object, where: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or ":" not in value:
        raise UsageError(f'policy: {where}: fingerprint must read "blake3:…", as in a report')
    return value


def _nodes(value: object, where: str, kinds: tuple[type, ...]) -> list[int | str]:
    nodes: list[int | str] = value if isinstance(value, list) else []
    wrong = any(isinstance(node, bool) or not isinstance(node, kinds) for node in nodes)
    if wrong or not isinstance(value, list):
        raise UsageError(f"policy: {where} must be a list of identifiers")
    return nodes
