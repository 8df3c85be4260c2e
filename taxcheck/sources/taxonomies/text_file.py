"""Text files line by line, plain or compressed, with their numbers; bounded against bombs."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from typing import BinaryIO, cast

import pyarrow as pa

from taxcheck.model.errors import InputError
from taxcheck.sources.files import reading
from taxcheck.sources.readers import Candidate
from taxcheck.sources.tables.readers import compression_of
from taxcheck.sources.taxonomies.hierarchy import Origin
from taxcheck.sources.unsupported import refuse_unsupported

MOST_BYTES = 1 << 34
_FREE_BYTES = 1 << 28  # expanded bytes that are read whatever their ratio
_MOST_EXPANSION = 250  # real dumps and ontologies expand 4 to 20 times
_LONGEST_LINE = 1 << 26


class Limited(io.RawIOBase):
    """A stream that ends in InputError where it gives far more than a file of its size can hold."""

    def __init__(self, stream: BinaryIO, shown: str, packed: int) -> None:
        self._stream, self._shown = stream, shown
        self._left = min(MOST_BYTES, max(_FREE_BYTES, packed * _MOST_EXPANSION))

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: object) -> int:
        """Fill a buffer; 0 at the end."""
        view = memoryview(cast(bytearray, buffer))
        data = self._stream.read(len(view))
        self._left -= len(data)
        if self._left < 0:
            raise InputError(
                f"{self._shown}: unpacks to more than a file of its size should hold; if it is "
                "sound, unpack it first"
            )
        view[: len(data)] = data
        return len(data)


class TextFile:
    """An input file of text; gzip and zstd are unpacked in passing."""

    def __init__(self, path: str) -> None:
        candidate = Candidate(path)
        self.file = candidate.file
        self.path = self.file.shown
        if not candidate.is_text:
            refuse_unsupported(candidate, "taxonomy")
            raise InputError(f"{self.path}: is not text; give it in its own format")
        self._compression = compression_of(candidate.head)

    def stream(self) -> io.BufferedReader:
        """The unpacked bytes from the start."""
        raw: BinaryIO = self.file.open()
        if self._compression == "gzip":
            raw = cast(BinaryIO, gzip.GzipFile(fileobj=raw))
        elif self._compression == "zstd":
            raw = cast(BinaryIO, pa.CompressedInputStream(pa.PythonFile(raw, "r"), "zstd"))
        return io.BufferedReader(Limited(raw, self.path, self.file.bytes), 1 << 20)

    def head(self, size: int = 1 << 16) -> bytes:
        """The first bytes, unpacked."""
        with reading(self.path, "text"), self.stream() as stream:
            return stream.read(size)

    def lines(self, longest: int = _LONGEST_LINE) -> Iterator[tuple[int, str]]:
        r"""(number from 1, line with its line end); a BOM is left out, \r\n becomes \n."""
        with reading(self.path, "text"), self.stream() as stream:
            number = 0
            while raw := stream.readline(longest):
                number += 1
                if len(raw) == longest:
                    size = longest >> 20
                    raise InputError(f"{self.path}: line {number:,} is longer than {size} MiB")
                try:
                    line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError:
                    raise InputError(
                        f"{self.path}: line {number:,} is not UTF-8; convert the file, for example "
                        "with iconv"
                    ) from None
                yield number, line.replace("\r\n", "\n")

    def text(self, longest: int = _LONGEST_LINE) -> str:
        """The whole file, no line of which is longer than so many bytes."""
        return "".join(line for _, line in self.lines(longest))

    def origin(self, kind: str, version: str | None = None) -> Origin:
        """Where this was read."""
        return Origin(kind, self.path, version, self.file.bytes, self.file.fingerprint())
