"""Values of a piece of JSON, parsed at once where it is plain, and with care where it is not.

msgspec parses a block several times faster than Python's parser, and takes the last of two equal
keys. So keys are counted: only a block that may have one twice is parsed again, by the slow one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import msgspec

_DECODER = msgspec.json.Decoder()
_KEYS = re.compile(rb'"[ \t\r\n]*:')
UNREADABLE = (
    msgspec.DecodeError,
    msgspec.ValidationError,
    UnicodeDecodeError,
    RecursionError,
    ValueError,
)


class Twice(dict[str, object]):
    """An object with a key that it has more than once; ``key`` is the first such."""

    key = ""


class Broken:
    """What stands in the place of a value that is none; ``why`` completes "it"."""

    def __init__(self, why: str) -> None:
        self.why = why


EMPTY = Broken("is empty")


def elements_of(block: bytes) -> list[object]:
    """The elements of a list, commas between them. Raises one of UNREADABLE."""
    text = b"[" + block + b"]"
    try:
        found: list[object] = _DECODER.decode(text)
        if not _keys_twice(block, found):
            return found
    except UNREADABLE:
        pass
    careful: list[object] = json.loads(text, object_pairs_hook=_object)
    return careful


def members_of(block: bytes) -> list[tuple[str, object]]:
    """The members of an object, those whose key stands twice as well. Raises one of UNREADABLE."""
    text = b"{" + block + b"}"
    try:
        found: dict[str, object] = _DECODER.decode(text)
        if not _keys_twice(block, (found, *found.values())):
            return list(found.items())
    except UNREADABLE:
        pass
    levels: list[list[tuple[str, object]]] = []

    def keep(pairs: list[tuple[str, object]]) -> object:
        levels.append(pairs)  # the outermost object comes last
        return _object(pairs)

    json.loads(text, object_pairs_hook=keep)
    return levels[-1]


def lines_of(block: bytes) -> list[object]:
    """The value of each line: EMPTY where it is empty, Broken for what is no JSON."""
    try:
        found: list[object] = _DECODER.decode_lines(block)
        lines = block.count(b"\n") + (not block.endswith(b"\n"))
        if len(found) == lines and not _keys_twice(block, found):
            return found
    except UNREADABLE:
        pass
    return [_line(line) for line in block.removesuffix(b"\n").split(b"\n")]


def _line(line: bytes) -> object:
    if not line.strip():
        return EMPTY
    try:
        found: object = json.loads(line, object_pairs_hook=_object)
        return found
    except UNREADABLE as error:
        return Broken("is nested too deep" if isinstance(error, RecursionError) else "is no JSON")


def _keys_twice(block: bytes, found: Sequence[object]) -> bool:
    """Whether an object may have a key twice, or have objects inside; text may look like it."""
    keys = sum(len(one) for one in found if type(one) is dict)
    return block.count(b":") != keys and len(_KEYS.findall(block)) != keys


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    twice = Twice(found)
    for key, _ in pairs:
        if key in seen:
            twice.key = key
            break
        seen.add(key)
    return twice
