"""What each thing that may name a table's rows says, held against the mapping."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import IntArray
from taxcheck.sources.checkpoints.checkpoint import Checkpoint
from taxcheck.sources.checkpoints.row_names import Meaning, RowNames
from taxcheck.statistics.values import MappingStatistics

_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Join:
    """Entries of the rows under one meaning: whose each row then is."""

    names: RowNames
    meaning: Meaning
    idx: IntArray  # (rows,) -1 where the row is nobody's
    asked_as: str = ""  # why it has to be asked whether it is this; empty where it has not
    how: str = ""  # beside the meaning

    @property
    def matched(self) -> int:
        """Rows that are somebody's."""
        return int(np.count_nonzero(self.idx >= 0))

    @property
    def holds(self) -> bool:
        """Whether rows can be joined by it without asking."""
        return self.matched > 0 and not self.asked_as

    @property
    def missing(self) -> int:
        """Rows that have no entry."""
        return int(self.names.values.null_count)

    @property
    def unmatched(self) -> int:
        """Rows whose entry the mapping lacks."""
        return len(self.idx) - self.matched - self.missing

    @property
    def repeated(self) -> int:
        """Rows that are those of an earlier row's node."""
        return self.matched - len(np.unique(self.idx[self.idx >= 0]))

    @property
    def plain(self) -> bool:
        """Whether it says of each row what its own number says."""
        numbers = self.names.integers
        whole = self.meaning is not Meaning.IDENTIFIERS
        return whole and numbers is not None and bool((numbers == np.arange(len(numbers))).all())

    @property
    def counts_rows(self) -> bool:
        """Whether it is no more than the number of each row, which anything else contradicts."""
        return self.plain and self.names.meaning not in (Meaning.IDX, Meaning.ROWS)

    @property
    def sense(self) -> str:
        """What the entries were taken for."""
        words = {Meaning.IDX: "idx of the mapping", Meaning.ROWS: "the row of each idx"}
        return words.get(self.meaning, "identifiers of the mapping") + self.how

    @property
    def asked(self) -> str:
        """What to type for it."""
        return f"{self.names.place}:{self.meaning}"


def joins_of(
    checkpoint: Checkpoint, mapping: MappingStatistics, *, every: bool = False
) -> list[Join]:
    """What the entries of a file mean, likeliest first; ``every``: all that they could mean.

    Numbers that are both idx and, most of them, no identifiers are asked for, and so are orders,
    which can be read either way round.
    """
    found: list[Join] = []
    for names in checkpoint.names:
        found += _all(names, mapping) if every else _meanings(names, checkpoint, mapping)
    return found


def _all(names: RowNames, mapping: MappingStatistics) -> Iterator[Join]:
    by_identifier = _by_identifier(names, mapping)
    if by_identifier.matched:
        yield by_identifier
    for join in () if mapping.derived else (_by_idx(names, mapping), _by_row(names, mapping)):
        if join is not None:
            yield join


def _meanings(
    names: RowNames, checkpoint: Checkpoint, mapping: MappingStatistics
) -> Iterator[Join]:
    stated = checkpoint.said is not None
    by_identifier = _by_identifier(names, mapping)
    by_idx, by_row = _by_idx(names, mapping), _by_row(names, mapping)
    if stated and names.meaning in (Meaning.IDENTIFIERS, Meaning.IDX, Meaning.ROWS):
        ways = {
            Meaning.IDENTIFIERS: by_identifier,
            Meaning.IDX: by_idx,
            Meaning.ROWS: by_row,
        }
        chosen = ways[names.meaning]
        yield chosen or Join(names, names.meaning, np.full(len(names.values), -1))
        return
    if mapping.derived:  # its idx stand in no file, so the numbers in one are identifiers
        yield by_identifier
        return
    numbered = by_idx is not None and by_idx.matched == len(by_idx.idx)
    most = by_identifier.matched >= _HALF * len(by_identifier.idx)
    if names.meaning is Meaning.IDX and by_idx is not None:
        yield by_idx
    elif names.meaning is Meaning.ROWS and by_row is not None:
        yield by_row
    elif most or not numbered or by_idx is None:
        yield by_identifier
    elif by_idx.plain:
        yield by_idx
    elif names.meaning is Meaning.IDENTIFIERS and by_identifier.matched:
        yield by_identifier
    else:
        yield from _asked(names, by_idx, by_row)


def _asked(names: RowNames, by_idx: Join, by_row: Join | None) -> Iterator[Join]:
    """Idx that are not called so: row k may be that of idx v[k], or idx k have row v[k]."""
    both_ways = by_row is not None and np.array_equal(by_row.idx, by_idx.idx)
    if names.meaning is Meaning.ORDER and both_ways:
        yield by_idx
        return
    why = "holds no identifiers of the mapping but numbers that are all idx of it"
    yield Join(names, Meaning.IDX, by_idx.idx, why)
    if by_row is not None and not both_ways:
        yield Join(names, Meaning.ROWS, by_row.idx, why)


def _by_identifier(names: RowNames, mapping: MappingStatistics) -> Join:
    idx = np.flatnonzero(mapping.mapped)
    known = mapping.identifiers.column(idx).cast(pa.string())
    labels = names.values.cast(pa.string())
    found, how = _places(labels, known), ""
    if not (found >= 0).any() and mapping.identifiers.integers is not None:
        found = _places(_whole_numbers(labels), known)
        how = " once read as whole numbers" if (found >= 0).any() else ""
    owners = np.where(found >= 0, idx[np.maximum(found, 0)], -1)
    return Join(names, Meaning.IDENTIFIERS, owners, how=how)


def _whole_numbers(labels: pa.Array) -> pa.Array:
    """Texts of whole numbers as a float is written, 9606.0 or 9.606e+03, as those of integers."""
    trimmed = pc.utf8_trim_whitespace(labels)
    number = pc.match_substring_regex(trimmed, r"^[0-9]{1,15}(\.[0-9]{0,30})?(e\+?[0-9]{1,2})?$")
    values = pc.if_else(number, trimmed, None).cast(pa.float64())
    whole = pc.and_(pc.equal(values, pc.floor(values)), pc.less(values, 2.0**53))
    return pc.if_else(whole, values, None).cast(pa.int64()).cast(pa.string())


def _places(labels: pa.Array, known: pa.Array) -> IntArray:
    place = pc.index_in(labels, value_set=known, skip_nulls=True).fill_null(-1)
    return np.asarray(place.to_numpy(zero_copy_only=False), dtype=np.int64)


def _numbers(names: RowNames) -> IntArray | None:
    """Entries as numbers, also where they are texts of digits; None where one is none."""
    if (numbers := names.integers) is not None:
        return numbers
    if names.values.null_count or not pa.types.is_string(names.values.type):
        return None
    if not pc.all(pc.match_substring_regex(names.values, r"^[0-9]{1,18}$")).as_py():
        return None
    return np.asarray(names.values.cast(pa.int64()).to_numpy(), dtype=np.int64)


def _by_idx(names: RowNames, mapping: MappingStatistics) -> Join | None:
    """Row k is that of idx v[k]; None where the entries are no idx, or one is there twice."""
    numbers = _numbers(names)
    if numbers is None or len(np.unique(numbers)) < len(numbers):
        return None
    inside = (numbers >= 0) & (numbers < mapping.n_nodes)
    if not inside.any():
        return None
    known = inside & mapping.mapped[np.where(inside, numbers, 0)]
    return Join(names, Meaning.IDX, np.where(known, numbers, -1))


def _by_row(names: RowNames, mapping: MappingStatistics) -> Join | None:
    """Idx k has row v[k]; None where the entries do not number the rows."""
    numbers = _numbers(names)
    if numbers is None or not np.array_equal(np.sort(numbers), np.arange(len(numbers))):
        return None
    idx = np.empty(len(numbers), dtype=np.int64)
    idx[numbers] = np.arange(len(numbers))
    known = idx < mapping.n_nodes
    known[known] = mapping.mapped[idx[known]]
    return Join(names, Meaning.ROWS, np.where(known, idx, -1))
