"""What of a report a comparison relies on, checked before it does.

``report.schema.json`` says more; these are the values that are read, so that a report that was
edited, or cut and mended, is refused by the name of what is wrong in it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_EACH = "*"  # every value of an object
_DEEPEST = 16  # objects in objects; a report has five
_DIGITS = 25


@dataclass(frozen=True, slots=True)
class Maybe:
    """A value that may be null; ``absent`` where it may also not be there."""

    form: Any
    absent: bool = True


def _text(value: object) -> bool:
    return isinstance(value, str)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _interval(value: object) -> bool:
    return (
        isinstance(value, list) and len(value) == 2 and all(v is None or _number(v) for v in value)
    )


def _shallow(value: object, depth: int = 0) -> bool:
    if isinstance(value, Mapping):
        return depth < _DEEPEST and all(_shallow(inner, depth + 1) for inner in value.values())
    return True


_KNOWN = Maybe(_number, absent=False)
_SCORE = Maybe({"value": _KNOWN, "ci": _interval, "protocol": _text})
_QUALITY = {
    **dict.fromkeys(
        ("map", "mean_rank", "spearman", "monotone_edges", "siblings", "separation"), _SCORE
    ),
    "hits": Maybe({_EACH: _SCORE}),
    "parent_hits": Maybe({_EACH: _SCORE}),
}
_COUNTS = ("both", "only_descendant", "only_ancestor", "never", "table_size")
_FORM = {
    "title": _text,
    "verdict": _text,
    "tool": {"version": _text},
    "inputs": [
        {"role": _text, "path": _text, "rows": _KNOWN, "bytes": _KNOWN,
         "fingerprint": Maybe(_text, absent=False)}
    ],
    "rules": [
        {"id": _text, "name": _text, "outcome": _text, "message": _text, "count": _KNOWN,
         "total": _KNOWN, "share": _KNOWN}
    ],
    "policy": {"differences": {_EACH: _text}},
    "statistics": {
        _EACH: _shallow,
        "mapping": Maybe({"n_nodes": Maybe(_number)}),
        "pairs": Maybe(
            {**dict.fromkeys(_COUNTS, Maybe(_number)),
             "depth": Maybe({"shares": Maybe({_EACH: Maybe(_number)})})}
        ),
        "embeddings": Maybe(
            {"quality": Maybe(_QUALITY),
             "norms": Maybe({"percentiles": Maybe({_EACH: Maybe(_number)})})}
        ),
    },
}  # fmt: skip


def misfit(value: object) -> str | None:
    """Where a report is not as a comparison reads it, such as "rules 3 count"; None where it is."""
    return _misfit(value, _FORM, "")


def _misfit(value: object, form: Any, where: str) -> str | None:
    if isinstance(form, Maybe):
        return None if value is None else _misfit(value, form.form, where)
    if isinstance(form, list):
        if not isinstance(value, list):
            return where
        places = (_misfit(one, form[0], f"{where} {at}") for at, one in enumerate(value, 1))
        return next((found for found in places if found is not None), None)
    if isinstance(form, Mapping):
        if not isinstance(value, Mapping):
            return where
        keys = [*(key for key in form if key != _EACH), *(value if _EACH in form else ())]
        for key in keys:
            wanted = form.get(key, form.get(_EACH))
            place = f"{where} {key}".strip()
            if key not in value and not (isinstance(wanted, Maybe) and wanted.absent):
                return place
            if (found := _misfit(value.get(key), wanted, place)) is not None:
                return found
        return None
    return None if form(value) else where


def parsed(text: str) -> object:
    """JSON as reports are written; ValueError for numbers that no report holds, as NaN, as well."""
    try:
        return json.loads(text, parse_int=_int, parse_float=_float, parse_constant=_float)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _int(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise ValueError(f"a number of {len(digits):,} digits")
    return int(digits)


def _float(digits: str) -> float:
    if not math.isfinite(number := float(digits)):
        raise ValueError(f"{digits[:_DIGITS]} is no number of a report")
    return number
