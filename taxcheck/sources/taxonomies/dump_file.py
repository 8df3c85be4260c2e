r"""A file of an NCBI taxdump as a table.

The format is described in NCBI's taxdump_readme.txt: cells stand between ``\t|\t``, and every
line is closed by ``\t|\n``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from taxcheck.model.errors import InputError, one_line
from taxcheck.sources.files import reading
from taxcheck.sources.tables.malformed_lines import quiet

FILES = ("nodes.dmp", "names.dmp", "merged.dmp", "delnodes.dmp")
_HEAD = 1 << 16
_MOST_ODD_ROWS = 10_000
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class DumpColumn:
    """A column to read: its place in the line and how a person calls it."""

    place: int
    name: str
    integer: bool = True


class DumpFile(NamedTuple):
    """A file of a dump, and how it is called where it was unpacked for a moment."""

    path: Path
    shown: str


def read_dmp(file: DumpFile, columns: tuple[DumpColumn, ...]) -> pa.Table:
    """The columns by name, trimmed; integers are int64 and never null.

    An empty file is an empty table. Raises InputError naming the line that is wrong.
    """
    path, shown = file
    kinds = {c: pa.int64() if c.integer else pa.string() for c in columns}
    schema = pa.schema([(c.name, kind) for c, kind in kinds.items()])
    with reading(shown, "a file of an NCBI taxdump"):
        if not path.stat().st_size:
            return schema.empty_table()
        _look(file, columns)
        odd: list[str] = []

        def keep(row: pacsv.InvalidRow) -> str:
            odd.append(row.text)
            return "skip" if len(odd) <= _MOST_ODD_ROWS else "error"

        try:
            with quiet(keep):
                table = pacsv.read_csv(
                    path,
                    pacsv.ReadOptions(autogenerate_column_names=True, block_size=1 << 24),
                    pacsv.ParseOptions(
                        delimiter="|",
                        quote_char=False,
                        double_quote=False,
                        invalid_row_handler=keep,
                    ),
                    pacsv.ConvertOptions(
                        include_columns=[f"f{c.place}" for c in columns],
                        column_types={f"f{c.place}": kind for c, kind in kinds.items()},
                        null_values=[""],
                    ),
                )
        except (pa.ArrowException, UnicodeDecodeError) as error:
            raise InputError(f"{shown}: {_explain(path, columns, one_line(error))}") from error
    table = table.rename_columns([c.name for c in columns])
    if any(table[c.name].null_count for c in columns if c.integer):
        raise InputError(f"{shown}: {_explain(path, columns, 'a cell is empty')}")
    arrays = [
        table[c.name] if c.integer else pc.utf8_trim_whitespace(table[c.name]) for c in columns
    ]
    table = pa.table(arrays, schema=schema)
    if not odd:
        return table
    return pa.concat_tables([table, _rows_with_pipes(file, columns, schema, odd)])


def _look(file: DumpFile, columns: tuple[DumpColumn, ...]) -> None:
    """Refuse what is no dump at all before a parser guesses at it."""
    path, shown = file
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
        stream.seek(max(0, path.stat().st_size - _HEAD))
        tail = stream.read()
    if b"\0" in head or head.startswith(b"\x1f\x8b"):
        raise InputError(f"{shown}: holds binary data, not text; unpack the dump first")
    if b"|" not in head.split(b"\n", 1)[0]:
        raise InputError(
            f"{shown}: its first line has no '|'; a taxdump separates its cells by tab, '|', tab"
        )
    if not tail.rstrip().endswith(b"|"):
        raise InputError(f"{shown}: its last line is cut off; the file is truncated, copy it again")
    need = max(c.place for c in columns) + 1
    have = head.split(b"\n", 1)[0].count(b"|")
    if have < need:
        raise InputError(f"{shown}: its first line has {have} cells where {need} or more belong")


def _rows_with_pipes(
    file: DumpFile, columns: tuple[DumpColumn, ...], schema: pa.Schema, odd: list[str]
) -> pa.Table:
    r"""Lines with a '|' inside a cell: the true separator is ``\t|\t``."""
    path, shown = file
    width = _width(path)
    cells: Mapping[str, list[object]] = {c.name: [] for c in columns}
    for text in odd:
        row = text.removesuffix("\r").removesuffix("|").rstrip("\t").split("\t|\t")
        # A trailing empty cell loses its tab to the line's own end.
        row += [""] * (text.rstrip().endswith("\t|\t|") and len(row) == width - 1)
        try:
            if len(row) != width:
                raise ValueError
            for c in columns:
                cells[c.name].append(_int64(row[c.place]) if c.integer else row[c.place].strip())
        except ValueError:
            otherwise = f"a line has too few or too many cells: {text[:80]!r}"
            raise InputError(f"{shown}: {_explain(path, columns, otherwise)}") from None
    return pa.table(dict(cells), schema=schema)


def _int64(cell: str) -> int:
    if (number := int(cell)) not in _INT64:
        raise ValueError
    return number


def _width(path: Path) -> int:
    with path.open("rb") as stream:
        return stream.readline().count(b"|")


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                yield number, line


def _explain(path: Path, columns: tuple[DumpColumn, ...], otherwise: str) -> str:
    """Why the file cannot be read: the first line that is wrong. Slow, and only after a failure."""
    width = _width(path)
    for number, line in _lines(path):
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            bad = line[error.start : error.start + 1].hex()
            return (
                f"line {number:,} is not UTF-8 (byte 0x{bad}); convert the file to UTF-8, for "
                "example with iconv"
            )
        if "\0" in text:
            return f"line {number:,} holds binary data; the file is damaged, copy it again"
        cells = [cell.strip() for cell in text.split("|")]
        if len(cells) - 1 < width:
            return (
                f"line {number:,} has {len(cells) - 1} cells where the first has {width}; the file "
                "is truncated or damaged, copy it again"
            )
        for c in columns:
            if not c.integer:
                continue
            cell = cells[c.place]
            if not cell.removeprefix("-").isdecimal():
                return f"line {number:,}: the {c.name} {cell[:40]!r} is no whole number"
            if int(cell[:30]) not in _INT64:
                return f"line {number:,}: the {c.name} {cell[:40]} is beyond 64 bits"
    return otherwise
