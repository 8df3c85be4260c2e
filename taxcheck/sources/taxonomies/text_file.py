"""Text files line by line, plain or compressed, with their numbers; bounded against bombs."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any, cast

from taxcheck.model.errors import InputError
from taxcheck.sources.encodings import as_utf8
from taxcheck.sources.files import reading
from taxcheck.sources.packed import compression_of, unpacking
from taxcheck.sources.readers import Candidate
from taxcheck.sources.taxonomies.hierarchy import Origin
from taxcheck.sources.unsupported import refuse_unsupported

_LONGEST_LINE = 1 << 26


class TextFile:
    """An input file of text; packed ones are unpacked in passing."""

    def __init__(self, path: str) -> None:
        candidate = Candidate(path)
        self.file = candidate.file
        self.path = self.file.shown
        if not candidate.is_text:
            refuse_unsupported(candidate, "taxonomy")
            raise InputError(f"{self.path}: is not text; give it in its own format")
        self._compression, self._encoding = compression_of(candidate.head), candidate.encoding

    def stream(self) -> io.BufferedReader:
        """The unpacked bytes from the start; UTF-16 and UTF-32 as UTF-8."""
        raw = unpacking(self.file.open(), self._compression, self.path, self.file.bytes)
        if self._encoding:
            raw = as_utf8(raw, self._encoding)
        return io.BufferedReader(cast(io.RawIOBase, raw), 1 << 20)

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

    def json(self, longest: int) -> Any:
        """The file as one JSON document; InputError where it is none."""
        try:
            return json.loads(self.text(longest))
        except (ValueError, RecursionError) as error:
            where = f" (line {error.lineno:,})" if isinstance(error, json.JSONDecodeError) else ""
            raise InputError(
                f"{self.path}: is no whole JSON document{where}; it may be truncated: copy it again"
            ) from None

    def origin(self, kind: str, version: str | None = None) -> Origin:
        """Where this was read."""
        return Origin(kind, self.path, version, self.file.bytes, self.file.fingerprint())
