"""What a table of a hierarchy is, by the names of its columns and the shape of its cells."""

from __future__ import annotations

import pyarrow.compute as pc

from taxcheck.model.errors import InputError
from taxcheck.sources.readers import LIKELY, NEVER, POSSIBLE, STRONG, Candidate
from taxcheck.sources.tables.columns import END_WORDS, normalise
from taxcheck.sources.tables.table import Table
from taxcheck.sources.taxonomies.columns import LINKED, known_ends, linkable, names_ends
from taxcheck.sources.taxonomies.lineages import rank_cells
from taxcheck.sources.taxonomies.paths import layout_of, names_lineage
from taxcheck.sources.taxonomies.rows import table_of
from taxcheck.sources.taxonomies.triples import triple_columns

# Words for a parent that other columns have too.
_LOOSE = frozenset(map(normalise, ("is_a", "superclass", "id2", "broader", "belongs_to")))
_NAMED = 0.9  # columns called child and parent say more than lineages or ranks beside them
_FIRST = 4  # columns with names among which two may share cells
_SHOWN = 8  # columns that a refusal names


def claim_paths(candidate: Candidate) -> float:
    """How surely lineages stand as texts in a column or in lines."""
    layout = layout_of(candidate)
    if layout is None:
        return NEVER
    return STRONG if layout.column or layout.separator.startswith(" ") else LIKELY


def claim_triples(candidate: Candidate) -> float:
    """How surely rows are triples of head, relation and tail."""
    if candidate.columns:
        return NEVER
    return STRONG if triple_columns(table_of(candidate)) else NEVER


def claim_lineage(candidate: Candidate) -> float:
    """How surely a table has one column a rank."""
    if candidate.columns:
        of_others = names_ends(candidate.columns) or names_lineage(candidate.columns)
        return NEVER if of_others else _of_columns(candidate)
    return LIKELY if len(rank_cells(table_of(candidate))) > 1 else NEVER


def claim_edges(candidate: Candidate) -> float:
    """How surely a table has a column of children and one of parents.

    InputError where neither names nor cells say so.
    """
    if candidate.columns:
        return _of_columns(candidate) if names_ends(candidate.columns) else NEVER
    table = table_of(candidate)
    names = [cell.strip() for cell in table.first_row or table.column_names]
    parent, children = known_ends(names)
    if parent and children:
        return _NAMED if normalise(parent) not in _LOOSE else LIKELY
    words = {normalise(name.removesuffix("_id")) for name in names}
    if any(words.issuperset(ends) for ends in END_WORDS):
        return LIKELY
    if _linked(table):
        return POSSIBLE
    shown = ", ".join(repr(name[:40]) for name in table.column_names[:_SHOWN])
    raise InputError(
        f"{table.path}: is a table in which nothing tells child and parent: its columns are "
        f"{shown}, and no cell of one stands in another; name them with `columns` "
        "child=COLUMN,parent=COLUMN, or a column of codes whose beginnings are codes with "
        "code=COLUMN"
    )


def _of_columns(candidate: Candidate) -> float:
    """How surely the columns that were given are those of the table, by name or position."""
    table, given = table_of(candidate), (candidate.columns or "").split(",")
    names = {name.strip() for name in (*table.first_row, *table.column_names)}
    wanted = [part.rpartition("=")[2].strip() for part in given]
    return STRONG if all(name in names or name.isdecimal() for name in wanted) else POSSIBLE


def _linked(table: Table) -> bool:
    """Whether a cell of one of the first columns stands in another of them, further up or down."""
    names = table.column_names[: _FIRST if table.header else LINKED]
    if len(names) < 2:
        return False
    cells = linkable(table, names)
    return any(
        pc.any(pc.is_in(one, other)).as_py()
        for k, one in enumerate(cells)
        for other in cells[k + 1 :]
    )
