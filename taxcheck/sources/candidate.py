"""A source that no reader has yet: what every look into it needs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeVar

from taxcheck.model.errors import InputError
from taxcheck.model.paths import split_part

if TYPE_CHECKING:
    from taxcheck.sources.files import InputFile

Kind = Literal["table", "taxonomy", "checkpoint"]
T = TypeVar("T")
_HEAD, _UNPACKED = 1 << 14, 1 << 16
_CONTROL = bytes((*range(1, 9), *range(14, 27)))


class Guess(str):
    """How something was read where the source does not settle it: the verdict tells it."""

    __slots__ = ()


class Candidate:
    """A source that no reader has yet: its path as given, its first bytes, what was asked of it.

    ``columns`` are those that were named for it, which is evidence of its kind.
    """

    def __init__(
        self, path: str, file: InputFile | None = None, columns: str | None = None
    ) -> None:
        self.path, self.columns = path, columns
        self._opened = file
        self.told: list[str] = []  # how it is read, one sentence each
        self._found: dict[object, object] = {}

    @property
    def part(self) -> str:
        """What is meant inside of it; empty where that is all of it."""
        return self._opened.part if self._opened else split_part(self.path)[1]

    @cached_property
    def file(self) -> InputFile:
        """The file; InputError where there is none that can be read."""
        from taxcheck.sources.files import InputFile

        return self._opened or InputFile(self.path)

    @cached_property
    def head(self) -> bytes:
        """The first 16 KiB, as they lie on disk."""
        from taxcheck.sources.files import reading

        with reading(self.file.shown), self.file.open() as stream:
            return stream.read(_HEAD)

    @cached_property
    def _packed(self) -> bytes:
        """The first bytes behind a packing, up to 64 KiB; of a plain file its head."""
        from taxcheck.sources.packed import DAMAGES, compression_of, read_fully, unpacking

        compression = compression_of(self.head)
        if compression is None:
            return self.head
        try:
            with self.file.open() as stream:
                return read_fully(
                    unpacking(stream, compression, self.file.shown, self.file.bytes), _UNPACKED
                )
        except (*DAMAGES, InputError):  # who reads the file says what is wrong with it
            return b""

    @cached_property
    def encoding(self) -> str | None:
        """That of text in UTF-16 or UTF-32; None for UTF-8, and for what is no text."""
        from taxcheck.sources.encodings import wide_encoding

        return wide_encoding(self._packed)

    @cached_property
    def unpacked(self) -> bytes:
        """The first bytes behind a packing, up to 64 KiB, those of UTF-16 and UTF-32 as UTF-8."""
        if self.encoding is None:
            return self._packed
        import codecs

        decode = codecs.getincrementaldecoder(self.encoding)("replace").decode
        return decode(self._packed).encode()

    @cached_property
    def is_text(self) -> bool:
        """Whether the first bytes, unpacked, have neither NUL nor many control bytes."""
        head = self.unpacked
        control = len(head) - len(head.translate(None, _CONTROL))
        return bool(head) and b"\0" not in head and control <= len(head) // 20

    def once(self, look: Callable[[Candidate], T]) -> T:
        """What a look into the file finds, for all readers that ask for the same."""
        if look not in self._found:
            self._found[look] = look(self)
        return self._found[look]  # type: ignore[return-value]
