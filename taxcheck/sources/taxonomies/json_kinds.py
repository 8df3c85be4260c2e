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


# Forms that state a hierarchy and are not read: what each is, and what makes edges or a tree of it.
_EDGES_OF: tuple[tuple[re.Pattern[bytes], str, str], ...] = (
    (
        re.compile(rb'\{\s*"core' + _KEY + rb'\{[^\[]*"data' + _KEY + rb"\["),
        "settings of jsTree around a list of nodes",
        "jq .core.data FILE > nodes.json",
    ),
    (
        re.compile(rb'"labels' + _KEY + rb'\[(?s:.*)"parents' + _KEY + rb"\["),
        "lists of labels and parents beside each other, as of plotly",
        'jq -r \'["child","parent"], ([.labels, .parents] | transpose[]) | @csv\' FILE > edges.csv',
    ),
    (
        re.compile(rb'\{(\s*"[^"]*"\s*:\s*("[^"]*"|null)\s*[,}]){2}'),
        "one text for each key",
        'where keys are children, jq -r \'["child","parent"], (to_entries[] | [.key, .value]) '
        "| @csv' FILE > edges.csv",
    ),
)


def refused_json(candidate: Candidate) -> InputError:
    """Why a JSON document without a known hierarchy is not read, and the way out."""
    for known, what, command in _EDGES_OF:
        if known.search(candidate.unpacked):
            return InputError(f"{candidate.file.shown}: is JSON of {what}; {command}")
    return InputError(
        f"{candidate.file.shown}: is JSON in which nothing tells parent and child; give a "
        "tree with lists of `children`, OBO Graph JSON, or its edges as a table of "
        "child,parent"
    )


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
