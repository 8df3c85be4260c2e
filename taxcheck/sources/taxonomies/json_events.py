"""JSON as a stream of events, however deep it is nested; json.loads ends at a thousand levels."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from taxcheck.sources.taxonomies.newick_text import wrong

Event = tuple[int, str, Any]  # place in the text, kind, value
_TOKEN = re.compile(
    r'[ \t\r\n]*(?:([{}\[\],:])|"([^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*)"|'
    r"(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?)|(true|false|null))"
)
_BLANKS = re.compile(r"[ \t\r\n]*")
_WORDS = {"true": True, "false": False, "null": None}
_CUT = "the JSON ends too early; it is truncated, copy it again"


def events(text: str, shown: str) -> Iterator[Event]:
    """(place, "{" "}" "[" "]" "key" "value" or "number", value); InputError where it is no JSON.

    Numbers stay as they are written.
    """
    at = 0
    state = "value"  # what may come: "value", "first" of a list, "key", "first key", "after"
    stack: list[str] = []
    while True:
        found = _TOKEN.match(text, at)
        if found is None:
            blank = _BLANKS.match(text, at)
            end = blank.end() if blank else at
            if end < len(text):
                raise wrong(text, end, shown, f"{text[end : end + 20]!r} is no JSON here")
            if stack or state != "after":
                raise wrong(text, end, shown, _CUT)
            return
        group = found.lastindex or 0
        start = found.start(group) - (group == 2)
        at = found.end()
        token = found[group]
        if state == "after" and not stack:
            raise wrong(text, start, shown, "there is more after the end of the JSON")
        if group == 1:
            event, state = _mark(token, state, stack)
            if not state:
                raise wrong(text, start, shown, f"{token!r} does not belong here")
            if event:
                yield start, event, None
            continue
        try:
            value = _scalar(group, token)
        except ValueError:
            raise wrong(
                text, start, shown, "a text has a \\ before what cannot follow it"
            ) from None
        if state in ("key", "first key"):
            colon = _TOKEN.match(text, at)
            if group != 2 or colon is None or colon[1] != ":":
                raise wrong(text, start, shown, "a key and ':' belong here; it may be truncated")
            at = colon.end()
            yield start, "key", value
            state = "value"
        elif state in ("value", "first"):
            yield start, "number" if group == 3 else "value", value
            state = "after"
        else:
            raise wrong(text, start, shown, "a ',' belongs before this; it may be truncated")


def _scalar(group: int, token: str) -> Any:
    if group == 2:
        if "\\" not in token:
            return token
        return json.loads(f'"{token}"')
    return token if group == 3 else _WORDS[token]


def _mark(token: str, state: str, stack: list[str]) -> tuple[str, str]:
    """The event of a mark, and what may come then; "" where it does not belong."""
    if token in "{[" and state in ("value", "first"):
        stack.append(token)
        return token, "first key" if token == "{" else "first"
    closes = token in "}]" and stack and stack[-1] == "{["["}]".index(token)]
    if closes and state in ("after", "first", "first key"):
        stack.pop()
        return token, "after"
    if token == "," and state == "after" and stack:
        return "", "key" if stack[-1] == "{" else "value"
    return "", ""
