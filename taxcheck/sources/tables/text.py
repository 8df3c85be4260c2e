"""CSV and TSV, plain or compressed: every cell arrives as the text that the file holds.

Text is parsed block by block, several blocks at once. A block whose cells are what they should be
costs one pass in a thread of its own. Any other, with a word, a decimal point, an empty cell or a
field too many, is read again with care, and lines that cannot be taken apart are put back in their
place with a reason.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Generator, Iterator, Mapping
from typing import BinaryIO, cast

import pyarrow as pa
from pyarrow import csv

from taxcheck.model.errors import InputError
from taxcheck.sources.files import InputFile, damaged, reading
from taxcheck.sources.packed import unpacking
from taxcheck.sources.tables.batches import BATCH_ROWS, RawBatch
from taxcheck.sources.tables.blank_lines import blank_rows, held_rows, trailing_blank
from taxcheck.sources.tables.dialect import DELIMITER_NAMES, Dialect, Header, header_of
from taxcheck.sources.tables.malformed_lines import TEXT_LIMIT, Malformed, put_back, quiet
from taxcheck.sources.tables.parts import Part
from taxcheck.sources.tables.quoted_lines import OpenQuote, QuotedLines, count_rows
from taxcheck.sources.tables.text_blocks import Layout, LineTooLongError, parse_blocks
from taxcheck.sources.tables.text_parts import count_lines, cut
from taxcheck.sources.tables.text_stream import Lines, Stream

_BLOCK = 1 << 24  # bytes parsed at once; also the longest line that can be read
_SEVERAL = ", rows of several lines"  # of a format whose rows are not numbered by lines
_MALFORMED_LIMIT = 1 << 20  # malformed lines held in memory until their place is known


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
        """Row numbers above the first row: of comments, and of the header."""
        return self._skipped + self.header

    @property
    def _lines_above(self) -> int:
        return self._skipped + self.header * self._dialect.first_lines

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
            plain = self._unpacking(handle)
            if self._dialect.quoted:
                return (Part(0, count_rows(plain, self._dialect.delimiter, self._skipped)),)
            return (Part(0, count_lines(plain)),)

    def batches(
        self, columns: Mapping[str, str], part: Part | None = None
    ) -> Iterator[tuple[RawBatch, float]]:
        """Batches and the share of the file that is read, 0 to 1."""
        part = part or Part(0, 0)
        with reading(self._file.shown, self.format), self._file.open() as handle:
            raw, counted = self._streams(handle, part)
            blank = yield from self._rows(raw, counted, columns, part)
        self.open_end = not counted.ended
        self.notes = tuple(self._before)
        if counted.lines is not None:
            self.lines = counted.lines.total
        if isinstance(counted.lines, QuotedLines) and counted.lines.several:
            self._tell_several(counted.lines)
        if blank:
            lines = "line" if blank == 1 else "lines"
            self.notes += (f"{blank:,} empty {lines} at the end skipped.",)

    def _tell_several(self, rows: QuotedLines) -> None:
        if not self.format.endswith(_SEVERAL):
            self.format += _SEVERAL
        many = f"{rows.several:,} rows have" if rows.several > 1 else "1 row has"
        self.notes += (
            f"{many} line ends in quoted cells, from line {rows.first} on; a row counts as one "
            "line.",
        )

    def _streams(self, handle: BinaryIO, part: Part) -> tuple[Stream, Stream]:
        """The bytes of a part as they lie on disk, and unpacked."""
        begin, end = part.blocks or (0, None)
        handle.seek(begin)
        raw = Stream(handle, length=None if end is None else end - begin)
        source = self._unpacking(cast(BinaryIO, raw))
        lines = Lines() if self.numbered else None
        if self._dialect.quoted:
            lines = QuotedLines(self._dialect.delimiter, len(self.column_names), self._skipped)
        return raw, Stream(source, lines=lines)

    def _unpacking(self, stream: BinaryIO) -> BinaryIO:
        return unpacking(stream, self._compression, self._file.shown, self._file.bytes)

    def _rows(
        self, raw: Stream, counted: Stream, columns: Mapping[str, str], part: Part
    ) -> Generator[tuple[RawBatch, float], None, int]:
        """The rows of a part, malformed lines in their place; gives the empty lines at its end."""
        keys = {role: f"c{self.column_names.index(name)}" for role, name in columns.items()}
        nothing = {role: pa.array([], pa.string()) for role in keys}
        malformed: deque[Malformed] = deque()
        first, blank = 1 + part.before + (0 if part.before else self._above), 0
        for batch in self._parsed(counted, keys, malformed, part.before):
            for start in range(0, len(batch), BATCH_ROWS):
                piece = batch.slice(start, BATCH_ROWS)
                cells = {role: piece.column(key) for role, key in keys.items()}
                if malformed:  # their texts go into the cells
                    cells = {role: cell.cast(pa.string()) for role, cell in cells.items()}
                whole = put_back(RawBatch(first, cells), malformed)
                # Empty lines are held back until a row follows: only then they are rows.
                filled = whole.rows - trailing_blank(whole)
                if filled:
                    yield from blank_rows(first - blank, blank, cells)
                    kept = {role: cell.slice(0, filled) for role, cell in whole.columns.items()}
                    yield RawBatch(first, kept), min(raw.position / self._file.bytes, 1.0)
                    blank = 0
                blank += whole.rows - filled
                first += whole.rows
        if malformed:
            last = put_back(RawBatch(first, nothing), malformed)
            yield from blank_rows(first - blank, blank, nothing)
            yield last, 1.0
            first, blank = first + last.rows, 0
        if isinstance(counted.lines, QuotedLines):
            counted.lines.finish()
            if counted.lines.doubt or counted.lines.total != first - 1:
                raise self._open_quote(counted.lines.doubt)
        if part.last:
            held = held_rows(counted.tail, blank, self._dialect.delimiter)
            yield from blank_rows(first - blank, held, nothing)
            return blank - held
        yield from blank_rows(first - blank, blank, nothing)  # rows follow in the next part
        return 0

    def _parsed(
        self,
        stream: Stream,
        keys: Mapping[str, str],
        malformed: deque[Malformed],
        before: int,
    ) -> Iterator[pa.RecordBatch]:
        skip = 0 if before else self._lines_above
        if not self._dialect.quoted:
            return self._parse_blocks(stream, keys, malformed, before, skip)
        whole = pa.PythonFile(stream, mode="r")
        return self._parse(whole, keys, malformed, 1 + self._above - skip, skip=skip)

    def _parse_blocks(
        self,
        stream: Stream,
        keys: Mapping[str, str],
        malformed: deque[Malformed],
        before: int,
        skip: int,
    ) -> Iterator[pa.RecordBatch]:
        """Parse in parallel what is as expected, and with care what is not."""
        layout = Layout(
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
                        newlines_in_values=self._dialect.quoted,
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
        if number <= self._lines_above:
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

    def _open_quote(self, doubt: OpenQuote | None) -> InputError:
        if doubt is None:
            doubt = OpenQuote(1, "cannot be told from the text beside it")
        return InputError(
            f"{self._file.shown}: a quote in the row that begins in line {doubt.line} {doubt.why}; "
            "close it, double one that belongs to a name, or write the table as Parquet"
        )


def _expected(role: str) -> pa.DataType:
    """The type of a column whose cells are all what they should be."""
    if role == "weight":
        return pa.float64()
    return pa.string() if role.endswith("taxid") else pa.int64()
