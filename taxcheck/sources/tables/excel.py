"""A sheet of an Excel workbook, written to a temporary text of one line a row and read as one.

So its first row, comments, blank rows and rows that are too long are judged as those of any text,
and rows are numbered as Excel numbers them. openpyxl streams the sheet; no formula is computed.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

from taxcheck.model.errors import InputError, one_line
from taxcheck.sources.files import InputFile, Unpacked
from taxcheck.sources.packed import bomb, limit_of
from taxcheck.sources.readers import CERTAIN, NEVER, Candidate, Guess
from taxcheck.sources.tables.boxes import chosen
from taxcheck.sources.tables.dialect import Dialect
from taxcheck.sources.tables.text import TextReader

_MOST_ROWS, _MOST_COLUMNS = 1 << 20, 1 << 14  # of a sheet, as Excel has it
_JUDGED = 200  # rows by which the columns of the table are found
_EXACT = 2**53
_DATES = (dt.date, dt.datetime, dt.time, dt.timedelta)
_BLANKS = str.maketrans("\t\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029", " " * 11)
_BLANK_CELLS = "line ends or tabs, read as blanks"
_MERGED_CELLS = "what the cell above shows that they are merged with"
_MERGED = re.compile(rb"mergeCell\s+ref=\"([A-Z]{1,3})(\d{1,7}):[A-Z]{1,3}(\d{1,7})\"")
_MERGED_BYTES = 64  # longer than what it finds
_CERTAIN = (_BLANK_CELLS, _MERGED_CELLS)  # of which nothing is guessed
Cells = Sequence[object]


def claim_excel(candidate: Candidate) -> float:
    """Whether it is a workbook of Excel 2007 or later."""
    from taxcheck.sources.unsupported import members

    return CERTAIN if "xl/workbook.xml" in candidate.once(members) else NEVER


def read_excel(candidate: Candidate) -> TextReader:
    """The sheet that is named, or the only one that is seen and has cells."""
    file = candidate.file
    try:
        import openpyxl  # noqa: F401 - the extra
    except ImportError as error:
        raise InputError(
            f"{file.shown}: is an Excel workbook, which needs openpyxl: pip install "
            "'taxcheck[excel]'; or save its sheet as CSV"
        ) from error
    with _stream(file) as stream:
        formulas = _look(stream, file)
        with _workbook(stream, values=True) as book:
            name = _sheet(book, candidate)
            sheet = _Sheet(file, name, candidate, _merged(stream, book[name]))
            with _workbook(stream, values=False) if formulas else _nothing() as other:
                lines = sheet.lines(_rows(book, name), _rows(other, name) if other else None)
                inner = Unpacked(file, name, lines)
    sheet.tell()
    reader = TextReader(inner, None, sheet.dialect(), "with at most one cell")
    reader.format = "excel"
    return reader


@contextmanager
def _stream(file: InputFile) -> Iterator[BinaryIO]:
    """The workbook; whatever openpyxl raises over it is one line."""
    try:
        with file.open() as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield stream
    except (InputError, MemoryError):
        raise
    except Exception as error:  # it raises of all kinds
        raise InputError(
            f"{file.shown}: is an Excel workbook that cannot be read ({one_line(error, 200)}); it "
            "may be truncated or damaged: copy it again, or save its sheet as CSV"
        ) from error


def _look(stream: BinaryIO, file: InputFile) -> bool:
    """Whether a sheet has formulas. InputError where a part unpacks to too much."""
    found = False
    with zipfile.ZipFile(stream) as archive:
        for info in archive.infolist():
            if info.file_size > limit_of(info.compress_size):
                raise bomb(file.shown)
            if info.flag_bits & 1:
                raise InputError(f"{file.shown}: is encrypted; save it without a password")
            if not found and info.filename.startswith("xl/worksheets/"):
                with archive.open(info) as sheet:
                    found = _holds(sheet, (b"<f>", b"<f "))
    return found


def _holds(stream: Any, words: Sequence[bytes]) -> bool:
    tail = b""
    while piece := stream.read(1 << 20):
        if any(word in tail + piece for word in words):
            return True
        tail = piece[-4:]
    return False


def _merged(stream: BinaryIO, sheet: Any) -> dict[int, list[tuple[int, int]]]:
    """Cells that are merged with those below them, by their row from 1: column from 0, last row."""
    found: dict[int, list[tuple[int, int]]] = {}
    tail = b""
    with zipfile.ZipFile(stream) as archive, archive.open(sheet._worksheet_path) as xml:
        while piece := xml.read(1 << 20):
            text = tail + piece
            ends = 0
            for one in _MERGED.finditer(text):
                ends = one.end()
                column, first, last = one[1].decode(), int(one[2]), int(one[3])
                if first < last <= _MOST_ROWS:
                    found.setdefault(first, []).append((_place(column), last))
            tail = text[max(ends, len(text) - _MERGED_BYTES) :]
    return found


@contextmanager
def _workbook(stream: BinaryIO, *, values: bool) -> Iterator[Any]:
    from openpyxl import load_workbook

    book = load_workbook(stream, read_only=True, data_only=values, keep_links=False)
    try:
        yield book
    finally:
        book.close()


@contextmanager
def _nothing() -> Iterator[None]:
    yield None


def _sheet(book: Any, candidate: Candidate) -> str:
    """The name of the sheet that is meant; hidden ones are told, and taken where they are named."""
    seen, hidden = [], []
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            hidden.append(sheet.title)
        elif any(any(cell is not None for cell in row) for row in _first(_rows(book, sheet.title))):
            seen.append(sheet.title)
    names = [*seen, *hidden] if candidate.file.part else seen
    columns = []
    for name in seen[:4]:
        head = next((row for row in _first(_rows(book, name)) if any(row)), ())
        columns.append(f"{name} begins with {', '.join(_text(cell) for cell in head[:5])}")
    name, rest = chosen(candidate.file, names, "an Excel workbook", candidate, "; ".join(columns))
    if rest:
        raise InputError(f"{candidate.file.shown}: a sheet has no parts to be named")
    if hidden and not candidate.file.part:
        candidate.told.append(f"Hidden sheets are not read: {', '.join(hidden[:5])}.")
    return name


def _rows(book: Any, name: str) -> Iterator[Cells]:
    sheet = book[name]
    sheet.reset_dimensions()  # what the file says of its size need not be true
    rows: Iterator[Cells] = sheet.iter_rows(values_only=True)
    return rows


def _first(rows: Iterable[Cells]) -> list[Cells]:
    return list(itertools.islice(rows, _JUDGED))


class _Sheet:
    """The rows of one sheet as lines, and what is to be told of its cells."""

    def __init__(
        self,
        file: InputFile,
        name: str,
        candidate: Candidate,
        merged: Mapping[int, Sequence[tuple[int, int]]],
    ) -> None:
        self._file, self._name, self._candidate = file, name, candidate
        self._merged = merged
        self._shown: dict[int, tuple[int, object]] = {}  # last row and value by column
        self._counts: Counter[str] = Counter()
        self._where: dict[str, str] = {}
        self._begin = self._width = self._above = 0
        self._sample: list[tuple[str, ...]] = []

    def lines(self, rows: Iterator[Cells], formulas: Iterator[Cells] | None) -> Iterator[bytes]:
        """Each row as a line; InputError where a formula has no value, or nothing is there."""
        first = _first(rows)
        self._judge(first)
        pending: list[str] = []
        for number, row in enumerate(itertools.chain(first, rows), start=1):
            if number > _MOST_ROWS:
                raise InputError(f"{self._file.shown}: has rows beyond those of a sheet")
            if formulas is not None:
                self._check(number, row, next(formulas, ()))
            cells = self._cells(number, self._filled(number, row))
            if len(self._sample) <= _JUDGED and number > self._above:
                self._sample.append(cells)
            pending.append("\t".join(cells))
            if len(pending) == 10_000:
                yield "".join(f"{line}\n" for line in pending).encode("utf-8", "replace")
                pending.clear()
        yield "".join(f"{line}\n" for line in pending).encode("utf-8", "replace")

    def _judge(self, first: Sequence[Cells]) -> None:
        """Where the table begins, and how wide it is."""
        filled = [[k for k, cell in enumerate(row) if cell not in (None, "")] for row in first]
        if not any(filled):
            raise InputError(f"{self._file.shown}: sheet {self._name!r} holds no rows")
        cells = [len(places) for places in filled]  # a title has one, the table more
        self._above = next(k for k, count in enumerate(cells) if count >= min(2, max(cells)))
        header = filled[self._above]
        begins, ends = (Counter(places[k] for places in filled if places) for k in (0, -1))
        self._begin = min(header[0], begins.most_common(1)[0][0])
        self._width = max(header[-1], ends.most_common(1)[0][0]) + 1 - self._begin
        if self._width > _MOST_COLUMNS:
            raise InputError(f"{self._file.shown}: has columns beyond those of a sheet")

    def _filled(self, number: int, row: Cells) -> Cells:
        """The row with what cells show that are merged with one above them."""
        if not self._merged:
            return row
        cells = list(row)
        for column, (last, value) in list(self._shown.items()):
            if number > last:
                del self._shown[column]
            else:
                cells += [None] * (column + 1 - len(cells))
                if cells[column] is None:
                    cells[column] = value
                    self._note(_MERGED_CELLS, number, column - self._begin)
        for column, last in self._merged.get(number, ()):
            if number > self._above and column < len(row) and row[column] is not None:
                self._shown[column] = last, row[column]
        return cells

    def _cells(self, number: int, row: Cells) -> tuple[str, ...]:
        left = next(
            (k for k, cell in enumerate(row[: self._begin]) if cell not in (None, "")), None
        )
        if left is not None and number > self._above:
            self._note("something left of the table, which is not read", number, left - self._begin)
        cells = [self._cell(number, k, cell) for k, cell in enumerate(row[self._begin :])]
        while len(cells) > self._width and not cells[-1]:
            cells.pop()
        cells += [""] * (self._width - len(cells))
        return tuple(cells)

    def _cell(self, number: int, place: int, cell: object) -> str:
        if cell is None:
            return ""
        if isinstance(cell, str):
            plain = cell.translate(_BLANKS)
            if plain != cell:
                self._note(_BLANK_CELLS, number, place)
            return plain
        if isinstance(cell, _DATES):
            self._note("a date or time", number, place)
        return _text(cell)

    def _note(self, what: str, number: int, place: int) -> None:
        self._counts[what] += 1
        self._where.setdefault(what, f"{_letters(place + self._begin)}{number}")

    def _check(self, number: int, values: Cells, formulas: Cells) -> None:
        for place, (value, formula) in enumerate(zip(values, formulas, strict=False)):
            written = formula is not None and type(formula) not in (int, float, bool)
            if (value is None and written and str(formula).startswith("=")) or (
                value is None and written and not isinstance(formula, str)
            ):
                raise InputError(
                    f"{self._file.shown}: sheet {self._name!r}, cell {_letters(place)}{number}: is "
                    "a formula whose value is not stored; open the workbook with Excel or "
                    "LibreOffice and save it, or save the sheet as CSV"
                )

    def tell(self) -> None:
        """Say what was found in the cells."""
        for what, count in self._counts.items():
            dates = (
                "; Excel makes dates of names such as MARCH1 and SEPT2" if "date" in what else ""
            )
            cells = "1 cell holds" if count == 1 else f"{count:,} cells hold"
            told = (
                f"In sheet {one_line(self._name, 40)} {cells} {what}, the first is "
                f"{self._where[what]}{dates}."
            )
            self._candidate.told.append(told if what in _CERTAIN else Guess(told))

    def dialect(self) -> Dialect:
        """How the lines are taken apart: tabs alone, as cells hold none."""
        first, *rest = self._sample
        return Dialect("\t", False, first, tuple(rest), False, self._above)


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) <= _EXACT:
        return str(int(cell))
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        return cell.date().isoformat()
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    return str(cell).translate(_BLANKS)


def _place(letters: str) -> int:
    """The number of a column, from 0, by its name."""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1


def _letters(column: int) -> str:
    """The name of a column, counted from 0."""
    name, column = "", column + 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
