"""Tables of triples, head, relation, tail, as of PyKEEN and WN18RR: some relations make edges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.errors import InputError, UsageError
from taxcheck.sources.readers import Candidate
from taxcheck.sources.tables.columns import normalise
from taxcheck.sources.tables.dialect import Header
from taxcheck.sources.tables.table import Table
from taxcheck.sources.taxonomies.hierarchy import (
    SHOWN,
    Dropped,
    Hierarchy,
    Origin,
    distinct_edges,
)
from taxcheck.sources.taxonomies.labels import read_labels
from taxcheck.sources.taxonomies.relations import direction, of_kind, plain
from taxcheck.sources.taxonomies.rows import table_of

_HEADERS = tuple(
    frozenset(map(normalise, words))
    for words in (
        ("head", "relation", "tail"), ("subject", "predicate", "object"), ("h", "r", "t"),
        ("source", "relation", "target"), ("subject", "relation", "object"), ("s", "p", "o"),
        ("source", "type", "target"), ("from", "relation", "to"), ("from", "type", "to"),
        ("child", "relation", "parent"), ("head", "rel", "tail"),
    )
)  # fmt: skip
_RELATION = frozenset(map(normalise, ("relation", "predicate", "rel", "r", "p", "type")))
_MOST = 200  # relations of a table that may be one of triples
_SAMPLE = 1 << 16


def triple_columns(table: Table) -> tuple[str, str, str] | None:
    """Head, relation and tail of a table of three columns; None where it has no relation.

    By the names, or by a column of few words that stand in neither of the others.
    """
    first = frozenset(map(normalise, table.first_row))
    if not table.header and first in _HEADERS:
        table.use_header(Header(True, "its cells are what columns of triples are called"))
    names = table.column_names
    if len(names) != 3 or len(set(names)) < 3:
        return None
    words = [normalise(name) for name in names]
    if table.header and frozenset(words) in _HEADERS:
        at = next(k for k, word in enumerate(words) if word in _RELATION)
    else:
        at = _relation_by_cells(table.texts(names))
        if at < 0:
            return None
    head, tail = [name for k, name in enumerate(names) if k != at]
    return head, names[at], tail


def _relation_by_cells(columns: Sequence[pa.Array]) -> int:
    """The place of the column of relations among three; -1 where there is none."""
    cells = [pc.utf8_trim_whitespace(c.slice(0, _SAMPLE).cast(pa.string())) for c in columns]
    distinct = [pc.unique(column.drop_null()) for column in cells]
    for at in (1, 0, 2):
        few = distinct[at]
        if not len(few) or len(few) > _MOST:
            continue
        others = [one for k, one in enumerate(distinct) if k != at]
        words = few.to_pylist()
        if all(word.replace(".", "").replace("-", "").isdecimal() for word in words):
            continue
        known = any(direction(word) for word in words)
        apart = not any(pc.any(pc.is_in(few, other)).as_py() for other in others)
        linked = pc.any(pc.is_in(others[0], others[1])).as_py()
        repeated = at == 1 and len(cells[at]) > 2 and 3 * len(few) <= len(cells[at])
        if apart and (known or (linked and repeated)):
            return at
    return -1


def read_triples(candidate: Candidate, relations: Sequence[str], columns: str | None) -> Hierarchy:
    """The edges that triples state by relations of kind, or by those that are asked for.

    By a relation the tail is the parent, or the head where the relation is known as such.
    InputError where none is known; UsageError where one that is asked for does not occur.
    """
    if columns:
        raise UsageError("`columns` is for edges; name two columns of a table by `format` edges")
    table = table_of(candidate)
    found = triple_columns(table)
    if found is None:
        raise InputError(
            f"{table.path}: has no three columns of head, relation and tail; give edges as child, "
            "parent"
        )
    head, relation, tail = found
    coded = read_labels(table, {"head": head, "tail": tail}, {"relation": relation})
    said = coded.texts["relation"].dictionary_encode()
    kind = said.indices.fill_null(-1).to_numpy()
    occurring = dict(zip(said.dictionary.to_pylist(), np.bincount(kind[kind >= 0]), strict=False))
    occurring = {name: int(count) for name, count in occurring.items()}
    chosen = _chosen(occurring, relations, table.path)
    sign = np.array([0, *(chosen.get(name, 0) for name in occurring)])[kind + 1]
    above = np.where(sign > 0, coded.codes["tail"], coded.codes["head"])[sign != 0]
    below = np.where(sign > 0, coded.codes["head"], coded.codes["tail"])[sign != 0]
    if (np.minimum(above, below) < 0).any():
        raise InputError(f"{table.path}: a triple lacks its head or tail; mend or remove it")
    nodes = np.zeros(len(coded.labels), dtype=bool)
    nodes[above] = nodes[below] = True
    notes, guesses = list(table.notes), [*table.guesses, *coded.guesses]
    rest = {name: count for name, count in sorted(occurring.items()) if name not in chosen}
    dropped = []
    if rest:
        shown = tuple(f"{name} {count:,}" for name, count in [*rest.items()][:SHOWN])
        dropped.append(Dropped("triples", sum(rest.values()), "of other relations", shown))
    taken = ", ".join(
        f"{name} ({occurring[name]:,}), whose {'tail' if way > 0 else 'head'} is the parent"
        for name, way in chosen.items()
    )
    sure = all(direction(name) for name in chosen)
    (notes if sure else guesses).append(f"edges are the triples of {taken}")
    if not (table.header and frozenset(map(normalise, table.column_names)) in _HEADERS):
        guesses.append(f"{relation!r} is the column of relations, by its cells")
    return Hierarchy(
        Origin("triples", table.path, None, table.bytes, table.fingerprint()),
        coded.labels,
        *distinct_edges(above, below, max(len(nodes), 1)),
        dropped=tuple(dropped),
        notes=(*notes, *coded.notes),
        guesses=tuple(guesses),
    ).select(nodes)


def _chosen(occurring: dict[str, int], asked: Sequence[str], shown: str) -> dict[str, int]:
    """The relations that make edges, each with its direction: 1 where the tail is the parent."""
    if asked:
        by_name = {plain(name): name for name in occurring}
        missing = [one for one in asked if plain(one) not in by_name]
        if missing:
            there = ", ".join(sorted(occurring)[:12])
            raise UsageError(f"`relations` {missing[0]}: {shown} has {there}")
        names = [one if one in occurring else by_name[plain(one)] for one in asked]
        return {name: direction(name) or 1 for name in names}
    if kinds := of_kind(sorted(occurring)):
        return kinds
    if len(occurring) == 1:
        return dict.fromkeys(occurring, 1)
    said = ", ".join(f"{name} ({count:,})" for name, count in sorted(occurring.items())[:8])
    raise InputError(
        f"{shown}: holds triples of {len(occurring):,} relations, none of which is known to lead "
        f"to a parent: {said}; say which do with `relations`"
    )
