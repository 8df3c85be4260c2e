"""What readers of tables give: columns, and rows in bounded batches."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

from taxcheck.sources.tables.batches import RawBatch
from taxcheck.sources.tables.dialect import Header


class Rows(Protocol):
    """What a reader makes of a file: its columns, and its rows as often as they are asked for.

    One that also has ``parts(rows)``, the parts of its file of about so many rows, takes one of
    them as a second argument of ``batches``.
    """

    @property
    def format(self) -> str:
        """For people."""

    @property
    def column_names(self) -> tuple[str, ...]:
        """In the order of the file."""

    @property
    def header(self) -> bool:
        """Whether the names are the file's own."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was inferred, one sentence each; a ``Guess`` is told by the verdict."""

    def batches(self, columns: Mapping[str, str], /) -> Iterator[tuple[RawBatch, float]]:
        """Batches and the share of the file that is read, 0 to 1."""


class Lined(Protocol):
    """What only a reader of text tells."""

    @property
    def first_cells(self) -> tuple[str, ...]:
        """The cells of the first line, whatever they mean."""

    @property
    def header_reason(self) -> str:
        """Why the first line was taken for names, or for data."""

    def open_ends(self, names: Collection[str], /) -> tuple[str, ...]:
        """Files that were read and end, without a line end, in one of these columns."""

    def use_header(self, header: Header) -> None:
        """Read the first line as names, or as data."""


class Bytes(Protocol):
    """What is asked of the file, or of all files, of a table."""

    @property
    def shown(self) -> str:
        """What people call it."""

    @property
    def bytes(self) -> int:
        """Size in all."""

    def check_unchanged(self) -> None:
        """InputError where a file is no longer the one that was opened."""

    def start_fingerprint(self) -> None:
        """Begin to hash."""

    def fingerprint(self) -> str:
        """``blake3:<hex>``."""
