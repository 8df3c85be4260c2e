"""JSON in bounded pieces: whole lines of JSON Lines, whole elements of a long list or object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from taxcheck.model.errors import InputError

BLOCK = 1 << 22  # bytes that are parsed at once
LONGEST = 1 << 24  # bytes of one line or element
_QUOTE, _BACKSLASH, _COMMA = b'"\\,'
_OPEN, _CLOSE = b"{[", b"}]"

Bytes = npt.NDArray[np.uint8]


def line_blocks(stream: BinaryIO, shown: str) -> Iterator[tuple[int, bytes]]:
    """Blocks of whole lines, each with the number of lines before it."""
    rest, before = b"", 0
    while data := stream.read(BLOCK):
        rest += data
        if end := rest.rfind(b"\n") + 1:
            yield before, rest[:end]
            before += rest.count(b"\n", 0, end)
            rest = rest[end:]
        if len(rest) > LONGEST:
            raise InputError(f"{shown}: line {before + 1:,} is longer than {LONGEST >> 20} MiB")
    if rest:
        yield before, rest


def element_blocks(stream: BinaryIO, shown: str) -> Iterator[bytes]:
    """Blocks of whole elements, commas between them, of the list or object that a stream holds.

    InputError where it does not end with the file, or an element is too long.
    """
    rest, begun = b"", False
    while data := stream.read(BLOCK):
        rest += data
        if not begun:
            rest = rest.removeprefix(b"\xef\xbb\xbf").lstrip()
            if not rest:
                continue
            rest, begun = rest[1:], True
        comma, end = _cuts(np.frombuffer(rest, np.uint8))
        if end >= 0:
            yield rest[:end]
            _nothing_more(rest[end + 1 :], stream, shown)
            return
        if comma >= 0:
            yield rest[:comma]
            rest = rest[comma + 1 :]
        if len(rest) > LONGEST:
            raise InputError(
                f"{shown}: one of its values is longer than {LONGEST >> 20} MiB; write it with one "
                "record a row, as JSON Lines"
            )
    raise InputError(
        f"{shown}: is no whole JSON document: it is not closed; it may be truncated: write or "
        "copy it again"
    )


def _nothing_more(rest: bytes, stream: BinaryIO, shown: str) -> None:
    while rest or (rest := stream.read(BLOCK)):
        if rest.strip():
            raise InputError(f"{shown}: more follows behind the end of its JSON document; mend it")
        rest = b""


def _cuts(data: Bytes) -> tuple[int, int]:
    """Where the last comma between elements is, and the end of their list; -1 for none."""
    quotes = data == _QUOTE
    if (data == _BACKSLASH).any():
        quotes &= ~_escaped(data)
    outside = np.cumsum(quotes, dtype=np.int32) % 2 == 0
    steps = np.zeros(len(data), np.int8)
    for sign, step in ((_OPEN, 1), (_CLOSE, -1)):
        steps[((data == sign[0]) | (data == sign[1])) & outside] = step
    depth = np.cumsum(steps, dtype=np.int32)
    ends = np.flatnonzero(depth < 0)
    if len(ends):
        return -1, int(ends[0])
    commas = np.flatnonzero((data == _COMMA) & outside & (depth == 0))
    return (int(commas[-1]) if len(commas) else -1), -1


def _escaped(data: Bytes) -> npt.NDArray[np.bool_]:
    """Which bytes follow an odd number of backslashes."""
    slash = data == _BACKSLASH
    place = np.arange(len(data), dtype=np.int32)
    last_other = np.maximum.accumulate(np.where(slash, -1, place))
    run = place - last_other  # backslashes up to here
    escaped = np.zeros(len(data), np.bool_)
    escaped[1:] = run[:-1] % 2 == 1
    return escaped
