"""Text in UTF-16 or UTF-32: how it is known, by its mark or without, and its bytes as UTF-8."""

from __future__ import annotations

import codecs
import io
import re
from typing import BinaryIO, cast

_MARKS = {  # those of UTF-32 begin like one of UTF-16
    codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip
_UNMARKED = {1: "utf-16-le", 0: "utf-16-be"}  # by which byte of two is NUL where letters are ASCII
_JUDGED, _PIECE = 512, 1 << 20
_PRINTED = str.maketrans("", "", "\t\r\n")
_DECLARED = re.compile(r"""(\A\s*<\?xml[^>]*encoding=["'])[^"']*""")


def wide_encoding(head: bytes) -> str | None:
    """The encoding of text that begins with ``head``: "utf-16" ..., or None where it is another.

    Without a mark it is UTF-16 where more than half of its letters are ASCII, and all are printed.
    """
    for mark, name in _MARKS.items():
        if head.startswith(mark):
            return name
    head = head[: min(_JUDGED, len(head) // 2 * 2)]
    for nul, name in _UNMARKED.items():
        if 4 * head[nul::2].count(0) > len(head) and not head[1 - nul :: 2].count(0):
            text = head.decode(name, "replace").rstrip("\ufffd").translate(_PRINTED)
            return name if text.isprintable() else None
    return None


def as_utf8(stream: BinaryIO, encoding: str) -> BinaryIO:
    """A stream of the same text in UTF-8, without a mark; ValueError where it is no such text."""
    return cast(BinaryIO, _Decoded(stream, encoding))


class _Decoded(io.RawIOBase):
    """The bytes of a text in another encoding; what XML says of that is made true again."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._stream = stream
        self._decode = codecs.getincrementaldecoder(encoding)().decode
        self._rest, self._begun = b"", False

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: object) -> int:
        """Fill a buffer; 0 at the end."""
        view = memoryview(cast(bytearray, buffer))
        while not self._rest:
            data = self._stream.read(_PIECE)
            text = self._decode(data, not data)
            if text and not self._begun:
                text, self._begun = _DECLARED.sub(r"\1utf-8", text), True
            self._rest = text.encode()
            if not data:
                break
        size = min(len(view), len(self._rest))
        view[:size], self._rest = self._rest[:size], self._rest[size:]
        return size
