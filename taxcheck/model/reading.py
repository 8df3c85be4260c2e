"""How a table was read: what was taken for what, and the forms in which its cells are written.

A rule or a cause takes it by name: ``mapping_reading``, ``pair_reading`` and ``held_out_reading``
are each a Reading, or Unavailable where there is no such table. It is also in the report, beside
its input (``inputs[].reading``).

- ``header``, ``header_reason``, ``first_row``: whether the first row was taken for names, why, and
  what stands in it. Where ``header`` is False, row 1 is the first row of the data.
- ``columns``: role -> the Column that plays it; its ``told_by`` says how that is known.
- ``unread``: the names of columns that nobody reads; ``row_counter`` is one of them.
- ``forms``: role -> Forms, the counts of cells by how they are written, over the whole column.
- ``guesses``: what more than one reading would have allowed, a sentence each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from taxcheck.model.statistics import Count

ToldBy = Literal["name", "position", "option"]


class Column(Struct, frozen=True):
    """The column that plays a role, and how that is known."""

    name: str  # the file's own, or "column 2" where it has none
    position: Count  # from 1
    told_by: ToldBy  # "option" is what the request or the policy says


class Forms(Struct, frozen=True):
    """How the cells of one column are written, in counts that add up over batches.

    A cell counts once: as plain, zero_padded, point_zero, thousands, or as none of them.
    """

    cells: Count = 0  # that are not empty
    trimmed: Count = 0  # with blanks around them, which are not read
    plain: Count = 0  # whole numbers as they are printed: 9606
    zero_padded: Count = 0  # whole numbers that begin with a zero: 0101; told of texts alone
    point_zero: Count = 0  # whole numbers written as floats: 9606.0
    thousands: Count = 0  # 1.000 or 12,345, which may be a thousand, or one with three decimals
    digits: Count = 0  # of the largest plain number; 0 where there is none

    def merge(self, other: Forms) -> Forms:
        """The counts of both parts of a column."""
        return Forms(
            self.cells + other.cells,
            self.trimmed + other.trimmed,
            self.plain + other.plain,
            self.zero_padded + other.zero_padded,
            self.point_zero + other.point_zero,
            self.thousands + other.thousands,
            max(self.digits, other.digits),
        )


class Reading(Struct, frozen=True):
    """How a table was read, as far as the file leaves that open."""

    header: bool | None  # whether the first row was taken for names; null: the format has names
    header_reason: str  # why
    first_row: tuple[str, ...]  # as it stands in a text file; else empty
    columns: Mapping[str, Column]  # by role
    unread: tuple[str, ...] = ()  # names of columns that nobody reads
    row_counter: str | None = None  # the unread column that counts the rows: 0, 1, 2 ...
    forms: Mapping[str, Forms] = {}  # by role, of the columns that were read
    guesses: tuple[str, ...] = ()  # where other readings were possible, a sentence each
