"""A table of terms with all parents of each in one cell, as BioPortal and ROBOT export it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.errors import InputError
from taxcheck.model.vocabulary import plural
from taxcheck.sources.readers import CERTAIN, NEVER, Candidate
from taxcheck.sources.tables.columns import normalise
from taxcheck.sources.tables.table import open_table
from taxcheck.sources.taxonomies.hierarchy import Hierarchy, Origin
from taxcheck.sources.taxonomies.identifiers import curie
from taxcheck.sources.taxonomies.ontology import Stated, Term, hierarchy_of
from taxcheck.sources.taxonomies.rows import table_of, trimmed_rows

_IDS = ("classid", "id", "termid", "iri", "uri", "curie", "identifier", "class", "term")
_PARENTS = ("parents", "parentids", "superclasses", "subclassof[id]", "subclassof", "parentclasses")
_SINGLE = ("subclassof", "subclassof[id]")  # of which a table of edges may have one a row
_NAMES = ("preferredlabel", "label", "name", "preflabel", "termname")
_OBSOLETE = ("obsolete", "deprecated", "isobsolete")
_SEPARATORS = ("|", ";", ",")
_NO_PARENT = frozenset({"", "owl:Thing", "Thing", "http://www.w3.org/2002/07/owl#Thing"})


@dataclass(frozen=True, slots=True)
class _Columns:
    identifier: str
    parents: str
    name: str | None
    obsolete: str | None


def claim_terms(candidate: Candidate) -> float:
    """How surely a table has a column of terms and one of all their parents."""
    if candidate.columns:
        return NEVER
    try:
        table = table_of(candidate)
    except InputError:
        return NEVER
    names = [cell.strip() for cell in table.first_row] or list(table.column_names)
    chosen = _columns(names)
    if chosen is None:
        return NEVER
    if normalise(chosen.parents) not in _SINGLE:
        return CERTAIN
    column = table.column_names[names.index(chosen.parents)]
    (cells,) = table.texts([column])
    several = pc.match_substring(cells.cast(pa.string()), "|")
    return CERTAIN if pc.any(several).as_py() else NEVER


def read_terms(path: str, relations: Sequence[str], namespaces: Sequence[str]) -> Hierarchy:
    """Terms under each of their parents; obsolete ones are left out, and told."""
    table = open_table(path)
    first = [cell.strip() for cell in table.first_row]
    chosen = _columns(first or table.column_names)
    if chosen is None:
        raise InputError(f"{path}: has no columns of terms and of their parents")
    table.expect_names({chosen.identifier, chosen.parents})
    terms: list[Term] = []
    separator, blank = "", 0
    columns = (chosen.identifier, chosen.parents, chosen.name, chosen.obsolete)
    for identifier, above, name, obsolete in trimmed_rows(table, columns):
        if not identifier:
            blank += 1
            continue
        separator = separator or next((s for s in _SEPARATORS if s in above), "")
        parents = above.split(separator) if separator else [above]
        term = Term(
            curie(identifier), name or None, obsolete=obsolete.lower() in ("true", "1", "yes")
        )
        term.links = [
            ("is_a", curie(one)) for part in parents if (one := part.strip()) not in _NO_PARENT
        ]
        terms.append(term)
    if len({term.identifier for term in terms}) < len(terms):
        raise InputError(f"{path}: a term of {chosen.identifier!r} has several rows; merge them")
    named = f", names {chosen.name!r}" if chosen.name else ""
    notes = [
        *table.notes,
        f"columns: terms are {chosen.identifier!r}, parents {chosen.parents!r}{named}",
    ]
    if separator:
        notes.append(f"several parents in a cell are separated by {separator!r}")
    if blank:
        notes.append(f"{plural(blank, 'row')} without a term left out")
    read = {chosen.identifier, chosen.parents, chosen.name, chosen.obsolete} - {None}
    if unread := len(table.column_names) - len(read):
        notes.append(f"{unread:,} further columns are not read")
    origin = Origin("table of terms", table.path, None, table.bytes, table.fingerprint())
    found = hierarchy_of(Stated(terms, origin, notes=notes), relations, namespaces)
    return replace(found, guesses=(*table.guesses, *found.guesses))


def _columns(names: Sequence[str]) -> _Columns | None:
    known = {normalise(name): name for name in reversed(names)}

    def first(words: Sequence[str]) -> str | None:
        return next((known[word] for word in words if word in known), None)

    identifier, parents = first(_IDS), first(_PARENTS)
    if identifier is None or parents is None:
        return None
    return _Columns(identifier, parents, first(_NAMES), first(_OBSOLETE))
