"""A table and the roles of its columns, read whole or in partitions that any process can read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from taxcheck.model.reading import Column, Forms, Reading
from taxcheck.model.report import InputSummary
from taxcheck.sources.listing import listed
from taxcheck.sources.tables.batches import RawBatch
from taxcheck.sources.tables.columns import MALFORMED, TEXT_ROLES, ColumnRoles
from taxcheck.sources.tables.first_row import Counted
from taxcheck.sources.tables.forms import forms_of
from taxcheck.sources.tables.parts import PART_ROWS
from taxcheck.sources.tables.separators import Meaning, MixedError, Separators
from taxcheck.sources.tables.table import PartOfTable, PartRead, Table

_SEPARATED = {
    "thousands": "a dot or comma before three digits is a separator, as plain numbers end below "
    "1,000: 1.000 is read as 1000",
    "decimals": "three zeros after a dot are decimals, as in 0.000: 1.000 is read as 1",
}
_PERHAPS_CUT = (
    "The last line{of} is read as whole, though no line end follows it: if the file was cut off "
    "there, its last cell is wrong and rows are missing."
)
_NOTHING_COUNTS = Counted()
_SHOWN, _LISTED = 40, 5  # characters of a name, and names, that a guess tells
_CELL_LIMIT, _NAMES_LIMIT = 200, 100  # characters of a cell, and names, that a Reading keeps


class TableSource:
    """A table and the roles of its columns; it can be read as often as needed."""

    def __init__(
        self, table: Table, columns: ColumnRoles, role: str, counted: Counted = _NOTHING_COUNTS
    ) -> None:
        self.table, self.columns, self.role = table, columns, role
        self._counted = counted
        self._forms: dict[str, Forms] = {}
        self._guesses: tuple[str, ...] = ()
        self._notes: tuple[str, ...] = ()
        self.absent_ancestors: tuple[str, ...] = ()  # labels that say that there is none
        self._of_labels: tuple[str, ...] = ()  # guesses
        self._meaning: Meaning | None = None  # of separators, once they were met
        self._separated_so: Meaning | None = None  # their meaning, where it is known before

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
        return bool(self._open_ends)

    @property
    def _open_ends(self) -> tuple[str, ...]:
        return self.table.open_ends(tuple(self.columns.roles.values()))

    def batches(self, only: Collection[str] | None = None) -> Iterator[RawBatch]:
        """Bounded batches, keyed by role; InputError where the file is bad.

        ``only`` reads these roles alone.
        """
        roles = self.columns.roles.items()
        if only:
            yield from self.table.batches({role: name for role, name in roles if role in only})
            return
        forms: dict[str, Forms] = {}
        separators = Separators(self._separated_so)
        for raw in self.table.batches(dict(roles)):
            for role, cells in raw.columns.items():
                if role not in (MALFORMED, "weight"):
                    forms[role] = forms.get(role, Forms()).merge(forms_of(cells))
            numbers = {r: c for r, c in raw.columns.items() if r in forms and r not in TEXT_ROLES}
            try:
                read = separators.read(numbers, forms)
            except MixedError as error:
                raise MixedError(f"{self.table.path}: {error}") from None
            yield RawBatch(raw.first_row, {**raw.columns, **read})
        self._take(forms, separators.meaning)

    def _take(self, forms: dict[str, Forms], meaning: Meaning | None) -> None:
        """Take up how the cells are written, now that all are known."""
        self._forms, self._guesses, self._meaning = forms, (), meaning
        thousands = [r for r, f in forms.items() if f.thousands and r not in TEXT_ROLES]
        if meaning in _SEPARATED:
            self._tell(thousands, _SEPARATED[meaning])

    def read_as_integers(self) -> None:
        """Tell that identifiers that are written as floats were taken for whole numbers."""
        floats = [r for r, f in self._forms.items() if f.point_zero and r in TEXT_ROLES]
        self._tell(
            floats, "identifiers written as floats are read as whole numbers, 9606.0 as 9606"
        )

    def add_note(self, note: str) -> None:
        """Tell a sentence more of how it was read."""
        self._notes += (note,)

    def add_guess(self, guess: str) -> None:
        """Tell a sentence more of what was guessed of the labels; once."""
        if guess not in self._of_labels:
            self._of_labels += (guess,)

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
            guesses=self.table.guesses
            + self._counted.guesses
            + self.columns.guesses
            + self._together()
            + self._not_read(names)
            + self._guesses
            + self._of_labels
            + self._perhaps_cut(),
        )

    def _together(self) -> tuple[str, ...]:
        """Keys of folders that play no role, though their files may be of different datasets."""
        return tuple(
            f"Files of {key} = {listed([str(value) for value in values])} are read as one table; "
            "if one is meant, give its folder alone."
            for key, values in self.table.keys.items()
            if len(values) > 1 and key not in self.columns.roles.values()
        )

    def _perhaps_cut(self) -> tuple[str, ...]:
        ends = self._open_ends
        of = f" of {listed(ends)}" if ends and self.table.files_in_all > 1 else ""
        return (_PERHAPS_CUT.format(of=of),) if ends else ()

    def _not_read(self, names: Sequence[str]) -> tuple[str, ...]:
        """Columns of pairs whose names say nothing, though they may hold identifiers."""
        known = {*self.columns.roles.values(), self._counted.row_counter, *self.table.keys}
        unread = [name for name in names if name not in known]
        if self.role == "mapping" or not unread or self.columns.told_by != "name":
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
            notes=(*self.table.notes, *self.columns.notes, *reading.guesses, *self._notes),
            reading=reading,
            files=self.table.files,
        )

    def partitions(self, rows: int = PART_ROWS) -> list[Partition]:
        """The table in partitions of about so many rows, in order; each is of one file.

        InputError where a file cannot be read.
        """
        meaning = self._meaning
        return [
            Partition(number, part, self.columns, self.role, self._counted, meaning)
            for number, part in enumerate(self.table.parts(rows))
        ]

    def settle_separators(self) -> None:
        """Read the table once in order, to know what separators mean; for ``partitions`` to say so.

        InputError where cells contradict each other.
        """
        for _ in self.batches():
            pass
        self._separated_so = self._meaning

    def was_read(self, parts: Sequence[PartitionRead]) -> None:
        """Take up what is known once all partitions were read elsewhere.

        InputError where none has a row.
        """
        self.table.was_read([one.part for one in parts])
        forms: dict[str, Forms] = {}
        for one in parts:
            for role, some in one.forms.items():
                forms[role] = forms.get(role, Forms()).merge(some)
        self._take(forms, self._separated_so or (parts[0].meaning if len(parts) == 1 else None))


@dataclass(frozen=True, slots=True)
class PartitionRead:
    """What is known of a partition once it was read; it pickles."""

    part: PartRead
    forms: Mapping[str, Forms]
    meaning: Meaning | None  # of separators, where there were any

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.part.rows


@dataclass(frozen=True, slots=True)
class Partition:
    """Some rows of a table, which any process can read: a value that pickles.

    What cells such as 1.000 mean, rows before may tell. Where ``PartitionRead.meaning`` of one of
    several partitions is not None and its own ``meaning`` is, ``TableSource.settle_separators`` has
    to be called and new partitions be read.
    """

    number: int  # from 0, in the order of the rows
    part: PartOfTable
    columns: ColumnRoles
    role: str
    counted: Counted
    meaning: Meaning | None

    @property
    def path(self) -> str:
        """The file that it is of."""
        return self.part.path

    @property
    def before(self) -> int:
        """Row numbers before its first row."""
        return self.part.before + self.part.part.before

    @property
    def numbers(self) -> int:
        """Row numbers in it: of a text its lines, a header counted; else its rows."""
        return self.part.part.numbers

    @property
    def rows(self) -> int:
        """How many rows it has, at most."""
        return self.numbers

    def batches(self, tell: Callable[[PartitionRead], object]) -> Iterator[RawBatch]:
        """Its batches, numbered as in the whole table; what is known after the last one is told."""
        source = self.open()
        yield from source.batches()
        tell(self.read(source))

    def open(self) -> TableSource:
        """Its rows as a source, numbered as in the whole table; a partition may have none."""
        source = TableSource(self.part, self.columns, self.role, self.counted)
        source._separated_so = self.meaning
        return source

    @staticmethod
    def read(source: TableSource) -> PartitionRead:
        """What is known of the partition that a source is of, once all its batches were taken."""
        assert isinstance(source.table, PartOfTable)
        return PartitionRead(source.table.read(), source._forms, source._meaning)
