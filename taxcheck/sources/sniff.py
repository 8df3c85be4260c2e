"""What a file is, by its content; for text, its delimiter, quoting and header."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass

import pyarrow as pa

from taxcheck.errors import InputError
from taxcheck.sources.aliases import KNOWN_NAMES, normalise
from taxcheck.sources.files import InputFile, reading

SAMPLE_BYTES = 1 << 18
_SAMPLE_LINES = 200
_MAGIC = (
    (b"PAR1", "parquet"),
    (b"ARROW1\0\0", "feather"),
    (b"\xff\xff\xff\xff", "arrow stream"),
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)
_REFUSED = (
    (b"PARE", "an encrypted Parquet file", "decrypt it"),
    (b"FEA1", "a Feather V1 file", "rewrite it with pyarrow.feather.write_feather, or as Parquet"),
    (b"\x93NUMPY", "a NumPy array", "save it as a table with named columns, as Parquet"),
    (b"\x89HDF", "an HDF5 file", "export the table as Parquet"),
    (b"SQLite format 3", "an SQLite database", "export the table as CSV"),
    (b"PK\x03\x04", "a zip archive", "unpack it and give the table inside"),
    (b"BZh", "a bzip2 file", "unpack it, or recompress it with gzip or zstd"),
    (b"\xfd7zXZ\0", "an xz file", "unpack it, or recompress it with gzip or zstd"),
    (b"\x04\x22\x4d\x18", "an lz4 file", "unpack it, or recompress it with gzip or zstd"),
    (b"\xff\xfe\0\0", "UTF-32 text", "convert it: iconv -f UTF-32 -t UTF-8"),
    (b"\xff\xfe", "UTF-16 text", "convert it: iconv -f UTF-16 -t UTF-8"),
    (b"\xfe\xff", "UTF-16 text", "convert it: iconv -f UTF-16 -t UTF-8"),
)
_DELIMITERS = ("\t", ",", ";", "|", " ")
DELIMITER_NAMES = {"\t": "tsv", ",": "csv", ";": "csv (;)", "|": "csv (|)", " ": "csv (space)"}


@dataclass(frozen=True, slots=True)
class TextShape:
    """How the lines of a text file are to be taken apart."""

    delimiter: str
    quoted: bool
    first_cells: tuple[str, ...]
    sample: tuple[tuple[str, ...], ...]  # the lines after the first, a bounded number
    bom: bool
    newline: bool  # lines end with \n (or \r\n); False: with a lone \r, or there is one line


def kind_of(file: InputFile) -> str:
    """One of parquet, feather, arrow stream, pickle, gzip, zstd, text; else InputError."""
    with reading(file.shown), file.open() as stream:
        head = stream.read(4096)
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    refuse_binary(head, file.shown)
    if head[:1] == b"\x80" and head[1:2] in (b"\2", b"\3", b"\4", b"\5"):
        return "pickle"
    if head.startswith((b"(lp", b"(dp")) or (
        head[:1] in b"](" and file.hint.endswith((".pkl", ".pickle"))
    ):
        return "pickle"  # protocols 0 and 1 have no magic number
    if b"\0" in head:
        even, odd = head[0:512:2].count(0), head[1:512:2].count(0)
        if min(even, odd) == 0 and max(even, odd) > len(head[:512]) // 4:
            raise InputError(f"{file.shown}: is UTF-16 text; convert it: iconv -f UTF-16 -t UTF-8")
        raise _binary(file.shown)
    return "text"


def refuse_binary(head: bytes, shown: str) -> None:
    """Raise InputError where the first bytes are those of a known format that holds no table."""
    for magic, name, remedy in _REFUSED:
        if head.startswith(magic):
            raise InputError(f"{shown}: is {name}, which taxcheck does not read; {remedy}")


def _binary(shown: str) -> InputError:
    return InputError(
        f"{shown}: is no table that taxcheck knows (it holds NUL or control bytes); give Parquet, "
        "Feather, CSV or TSV"
    )


def shape_of(head: bytes, shown: str, *, whole: bool) -> TextShape:
    """Delimiter and quoting from the first bytes; ``whole`` where they are the whole file."""
    refuse_binary(head, shown)
    bom = head.startswith(b"\xef\xbb\xbf")
    body = head[3:] if bom else head
    control = sum(body.count(bytes([c])) for c in (*range(1, 9), *range(14, 27)))
    if b"\0" in body[:4096] or control > len(body) // 20:
        raise _binary(shown)
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
    if "\t|\t" in lines[0]:
        raise InputError(
            f"{shown}: looks like a file of the NCBI taxonomy dump (.dmp); give its folder as "
            "--taxonomy, and a table of pairs or identifiers here"
        )
    delimiter, width = _delimiter(lines)
    if delimiter is None:
        raise InputError(
            f"{shown}: only one column found (tried tab, comma, semicolon, bar and space); give a "
            "table with at least two columns"
        )
    later = lines[1:]
    quoted = _quoted(lines, delimiter)
    first = _cells(lines[0], delimiter, quoted=True)  # names may be quoted where no cell is
    if len(first) != width and not quoted:
        first = _cells(lines[0], delimiter, quoted=False)
    if len(first) != width:
        fields = "field" if len(first) == 1 else "fields"
        raise InputError(
            f"{shown}: line 1 has {len(first)} {fields}, most lines have {width}; remove it if it "
            "is a comment, complete it if it is the header"
        )
    sample = tuple(_cells(line, delimiter, quoted=quoted) for line in later)
    return TextShape(delimiter, quoted, first, sample, bom, b"\n" in body)


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
        widths = Counter(len(_cells(line, delimiter, quoted=quoted)) for line in lines)
        width, count = max(widths.items(), key=lambda item: (item[0] > 1, item[1], item[0]))
        if width > 1 and count / len(lines) > best_share + 1e-9:
            best, best_width, best_share = delimiter, width, count / len(lines)
    return best, best_width


def is_number(cell: str) -> bool:
    """Whether a cell reads as a number, "nan" and "inf" included."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def has_header(shape: TextShape) -> bool:
    """Whether the first line names the columns.

    It does where two of its cells are names that taxcheck knows, or where no cell of it is a
    number while most later cells of some column are.
    """
    first = shape.first_cells
    if any(is_number(cell) for cell in first):
        return False
    matches = sum(normalise(cell) in KNOWN_NAMES for cell in first)
    if matches >= 2:
        return True
    later = [row for row in shape.sample if len(row) == len(first)]
    return any(
        2 * sum(is_number(row[column]) for row in later) > len(later)
        for column in range(len(first))
        if later
    )


def head_of(file: InputFile, compression: str | None) -> tuple[bytes, bool]:
    """The first decompressed bytes, and whether they are all there is."""
    with reading(file.shown, compression or "text"), file.open() as stream:
        source = pa.PythonFile(stream, mode="r")
        if compression:
            source = pa.CompressedInputStream(source, compression)
        head = source.read(SAMPLE_BYTES + 1)
    return head[:SAMPLE_BYTES], len(head) <= SAMPLE_BYTES
