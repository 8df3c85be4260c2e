"""Packed bytes, unpacked in passing: gzip, zstd, bzip2, xz and lz4, bounded against bombs."""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

import pyarrow as pa

from taxcheck.model.errors import InputError

COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bz2",
    b"\xfd7zXZ\0": "xz",
    b"\x04\x22\x4d\x18": "lz4",
}
MOST_BYTES = 1 << 34
FREE_BYTES = 1 << 28  # expanded bytes that are read whatever their ratio
MOST_EXPANSION = 250  # real tables, dumps and ontologies expand 4 to 40 times
_XZ_MEMORY = 1 << 28  # bytes; the strongest preset needs 65 MiB
_PIECE = 1 << 18

# What readers of any format raise for a damaged file.
DAMAGES = (pa.ArrowException, OSError, EOFError, ValueError, zlib.error, lzma.LZMAError)


def read_fully(stream: BinaryIO, size: int) -> bytes:
    """So many bytes, or all that are left."""
    pieces, left = [], size
    while left and (piece := stream.read(left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def compression_of(head: bytes) -> str | None:
    """How a file that begins so is compressed."""
    return next((name for magic, name in COMPRESSED.items() if head.startswith(magic)), None)


def unpacking(stream: BinaryIO, compression: str | None, shown: str, packed: int) -> BinaryIO:
    """The unpacked bytes of a stream of ``packed`` bytes; the stream itself where it is plain.

    InputError where it unpacks to far more than a file of its size can hold.
    """
    if compression is None:
        return stream
    unpacked: object
    if compression == "bz2":
        unpacked = bz2.BZ2File(stream)
    elif compression == "xz":
        unpacked = _Xz(stream)
    else:
        unpacked = pa.CompressedInputStream(pa.PythonFile(stream, "r"), compression)
    return cast(BinaryIO, Limited(cast(BinaryIO, unpacked), shown, packed))


class Limited(io.RawIOBase):
    """A stream that ends in InputError where it gives far more than a file of its size can hold."""

    def __init__(self, stream: BinaryIO, shown: str, packed: int) -> None:
        self._stream, self._shown = stream, shown
        self._left = limit_of(packed)

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes; empty at the end."""
        data = bytes(self._stream.read(size)) if size >= 0 else self.readall()
        self._left -= len(data) if size >= 0 else 0
        if self._left < 0:
            raise bomb(self._shown)
        return data

    def readinto(self, buffer: object) -> int:
        """Fill a buffer; 0 at the end."""
        view = memoryview(cast(bytearray, buffer))
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)


def limit_of(packed: int) -> int:
    """The most bytes that a file of this size is unpacked to."""
    return min(MOST_BYTES, max(FREE_BYTES, packed * MOST_EXPANSION))


def bomb(shown: str) -> InputError:
    """The refusal of what unpacks to too much."""
    return InputError(
        f"{shown}: unpacks to more than a file of its size should hold; if it is sound, unpack it "
        "first"
    )


class _Xz:
    """The bytes of xz, one stream or several; what asks for much memory is refused by liblzma."""

    def __init__(self, stream: BinaryIO) -> None:
        self._pieces, self._rest = _xz(stream), b""

    def read(self, size: int) -> bytes:
        while len(self._rest) < size and (piece := next(self._pieces, b"")):
            self._rest += piece
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


def _xz(stream: BinaryIO) -> Iterator[bytes]:
    one, data = lzma.LZMADecompressor(lzma.FORMAT_XZ, _XZ_MEMORY), b""
    begun = False
    while True:
        if one.eof:
            data = one.unused_data.lstrip(b"\0")  # padding between streams
            one, begun = lzma.LZMADecompressor(lzma.FORMAT_XZ, _XZ_MEMORY), False
        elif one.needs_input or not begun:
            data = data or stream.read(_PIECE)
            if not data:
                break
        if not data and not begun:
            continue
        begun = True
        piece = one.decompress(data, _PIECE)
        data = b""
        if piece:
            yield piece
    if begun:
        raise EOFError("the file ends before its end-of-stream marker")
