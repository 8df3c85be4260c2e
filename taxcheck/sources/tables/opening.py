"""Opening a mapping or pairs: their columns find their roles."""

from __future__ import annotations

from collections.abc import Sequence

from taxcheck.model.errors import InputError, UsageError
from taxcheck.model.paths import Paths
from taxcheck.sources.tables.cells import whole_numbers
from taxcheck.sources.tables.columns import (
    PAIR_BARE,
    normalise,
    resolve_mapping_columns,
    resolve_pair_columns,
)
from taxcheck.sources.tables.first_row import NOWHERE_BELOW, Counted, what_counts
from taxcheck.sources.tables.source import TableSource
from taxcheck.sources.tables.table import Progress, Table, open_table


def open_mapping(
    path: Paths, override: str | None = None, progress: Progress | None = None
) -> TableSource:
    """Open a mapping (identifier -> idx).

    ``override`` says which column plays which role. Raises InputError or UsageError.
    """
    table, counted = open_counted(
        path, "mapping", override, progress, "`mapping_columns` taxid=0,idx=1"
    )
    names, named = _names(table, counted)
    try:
        columns = resolve_mapping_columns(names, named, override)
    except (InputError, UsageError) as error:
        raise type(error)(f"{table.path}: {error}") from None
    return TableSource(table, columns, "mapping", counted)


def open_pairs(
    path: Paths,
    override: str | None = None,
    mapping_given: bool = True,
    progress: Progress | None = None,
    role: str = "pairs",
) -> TableSource:
    """Open training pairs, or held-out ones.

    ``override`` says which column plays which role. Raises InputError or UsageError.
    """
    example = "`pair_columns` ancestor=0,descendant=1"
    table, counted = open_counted(path, role, override, progress, example, alone=not mapping_given)
    names, named = _names(table, counted)
    texts = _texts(table, names, named) if mapping_given and not override else frozenset()
    try:
        columns = resolve_pair_columns(names, named, override, mapping_given, texts)
    except (InputError, UsageError) as error:
        asked = ""
        if table.header_reason == NOWHERE_BELOW and not override:
            asked = "; or, if the first row is a pair, `pair_columns` ancestor,descendant"
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


def open_counted(
    path: Paths,
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
