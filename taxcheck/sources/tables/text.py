"""CSV and TSV, plain or compressed: every cell arrives as the text that the file holds.

Text is parsed block by block, several blocks at once. A block whose cells are what they should be
costs one pass in a thread of its own. Any other, with a word, a decimal point, an empty cell or a
field too many, is read again with care, and lines that cannot be taken apart are put back in their
place with a reason.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections import deque
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from taxcheck.model.errors import InputError
from taxcheck.sources.files import InputFile, damaged, reading
from taxcheck.sources.packed import unpacking
from taxcheck.sources.tables.batches import BATCH_ROWS, RawBatch
from taxcheck.sources.tables.columns import MALFORMED
from taxcheck.sources.tables.dialect import DELIMITER_NAMES, Dialect, Header, header_of
from taxcheck.sources.tables.parts import Part
from taxcheck.sources.tables.text_parts import Lines, count_lines, cut

_AHEAD = 2  # blocks under way for each thread
_THREADS = min(os.cpu_count() or 1, 4)


@dataclass(frozen=True, slots=True)
class _Block:
    """Whole lines, and their columns where every cell was as expected."""

    first_line: int  # from 1, the header counted
    data: bytes
    parsed: pa.RecordBatch | None


@dataclass(frozen=True, slots=True)
class _Layout:
    """How lines are to be taken apart."""

    delimiter: str
    names: Sequence[str]
    types: dict[str, pa.DataType]  # of the columns that are wanted


class LineTooLongError(Exception):
    """A line is longer than a block."""


def parse_blocks(
    stream: _Stream, layout: _Layout, size: int, before: int = 0, *, skip: int
) -> Iterator[_Block]:
    """Blocks in the order of the stream; the first ``skip`` lines, a header's, are left out.

    ``before`` lines of the file are before the stream. LineTooLongError where a line is longer than
    ``size`` bytes.
    """
    pending: deque[Future[_Block]] = deque()
    first_line = 1 + before + skip
    with ThreadPoolExecutor(_THREADS) as pool:
        for data in _whole_lines(stream, size, skip):
            pending.append(pool.submit(_parse, data, layout, first_line))
            first_line += data.count(b"\n")
            if len(pending) > _AHEAD * _THREADS:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _whole_lines(stream: _Stream, size: int, skip: int) -> Iterator[bytes]:
    rest, begin = b"", 0
    while data := stream.read(size):
        if skip:
            data, rest = rest + data, b""
        while skip and (found := data.find(b"\n", begin) + 1):
            begin, skip = found, skip - 1
        end = 0 if skip else data.rfind(b"\n") + 1
        if skip:
            data, begin = data[begin:], 0
        if end > begin:
            yield rest + data[begin:end]
        rest = data[end:] if end else rest + data
        begin = 0
        if len(rest) > size:
            raise LineTooLongError
    if rest and not skip:
        yield rest


def _parse(data: bytes, layout: _Layout, first_line: int) -> _Block:
    # Arrow would take 0x1f for the integer 31. One letter is sought faster than two.
    if (b"x" in data and b"0x" in data) or (b"X" in data and b"0X" in data):
        return _Block(first_line, data, None)
    try:
        table = csv.read_csv(
            pa.BufferReader(data),
            read_options=csv.ReadOptions(
                use_threads=False, block_size=len(data) + 1, column_names=list(layout.names)
            ),
            parse_options=csv.ParseOptions(
                delimiter=layout.delimiter, quote_char=False, ignore_empty_lines=False
            ),
            convert_options=csv.ConvertOptions(
                column_types=layout.types, include_columns=list(layout.types), null_values=[]
            ),
        )
    except pa.ArrowInvalid:
        return _Block(first_line, data, None)
    batches = table.combine_chunks().to_batches()
    return _Block(first_line, data, batches[0] if len(batches) == 1 else None)


Malformed = tuple[int, str, str]  # line from 1, reason, text of the line
TEXT_LIMIT = 200  # characters of a malformed line that are kept


@contextlib.contextmanager
def quiet(handler: object) -> Iterator[None]:
    """Keep Arrow from printing that it could not decode a line; the parse itself ends with it."""
    before = sys.unraisablehook

    def hook(unraisable: sys.UnraisableHookArgs) -> None:
        if unraisable.object is not handler:
            before(unraisable)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before


def put_back(batch: RawBatch, malformed: deque[Malformed]) -> RawBatch:
    """Put the malformed lines that fall into a batch back into their place.

    Those that follow its last row stay for the next batch, except where it has no rows.
    """
    rows = batch.rows
    found: list[Malformed] = []
    while malformed and (malformed[0][0] < batch.first_row + rows + len(found) or not batch.rows):
        found.append(malformed.popleft())
    if not found:
        return batch
    total = rows + len(found)
    bad = np.zeros(total, dtype=np.bool_)
    places = np.array([line - batch.first_row for line, _, _ in found])
    if places.min() < 0 or places.max() >= total:  # a lone \r inside a line shifts Arrow's count
        places = np.arange(rows, total)
    bad[places] = True
    source = np.cumsum(~bad) - 1
    order = pa.array(source, mask=bad)
    cells = {role: column.take(order) for role, column in batch.columns.items()}
    first = next(iter(cells))
    mask = pa.array(bad)
    cells[first] = pc.replace_with_mask(
        cells[first], mask, pa.array([text for _, _, text in found], pa.string())
    )
    cells[MALFORMED] = pc.replace_with_mask(
        pa.nulls(total, pa.string()), mask, pa.array([reason for _, reason, _ in found])
    )
    return RawBatch(batch.first_row, cells)


_BLOCK = 1 << 24  # bytes parsed at once; also the longest line that can be read
_MALFORMED_LIMIT = 1 << 20  # malformed lines held in memory until their place is known


class _Stream:
    """A byte stream as Arrow reads it, which knows how far it has come and may count line ends.

    It ends after ``length`` bytes, where that is said.
    """

    def __init__(
        self,
        stream: BinaryIO,
        *,
        count_lines: bool = False,
        length: int | None = None,
    ) -> None:
        self._stream, self._count, self._left = stream, count_lines, length
        self.closed = False
        self.position = 0
        self.lines = Lines()
        self.ended = True  # whether the last byte was a line end
        self.tail = b""  # the last block that was read

    def read(self, size: int = -1) -> bytes:
        if self._left is not None:
            size = self._left if size < 0 else min(size, self._left)
        data: bytes = self._stream.read(size)
        self.position += len(data)
        if self._left is not None:
            self._left -= len(data)
        if data:
            self.ended = data.endswith(b"\n")
            self.tail = data
        if self._count:
            self.lines.add(data)
        return data

    def close(self) -> None:
        self.closed = True


class TextReader:
    """A text table. Line numbers count the header and every empty line, from 1.

    A line with too many or too few fields stays a row: its cells are null, and the extra role
    ``malformed`` says why. Empty lines at the end of the file are skipped, with a note. Once the
    file has been read, ``open_end`` tells whether its last line lacks a line end, and ``lines`` how
    many it has, if ``numbered`` asked for them.
    """

    def __init__(
        self,
        file: InputFile,
        compression: str | None,
        dialect: Dialect,
        above: str = "of comment",  # what the lines before the table are
    ) -> None:
        self._file, self._compression = file, compression
        self.numbered, self.lines = False, 0
        self._dialect = dialect
        base = DELIMITER_NAMES[self._dialect.delimiter]
        self.format = f"{base}, {compression}" if compression else base
        self._before = ["A byte order mark at the start is ignored."] if self._dialect.bom else []
        self._skipped = self._dialect.skipped
        if self._skipped:
            lines = "1 line" if self._skipped == 1 else f"{self._skipped:,} lines"
            self._before.append(f"{lines} {above} before the table skipped.")
        self.notes = tuple(self._before)
        self.open_end = False
        self.use_header(header_of(self._dialect))

    def use_header(self, header: Header) -> None:
        """Read the first line as names, or as data."""
        cells = self._dialect.first_cells
        self.header, self.header_reason = header.taken, header.reason
        self.column_names = (
            tuple(cell.strip() for cell in cells)
            if header.taken
            else tuple(f"column {number}" for number in range(1, len(cells) + 1))
        )

    @property
    def _above(self) -> int:
        """Lines above the first row: comments, and the header."""
        return self._skipped + self.header

    def open_ends(self, names: Collection[str]) -> tuple[str, ...]:
        """The file itself, where it ends in one of these columns without a line end."""
        return (self._file.shown,) if self.open_end and self.column_names[-1] in names else ()

    @property
    def first_cells(self) -> tuple[str, ...]:
        """The cells of the first line, whatever they mean."""
        return self._dialect.first_cells

    def parts(self, rows: int) -> tuple[Part, ...]:
        """Blocks of whole lines; the whole file where it is compressed, or cells may be quoted."""
        with reading(self._file.shown, self.format), self._file.open() as handle:
            if not (self._compression or self._dialect.quoted):
                return cut(handle, rows, self._dialect.delimiter)
            return (Part(0, count_lines(self._unpacking(handle))),)

    def batches(
        self, columns: Mapping[str, str], part: Part | None = None
    ) -> Iterator[tuple[RawBatch, float]]:
        """Batches and the share of the file that is read, 0 to 1."""
        part = part or Part(0, 0)
        with reading(self._file.shown, self.format), self._file.open() as handle:
            raw, counted = self._streams(handle, part)
            blank = yield from self._rows(raw, counted, columns, part)
        self.open_end, self.lines = not counted.ended, counted.lines.total
        lines = "line" if blank == 1 else "lines"
        skipped = [f"{blank:,} empty {lines} at the end skipped."] if blank else []
        self.notes = (*self._before, *skipped)

    def _streams(self, handle: BinaryIO, part: Part) -> tuple[_Stream, _Stream]:
        """The bytes of a part as they lie on disk, and unpacked."""
        begin, end = part.blocks or (0, None)
        handle.seek(begin)
        raw = _Stream(handle, length=None if end is None else end - begin)
        source = self._unpacking(cast(BinaryIO, raw))
        return raw, _Stream(source, count_lines=self._dialect.quoted or self.numbered)

    def _unpacking(self, stream: BinaryIO) -> BinaryIO:
        return unpacking(stream, self._compression, self._file.shown, self._file.bytes)

    def _rows(
        self, raw: _Stream, counted: _Stream, columns: Mapping[str, str], part: Part
    ) -> Generator[tuple[RawBatch, float], None, int]:
        """The rows of a part, malformed lines in their place; gives the empty lines at its end."""
        keys = {role: f"c{self.column_names.index(name)}" for role, name in columns.items()}
        nothing = {role: pa.array([], pa.string()) for role in keys}
        malformed: deque[Malformed] = deque()
        above = 0 if part.before else self._above
        first, blank = 1 + part.before + above, 0
        for batch in self._parsed(counted, keys, malformed, part.before, above):
            for start in range(0, len(batch), BATCH_ROWS):
                piece = batch.slice(start, BATCH_ROWS)
                cells = {role: piece.column(key) for role, key in keys.items()}
                if malformed:  # their texts go into the cells
                    cells = {role: cell.cast(pa.string()) for role, cell in cells.items()}
                whole = put_back(RawBatch(first, cells), malformed)
                # Empty lines are held back until a row follows: only then they are rows.
                filled = whole.rows - _trailing_blank(whole)
                if filled:
                    yield from _blank(first - blank, blank, cells)
                    kept = {role: cell.slice(0, filled) for role, cell in whole.columns.items()}
                    yield RawBatch(first, kept), min(raw.position / self._file.bytes, 1.0)
                    blank = 0
                blank += whole.rows - filled
                first += whole.rows
        if malformed:
            last = put_back(RawBatch(first, nothing), malformed)
            yield from _blank(first - blank, blank, nothing)
            yield last, 1.0
            first, blank = first + last.rows, 0
        if self._dialect.quoted and counted.lines.total > first - 1:
            raise self._multiline()
        if part.last:
            held = _held(counted.tail, blank, self._dialect.delimiter)
            yield from _blank(first - blank, held, nothing)
            return blank - held
        yield from _blank(first - blank, blank, nothing)  # rows follow in the next part
        return 0

    def _parsed(
        self,
        stream: _Stream,
        keys: Mapping[str, str],
        malformed: deque[Malformed],
        before: int,
        skip: int,
    ) -> Iterator[pa.RecordBatch]:
        if not self._dialect.quoted:
            return self._parse_blocks(stream, keys, malformed, before, skip)
        whole = pa.PythonFile(stream, mode="r")
        return self._parse(whole, keys, malformed, 1, skip=skip)

    def _parse_blocks(
        self,
        stream: _Stream,
        keys: Mapping[str, str],
        malformed: deque[Malformed],
        before: int,
        skip: int,
    ) -> Iterator[pa.RecordBatch]:
        """Parse in parallel what is as expected, and with care what is not."""
        layout = _Layout(
            self._dialect.delimiter,
            [f"c{n}" for n in range(len(self.column_names))],
            {key: _expected(role) for role, key in keys.items()},
        )
        try:
            for block in parse_blocks(stream, layout, _BLOCK, before, skip=skip):
                if block.parsed is not None:
                    yield block.parsed
                else:
                    source = pa.BufferReader(block.data)
                    yield from self._parse(source, keys, malformed, block.first_line, skip=0)
        except LineTooLongError as error:
            raise self._too_long() from error

    def _parse(
        self,
        source: pa.NativeFile,
        keys: Mapping[str, str],
        malformed: deque[Malformed],
        first_line: int,
        *,
        skip: int,
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
                        skip_rows=skip,
                    ),
                    parse_options=csv.ParseOptions(
                        delimiter=self._dialect.delimiter,
                        quote_char='"' if self._dialect.quoted else False,
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
            raise self._explained(error) from error

    def _explained(self, error: pa.ArrowInvalid) -> InputError:
        """Why Arrow gave up, by looking at the lines themselves; slow, and only after a failure."""
        shown, number = self._file.shown, 0
        for number, line in self._lines():
            if len(line) > _BLOCK:
                return self._too_long()
            try:
                line.decode()
            except UnicodeDecodeError:
                windows = any(0x80 <= byte < 0xA0 for byte in line)  # of which Latin 1 has no signs
                return InputError(
                    f"{shown}: line {number} holds bytes that are not UTF-8; convert the file: "
                    f"iconv -f {'WINDOWS-1252' if windows else 'LATIN1'} -t UTF-8"
                )
        if number <= self._above:
            return InputError(f"{shown}: holds no rows; there is nothing to judge")
        return damaged(shown, self.format, error)

    def _too_long(self) -> InputError:
        return InputError(
            f"{self._file.shown}: a line is longer than {_BLOCK >> 20} MiB; this is no table, or a "
            "quote is left open"
        )

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        """Lines with their numbers, from 1; one that is longer than a block is the last."""
        with self._file.open() as handle:
            source = self._unpacking(handle)
            number, tail = 1, b""
            while len(tail) <= _BLOCK and (block := source.read(_BLOCK)):
                *lines, tail = (tail + block).split(b"\n")
                yield from enumerate(lines, number)
                number += len(lines)
            if tail:
                yield number, tail

    def _multiline(self) -> InputError:
        odd = (number for number, line in self._lines() if line.count(b'"') % 2)
        number = next(odd, 1)
        return InputError(
            f"{self._file.shown}: the quoted cell that begins in line {number} runs over several "
            "lines; close the quote, or write the table as Parquet"
        )


def _expected(role: str) -> pa.DataType:
    """The type of a column whose cells are all what they should be."""
    if role == "weight":
        return pa.float64()
    return pa.string() if role.endswith("taxid") else pa.int64()


def _held(tail: bytes, blank: int, delimiter: str) -> int:
    """How many of the last lines, in which nothing that is read stands, are rows.

    Those up to the last with a cell in a column that is not read.
    """
    if not blank:
        return 0
    filled = tail.rstrip(b' \t\r\n"' + delimiter.encode())
    behind = tail[len(filled) :]
    empty = behind.count(b"\n") - behind.endswith(b"\n")
    return max(blank - empty, 0) if filled else 0


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
