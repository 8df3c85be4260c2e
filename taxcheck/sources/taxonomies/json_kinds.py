"""What hierarchy a JSON document holds, from its first bytes."""

from __future__ import annotations

import re
from typing import Literal

from taxcheck.model.errors import InputError
from taxcheck.sources.readers import Candidate
from taxcheck.sources.taxonomies.json_events import events
from taxcheck.sources.taxonomies.json_tree import CHILDREN

_COUNTED = 3  # levels below which a number may count what is called by its key
JsonKind = Literal["obograph", "tree", "nested", "graph", "lists", "json-ld", ""]
_KEY = rb'"\s*:\s*'
_BELOW = "|".join(key for key in CHILDREN if key != "nodes").encode()
_KINDS: tuple[tuple[JsonKind, re.Pattern[bytes]], ...] = (
    ("obograph", re.compile(rb'"graphs' + _KEY + rb"\[")),
    ("json-ld", re.compile(rb'"@(?:context|graph)' + _KEY)),
    ("tree", re.compile(rb'"(?:' + _BELOW + rb")" + _KEY + rb"[\[{n]")),
    ("tree", re.compile(rb'\{\s*"(?:name|id|label|text|title)' + _KEY + rb'"?[^"{}\[\]]*"?\s*,\s*'
                        rb'"nodes' + _KEY + rb"\[")),
    ("graph", re.compile(rb'"(?:elements|links|edges|adjacency)' + _KEY + rb'[\[{]')),
    ("json-ld", re.compile(rb'"@(?:id|type)' + _KEY)),
)  # fmt: skip


def json_kind(candidate: Candidate) -> JsonKind:
    """The kind of hierarchy; "" where it is no JSON, or none that is known."""
    head = candidate.unpacked.removeprefix(b"\xef\xbb\xbf").lstrip() if candidate.is_text else b""
    if not head.startswith((b"{", b"[")):
        return ""
    for kind, pattern in _KINDS:
        if pattern.search(head):
            return kind
    return _of_keys(head) if head.startswith(b"{") else ""


def _of_keys(head: bytes) -> JsonKind:
    """Keys over keys, at last over nothing or lists of texts; or keys over lists of other keys."""
    levels = 0
    in_list: list[bool] = []
    above: set[int] = set()  # levels that have keys
    keys: set[object] = set()
    listed: set[object] = set()
    try:
        for _, kind, value in events(head.decode("utf-8", "ignore"), ""):
            if kind == "key":
                above.add(levels)
                keys.add(value)
            elif kind in "{[":
                levels += kind == "{"
                in_list.append(kind == "[")
            elif kind in "}]":
                levels -= kind == "}"
                in_list.pop()
            elif in_list[-1:] == [True] or value is None:
                listed.add(value)
            elif kind != "number" or levels < _COUNTED:  # a record, or a column of numbers
                return ""
    except InputError:  # where the first bytes end
        pass
    if 2 in above:
        return "nested"
    return "" if keys.isdisjoint(listed) else "lists"
