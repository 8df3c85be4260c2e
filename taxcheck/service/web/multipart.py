"""A form with files, taken apart as it comes: no more of a file is held than came at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from taxcheck.service.web.refusals import RefusedRequestError

KIND = "multipart/form-data"
_PARTS = 100  # of a form


class Part(NamedTuple):
    """A piece of one part of a form; ``ends`` is said once of each part, with its last piece."""

    name: str
    file: str | None  # as the client calls the file that it is of; None: of a field
    data: bytes
    ends: bool


async def parts(request: Request) -> AsyncIterator[Part]:
    """The pieces of a form, in order. RefusedRequestError where it is none, or is cut off."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if kind != KIND.encode() or not 0 < len(boundary) <= 200:
        raise RefusedRequestError(415, f"a form with files is {KIND}, with a boundary")
    reader = _Reader(boundary)
    async for chunk in request.stream():
        reader.read(chunk)
        for part in reader.taken():
            yield part
    if not reader.ended:
        raise RefusedRequestError(400, "the form is cut off; send it again")


class _Reader:
    """What a parser says of a form, as parts."""

    def __init__(self, boundary: bytes) -> None:
        self.ended = False
        self._found: list[Part] = []
        self._name = ""
        self._file: str | None = None
        self._of: tuple[bytearray, bytearray] = (bytearray(), bytearray())
        self._count = 0
        called: dict[str, Callable[..., None]] = {
            "on_part_begin": self._begins,
            "on_header_field": lambda data, start, end: self._of[0].extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._of[1].extend(data[start:end]),
            "on_header_end": self._header,
            "on_part_data": lambda data, start, end: self._take(data[start:end], ends=False),
            "on_part_end": lambda: self._take(b"", ends=True),
            "on_end": self._ends,
        }
        self._parser = MultipartParser(boundary, called)  # type: ignore[arg-type]

    def read(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise RefusedRequestError(400, "the form cannot be read") from None

    def taken(self) -> list[Part]:
        """What was found since this was asked before."""
        found, self._found = self._found, []
        return found

    def _begins(self) -> None:
        self._name, self._file, self._of = "", None, (bytearray(), bytearray())
        self._count += 1
        if self._count > _PARTS:
            raise RefusedRequestError(422, f"a form has at most {_PARTS} parts")

    def _header(self) -> None:
        field, value = map(bytes, self._of)
        self._of = (bytearray(), bytearray())
        if field.lower() == b"content-disposition":
            _, options = parse_options_header(value)
            self._name = options.get(b"name", b"").decode("utf-8", "replace")
            file = options.get(b"filename")
            self._file = None if file is None else file.decode("utf-8", "replace")

    def _take(self, data: bytes, *, ends: bool) -> None:
        self._found.append(Part(self._name, self._file, bytes(data), ends))

    def _ends(self) -> None:
        self.ended = True
