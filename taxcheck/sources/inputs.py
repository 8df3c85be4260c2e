"""The inputs of a run: a mapping or a pairs table whose columns have found their roles."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import pyarrow as pa

from taxcheck.errors import InputError, UsageError
from taxcheck.report import InputSummary
from taxcheck.sources.aliases import PAIR_BARE, normalise
from taxcheck.sources.batches import RawBatch
from taxcheck.sources.cells import Problem, whole_numbers
from taxcheck.sources.columns import Columns, resolve_mapping_columns, resolve_pair_columns
from taxcheck.sources.tables import Progress, Table, open_table


class TableSource:
    """A table and the roles of its columns; it can be read as often as needed."""

    def __init__(self, table: Table, columns: Columns, role: str) -> None:
        self.table, self.columns, self.role = table, columns, role

    @property
    def labelled(self) -> bool:
        """Whether the pairs hold identifiers only, so that idx must be made or joined."""
        return "ancestor_taxid" in self.columns.roles and "ancestor" not in self.columns.roles

    def batches(self, only: Collection[str] | None = None) -> Iterator[RawBatch]:
        """Bounded batches, keyed by role; InputError where the file is bad.

        ``only`` reads these roles alone. Weights are never read: that they are there is enough.
        """
        roles = self.columns.roles.items()
        return self.table.batches(
            {role: name for role, name in roles if (role in only if only else role != "weight")}
        )

    def summary(self) -> InputSummary:
        """How the input was understood; the rows are known once it has been read."""
        return InputSummary(
            role=self.role,
            path=self.table.path,
            format=self.table.format,
            bytes=self.table.bytes,
            rows=self.table.rows,
            fingerprint=self.table.fingerprint(),
            columns=dict(self.columns.roles),
            notes=self.table.notes + self.columns.notes,
        )


def open_mapping(
    path: str, override: str | None = None, progress: Progress | None = None
) -> TableSource:
    """Open a mapping (identifier -> idx).

    ``override`` is the value of --mapping-columns. Raises InputError or UsageError.
    """
    table = _open(path, override, progress)
    try:
        columns = resolve_mapping_columns(table.column_names, table.header, override)
    except (InputError, UsageError) as error:
        raise type(error)(f"{table.path}: {error}") from None
    return TableSource(table, columns, "mapping")


def open_pairs(
    path: str,
    override: str | None = None,
    mapping_given: bool = True,
    progress: Progress | None = None,
    role: str = "pairs",
) -> TableSource:
    """Open training or held-out pairs.

    ``override`` is the value of --pair-columns. Raises InputError or UsageError.
    """
    table = _open(path, override, progress)
    texts = _texts(table) if mapping_given and not override else frozenset()
    try:
        columns = resolve_pair_columns(
            table.column_names, table.header, override, mapping_given, texts
        )
    except (InputError, UsageError) as error:
        raise type(error)(f"{table.path}: {error}") from None
    return TableSource(table, columns, role)


def _texts(table: Table) -> frozenset[str]:
    """Columns named ancestor or parent, child ..., or not at all, whose first cells are words."""
    open_names = {normalise(name) for names in PAIR_BARE.values() for name in names}
    asked = {
        name: name
        for name in table.column_names[: None if table.header else 2]
        if not table.header or normalise(name) in open_names
    }
    if not asked or len(set(table.column_names)) < len(table.column_names):
        return frozenset()
    first = next(table.batches(asked))
    return frozenset(name for name in asked if _mostly_words(first.columns[name].slice(0, 1000)))


def _mostly_words(cells: pa.Array) -> bool:
    problems = whole_numbers(cells).problems
    return problems is not None and bool(2 * (problems == Problem.NOT_WHOLE).sum() > len(cells))


def _open(path: str, override: str | None, progress: Progress | None) -> Table:
    table = open_table(path, progress=progress)
    wanted = {part.partition("=")[2].strip() for part in (override or "").split(",") if "=" in part}
    table.expect_names(wanted)
    return table
