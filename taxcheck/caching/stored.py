"""A Report as bytes and back, typed on both ways; nothing in an entry can be run.

MessagePack keeps every double, NaN among them, and what is decoded is held to the annotations of
Report. A rule is stored by its id: its function and its document are those that are installed,
which the key vouches for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, make_dataclass, replace
from typing import Any, cast, get_type_hints

import msgspec
import numpy as np
from blake3 import blake3

from taxcheck.report import Report, RuleResult
from taxcheck.rule import Rule

_MAGIC = b"taxcheck result 1\n"
_DIGEST = 32  # bytes
# Of every field of a result but its rule.
_Result = make_dataclass(
    "_Result",
    [
        (f.name, str if f.name == "rule" else get_type_hints(RuleResult)[f.name])
        for f in fields(RuleResult)
    ],
)
_Entry = make_dataclass(
    "_Entry",
    [("key", str), ("report", Report), ("results", list[_Result])],  # type: ignore[valid-type]
)


class DamagedError(Exception):
    """An entry that is not whole, or is none."""


def to_bytes(key: str, report: Report) -> bytes | None:
    """An entry; None where a value of the report would not come back as it is.

    That is so of what no entry can hold, and of a whole number where the annotation says float: a
    renderer may show 6 and 6.0 as two texts. So what is decoded must encode to the same bytes.
    """
    results = [
        _Result(
            **{f.name: getattr(one, f.name) for f in fields(RuleResult)} | {"rule": one.rule.id}
        )
        for one in report.results
    ]
    try:
        body = _encoded(_Entry(key, replace(report, results=()), results))
        if _encoded(_decoded(body)) != body:
            return None
    except (TypeError, ValueError, OverflowError, msgspec.MsgspecError):
        return None
    return _MAGIC + blake3(body).digest() + body


def from_bytes(key: str, content: bytes, rules: Iterable[Rule]) -> Report:
    """The Report of an entry; DamagedError where it is not that of this key, whole."""
    head, body = content[: len(_MAGIC) + _DIGEST], content[len(_MAGIC) + _DIGEST :]
    if head != _MAGIC + blake3(body).digest():
        raise DamagedError
    by_id = {rule.id: rule for rule in rules}
    try:
        entry = _decoded(body)
        if entry.key != key:
            raise DamagedError
        results = tuple(
            RuleResult(
                **{f.name: getattr(one, f.name) for f in fields(RuleResult) if f.name != "rule"},
                rule=by_id[one.rule],
            )
            for one in entry.results
        )
    except (msgspec.MsgspecError, KeyError, RecursionError) as error:
        raise DamagedError from error
    return replace(cast(Report, entry.report), results=results)


def _encoded(entry: object) -> bytes:
    return msgspec.msgpack.encode(entry, enc_hook=_plain)


def _decoded(body: bytes) -> Any:
    return msgspec.msgpack.decode(body, type=_Entry)


def _plain(value: object) -> object:
    """A NumPy scalar as the number that it shows itself as."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be stored")
