"""One table of any format: its columns, and its rows as bounded batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from taxcheck.errors import InputError
from taxcheck.sources.batches import RawBatch
from taxcheck.sources.columnar import ArrowReader, ParquetReader
from taxcheck.sources.files import InputFile
from taxcheck.sources.pickled import PickleReader
from taxcheck.sources.sniff import kind_of
from taxcheck.sources.text import TextReader

Progress = Callable[[int, int], None]


class Reader(Protocol):
    """What every format offers."""

    @property
    def format(self) -> str:
        """Name of the format, for people."""

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names in the order of the file."""

    @property
    def header(self) -> bool:
        """Whether the names are the file's own."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was inferred, one sentence each."""

    def batches(self, columns: Mapping[str, str]) -> Iterator[tuple[RawBatch, float]]:
        """Batches and the share of the file that is read, 0 to 1."""


class Table:
    """A table that can be read as often as needed. ``rows`` is known once it has been read."""

    def __init__(self, file: InputFile, reader: Reader, progress: Progress | None = None) -> None:
        self._file, self._reader, self._progress = file, reader, progress
        self.path = file.shown
        self.bytes = file.bytes
        self.rows = 0

    @property
    def format(self) -> str:
        """For people: "parquet", "tsv, gzip" and so on."""
        return self._reader.format

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names in the order of the file; "column 1" ... where it has no header."""
        return self._reader.column_names

    @property
    def header(self) -> bool:
        """Whether the names are the file's own."""
        return self._reader.header

    @property
    def notes(self) -> tuple[str, ...]:
        """What was inferred in reading, one sentence each."""
        return self._reader.notes

    def expect_names(self, names: set[str]) -> None:
        """Read the first line as a header where it holds all these names."""
        reader = self._reader
        if isinstance(reader, TextReader) and not reader.header and names:
            reader.use_header(names <= {cell.strip() for cell in reader.first_cells})

    def batches(self, columns: Mapping[str, str]) -> Iterator[RawBatch]:
        """The named columns by role, in bounded batches; InputError where the file is bad.

        Text cells arrive as strings as the file holds them, other cells in their own Arrow type.
        """
        self._file.check_unchanged()
        self._file.start_fingerprint()
        rows = 0
        for batch, share in self._reader.batches(columns):
            rows += batch.rows
            if batch.rows:
                yield batch
            if self._progress:
                self._progress(int(share * self.bytes), self.bytes)
        self._file.check_unchanged()
        if not rows:
            raise InputError(f"{self.path}: holds no rows; there is nothing to judge")
        self.rows = rows

    def fingerprint(self) -> str:
        """``blake3:<hex>`` of the raw bytes of the file."""
        return self._file.fingerprint()


def open_table(path: str, *, progress: Progress | None = None) -> Table:
    """Open a table by its content; "-" is standard input, copied to a temporary file.

    ``progress`` is called with bytes read and bytes in all. Raises InputError, in one line, for
    whatever cannot be read.
    """
    file = InputFile(path)
    kind = kind_of(file)
    reader: Reader
    if kind == "parquet":
        reader = ParquetReader(file)
    elif kind in ("feather", "arrow stream"):
        reader = ArrowReader(file, stream=kind == "arrow stream")
    elif kind == "pickle":
        reader = PickleReader(file)
    else:
        reader = TextReader(file, kind if kind in ("gzip", "zstd") else None)
    return Table(file, reader, progress)
