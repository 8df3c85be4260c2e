"""Which columns of a table are child and parent: as was given, by their names, by their cells."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.errors import InputError, UsageError
from taxcheck.sources.tables.columns import (
    END_WORDS,
    HIERARCHY_ALIASES,
    PAIR_ALIASES,
    PAIR_BARE,
    given_roles,
    normalise,
)
from taxcheck.sources.tables.dialect import KNOWN
from taxcheck.sources.tables.opening import open_counted
from taxcheck.sources.tables.table import Table
from taxcheck.sources.taxonomies.absent import is_absent
from taxcheck.sources.taxonomies.rows import not_read

NUMBERS_FOR_NONE = ("0", "-1")  # that stand for no parent
_EXAMPLE = "`columns` child=0,parent=1"  # names: positions say nothing of a header
_TOLD = "child is {0!r} and parent {1!r}, as each cell of {0!r} stands there once and others repeat"
LINKED = 16  # columns among which parents are sought
_CLEARER = 2  # times as many cells that two columns share as the first two that share any
_BESIDE = ("name", "rank", "accepted", "status", "distance")
# An end by these names is that of an edge; by others the row is a node, which has an identifier.
_OF_EDGES = frozenset(map(normalise, (*PAIR_BARE["descendant"], *PAIR_ALIASES["descendant_taxid"])))
# Roles as `columns` may call them.
_GIVEN: Mapping[str, tuple[str, ...]] = {
    role: (role, *(words if role in ("child", "parent") else ()))
    for role, words in HIERARCHY_ALIASES.items()
    if role != "relation"
}
ENDS = {end: frozenset(map(normalise, HIERARCHY_ALIASES[end])) for end in ("child", "parent")}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The columns of a hierarchy in a table, and how that is known."""

    table: Table
    roles: Mapping[str, str]
    of_nodes: bool  # whether each row is a node with its parent, so that 0 may say 'no parent'
    notes: tuple[str, ...]
    guesses: tuple[str, ...]

    @property
    def ends(self) -> tuple[str, str]:
        """What `columns` calls child and parent: their names, or positions where names are none."""
        names = self.table.column_names
        called = [self.roles[end] for end in ("child", "parent")]
        if not self.table.header or any(name.isdecimal() or "," in name for name in called):
            called = [str(names.index(name) + 1) for name in called]
        return called[0], called[1]


def names_ends(columns: str) -> bool:
    """Whether columns that were given are those of edges, and no list of ranks."""
    parts = [normalise(part.partition("=")[0]) for part in columns.split(",")]
    words = {normalise(word) for end in ("child", "parent") for word in _GIVEN[end]}
    return any(part in words for part in parts)


def known_ends(names: Sequence[str]) -> tuple[str | None, list[str]]:
    """The column called like a parent, and those called like a child, the clearest first."""
    by_name = {normalise(name): name for name in reversed(names)}
    parent = next((by_name[normalise(a)] for a in HIERARCHY_ALIASES["parent"]
                   if normalise(a) in by_name), None)  # fmt: skip
    children = dict.fromkeys(
        by_name[normalise(a)] for a in HIERARCHY_ALIASES["child"] if normalise(a) in by_name
    )
    return parent, [name for name in children if name != parent]


def choose_columns(path: str, columns: str | None) -> Chosen:
    """The columns of a table; InputError where cells and names leave child and parent open."""
    table, counted = open_counted(path, "edges", columns, None, _EXAMPLE, alone=True)
    names = table.column_names
    named = table.header and not counted.unnamed
    if counted.unnamed and counted.row_counter is not None:
        names = names[1:]
    if len(names) < 2:
        raise InputError(f"{table.path}: has one column; give one of children and one of parents")
    try:
        roles, guesses = _ends(table, names, columns, named=named)
    except (InputError, UsageError) as error:
        raise type(error)(f"{table.path}: {error}") from None
    if named:
        _beside(table, roles, given=columns is not None)
    elif not columns and _may_be_distance(table, names, roles):
        roles["distance"] = names[2]
    child = normalise(roles["child"])
    notes, more = _told(table, roles, known=named or columns is not None)
    return Chosen(
        table,
        roles,
        of_nodes=child in ENDS["child"] and child not in _OF_EDGES,
        notes=notes,
        guesses=(*counted.guesses, *guesses, *(() if counted.unnamed else more)),
    )


def _ends(
    table: Table, names: Sequence[str], columns: str | None, *, named: bool
) -> tuple[dict[str, str], list[str]]:
    """The columns of child and parent, and what was guessed of them."""
    if columns:
        return _as_given(names, columns), []
    parent, children = known_ends(names) if named else (None, [])
    if parent is not None and children:
        return _by_name(table, parent, children), []
    return _by_cells(table, names, named=named)


def _told(
    table: Table, roles: Mapping[str, str], *, known: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is to be told of header and columns: as known, and as guessed."""
    said = ", ".join(f"{role} is {name!r}" for role, name in roles.items())
    notes, guesses = [], []
    if known:
        notes.append(f"columns of the header: {said}" if table.header else f"columns: {said}")
    else:
        guesses.append(f"{said.replace(chr(39), '')}, by position")
    if table.first_row and table.header and table.header_reason != KNOWN:
        told = f"the first row is the header: {table.header_reason}"
        (guesses if "nowhere below" in table.header_reason else notes).append(told)
    if unread := not_read(table, (*roles.values(), "|")):
        notes.append(unread)
    return tuple(notes), tuple(guesses)


def _may_be_distance(table: Table, names: Sequence[str], roles: Mapping[str, str]) -> bool:
    """Whether a third column without a name is of numbers, and those before it are the ends."""
    before = names[2:3] and [roles["child"], roles["parent"]] == list(names[:2])
    return bool(before) and _all_numbers(table, names[2])


def _as_given(names: Sequence[str], columns: str) -> dict[str, str]:
    roles = given_roles(names, columns, "columns", _GIVEN, {})
    missing = [role for role in ("child", "parent") if role not in roles]
    if missing:
        raise UsageError(
            f"`columns`: {' and '.join(missing)} missing; write for example `columns` "
            f"child=COLUMN,parent=COLUMN (the file has {', '.join(map(repr, names[:12]))})"
        )
    return roles


def _by_name(table: Table, parent: str, children: Sequence[str]) -> dict[str, str]:
    """The column of children in which the cells of the parents stand; else the clearest."""
    if len(children) > 1:
        above, *cells = table.texts([parent, *children])
        above = _filled(above)
        share = [pc.sum(pc.is_in(above, _filled(column).unique())).as_py() or 0 for column in cells]
        children = [children[share.index(max(share))]]
    return {"child": children[0], "parent": parent}


def _by_cells(
    table: Table, names: Sequence[str], *, named: bool
) -> tuple[dict[str, str], list[str]]:
    """Two columns that nothing names: where each child stands once, that tells which is above."""
    first, second = _open_ends(table, names) if named else _linked_ends(table, names)
    once = [_once(column) for column in table.texts([first, second])]
    at = {name: name if table.header and name else str(table.column_names.index(name) + 1)
          for name in (first, second)}  # fmt: skip
    forth = f"`columns` child={at[first]},parent={at[second]}"
    back = f"`columns` child={at[second]},parent={at[first]}"
    if once == [False, True]:
        if named:
            return {"child": second, "parent": first}, [_TOLD.format(second, first)]
        raise InputError(
            f"each cell of {second!r} stands there once and those of {first!r} repeat, so that the "
            f"parent comes first; say so with {back}"
        )
    if named and once != [True, False]:
        raise InputError(
            f"which of {first!r} and {second!r} is the parent, neither names nor cells say; give "
            f"{forth}, or {back}"
        )
    told = [_TOLD.format(first, second)] if named else []
    return {"child": first, "parent": second}, told


def _linked_ends(table: Table, names: Sequence[str]) -> tuple[str, str]:
    """The first two columns that share cells, or two that share far more of them."""
    cells = linkable(table, names)
    shared = {
        (one, other): pc.sum(pc.is_in(cells[one], cells[other])).as_py() or 0
        for one, other in itertools.combinations(range(len(cells)), 2)
    }
    first = next((ends for ends, count in shared.items() if count), (0, 1))
    most = max(shared, key=lambda ends: shared[ends])
    one, other = most if shared[most] >= _CLEARER * max(shared[first], 1) else first
    return names[one], names[other]


def linkable(table: Table, names: Sequence[str]) -> list[pa.Array]:
    """The distinct cells of the first columns, by which two may be linked: none says 'nothing'."""
    cells = [pc.unique(_filled(column)) for column in table.texts(names[:LINKED])]
    none = pa.array(NUMBERS_FOR_NONE)
    return [column.filter(pc.invert(pc.is_in(column, none))) for column in cells]


def _open_ends(table: Table, names: Sequence[str]) -> tuple[str, str]:
    """The columns called source and target or so, else those that share cells."""
    by_name = {normalise(name.removesuffix("_id")): name for name in reversed(names)}
    for ends in END_WORDS:
        if all(end in by_name for end in ends):
            return by_name[ends[0]], by_name[ends[1]]
    return _linked_ends(table, names)


def _beside(table: Table, roles: dict[str, str], *, given: bool) -> None:
    """Add the columns that tell more of a node by their names."""
    by_name = {normalise(name): name for name in reversed(table.column_names)}
    for role in _BESIDE if not given else ("name", "rank"):
        for alias in HIERARCHY_ALIASES[role]:
            name = by_name.get(normalise(alias))
            if name is None or name in roles.values() or role in roles:
                continue
            if (role in ("rank", "distance")) and _all_numbers(table, name) != (role == "distance"):
                continue
            roles[role] = name
    if "distance" in roles and _once(table.texts([roles["child"]])[0]):
        del roles["distance"]  # every row is a node; what counts there is its own depth


def _all_numbers(table: Table, name: str) -> bool:
    cells = pc.utf8_trim_whitespace(table.texts([name])[0].cast(pa.string()))
    if not len(_filled(cells)):
        return False
    return pc.all(pc.match_substring_regex(cells, r"^[0-9]*(\.0*)?$")).as_py() is not False


def _filled(cells: pa.Array) -> pa.Array:
    cells = pc.utf8_trim_whitespace(cells.cast(pa.string()))
    return cells.filter(pc.invert(is_absent(cells)))


def _once(cells: pa.Array) -> bool:
    """Whether no cell stands twice; those that say nothing do not count."""
    filled = _filled(cells)
    return len(pc.unique(filled)) == len(filled)
