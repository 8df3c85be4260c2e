"""Rows and columns that count: a header 0,1,2 and a column of row numbers, as pandas writes them.

A first row 0,1 may be the names of a frame that had none, or the pair of idx 0 and 1. It is taken
for names only where the rows below it contradict the pair; else it is data, and that is told.
Two words among labels are names where they stand nowhere else and each row below shares a label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.errors import InputError
from taxcheck.sources.tables.batches import RawBatch
from taxcheck.sources.tables.cells import Whole, whole_numbers
from taxcheck.sources.tables.columns import normalise
from taxcheck.sources.tables.dialect import NAMES_FEWER, TEXTS_ALIKE, Header

_UNNAMED = ("", "unnamed:0", "index")  # what pandas calls the column of row numbers
NOWHERE_BELOW = "its cells stand nowhere below"
_FEWER = "the header has one name fewer than rows have cells"
_NEAR = 0.01  # by which the last of two numberings may differ
_ELSEWHERE = 0.5  # share of numbers of rows that another column has as well
_FEWEST = 3  # rows that count by chance: two easily do
_MOST_STEPS = 1 << 24  # of two pairs that follow each other, looked up to see whether all close


class Opened(Protocol):
    """What is asked of a ``Table``."""

    @property
    def first_row(self) -> tuple[str, ...]:
        """The cells of the first line of a text; else nothing."""

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names in the order of the file."""

    @property
    def header(self) -> bool:
        """Whether the names are the file's own."""

    @property
    def header_reason(self) -> str:
        """Why the first line was taken for names, or for data."""

    def use_header(self, header: Header) -> None:
        """Read the first line as names, or as data."""

    def head(self, names: Sequence[str]) -> tuple[RawBatch, bool]:
        """The first rows of some columns by their names, and whether they are all there are."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What counts in a table, and what that leaves to be guessed."""

    row_counter: str | None = None  # the first column, where it is no data
    unnamed: bool = False  # whether the names are numbers, so that columns go by their position
    guesses: tuple[str, ...] = ()


def what_counts(
    table: Opened, role: str, example: str, *, given: bool = False, alone: bool = False
) -> Counted:
    """Find row numbers and a header of numbers, and have the table read without them.

    ``example`` is the setting that says of a first row 0,1 that it is a header. Where the columns
    are ``given``, only the header is left to find. ``alone``: no mapping will tell words that are
    no labels. InputError where a column of edges counts.
    """
    names = tuple(name.strip() for name in table.first_row or table.column_names)
    counts = [cell for cell in names if normalise(cell) not in _UNNAMED]
    numbered = len(names) - len(counts)
    if names[:numbered] + _numbers(len(counts)) == names and numbered < 2 <= len(counts):
        if table.header:
            counted = Counted(table.column_names[0] if numbered else None, True, _told(numbered))
            return Counted() if given else counted
        counted = _numbers_first(table, role, bool(numbered), example)
        return Counted(guesses=counted.guesses[:1]) if given else counted
    if table.header_reason == TEXTS_ALIKE:
        return _words_first(table, given=given, alone=alone)
    if given:
        return Counted()
    return _named_counter(table) if table.header else _unnamed_counter(table, role)


def _words_first(table: Opened, *, given: bool, alone: bool) -> Counted:
    """A first row of words among words: a header where nothing below has any of them."""
    row = ",".join(table.first_row)
    if not alone:
        told = f"The first row, {row}, is read as data: {TEXTS_ALIKE}."
        return Counted(guesses=() if given else (told,))
    lone = _alone_in_their_rows(table)
    if not lone[0]:
        return Counted()
    rest = int(np.count_nonzero(lone[1:]))
    if given or rest or len(lone) <= _FEWEST:
        return Counted(
            guesses=(
                f"The first row, {row}, is read as a pair, though its labels stand nowhere else; "
                "if it is a header, name the columns by it.",
            )
        )
    table.use_header(Header(True, NOWHERE_BELOW))
    return Counted()


def _alone_in_their_rows(table: Opened) -> BoolArray:
    """Which of the first rows, (k,), have two labels that stand in no other of them."""
    head, _ = table.head(table.column_names[:2])
    columns = [head.columns[name].cast(pa.string()) for name in table.column_names[:2]]
    codes = pa.concat_arrays(columns).dictionary_encode().indices.fill_null(0).to_numpy()
    once = np.bincount(codes)[codes] == 1
    return np.asarray(np.logical_and(*once.reshape(2, -1)))


def _numbers(count: int) -> tuple[str, ...]:
    return tuple(map(str, range(count)))


def _told(numbered: int) -> tuple[str, ...]:
    return ("The first column counts the rows and is not read.",) if numbered else ()


def _unnamed_counter(table: Opened, role: str) -> Counted:
    if len(table.column_names) < 3:
        return Counted()
    columns, whole = _columns(table)
    if role == "mapping":
        _refuse_two_numberings(columns, whole)
    if not _counts_rows(columns[0]) or not _is_table(columns[1:], role):
        return Counted()
    if role == "edges":
        if _names_counted_rows(table):
            return Counted()
        raise InputError(
            "the first column counts the rows, so it may be their number or the child; name the "
            "columns with `columns` child=1,parent=2 or child=2,parent=3"
        )
    return Counted(table.column_names[0], True, _told(1))


def _names_counted_rows(table: Opened) -> bool:
    """Whether a later column has numbers of the first alone, which no other column has as well."""
    head, _ = table.head(table.column_names)
    cells = [pc.unique(pc.utf8_trim_whitespace(head.columns[name].cast(pa.string()))).drop_null()
             for name in table.column_names]  # fmt: skip
    cells = [column.filter(pc.not_equal(column, "")) for column in cells]

    def share(k: int, other: int) -> float:
        return float(pc.mean(pc.is_in(cells[k], cells[other])).as_py() or 0)

    columns = range(1, len(cells))
    counted = [k for k in columns if len(cells[k]) > 1 and share(k, 0) == 1]
    return any(max(share(k, o) for o in columns if o != k) < _ELSEWHERE for k in counted)


def _refuse_two_numberings(columns: Sequence[Whole], whole: bool) -> None:
    """A first and a third column that both number the rows, in two orders: either may be the idx.

    The numbers of rows do so that were shuffled after they were counted. InputError.
    """
    first, taxids, third = columns[:3]
    if _counts_rows(first) or (first.values == third.values).all():
        return
    ends = [_last_number(column, whole) for column in (first, taxids, third)]
    near = [abs(end - ends[0]) <= _NEAR * ends[0] for end in ends]
    if ends[0] and near == [True, False, True]:
        raise InputError(
            "the first and the third column both number the rows, in two orders, so that either "
            "may be the idx; name the columns with `mapping_columns` -,taxid,idx or idx,taxid"
        )


def _last_number(column: Whole, whole: bool) -> int:
    """The last of the numbers with which a column numbers the rows; 0 where it does not.

    It has each from 0 or 1 on once; a part of the rows has some, up to about the last.
    """
    values, rows = column.values, len(column.values)
    if column.problems is not None or rows < _FEWEST or len(np.unique(values)) < rows:
        return 0
    first, last = int(values.min()), int(values.max())
    return last if not whole or (first in (0, 1) and last == first + rows - 1) else 0


def _named_counter(table: Opened) -> Counted:
    """Beside columns with names, one that pandas left without is only noted."""
    first = table.column_names[0]
    if table.header_reason == NAMES_FEWER:
        return Counted(guesses=(f"The first column names the rows and is not read: {_FEWER}.",))
    if normalise(first) not in _UNNAMED or not table.first_row:
        return Counted()
    head, _ = table.head([first])
    return Counted(first if _counts_rows(whole_numbers(head.columns[first])) else None)


def _numbers_first(table: Opened, role: str, numbered: bool, example: str) -> Counted:
    columns, whole = _columns(table)
    below = [Whole(c.values[1:], None if c.problems is None else c.problems[1:]) for c in columns]
    if numbered and not _counts_rows(below[0]):
        return Counted()
    because = "row numbers stand below a cell that is none"
    if not numbered:
        because = _contradicted(below, role, whole)
    row = ",".join(table.first_row)
    if because:
        table.use_header(Header(True, f"its cells count the columns, and {because}"))
        return Counted(
            table.column_names[0] if numbered else None,
            True,
            (f"The first row, {row}, is read as a header: {because}.", *_told(numbered)),
        )
    what = "an identifier and its idx" if role == "mapping" else "a pair"
    return Counted(
        guesses=(
            f"The first row, {row}, is read as {what}; if it is a header, say so with {example}.",
        )
    )


def _columns(table: Opened) -> tuple[list[Whole], bool]:
    head, whole = table.head(table.column_names)
    return [whole_numbers(head.columns[name]) for name in table.column_names], whole


def _counts_rows(column: Whole) -> bool:
    values, rows = column.values, len(column.values)
    if rows < _FEWEST or values[0] not in (0, 1):
        return False
    return bool((values == np.arange(values[0], values[0] + rows)).all())


def _is_table(columns: Sequence[Whole], role: str) -> bool:
    """Whether the columns beside a counter can be a table by themselves.

    In a closure the counter is no ancestor: each of these would have one descendant, which only a
    chain's parents have. In a mapping it may be an identifier, unless two more columns are one.
    """
    left, right = columns[:2]
    if role == "mapping":
        idx = right.values
        return right.problems is None and len(np.unique(idx)) == len(idx) > idx.max() / 2
    if left.mostly_words and right.mostly_words:
        return True
    varied = bool((right.values != right.values[0]).any())
    return left.problems is None and right.problems is None and varied


def _contradicted(below: Sequence[Whole], role: str, whole: bool) -> str:
    """What in the rows below a first row 0,1 speaks against it as data; empty for nothing."""
    first, second = below[0].values, below[1].values
    if any(column.mostly_words for column in below[:2]):
        return "words stand below a number"
    if len(below) > 3:
        return f"there are {len(below)} of them"
    if role == "mapping":
        return "idx 1 stands again below" if (second == 1).any() else ""
    if ((first == 0) & (second == 1)).any():
        return "0,1 stands again below"
    if ((first == 1) & (second == 0)).any():
        return "1,0 stands below, the other way round"
    if not whole or len(first) < _FEWEST:
        return ""
    if not np.isin((0, 1), (first, second)).any():
        return "neither 0 nor 1 stands below"
    if role == "edges":
        single = any(
            len(np.unique(column)) == len(column) and (column == own).any()
            for own, column in enumerate((first, second))
        )
        return "every other node has one parent" if single else ""
    return "the pairs below are closed without 0,1" if _closed_without(first, second) else ""


def _closed_without(ancestor: IntArray, descendant: IntArray) -> bool:
    """Whether pairs (n,) are their own transitive closure, and with (0, 1) would not be."""
    nodes, codes = np.unique(np.r_[0, 1, ancestor, descendant], return_inverse=True)
    if nodes[0] < 0:
        return False
    count = len(nodes)
    above, below = codes[2:].reshape(2, -1)
    keys = np.unique((above * count + below)[above != below])
    if not len(keys):
        return False
    above, below = np.divmod(keys, count)

    def there(wanted: IntArray) -> BoolArray:
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        found: BoolArray = np.equal(keys[place], wanted)
        return found

    of_zero, under_one = above[below == 0], below[above == 1]
    if there(of_zero * count + 1).all() and there(under_one).all():  # 0 * count + its descendants
        return False
    begin = np.searchsorted(above, np.arange(count + 1))
    steps = (begin[1:] - begin[:-1])[below]
    if steps.sum() > _MOST_STEPS:
        return False
    ends = np.cumsum(steps)
    place = np.repeat(begin[below] - (ends - steps), steps) + np.arange(steps.sum())
    return bool(there(np.repeat(above, steps) * count + below[place]).all())
