"""Reports as JSON, there and back: ``report_from_json(report_to_json(r)) == r`` once settled."""

from __future__ import annotations

import codecs
import math
from collections.abc import Mapping, Sequence
from functools import cache
from threading import Lock
from typing import Any, TypeVar, cast

import msgspec

from taxcheck.model.errors import NoReportError, OtherVersionError
from taxcheck.model.finding import Observed, Scalar
from taxcheck.model.report import SCHEMA_VERSION, Report
from taxcheck.model.result import Infinite

Value = TypeVar("Value")
_MAJOR = SCHEMA_VERSION.split(".")[0]
_NONE = "is no report of `taxcheck run --json`"
_ONE_AT_A_TIME = Lock()  # two threads that both make a class's first decoder crash msgspec


def plain(value: object) -> Any:
    """A value that strict JSON can hold: no NaN, no infinity but as text, no NumPy scalar.

    Lone surrogates, which UTF-8 cannot encode, become the replacement character.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, int):
        return int(value)
    if isinstance(value, Infinite):
        return str(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {plain(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return [plain(item) for item in sorted(value, key=str)]
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    for convert in ("tolist", "isoformat"):
        if hasattr(value, convert):
            return plain(getattr(value, convert)())
    return plain(str(value))


def plain_observed(values: Mapping[str, object]) -> dict[str, Observed]:
    """What a rule observed as a report holds it: scalars, or one level of them."""

    def scalar(value: Any) -> Scalar:
        return str(value) if isinstance(value, list | dict) else value

    def level(value: Any) -> Observed:
        if isinstance(value, list):
            return [scalar(item) for item in value]
        if isinstance(value, dict):
            return {key: scalar(item) for key, item in value.items()}
        return scalar(value)

    return {key: level(value) for key, value in plain(values).items()}


def to_json(value: object) -> bytes:
    """One of the model's values as JSON in one line; equal values give equal bytes."""
    try:
        return msgspec.json.encode(value, enc_hook=plain)
    except UnicodeEncodeError:  # a lone surrogate somewhere: look at every text
        return msgspec.json.encode(plain(msgspec.to_builtins(value, str_keys=True, enc_hook=plain)))


def report_to_json(report: Report) -> bytes:
    """The report as UTF-8."""
    return to_json(report)


def settled(value: Value) -> Value:
    """A value as its JSON has it, so that what is shown now is what is read back later.

    Raises ValidationError where a field holds what its class does not allow.
    """
    kind: type = type(value)
    return cast(Value, decoder(kind).decode(to_json(value)))


def report_from_json(content: bytes) -> Report:
    """A report that was written by this taxcheck or an earlier one.

    Raises NoReportError where it is none, OtherVersionError where it is a later one's.
    """
    version, content = None, content.removeprefix(codecs.BOM_UTF8)
    try:
        version = msgspec.json.decode(content, type=_Head).schema_version
        if isinstance(version, str) and version.split(".")[0] == _MAJOR:
            return _possible(cast(Report, decoder(Report).decode(content)))
        found = msgspec.json.decode(content)
    except msgspec.ValidationError as error:
        raise NoReportError(_misshapen(error) if version else _NONE) from None
    except RecursionError:
        raise NoReportError("is no JSON of a report: it is nested too deeply") from None
    except ValueError as error:  # of an encoding too
        raise NoReportError(f"is no JSON: {error}") from None
    if version is None:
        raise NoReportError(_NONE)
    said = str(version)[:40]
    if not said.startswith("1."):
        raise OtherVersionError(
            f"has report schema {said}, which cannot be compared with {SCHEMA_VERSION}; "
            f"write it again by this taxcheck"
        )
    from taxcheck.model.upgrade import from_first  # reports of years ago are few

    decoder(Report)  # what convert looks up is then whole
    try:
        return _possible(msgspec.convert(from_first(found), Report, str_keys=True))
    except msgspec.ValidationError as error:
        raise NoReportError(_misshapen(error)) from None


def _possible(report: Report) -> Report:
    """The report; ValidationError where a count exceeds its total, or a rule is there twice."""
    seen: set[str] = set()
    for at, result in enumerate(report.results):
        said = ""
        if result.id in seen:
            said = f"{result.id[:20]!r} is there twice"
        elif result.count and result.total and result.count > result.total:
            said = f"{result.count:,} of {result.total:,} cannot be"
        if said:
            raise msgspec.ValidationError(f"{said} - at `$.results[{at}]`")
        seen.add(result.id)
    return report


class _Head(msgspec.Struct):
    schema_version: Any = None


def decoder(kind: type) -> msgspec.json.Decoder[Any]:
    """The decoder of one of the model's classes; any number of threads may ask at once."""
    with _ONE_AT_A_TIME:
        return _decoder(kind)


@cache
def _decoder(kind: type) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def _misshapen(error: Exception) -> str:
    what, _, where = str(error).partition(" - at `$")
    at = f"{where.strip('.`')}: " if where.strip(".`") else ""
    return f"is not as `taxcheck run --json` writes it: {at}{what}; write it again"
