"""CSV and TSV, plain or compressed: every cell arrives as the text that the file holds."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from taxcheck.errors import InputError
from taxcheck.sources.aliases import MALFORMED
from taxcheck.sources.batches import BATCH_ROWS, RawBatch
from taxcheck.sources.blocks import Layout, LineTooLongError, parse_blocks
from taxcheck.sources.files import InputFile, damaged, reading
from taxcheck.sources.malformed import TEXT_LIMIT, Malformed, put_back, quiet
from taxcheck.sources.sniff import DELIMITER_NAMES, has_header, head_of, shape_of

_BLOCK = 1 << 24  # bytes parsed at once; also the longest line that can be read
_MALFORMED_LIMIT = 1 << 20  # malformed lines held in memory until their place is known


class _Stream:
    """A byte stream as Arrow reads it, which knows how far it has come and may count line ends."""

    def __init__(self, stream: BinaryIO | pa.NativeFile, *, count_lines: bool = False) -> None:
        self._stream, self._count = stream, count_lines
        self.closed = False
        self.position = 0
        self.lines = 0
        self._ended = True  # whether the last byte was a line end

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._stream.read(size)
        self.position += len(data)
        if self._count and data:
            self.lines += int(np.count_nonzero(np.frombuffer(data, np.uint8) == ord("\n")))
            self._ended = data.endswith(b"\n")
        return data

    @property
    def total_lines(self) -> int:
        """Lines read, the last one with or without a line end."""
        return self.lines + (not self._ended)

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True


class TextReader:
    """A text table. Line numbers count the header and every empty line, from 1.

    A line with too many or too few fields stays a row: its cells are null, and the extra role
    ``malformed`` says why. Empty lines at the end of the file are skipped, with a note.
    """

    def __init__(self, file: InputFile, compression: str | None) -> None:
        self._file, self._compression = file, compression
        head, whole = head_of(file, compression)
        self._shape = shape_of(head, file.shown, whole=whole)
        base = DELIMITER_NAMES[self._shape.delimiter]
        self.format = f"{base}, {compression}" if compression else base
        self._skipped = 0
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
        notes = ["A byte order mark at the start is ignored."] if self._shape.bom else []
        if self._skipped:
            lines = "line" if self._skipped == 1 else "lines"
            notes.append(f"{self._skipped:,} empty {lines} at the end skipped.")
        return tuple(notes)

    def batches(self, columns: Mapping[str, str]) -> Iterator[tuple[RawBatch, float]]:
        """Batches and the share of the file that is read, 0 to 1."""
        file = self._file
        keys = {role: f"c{self.column_names.index(name)}" for role, name in columns.items()}
        malformed: deque[Malformed] = deque()
        first, blank = 1 + int(self.header), 0
        with reading(file.shown, self.format), file.open() as handle:
            raw = _Stream(handle)
            source = pa.PythonFile(raw, mode="r")
            if self._compression:
                source = pa.CompressedInputStream(source, self._compression)
            counted = _Stream(source, count_lines=self._shape.quoted)
            for batch in self._parsed(counted, keys, malformed):
                for start in range(0, len(batch), BATCH_ROWS):
                    part = batch.slice(start, BATCH_ROWS)
                    cells = {role: part.column(key) for role, key in keys.items()}
                    if malformed:  # their texts go into the cells
                        cells = {role: cell.cast(pa.string()) for role, cell in cells.items()}
                    whole = put_back(RawBatch(first, cells), malformed)
                    # Empty lines are held back until a row follows: only then they are rows.
                    filled = whole.rows - _trailing_blank(whole)
                    if filled:
                        yield from _blank(first - blank, blank, cells)
                        kept = {role: cell.slice(0, filled) for role, cell in whole.columns.items()}
                        yield RawBatch(first, kept), min(raw.position / file.bytes, 1.0)
                        blank = 0
                    blank += whole.rows - filled
                    first += whole.rows
            if malformed:
                nothing = {role: pa.array([], pa.string()) for role in keys}
                last = put_back(RawBatch(first, nothing), malformed)
                yield from _blank(first - blank, blank, nothing)
                yield last, 1.0
                first, blank = first + last.rows, 0
            if self._shape.quoted and counted.total_lines > first - 1:
                raise self._multiline()
        self._skipped = blank

    def _parsed(
        self, stream: _Stream, keys: Mapping[str, str], malformed: deque[Malformed]
    ) -> Iterator[pa.RecordBatch]:
        if not self._shape.quoted:
            return self._parse_blocks(stream, keys, malformed)
        whole = pa.PythonFile(stream, mode="r")
        return self._parse(whole, keys, malformed, 1, skip=self.header)

    def _parse_blocks(
        self, stream: _Stream, keys: Mapping[str, str], malformed: deque[Malformed]
    ) -> Iterator[pa.RecordBatch]:
        """Parse in parallel what is as expected, and with care what is not."""
        labels = {key for role, key in keys.items() if role.endswith("taxid")}
        layout = Layout(
            self._shape.delimiter,
            [f"c{n}" for n in range(len(self.column_names))],
            {key: pa.string() if key in labels else pa.int64() for key in keys.values()},
        )
        try:
            for block in parse_blocks(stream, layout, _BLOCK, skip_line=self.header):
                if block.parsed is not None:
                    yield block.parsed
                else:
                    source = pa.BufferReader(block.data)
                    yield from self._parse(source, keys, malformed, block.first_line, skip=False)
        except LineTooLongError as error:
            raise self._explained(str(error)) from error

    def _parse(
        self,
        source: pa.NativeFile,
        keys: Mapping[str, str],
        malformed: deque[Malformed],
        first_line: int,
        *,
        skip: bool,
    ) -> Iterator[pa.RecordBatch]:
        """Parse every cell as text; ``source`` begins at ``first_line``."""

        def note(row: csv.InvalidRow) -> str:
            fields = "field" if row.actual_columns == 1 else "fields"
            reason = f"{row.actual_columns} {fields} instead of {row.expected_columns}"
            malformed.append((row.number + first_line - 1, reason, row.text[:TEXT_LIMIT]))
            return "skip" if len(malformed) < _MALFORMED_LIMIT else "error"

        try:
            with quiet(note):
                yield from csv.open_csv(
                    source,
                    read_options=csv.ReadOptions(
                        block_size=_BLOCK,
                        # Arrow tells the line of a malformed row only to a single thread.
                        use_threads=False,
                        column_names=[f"c{n}" for n in range(len(self.column_names))],
                        skip_rows=int(skip),
                    ),
                    parse_options=csv.ParseOptions(
                        delimiter=self._shape.delimiter,
                        quote_char='"' if self._shape.quoted else False,
                        ignore_empty_lines=False,
                        invalid_row_handler=note,
                    ),
                    convert_options=csv.ConvertOptions(
                        column_types=dict.fromkeys(keys.values(), pa.string()),
                        include_columns=list(dict.fromkeys(keys.values())),
                    ),
                )
        except pa.ArrowInvalid as error:
            if len(malformed) >= _MALFORMED_LIMIT:
                line, reason, _ = malformed[0]
                raise InputError(
                    f"{self._file.shown}: {len(malformed):,} malformed lines from line {line} on "
                    f"({reason}); check the delimiter and the header"
                ) from error
            raise self._explained(str(error), first_line) from error

    def _explained(self, message: str, first_line: int = 1) -> InputError:
        shown = self._file.shown
        # A malformed line ends the parse only where its bytes could not be decoded for the note.
        if "UTF8" in message or "CSV parse error" in message:
            line = re.search(r"Row #(\d+)", message)
            where = f"line {int(line[1]) + first_line - 1}" if line else "a cell"
            return InputError(
                f"{shown}: {where} holds bytes that are not UTF-8; convert the file: "
                "iconv -f LATIN1 -t UTF-8"
            )
        if "straddling" in message:
            return InputError(
                f"{shown}: a line is longer than {_BLOCK >> 20} MiB; this is no table, or a quote "
                "is left open"
            )
        if "skip initial" in message:
            return InputError(f"{shown}: holds no rows; there is nothing to judge")
        return damaged(shown, self.format, message)

    def _multiline(self) -> InputError:
        with self._file.open() as handle:
            source: BinaryIO | pa.NativeFile = handle
            if self._compression:
                source = pa.CompressedInputStream(pa.PythonFile(handle, "r"), self._compression)
            number, tail = 1, b""
            while block := source.read(_BLOCK):
                *lines, tail = (tail + block).split(b"\n")
                for line in lines:
                    if line.count(b'"') % 2:
                        return self._multiline_at(number)
                    number += 1
        return self._multiline_at(number)

    def _multiline_at(self, line: int) -> InputError:
        return InputError(
            f"{self._file.shown}: the quoted cell that begins in line {line} runs over several "
            "lines; close the quote, or write the table as Parquet"
        )


def _trailing_blank(batch: RawBatch) -> int:
    cells = [column for role, column in batch.columns.items() if role != MALFORMED]
    if any(column[-1].as_py() != "" for column in cells):
        return 0
    lengths = sum(pc.fill_null(pc.binary_length(column), 1).to_numpy() for column in cells)
    filled = np.flatnonzero(lengths)
    return batch.rows - (int(filled[-1]) + 1 if len(filled) else 0)


def _blank(
    first: int, rows: int, columns: Mapping[str, pa.Array]
) -> Iterator[tuple[RawBatch, float]]:
    for start in range(0, rows, BATCH_ROWS):
        empty = pa.repeat("", min(BATCH_ROWS, rows - start))
        yield RawBatch(first + start, dict.fromkeys(columns, empty)), 0.0
