"""How the lines of a text file are to be taken apart: delimiter, quoting, header."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from taxcheck.model.errors import InputError
from taxcheck.sources.files import InputFile, reading
from taxcheck.sources.packed import read_fully, unpacking
from taxcheck.sources.readers import no_table
from taxcheck.sources.tables.columns import END_WORDS, KNOWN_NAMES, normalise
from taxcheck.sources.tables.quoted_lines import rows_end

SAMPLE_BYTES = 1 << 18
_SAMPLE_LINES = 200
_COUNTED = r"(?i)(id|ids|idx|index|key|code|no|nr|number|#|row)$"  # names of what may count rows
_DELIMITERS = ("\t", ",", ";", "|", " ")
DELIMITER_NAMES = {"\t": "tsv", ",": "csv", ";": "csv (;)", "|": "csv (|)", " ": "csv (space)"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the lines of a text file are to be taken apart."""

    delimiter: str
    quoted: bool
    first_cells: tuple[str, ...]
    sample: tuple[tuple[str, ...], ...]  # the lines after the first, a bounded number
    bom: bool
    skipped: int = 0  # lines before the first: comments, and what tells Excel the delimiter
    first_lines: int = 1  # of the file, that the first row takes: more where its cells hold ends
    row_names: bool = False  # whether the first column is taken for names of rows, without a name


def dialect_of(head: bytes, shown: str, *, whole: bool) -> Dialect:
    """Delimiter and quoting from the first bytes; ``whole`` where they are the whole file."""
    lines, bom = _lines(head, shown, whole=whole)
    table = [line for line in lines if not _is_comment(line)] or lines
    delimiter, width = _delimiter(table)
    if delimiter in (None, " ") and _fixed_width(table):
        raise InputError(
            f"{shown}: its columns are filled up with blanks to a fixed width; put one tab between "
            "them: sed -E 's/^ +| +$//g; s/ +/\\t/g', or where cells hold blanks "
            "pandas.read_fwf(path).to_csv(...)"
        )
    if delimiter is None:
        raise InputError(
            f"{shown}: only one column found (tried tab, comma, semicolon, bar and space); give a "
            "table with at least two columns"
        )
    skipped = _skipped(lines, delimiter, width)
    lines = lines[skipped:]
    quoted = _quoted(lines, delimiter)
    lines, first_lines = _whole_rows(lines, delimiter) if quoted else (lines, 1)
    first = _first_cells(lines[0], delimiter, width, quoted=quoted)
    first = tuple(" ".join(cell.splitlines()) for cell in first)
    rows = [_cells(line, delimiter, quoted=quoted) for line in lines[1:]]
    names_rows = False
    if len(first) == width - 1 and not re.search(_COUNTED, first[0]):
        names_rows = _are_quoted(lines, delimiter) and _names_rows(first, rows)
        if names_rows or _numbered(rows):
            first = ("", *first)  # R's write.table gives numbers or names of rows no name
    if len(first) != width:
        fields = "field" if len(first) == 1 else "fields"
        raise InputError(
            f"{shown}: line {skipped + 1} has {len(first)} {fields}, most lines have {width}; "
            "remove it if it is a comment, complete it if it is the header"
        )
    return Dialect(delimiter, quoted, first, tuple(rows), bom, skipped, first_lines, names_rows)


def _whole_rows(lines: list[str], delimiter: str) -> tuple[list[str], int]:
    """Lines joined where a quoted cell runs over their end, and how many of them are the first.

    What follows the last whole row is left out.
    """
    ends = rows_end([line.encode() for line in lines], delimiter)
    if len(ends) == len(lines) or not ends:
        return lines, 1
    return ["\n".join(lines[a:b]) for a, b in itertools.pairwise([0, *ends])], ends[0]


def _numbered(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first cells of all rows count them from 1."""
    first = [row[0] for row in rows if row]
    return len(first) > 1 and first == [str(k + 1) for k in range(len(first))]


def _are_quoted(lines: Sequence[str], delimiter: str) -> bool:
    """Whether the first cell of every line is quoted, as R quotes texts and no numbers."""
    return all(line.startswith('"') and f'"{delimiter}' in line for line in lines if line)


def _names_rows(first: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first cells name the rows: each once, none elsewhere, and the rest is of edges.

    Else the last name may be missing as well.
    """
    full = [row for row in rows if len(row) == len(first) + 1]
    names = {row[0] for row in full}
    if len(full) < 2 or len(names) < len(full):
        return False
    columns = [{cell for cell in column if cell} for column in zip(*full, strict=True)][1:]
    if any(names & column for column in columns):
        return False
    known = sum(normalise(cell) in KNOWN_NAMES for cell in first) >= 2 or _names_ends(first)
    return known and any(a & b for a, b in itertools.combinations(columns, 2))


def _lines(head: bytes, shown: str, *, whole: bool) -> tuple[list[str], bool]:
    """The first lines, and whether a byte order mark stood before them."""
    bom = head.startswith(b"\xef\xbb\xbf")
    body = head[3:] if bom else head
    control = sum(body.count(bytes([c])) for c in (*range(1, 9), *range(14, 27)))
    if b"\0" in body[:4096] or control > len(body) // 20:
        raise no_table(shown)
    lines = body.decode("utf-8", "replace").splitlines()[: _SAMPLE_LINES + 1]
    if not whole and len(lines) <= _SAMPLE_LINES:
        lines = lines[:-1]  # cut off in the middle
        if not lines:
            raise InputError(
                f"{shown}: its first line is longer than {SAMPLE_BYTES} bytes; this is no CSV or "
                "TSV table"
            )
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise InputError(f"{shown}: holds no rows; there is nothing to judge")
    if "\t|\t" in lines[0] and is_number(lines[0].split("\t")[0]):  # Open Tree's has a header
        raise InputError(
            f"{shown}: looks like a file of the NCBI taxonomy dump (.dmp); give its folder as "
            "`taxonomy`, and a table of pairs or identifiers here"
        )
    return lines, bom


def _fixed_width(lines: list[str]) -> bool:
    """Whether runs of blanks separate as many cells in every line, and single ones do not.

    Or a cell begins at the same place in every line, mostly behind several blanks.
    """
    filled = [line for line in lines if line.strip()]
    shortest = min(map(len, filled), default=0)
    for at in range(2, shortest if len(filled) > 2 else 0):
        if all(line[at - 1] == " " != line[at] for line in filled):
            behind = sum(line[at - 2] == " " for line in filled)
            if 2 * behind > len(filled) and all(line[: at - 1].strip() for line in filled):
                return True
    cells = {len(line.split()) for line in filled}
    single = {len(line.split(" ")) for line in filled}
    return len(filled) > 1 and len(cells) == 1 and max(cells) > 1 and single != cells


def _is_comment(line: str) -> bool:
    """Whether a line before the table is none of it: ``# ...``, or ``sep=;``, written for Excel."""
    return line.startswith("#") or re.fullmatch("sep=.", line.strip()) is not None


def _skipped(lines: list[str], delimiter: str, width: int) -> int:
    """How many lines stand before the table.

    The last comment is its header where it is as wide. Lines that all are, with no blank after the
    ``#``, are rows: it belongs to their labels.
    """
    above = list(itertools.takewhile(_is_comment, lines))
    if not above or len(above) == len(lines):
        return 0
    if all(re.match(r"#\S", line) and line.count(delimiter) == width - 1 for line in above):
        return 0
    header = above[-1].startswith("#")
    wide = len(_first_cells(above[-1], delimiter, width, quoted=True)) == width
    return len(above) - (header and wide)


def _first_cells(line: str, delimiter: str, width: int, *, quoted: bool) -> tuple[str, ...]:
    """The cells of the first line; names may be quoted where no cell is, or follow a ``#``."""
    tried = [_cells(line, delimiter, quoted=True)]
    tried += [] if quoted else [_cells(line, delimiter, quoted=False)]
    tried += [_cells(line.lstrip("# "), delimiter, quoted=True)] if line.startswith("#") else []
    return next((cells for cells in tried if len(cells) == width), tried[-1])


def _quoted(lines: list[str], delimiter: str) -> bool:
    """Whether a quote at the start of a cell is one of the file and not of a name.

    In TSV it is mostly part of a name ("Candidatus" x), and taken as quoting it would change the
    name or swallow lines. So quotes there have to close where cells end, and cells to fit the lines
    that way, unless tabs alone make no table either.
    """
    if delimiter != "\t":
        return True
    if not any(cell.startswith('"') for line in lines[1:] for cell in line.split("\t")):
        return False
    filled = [line for line in lines if line.strip()]
    if len({line.count("\t") for line in filled}) > 1:
        return True
    try:
        rows = list(csv.reader((f"{line}\n" for line in filled), delimiter="\t", strict=True))
    except csv.Error:
        return False
    return len({len(row) for row in rows}) == 1


def _cells(line: str, delimiter: str, *, quoted: bool) -> tuple[str, ...]:
    if not quoted:
        return tuple(line.split(delimiter))
    try:
        return tuple(next(csv.reader(io.StringIO(line), delimiter=delimiter), ()))
    except csv.Error:
        return tuple(line.split(delimiter))


def _delimiter(lines: list[str]) -> tuple[str | None, int]:
    best, best_width, best_share = None, 0, 0.0
    for delimiter in _DELIMITERS:
        quoted = _quoted(lines, delimiter)
        rows = _whole_rows(lines, delimiter)[0] if quoted else lines
        widths = Counter(len(_cells(line, delimiter, quoted=quoted)) for line in rows)
        width, count = max(widths.items(), key=lambda item: (item[0] > 1, item[1], item[0]))
        if width > 1 and count / len(rows) > best_share + 1e-9:
            best, best_width, best_share = delimiter, width, count / len(rows)
    return best, best_width


def is_number(cell: str) -> bool:
    """Whether a cell reads as a number, "nan" and "inf" included."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


KNOWN = "its cells are known names of columns"
NAMES_FEWER = "it has one name fewer than rows have cells"
TEXTS_ALIKE = "its cells are texts like those below it"  # so that it may still be a header


@dataclass(frozen=True, slots=True)
class Header:
    """Whether the first line names the columns, and why."""

    taken: bool
    reason: str


def header_of(dialect: Dialect) -> Header:
    """Whether the first line names the columns.

    It does where two of its cells are names that taxcheck knows, or where no cell of it is a
    number while most later cells of some column are.
    """
    first = dialect.first_cells
    if any(is_number(cell) for cell in first):
        return Header(False, "a cell of it is a number")
    if dialect.row_names:
        return Header(True, NAMES_FEWER)
    matches = sum(normalise(cell) in KNOWN_NAMES for cell in first)
    if matches >= 2:
        return Header(True, KNOWN)
    later = [row for row in dialect.sample if len(row) == len(first)]
    if dialect.skipped and first[0].startswith("#"):
        return Header(True, "it is the last comment before the table, and as wide")
    if any(
        2 * sum(is_number(row[column]) for row in later) > len(later)
        for column in range(len(first))
        if later
    ):
        return Header(True, "no cell of it is a number, as they are below it")
    if _names_ends(first) and not {*first} & {cell for row in later for cell in row}:
        return Header(True, "its cells are what ends of edges are called, and stand nowhere below")
    return Header(False, TEXTS_ALIKE)


def _names_ends(first: Sequence[str]) -> bool:
    """Whether two cells are the usual names of two ends."""
    words = {normalise(cell.removesuffix("_id")) for cell in first}
    return any(words.issuperset(ends) for ends in END_WORDS)


def head_of(file: InputFile, compression: str | None) -> tuple[bytes, bool]:
    """The first decompressed bytes, and whether they are all there is."""
    with reading(file.shown, compression or "text"), file.open() as stream:
        source = unpacking(stream, compression, file.shown, file.bytes)
        head = read_fully(source, SAMPLE_BYTES + 1)
    return head[:SAMPLE_BYTES], len(head) <= SAMPLE_BYTES
