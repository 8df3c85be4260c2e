"""One table of any format, its columns in their roles, and its rows as bounded batches."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Protocol

import pyarrow as pa

from taxcheck.model.errors import InputError, UsageError
from taxcheck.model.reading import Column, Forms, Reading
from taxcheck.model.report import InputSummary
from taxcheck.sources.files import InputFile
from taxcheck.sources.readers import Candidate, reader_of
from taxcheck.sources.tables.batches import RawBatch
from taxcheck.sources.tables.cells import whole_numbers
from taxcheck.sources.tables.columns import (
    MALFORMED,
    PAIR_BARE,
    TEXT_ROLES,
    UNNAMED_PAIR,
    ColumnRoles,
    normalise,
    resolve_mapping_columns,
    resolve_pair_columns,
)
from taxcheck.sources.tables.dialect import Header
from taxcheck.sources.tables.first_row import NOWHERE_BELOW, Counted, what_counts
from taxcheck.sources.tables.forms import forms_of
from taxcheck.sources.tables.separators import Separators
from taxcheck.sources.tables.text import TextReader

Progress = Callable[[int, int], None]
_SEPARATED = {
    "thousands": "a dot or comma before three digits is a separator, as plain numbers end below "
    "1,000: 1.000 is read as 1000",
    "decimals": "three zeros after a dot are decimals, as in 0.000: 1.000 is read as 1",
}
_PERHAPS_CUT = (
    "The last line is read as whole, though no line end follows it: if the file was cut off there, "
    "its last cell is wrong and rows are missing."
)
_NOTHING_COUNTS = Counted()
_SHOWN, _LISTED = 40, 5  # characters of a name, and names, that a guess tells
_CELL_LIMIT, _NAMES_LIMIT = 200, 100  # characters of a cell, and names, that a Reading keeps


class Rows(Protocol):
    """What a reader makes of a file: its columns, and its rows as often as they are asked for."""

    format: str  # for people
    column_names: tuple[str, ...]  # in the order of the file
    header: bool  # whether the names are the file's own
    notes: tuple[str, ...]  # what was inferred, one sentence each

    def batches(self, columns: Mapping[str, str]) -> Iterator[tuple[RawBatch, float]]:
        """Batches and the share of the file that is read, 0 to 1."""


class Table:
    """A table that can be read as often as needed. ``rows`` is known once it has been read."""

    def __init__(self, file: InputFile, reader: Rows, progress: Progress | None = None) -> None:
        self._file, self._opened, self._progress = file, reader, progress
        self.path = file.shown
        self.bytes = file.bytes
        self.rows = 0

    @property
    def format(self) -> str:
        """For people: "parquet", "tsv, gzip" and so on."""
        return self._opened.format

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names in the order of the file; "column 1" ... where it has no header."""
        return self._opened.column_names

    @property
    def header(self) -> bool:
        """Whether the names are the file's own."""
        return self._opened.header

    @property
    def notes(self) -> tuple[str, ...]:
        """What was inferred in reading, one sentence each."""
        return self._opened.notes

    @property
    def first_row(self) -> tuple[str, ...]:
        """The cells of the first line of a text, whatever they mean; else nothing."""
        return self._opened.first_cells if isinstance(self._opened, TextReader) else ()

    @property
    def header_reason(self) -> str:
        """Why the first line was taken for names, or for data."""
        if isinstance(self._opened, TextReader):
            return self._opened.header_reason
        return f"{self.format} has names of its own"

    @property
    def open_end(self) -> bool:
        """Whether the last line of a text, once read, lacks a line end, so that it may be cut."""
        return isinstance(self._opened, TextReader) and self._opened.open_end

    def expect_names(self, names: set[str]) -> None:
        """Read the first line as a header where it holds all these names.

        Numbers are names where 0 is among them: the positions of columns count from 1.
        """
        positions = all(name.isdecimal() for name in names) and "0" not in names
        if positions or self.header or not names:
            return
        if names <= {cell.strip() for cell in self.first_row}:
            self.use_header(Header(True, "it holds the names that were given"))

    def use_header(self, header: Header) -> None:
        """Read the first line of a text as names, or as data."""
        if isinstance(self._opened, TextReader):
            self._opened.use_header(header)

    def head(self, names: Sequence[str]) -> tuple[RawBatch, bool]:
        """The first rows of some columns by their names, and whether they are all there are."""
        return self._first({name: name for name in names})

    def texts(self, names: Sequence[str]) -> list[pa.Array]:
        """The first cells of some columns; those of a text as they stand, and not as numbers."""
        first, _ = self._first({f"{name}_taxid": name for name in names})
        return [first.columns[f"{name}_taxid"] for name in names]

    def _first(self, columns: Mapping[str, str]) -> tuple[RawBatch, bool]:
        batches = self._opened.batches(columns)
        first = next(batches, None)
        if first is None:
            raise self._no_rows()
        return first[0], next(batches, None) is None

    def batches(self, columns: Mapping[str, str]) -> Iterator[RawBatch]:
        """The named columns by role, in bounded batches; InputError where the file is bad.

        Text cells arrive as strings as the file holds them, other cells in their own Arrow type.
        """
        self._file.check_unchanged()
        self._file.start_fingerprint()
        rows = 0
        for batch, share in self._opened.batches(columns):
            rows += batch.rows
            if batch.rows:
                yield batch
            if self._progress:
                self._progress(int(share * self.bytes), self.bytes)
        self._file.check_unchanged()
        if not rows:
            raise self._no_rows()
        self.rows = rows

    def _no_rows(self) -> InputError:
        return InputError(f"{self.path}: holds no rows; there is nothing to judge")

    def fingerprint(self) -> str:
        """``blake3:<hex>`` of the raw bytes of the file."""
        return self._file.fingerprint()


def open_table(path: str, *, progress: Progress | None = None) -> Table:
    """Open a table by its content; "-" is standard input, copied to a temporary file.

    ``progress`` is called with bytes read and bytes in all. Raises InputError, in one line, for
    whatever cannot be read.
    """
    candidate = Candidate(path)
    rows: Rows = reader_of(candidate, "table").read(candidate)
    return Table(candidate.file, rows, progress)


class TableSource:
    """A table and the roles of its columns; it can be read as often as needed."""

    def __init__(
        self, table: Table, columns: ColumnRoles, role: str, counted: Counted = _NOTHING_COUNTS
    ) -> None:
        self.table, self.columns, self.role = table, columns, role
        self._counted = counted
        self._forms: dict[str, Forms] = {}
        self._guesses: tuple[str, ...] = ()

    def read_as(self, columns: ColumnRoles) -> TableSource:
        """The same table, its columns in other roles."""
        return TableSource(self.table, columns, self.role, self._counted)

    @property
    def labelled(self) -> bool:
        """Whether the pairs hold identifiers only, so that idx must be made or joined."""
        return "ancestor_taxid" in self.columns.roles and "ancestor" not in self.columns.roles

    @property
    def perhaps_cut(self) -> bool:
        """Whether the last cell that was read ends with the file, so that it may be cut off."""
        return self.table.open_end and self.table.column_names[-1] in self.columns.roles.values()

    def batches(self, only: Collection[str] | None = None) -> Iterator[RawBatch]:
        """Bounded batches, keyed by role; InputError where the file is bad.

        ``only`` reads these roles alone.
        """
        roles = self.columns.roles.items()
        if only:
            yield from self.table.batches({role: name for role, name in roles if role in only})
            return
        forms: dict[str, Forms] = {}
        separators = Separators()
        for raw in self.table.batches(dict(roles)):
            for role, cells in raw.columns.items():
                if role not in (MALFORMED, "weight"):
                    forms[role] = forms.get(role, Forms()).merge(forms_of(cells))
            numbers = {r: c for r, c in raw.columns.items() if r in forms and r not in TEXT_ROLES}
            try:
                read = separators.read(numbers, forms)
            except InputError as error:
                raise InputError(f"{self.table.path}: {error}") from None
            yield RawBatch(raw.first_row, {**raw.columns, **read})
        self._forms, self._guesses = forms, ()
        thousands = [r for r, f in forms.items() if f.thousands and r not in TEXT_ROLES]
        if separators.meaning in _SEPARATED:
            self._tell(thousands, _SEPARATED[separators.meaning])

    def partitions(self) -> None:
        """None: this process reads it."""

    def read_as_integers(self) -> None:
        """Tell that identifiers that are written as floats were taken for whole numbers."""
        floats = [r for r, f in self._forms.items() if f.point_zero and r in TEXT_ROLES]
        self._tell(
            floats, "identifiers written as floats are read as whole numbers, 9606.0 as 9606"
        )

    def _tell(self, roles: Collection[str], what: str) -> None:
        if roles:
            names = " and ".join(repr(self.columns.roles[role]) for role in roles)
            self._guesses += (f"In {names}, {what}.",)

    def reading(self) -> Reading:
        """How the table was read; the forms of its cells are known once it has been read."""
        names, text = self.table.column_names, bool(self.table.first_row)
        roles, counter = self.columns.roles, self._counted.row_counter
        return Reading(
            header=self.table.header if text else None,
            header_reason=self.table.header_reason,
            first_row=tuple(cell[:_CELL_LIMIT] for cell in self.table.first_row[:_NAMES_LIMIT]),
            columns={
                role: Column(name, names.index(name) + 1, self.columns.told_by)
                for role, name in roles.items()
            },
            unread=tuple(name for name in names if name not in roles.values())[:_NAMES_LIMIT],
            row_counter=counter if counter not in roles.values() else None,
            forms=self._forms,
            guesses=self._counted.guesses
            + self.columns.guesses
            + self._not_read(names)
            + self._guesses
            + ((_PERHAPS_CUT,) if self.perhaps_cut else ()),
        )

    def _not_read(self, names: Sequence[str]) -> tuple[str, ...]:
        """Columns of pairs whose names say nothing, though they may hold identifiers."""
        known = {*self.columns.roles.values(), self._counted.row_counter}
        unread = [name for name in names if name not in known]
        if self.role in ("mapping", "edges") or not unread or self.columns.told_by != "name":
            return ()
        listed = ", ".join(repr(name[:_SHOWN]) for name in unread[:_LISTED])
        more = f" and {len(unread) - _LISTED} more" if len(unread) > _LISTED else ""
        those, are = ("Column", "is") if len(unread) == 1 else ("Columns", "are")
        return (
            f"{those} {listed}{more} {are} not read; if identifiers or idx of the two ends stand "
            "there, say so with `pair_columns`.",
        )

    def summary(self) -> InputSummary:
        """How the input was understood; the rows are known once it has been read."""
        reading = self.reading()
        return InputSummary(
            role=self.role,
            path=self.table.path,
            format=self.table.format,
            bytes=self.table.bytes,
            rows=self.table.rows,
            fingerprint=self.table.fingerprint(),
            columns=dict(self.columns.roles),
            notes=(*self.table.notes, *self.columns.notes, *reading.guesses),
            reading=reading,
        )


def open_mapping(
    path: str, override: str | None = None, progress: Progress | None = None
) -> TableSource:
    """Open a mapping (identifier -> idx).

    ``override`` says which column plays which role. Raises InputError or UsageError.
    """
    table, counted = _open(path, "mapping", override, progress, "`mapping_columns` taxid=0,idx=1")
    names, named = _names(table, counted)
    try:
        columns = resolve_mapping_columns(names, named, override)
    except (InputError, UsageError) as error:
        raise type(error)(f"{table.path}: {error}") from None
    return TableSource(table, columns, "mapping", counted)


def open_pairs(
    path: str,
    override: str | None = None,
    mapping_given: bool = True,
    progress: Progress | None = None,
    role: str = "pairs",
    field: str = "pair_columns",
) -> TableSource:
    """Open training pairs, held-out ones, or edges, whose child comes first where nothing says so.

    ``override`` says which column plays which role, and ``field`` is what gave it, for errors.
    Raises InputError or UsageError.
    """
    unnamed = ("descendant", "ancestor") if role == "edges" else UNNAMED_PAIR
    example = f"`{field}` {unnamed[0]}=0,{unnamed[1]}=1"
    table, counted = _open(path, role, override, progress, example, alone=not mapping_given)
    names, named = _names(table, counted)
    texts = _texts(table, names, named) if mapping_given and not override else frozenset()
    try:
        columns = resolve_pair_columns(names, named, override, mapping_given, texts, field, unnamed)
    except (InputError, UsageError) as error:
        asked = ""
        if table.header_reason == NOWHERE_BELOW and not override:
            asked = f"; or, if the first row is a pair, `{field}` {','.join(unnamed[:2])}"
        raise type(error)(f"{table.path}: {error}{asked}") from None
    return TableSource(table, columns, role, counted)


def _names(table: Table, counted: Counted) -> tuple[tuple[str, ...], bool]:
    """The columns that may be data, and whether their names tell what they are."""
    names, named = table.column_names, table.header and not counted.unnamed
    if counted.unnamed and counted.row_counter is not None:
        names = names[1:]
    return names, named


def _texts(table: Table, names: Sequence[str], named: bool) -> frozenset[str]:
    """Columns named ancestor or parent, child ..., or not at all, whose first cells are words."""
    open_names = {normalise(name) for names in PAIR_BARE.values() for name in names}
    asked = names[:2] if not named else [n for n in names if normalise(n) in open_names]
    if not asked or len(set(names)) < len(names):
        return frozenset()
    first, _ = table.head(asked)
    cells = {name: whole_numbers(first.columns[name].slice(0, 1000)) for name in asked}
    return frozenset(name for name in asked if cells[name].mostly_words)


def _open(
    path: str,
    role: str,
    override: str | None,
    progress: Progress | None,
    example: str,
    *,
    alone: bool = False,
) -> tuple[Table, Counted]:
    """The table, its header settled, and what counts in it where no ``override`` says that."""
    table = open_table(path, progress=progress)
    wanted = {part.partition("=")[2].strip() for part in (override or "").split(",") if "=" in part}
    table.expect_names(wanted)
    try:
        counted = what_counts(table, role, example, given=override is not None, alone=alone)
    except InputError as error:
        raise InputError(f"{table.path}: {error}") from None
    return table, counted
