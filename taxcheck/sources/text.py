"""CSV and TSV, plain or compressed: every cell arrives as the text that the file holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO

import pyarrow as pa
from pyarrow import csv

from taxcheck.sources.batches import BATCH_ROWS, RawBatch
from taxcheck.sources.files import InputFile, reading
from taxcheck.sources.sniff import DELIMITER_NAMES, has_header, head_of, shape_of

_BLOCK = 1 << 24  # bytes parsed at once; also the longest line that can be read


class _Stream:
    """The raw file as Arrow reads it, which tells how far it has come and counts line ends."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.closed = False
        self.position = 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.position += len(data)
        return data

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True


class TextReader:
    """A text table. Line numbers count the header and every empty line, from 1."""

    def __init__(self, file: InputFile, compression: str | None) -> None:
        self._file, self._compression = file, compression
        head, whole = head_of(file, compression)
        self._shape = shape_of(head, file.shown, whole=whole)
        base = DELIMITER_NAMES[self._shape.delimiter]
        self.format = f"{base}, {compression}" if compression else base
        self.use_header(has_header(self._shape))

    def use_header(self, header: bool) -> None:
        """Read the first line as names, or as data."""
        cells = self._shape.first_cells
        self.header = header
        self.column_names = (
            tuple(cell.strip() for cell in cells)
            if header
            else tuple(f"column {number}" for number in range(1, len(cells) + 1))
        )

    @property
    def first_cells(self) -> tuple[str, ...]:
        """The cells of the first line, whatever they mean."""
        return self._shape.first_cells

    @property
    def notes(self) -> tuple[str, ...]:
        """What was inferred of the text, one sentence each."""
        return ("A byte order mark at the start is ignored.",) if self._shape.bom else ()

    def batches(self, columns: Mapping[str, str]) -> Iterator[tuple[RawBatch, float]]:
        """Batches and the share of the file that is read, 0 to 1."""
        file = self._file
        keys = {role: f"c{self.column_names.index(name)}" for role, name in columns.items()}
        malformed: list[tuple[int, str]] = []
        with reading(file.shown, self.format), file.open() as handle:
            stream = _Stream(handle)
            reader = csv.open_csv(
                self._input(stream),
                read_options=csv.ReadOptions(
                    block_size=_BLOCK,
                    # Arrow tells the line of a malformed row only to a single thread.
                    use_threads=False,
                    column_names=[f"c{n}" for n in range(len(self.column_names))],
                    skip_rows=int(self.header),
                ),
                parse_options=csv.ParseOptions(
                    delimiter=self._shape.delimiter,
                    quote_char='"' if self._shape.quoted else False,
                    ignore_empty_lines=False,
                ),
                convert_options=csv.ConvertOptions(
                    column_types=dict.fromkeys(keys.values(), pa.string()),
                    include_columns=list(dict.fromkeys(keys.values())),
                ),
            )
            row = 1 + int(self.header)
            for batch in reader:
                for start in range(0, len(batch), BATCH_ROWS):
                    part = batch.slice(start, BATCH_ROWS)
                    cells = {role: part.column(key) for role, key in keys.items()}
                    yield RawBatch(row, cells), min(stream.position / file.bytes, 1.0)
                    row += len(part)

    def _input(self, stream: _Stream) -> pa.NativeFile:
        source = pa.PythonFile(stream, mode="r")
        return pa.CompressedInputStream(source, self._compression) if self._compression else source
