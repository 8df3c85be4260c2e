"""The same values with hostile texts wherever a text comes from data."""

from __future__ import annotations

from enum import Enum
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from taxcheck.model.report import Report
from taxcheck.model.rule import Document
from taxcheck.service.pages.values import Compare, Run
from tests.reports.extreme import HOSTILE, NAMES
from tests.reports.sample import REPORTS
from tests.service.pages.made import VALUES, compare

RIGHT_TO_LEFT = NAMES[0] + " \u202eevil\u202c " + NAMES[1]
LONG = "Aa" * 5_000
TEXTS = {"scripts": HOSTILE, "right to left": RIGHT_TO_LEFT, "long": LONG}
# what the store bounds, because it stands in addresses
_BOUNDED = ("id", "run", "newest", "job", "project", "dataset", "rule", "cause")
_OURS = ("created", "kind", "style")  # fields that hold no text of others


def made(name: str, text: str) -> Any:
    """The value of a page in which every text is this one; what is compared is hostile too."""
    value = VALUES[name][1]()
    if isinstance(value, Run):
        value = replace(value, report=REPORTS["hostile"](), changed=_between())
    elif isinstance(value, Compare) and value.comparison is not None:
        value = replace(value, comparison=_between())
    return _hostile(value, text)


def _between() -> Any:
    return compare("healthy", "hostile").comparison


def _hostile(value: Any, text: str, field: str = "") -> Any:
    if isinstance(value, Report) or field in ("comparison", "changed"):
        return value
    if isinstance(value, Document):
        return Document(*[f'{text} ``{text}`` https://x.example/?a="><b>'] * 5)
    if isinstance(value, Enum) or field in _OURS:
        return value
    if isinstance(value, str):
        return (text[:100] if field in _BOUNDED else text) if value else value
    if isinstance(value, Struct):
        fields = {f: _hostile(getattr(value, f), text, f) for f in value.__struct_fields__}
        return replace(value, **fields)
    if isinstance(value, tuple):
        return tuple(_hostile(one, text) for one in value)
    if isinstance(value, dict):
        return {key: _hostile(one, text) for key, one in value.items()}
    return value
