"""A table with a column of codes that state a hierarchy, such as ICD, ATC or enzyme codes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from taxcheck.model.errors import InputError, UsageError
from taxcheck.model.vocabulary import plural
from taxcheck.sources.readers import CERTAIN, LIKELY, NEVER, Candidate
from taxcheck.sources.tables.columns import normalise
from taxcheck.sources.tables.table import Table, open_table
from taxcheck.sources.taxonomies.code_files import code_file, read_code_file
from taxcheck.sources.taxonomies.codes import (
    CODE,
    ENZYME,
    PATENT_SYMBOL,
    TREE_NUMBER,
    Above,
    Coded,
    above_by_characters,
    above_by_dots,
    are_numbers,
    hierarchy_of_codes,
    way_of,
)
from taxcheck.sources.taxonomies.hierarchy import Hierarchy, Origin
from taxcheck.sources.taxonomies.rows import table_of, trimmed_rows

_NAMES = ("name", "label", "title", "description", "term", "descriptor", "heading",
          "preferredlabel", "longdescription", "shortdescription", "de")  # fmt: skip
_KEYS = ("ui", "descriptorui", "meshid", "meshui", "uid")
_PATENTS = ": in IPC and CPC the dots before a group's title do, or the XML of the scheme"
_LIKE = ("name", "label", "title", "term", "descr")
_SEVERAL = re.compile(r"\s*[|;,]\s*|\s+")  # between the codes of one cell
_SAMPLE = 20_000
_IDENTIFIER = re.compile(r"(?i)(id|ids|idx|index|key|no\.?|nr\.?|number|row)$")  # no codes' names
_CODES = ("code", "number", "notation", "classification")  # words that say so in a column's name
_SCHEMES = frozenset(
    {"ec", "atc", "icd", "icd10", "icd11", "mesh", "nace", "isco", "naics", "isic"}
)
_TOO_MANY = 64  # columns
_TEXTS = (
    "{0!r} holds codes, each below its beginning, since most beginnings are there; say so with "
    "`columns` code={0}"
)
_NUMBERS = (
    "the numbers in {0!r} are codes, each below the one without its last digits, since those are "
    "there; say so with `columns` code={0}"
)


def claim_codes(candidate: Candidate) -> float:
    """How surely a column holds codes whose beginnings are codes as well."""
    if candidate.once(code_file):
        return CERTAIN
    if candidate.columns:
        return CERTAIN if "code" in _roles(candidate.columns) else NEVER
    try:
        table = table_of(candidate)
    except InputError:
        return NEVER
    return LIKELY if _code_column(table) else NEVER


def read_codes(path: str, columns: str | None) -> Hierarchy:
    """Nodes by their codes, or of MeSH by the descriptors that have them.

    ``columns`` names the columns as code=COLUMN,name=COLUMN; else they are found by their cells.
    """
    if not columns and code_file(Candidate(path)):
        return read_code_file(path)
    table = open_table(path)
    chosen = _choose(table, columns)
    read = list(trimmed_rows(table, [chosen.code, chosen.name, chosen.key]))
    rows = [row for row in read if row[0]]
    codes = [code for cell, *_ in rows for code in _SEVERAL.split(cell) if code]
    mesh = all(map(TREE_NUMBER.fullmatch, codes))
    above = way_of(codes) or (_usual(codes) if columns or mesh else None)
    if above is None:
        patents = any(PATENT_SYMBOL.fullmatch(row[0]) for row in rows)
        raise InputError(
            f"{path}: the codes of {chosen.code!r} do not say what is above what"
            f"{_PATENTS if patents else ''}; write the edges as a table of child,parent"
        )
    coded = _coded(rows, mesh)
    notes = [*table.notes, *chosen.told(table, mesh)]
    if blank := len(read) - len(rows):
        notes.append(f"{plural(blank, 'row')} without a code left out")
    origin = Origin("table of codes", table.path, None, table.bytes, table.fingerprint())
    found = hierarchy_of_codes(coded, above, origin, notes)
    guesses = () if columns or mesh else _guesses(chosen.code, coded)
    return replace(found, guesses=(*table.guesses, *found.guesses, *guesses))


def _coded(rows: Sequence[tuple[str, ...]], mesh: bool) -> Coded:
    """The codes of all rows, of MeSH those of one descriptor together."""
    coded = Coded()
    for cell, name, key in rows:
        node = (key or name or None) if mesh else None  # elsewhere a name may be of several codes
        for code in _SEVERAL.split(cell) if mesh else [cell]:
            if code:
                coded.add(code, name, node)
    return coded


def _guesses(column: str, coded: Coded) -> tuple[str, ...]:
    """What is guessed of a column that nobody named: that its numbers, or texts, are codes."""
    if are_numbers(coded.codes):
        return (_NUMBERS.format(column),)
    called = normalise(column)
    sure = any(word in called for word in _CODES) or called in _SCHEMES
    return () if sure or all(map(ENZYME.fullmatch, coded.codes)) else (_TEXTS.format(column),)


def _usual(codes: Sequence[str]) -> Above:
    return above_by_dots if any("." in code for code in codes) else above_by_characters


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The columns of a table that are read."""

    code: str
    name: str | None
    key: str | None

    def told(self, table: Table, mesh: bool) -> Iterator[str]:
        """Which they are, and what follows."""
        yield f"codes are the column {self.code!r}" + (
            f", names {self.name!r}" if self.name else ""
        )
        if mesh and (by := self.key or self.name):
            yield f"a descriptor, by {by!r}, may have several codes, and parents"
        read = {self.code, self.name, self.key if mesh else None} - {None}
        if unread := len(table.column_names) - len(read):
            yield f"{unread:,} further columns are not read"


def _choose(table: Table, columns: str | None) -> _Chosen:
    """The columns that were named, else those that are known by cells and names."""
    roles = _roles(columns or "")
    table.expect_names(set(roles.values()))
    if not table.header and not roles and (at := _code_column(table)):
        first = [cell.strip() for cell in table.first_row]
        if not CODE.fullmatch(first[table.column_names.index(at)]):
            table.expect_names(set(first))
    names = table.column_names
    for column in roles.values():
        if column not in names:
            raise UsageError(f"`columns` {column}: {table.path} has {', '.join(names[:12])}")
    found = roles.get("code") or _code_column(table)
    if not found:
        raise InputError(
            f"{table.path}: has no column of codes whose beginnings are codes; name it with "
            "`columns` code=COLUMN,name=COLUMN"
        )
    key = _called(names, _KEYS, {found})
    return _Chosen(found, roles.get("name") or _called(names, _NAMES, {found, key}), key)


def _roles(columns: str) -> dict[str, str]:
    """The columns of "code=COLUMN,name=COLUMN"; empty where it is of another kind."""
    parts = [part.partition("=") for part in columns.split(",")]
    roles = {role.strip(): column.strip() for role, _, column in parts if column.strip()}
    return roles if "code" in roles and roles.keys() <= {"code", "name"} else {}


def _code_column(table: Table) -> str | None:
    """The first column, of distinct cells, that holds such codes."""
    names = table.column_names[:_TOO_MANY]
    if len(set(table.column_names)) < len(table.column_names):
        return None
    columns = table.texts(names)
    for name, cells in zip(names, columns, strict=True):
        texts = [
            one.strip() for one in cells.slice(0, _SAMPLE).cast(pa.string()).to_pylist() if one
        ]
        if texts and not table.header and not CODE.fullmatch(texts[0]):
            texts = texts[1:]  # a name of the column
        codes = [code for one in texts for code in _SEVERAL.split(one) if code]
        split = all(map(TREE_NUMBER.fullmatch, codes[:_SAMPLE]))
        if _IDENTIFIER.search(name) and are_numbers(codes):
            continue
        if way_of(codes if split else texts) is not None and len(set(texts)) > 0.9 * len(texts):
            others = [other for other in columns if other is not cells]
            return None if _are_edges(table, set(texts), others) else name
    return None


def _are_edges(table: Table, codes: set[str], others: Sequence[pa.Array]) -> bool:
    """Whether cells beside the codes are codes too, so that the rows say what is above what.

    Nodes that are called n1 to n99 begin like codes. Beside names of columns, other columns than
    that of the parents may hold codes as well.
    """
    if table.header and len(others) > 1:
        return False
    for other in others:
        above = {one.strip() for one in other.cast(pa.string()).unique().to_pylist() if one}
        if len(above) > 2 and len(above & codes) >= 0.9 * len(above) - 1:  # a root has no row
            return True
    return False


def _called(names: Sequence[str], words: Sequence[str], others: set[str | None]) -> str | None:
    """The column that is called by the first of the words that any is; of two, the other one."""
    known = {normalise(name): name for name in names if name not in others}
    found = next((known[word] for word in words if word in known), None)
    if found is None and words is _NAMES:
        like = (name for called, name in known.items() if any(word in called for word in _LIKE))
        found = next(iter(known.values()) if len(names) == 2 else like, None)
    return found
