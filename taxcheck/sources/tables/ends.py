"""Whether digits under names that leave it open are the idx of a mapping, or its identifiers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import BoolArray, IntArray, within
from taxcheck.sources.tables.cells import identifiers, whole_numbers
from taxcheck.sources.tables.columns import (
    JOINED_NOTE,
    PAIR_BARE,
    PAIR_ROLES,
    ColumnRoles,
    normalise,
)
from taxcheck.sources.tables.labels import Lookup
from taxcheck.sources.tables.source import TableSource

_MOST = 0.9  # of the ends: they are what they then are said to be
_MEANT = {side: f"{side}_taxid" for side in PAIR_BARE}
_OPEN = frozenset(normalise(name) for names in PAIR_BARE.values() for name in names)


def open_ends(source: TableSource) -> list[str]:
    """The two columns of pairs whose names leave it open what their digits are; else none."""
    roles, told_by = source.columns.roles, source.columns.told_by
    names = [roles[side] for side in PAIR_BARE if side in roles]
    if len(names) < 2 or told_by == "option" or set(_MEANT.values()) & set(roles):
        return []
    return names if told_by == "position" or all(normalise(n) in _OPEN for n in names) else []


def settled(source: TableSource, known: pa.Array, mapped: BoolArray) -> TableSource:
    """The source with its open ends read as what they are: idx of a mapping, or its identifiers.

    ``known`` are all identifiers of the mapping, ``mapped`` (n_nodes,) marks its idx. The first
    rows are judged. What could be both is told.
    """
    names = open_ends(source)
    cells, idx = source.table.texts(names), np.flatnonzero(mapped)
    numbers = np.concatenate([whole_numbers(column).values for column in cells])
    meant = _meant(cells, known, idx)
    as_label, as_idx = float((meant >= 0).mean()), float(within(idx, numbers).mean())
    if as_label < _MOST and as_idx < 1 - _MOST and pa.types.is_string(known.type):
        without = pc.if_else(pc.ascii_is_decimal(known), pc.utf8_ltrim(known, "0"), known)
        as_label = float((_meant(cells, without, idx) >= 0).mean())
    padded = all(_padded(column) for column in cells)
    if (not padded and as_label < _MOST) or (meant == numbers).all():
        return source
    both = " and ".join(repr(name) for name in names)
    if padded or as_label > as_idx:
        why = "zeros fill them up to one width" if padded else "the mapping has them"
        guess = f"The numbers in {both} are read as identifiers: {why}."
        columns = _joined(source.columns)
        plain = not padded and as_idx < 1 - _MOST
    else:
        columns, plain = source.columns, False
        guess = (
            f"The numbers in {both} are read as idx, though they are identifiers of the mapping as "
            "well; if they are meant so, say so with `pair_columns` ancestor_taxid=...,"
            "descendant_taxid=..."
        )
    guesses = columns.guesses if plain else (*columns.guesses, guess)
    return source.read_as(replace(columns, guesses=guesses))


def _joined(columns: ColumnRoles) -> ColumnRoles:
    moved = {_MEANT.get(role, role): name for role, name in columns.roles.items()}
    roles = {role: moved[role] for role in PAIR_ROLES if role in moved}
    return replace(columns, roles=roles, notes=(*columns.notes, JOINED_NOTE))


def _meant(cells: Sequence[pa.Array], known: pa.Array, idx: IntArray) -> IntArray:
    """The idx of the ends, (2 k,), read as identifiers; -1 for those that are none."""
    lookup = Lookup(known, idx)
    return np.concatenate([lookup.find(identifiers(column)[0]) for column in cells])


def _padded(cells: pa.Array) -> bool:
    """Whether zeros fill numbers up to one width, which no idx is written with."""
    if not pa.types.is_string(cells.type):
        return False
    texts = pc.utf8_trim_whitespace(cells.drop_null())
    texts = texts.filter(pc.greater(pc.binary_length(texts), 0))
    digits = texts.filter(pc.ascii_is_decimal(texts))
    if len(digits) < max(_MOST * len(texts), 1):
        return False
    width = pc.min_max(pc.binary_length(digits)).as_py()
    zeros = pc.starts_with(digits, "0")
    return bool(width["min"] == width["max"] > 1 and pc.any(zeros).as_py())
