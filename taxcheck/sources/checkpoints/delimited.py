"""Vectors as text: CSV, TSV, GloVe and numpy.savetxt, with a header or without.

A line is an identifier, if there is one, and a number for each dimension. TensorBoard's projector
has the identifiers in a second file, ``metadata.tsv``.
"""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from taxcheck.model.errors import InputError, one_line
from taxcheck.sources.checkpoints.contents import Contents, too_large
from taxcheck.sources.checkpoints.frame import contents_of, is_dimension
from taxcheck.sources.checkpoints.row_names import names_rows
from taxcheck.sources.files import InputFile, reading

HEAD = 1 << 16
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_COUNTS = re.compile(r"\s*\d{1,12}[ \t,]+\d{1,7}\s*")
_NUMBER = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)(e[+-]?\d+)?|[+-]?(nan|inf(inity)?)", re.I)
_WHOLE = re.compile(r"\d+")
_BLOCK = 1 << 22
_FEWEST = 2  # numbers in a line that no header explains
_FLOOR, _RATIO = 1 << 30, 60  # bytes of numbers that a text of a size can hold
_METADATA = ("metadata.tsv", "{}_metadata.tsv", "{}.metadata.tsv", "{}.meta.tsv", "labels.tsv")
_METADATA_LIMIT = 1 << 30


@dataclass(frozen=True, slots=True)
class Layout:
    """How the lines of a text hold vectors."""

    delimiter: str
    skipped: int  # lines before the first that counts
    header: tuple[str, ...] | None
    width: int  # fields of a line
    labelled: bool  # without a header: the first field is an identifier
    decimal: str = "."
    commented: bool = False  # the header is among the lines that are skipped

    @property
    def called(self) -> str:
        """The name of the format."""
        name = {",": "csv", "\t": "tsv", ";": "csv", " ": "text"}[self.delimiter]
        return name if self.header is not None else f"{name} without a header"


def layout_of(head: bytes) -> Layout | None:
    """How a text with these first bytes holds vectors; None where it holds none."""
    if b"\0" in head:
        return None
    text = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    lines = text.splitlines()
    lines = lines[:-1] if len(lines) > 2 and not text.endswith("\n") else lines
    skipped, comment, counted = 0, None, False
    if lines and _COUNTS.fullmatch(lines[0]):  # rows and width, as word2vec has them
        skipped, lines, counted = 1, lines[1:], True
    while lines and lines[0].startswith("#"):
        comment, skipped, lines = lines[0].lstrip("# "), skipped + 1, lines[1:]
    lines = [line for line in lines if line.strip()]
    if not lines:
        return None
    for delimiter in ("\t", ";", ",", " "):
        found = _with(delimiter, lines, skipped, comment)
        if found is not None:
            word2vec = counted and found.header is None and delimiter in "\t "
            return None if word2vec else found
    return None


def _with(delimiter: str, lines: Sequence[str], skipped: int, comment: str | None) -> Layout | None:
    rows = [_fields(line, delimiter) for line in lines]
    width = len(rows[-1])
    if width < 2 or any(len(row) != width for row in rows):
        return None
    header: tuple[str, ...] | None = None
    commented, body = False, rows
    if _is_header(rows[0], rows[1:]):
        header, body = tuple(rows[0]), rows[1:]
    elif comment is not None and len(_fields(comment, delimiter)) == width:
        header, commented = tuple(_fields(comment, delimiter)), True
    if not body or not _has_vectors(body, header is not None):
        return None
    labelled = not _NUMBER.fullmatch(body[0][0]) or _only_first_whole(body)
    commas = delimiter == ";" and any("," in cell for row in body for cell in row)
    return Layout(delimiter, skipped, header, width, labelled, "," if commas else ".", commented)


def _has_vectors(body: Sequence[Sequence[str]], named: bool) -> bool:
    """Whether columns of numbers are there: where they have no names all but the first are."""
    numeric = [all(_NUMBER.fullmatch(row[k]) for row in body) for k in range(len(body[0]))]
    if not named:
        return all(numeric[1:]) and sum(numeric) >= _FEWEST
    return any(numeric) or any(map(_is_list, body[0]))


def _only_first_whole(body: Sequence[Sequence[str]]) -> bool:
    """Whether lines begin with whole numbers and hold others, too: the first are identifiers."""
    if not all(_WHOLE.fullmatch(row[0]) for row in body):
        return False
    return not all(_WHOLE.fullmatch(cell) for row in body for cell in row[1:])


def _fields(line: str, delimiter: str) -> list[str]:
    if delimiter == " ":
        return line.split()
    if '"' not in line:
        return [field.strip() for field in line.split(delimiter)]
    import csv as plain

    return [field.strip() for field in next(plain.reader([line], delimiter=delimiter))]


def _is_header(first: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """Whether a first line names columns: words over numbers, or 0, 1, 2 ... over others."""
    words = [not _NUMBER.fullmatch(cell) for cell in first]
    if sum(words[1:]) or (words[0] and not first[0] and len(first) > 1):
        return True
    if all(_WHOLE.fullmatch(cell) for row in body for cell in row[1:]):
        return False
    counted = [first[k:] for k in (0, 1) if len(first[k:]) > 1]
    numbered = (
        row == [str(number + begin) for number in range(len(row))]
        for row in counted
        for begin in (0, 1)
    )
    return bool(body) and any(numbered)


def _is_list(cell: str) -> bool:
    return cell.startswith(("[", "(", "array([", "tensor([")) and len(cell) > 2


def read_delimited(file: InputFile, layout: Layout) -> Contents:
    """The vectors, what names their rows, and what else the columns are."""
    with reading(file.shown, layout.called), file.path.open("rb") as raw:
        stream, packed = _unpacked(raw)
        for _ in range(layout.skipped):
            stream.readline(HEAD)
        if layout.delimiter == " ":
            stream = cast("IO[bytes]", _SingleSpaced(stream))
        table = _read(stream, layout, file)
        name = f"{layout.called}{packed}"
        table = _lists_parsed(table, file.shown)
        contents = contents_of(table, name, file.shown)
    return _with_metadata(contents, file, len(table))


def _unpacked(raw: IO[bytes]) -> tuple[IO[bytes], str]:
    """The text behind gzip or zstd, and what to add to the name of its format."""
    magic = raw.read(4)
    raw.seek(0)
    if magic.startswith(GZIP):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=raw)), ", gzip"
    if magic.startswith(ZSTD):
        inflated: Any = pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd")
        return io.BufferedReader(inflated), ", zstd"
    return raw, ""


def _names(layout: Layout) -> list[str]:
    if layout.header is None:
        first = ["label"] if layout.labelled else []
        return first + [f"v{k}" for k in range(layout.width - len(first))]
    names, seen = [], set[str]()
    for number, name in enumerate(layout.header):
        plain = name or ("index" if not number else f"column {number + 1}")
        while plain in seen:
            plain += "'"
        seen.add(plain)
        names.append(plain)
    return names


def _read(stream: IO[bytes], layout: Layout, file: InputFile) -> pa.Table:
    names = _names(layout)
    kinds: dict[str, pa.DataType] = {}
    for number, name in enumerate(names):
        if layout.header is None:
            kinds[name] = pa.string() if layout.labelled and not number else pa.float64()
        elif is_dimension(name, names):
            kinds[name] = pa.float64()
        elif names_rows(name) or not number:
            kinds[name] = pa.string()
    options = csv.ReadOptions(
        column_names=names,
        block_size=_BLOCK,
        skip_rows=int(layout.header is not None and not layout.commented),
    )
    convert = csv.ConvertOptions(
        column_types=kinds,
        null_values=["", "NA", "null", "None"],
        strings_can_be_null=True,
        decimal_point=layout.decimal,
    )
    quote: Any = '"' if layout.delimiter in (",", ";") else False
    parse = csv.ParseOptions(delimiter=layout.delimiter, quote_char=quote)
    limit = max(_FLOOR, _RATIO * file.bytes)
    with csv.open_csv(
        pa.PythonFile(stream, "r"), read_options=options, parse_options=parse,
        convert_options=convert,
    ) as reader:  # fmt: skip
        batches, size = [], 0
        for batch in reader:
            size += batch.nbytes
            if size > limit:
                raise too_large(file.shown, "the text", size, limit, "save it as Parquet or .npy")
            batches.append(batch)
    table = pa.Table.from_batches(batches, reader.schema)
    first = names[0]
    text = pa.types.is_string(table[first].type)
    if layout.header is not None and text and not names_rows(first):
        table = _numbers_again(table, first)
    return table


def _numbers_again(table: pa.Table, name: str) -> pa.Table:
    """A first column that was read as text and holds fractions is a column of numbers."""
    try:
        values = table[name].cast(pa.float64())
    except pa.ArrowInvalid:
        return table
    if pc.all(pc.equal(values, pc.floor(values))).as_py():
        return table
    return table.set_column(table.column_names.index(name), name, values)


def _lists_parsed(table: pa.Table, shown: str) -> pa.Table:
    """Columns of texts such as "[0.1, 0.2]" as columns of lists."""
    for number, name in enumerate(table.column_names):
        column = table[name]
        if not pa.types.is_string(column.type) or not len(column):
            continue
        if not _is_list(str(column[0].as_py() or "")):
            continue
        plain = pc.replace_substring_regex(column, r"[a-z_.]+[0-9]*\(|[)]", "")
        plain = pc.utf8_trim(plain, characters="[]( \n\t")
        parts = pc.split_pattern_regex(plain, r"[,\s]+")
        try:
            lists = pa.chunked_array(
                [
                    pa.ListArray.from_arrays(chunk.offsets, chunk.values.cast(pa.float64()))
                    for chunk in parts.chunks
                ]
            )
        except pa.ArrowInvalid as error:
            raise InputError(
                f"{shown}: column {one_line(name, 60)} holds lists that are not whole "
                f"({one_line(error, 80)}); save the vectors as .npy or Parquet"
            ) from error
        table = table.set_column(number, name, lists)
    return table


class _SingleSpaced(io.RawIOBase):
    """A text whose fields any number of blanks part, with a single space between them."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._tail, self._ready = stream, b"", b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        while not self._ready:
            block = self._stream.read(_BLOCK)
            whole, end, tail = (self._tail + block).rpartition(b"\n")
            self._tail = tail if block else b""
            part = whole + end if block else tail
            if len(self._tail) > 8 * _BLOCK:
                raise ValueError("a line that does not end")
            if b"  " in part or b"\t" in part or b" \n" in part or b" \r" in part or b"\n " in part:
                part = re.sub(rb"[ \t]+", b" ", part)
                part = re.sub(rb" ?(\r?\n) ?", rb"\1", part).lstrip(b" ")
            self._ready = part
            if not block:
                break
        taken, self._ready = self._ready[: len(view)], self._ready[len(view) :]
        view[: len(taken)] = taken
        return len(taken)


def _with_metadata(contents: Contents, file: InputFile, rows: int) -> Contents:
    """The contents with the labels of TensorBoard's metadata.tsv, where it lies beside."""
    if contents.columns:
        return contents
    beside = _metadata_beside(file)
    if beside is None:
        return contents
    columns = dict(_metadata(beside, rows))
    note = f"Labels are those of {one_line(beside.name, 60)}, which lies beside."
    return replace(contents, notes=(*contents.notes, note), columns=columns)


def _metadata_beside(file: InputFile) -> Path | None:
    path = Path(file.shown)
    stem = path.name.split(".")[0]
    names = [name.format(stem) for name in _METADATA]
    if stem in ("vectors", "tensors", "tensor", "embeddings") or stem.endswith(("vecs", "vectors")):
        names.append("metadata.tsv")
    else:
        names = [name for name in names if name not in ("metadata.tsv", "labels.tsv")]
    return next(
        (at for name in names if (at := path.with_name(name)).is_file() and at.name != path.name),
        None,
    )


def _metadata(path: Path, rows: int) -> Iterator[tuple[str, pa.Array]]:
    """The columns of a metadata file: one without a header, or several with one."""
    if path.stat().st_size > _METADATA_LIMIT:
        raise InputError(f"{path}: is far larger than the names of {rows:,} rows")
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    parts = [line.split("\t") for line in lines]
    width = len(parts[0]) if parts else 0
    named = width > 1 or len(parts) == rows + 1
    names = parts[0] if named else ["labels"]
    body = parts[1:] if named else parts
    if any(len(row) != width for row in body):
        raise InputError(f"{path}: its lines differ in their number of fields")
    for number, name in enumerate(names):
        key = name.strip() or f"column {number + 1}"
        yield key, pa.array([row[number] for row in body], pa.string())
