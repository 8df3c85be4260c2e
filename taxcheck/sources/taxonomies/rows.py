"""The rows of a table that states a hierarchy; a line that cannot be taken apart is refused."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import BoolArray
from taxcheck.model.errors import InputError
from taxcheck.model.vocabulary import plural
from taxcheck.sources.readers import Candidate, Guess
from taxcheck.sources.tables.batches import RawBatch
from taxcheck.sources.tables.cells import BYTE_ORDER_MARK
from taxcheck.sources.tables.columns import MALFORMED, refuse_duplicates
from taxcheck.sources.tables.table import Table, open_table

_SHOWN = 8  # columns that are told


def table_of(candidate: Candidate) -> Table:
    """The candidate as a table, opened once; InputError where it is none."""
    return candidate.once(_open)


def _open(candidate: Candidate) -> Table:
    return open_table(candidate.path)


def sound_batches(table: Table, roles: Mapping[str, str]) -> Iterator[RawBatch]:
    """The columns by role, in batches, without rows that say the header again, which is told.

    A line end in a cell, with the blanks around it, is read as one blank, which is told.

    InputError at a line that cannot be taken apart, and where one of the names is there twice.
    """
    try:
        refuse_duplicates(table.column_names, roles.values())
    except InputError as error:
        raise InputError(f"{table.path}: {error}") from None
    again, first, broken = 0, 0, 0
    for batch in table.batches(roles):
        if MALFORMED in batch.columns:
            reasons = batch.columns[MALFORMED]
            at = int(np.flatnonzero(reasons.is_valid().to_numpy(False))[0])
            raise InputError(
                f"{table.path}: row {batch.first_row + at:,} cannot be read "
                f"({reasons[at].as_py()}); mend or remove it"
            )
        repeats = _says_names(batch, roles) if table.header else None
        if repeats is not None and (found := np.flatnonzero(repeats)).size:
            again, first = again + len(found), first or int(batch.numbers[found[0]])
            mask = pa.array(~repeats)
            columns = {role: cells.filter(mask) for role, cells in batch.columns.items()}
            batch = RawBatch(batch.first_row, columns, batch.numbers[~repeats])
        if batch.rows:
            batch, cells_broken = _without_line_ends(batch)
            broken += cells_broken
            yield batch
    if broken:
        what = "cell is read as a blank" if broken == 1 else "cells are read as blanks"
        table.tell(Guess(f"Line ends in {broken:,} {what}"))
    if again:
        what = "repeats the header and is" if again == 1 else "repeat the header and are"
        table.tell(Guess(f"{plural(again, 'row')} {what} left out; first: row {first:,}"))


def _without_line_ends(batch: RawBatch) -> tuple[RawBatch, int]:
    """A batch whose cells are of one line each, and how many were of several."""
    columns, broken = dict(batch.columns), 0
    for role, cells in batch.columns.items():
        if not _has_line_ends(cells):
            continue
        broken += pc.sum(pc.match_substring_regex(cells, r"[\r\n]")).as_py() or 0
        columns[role] = pc.replace_substring_regex(cells, r"\s*[\r\n]\s*", " ")
    return (RawBatch(batch.first_row, columns, batch.kept), broken) if broken else (batch, 0)


def _has_line_ends(cells: pa.Array) -> bool:
    """Whether cells may have any; a look at all bytes, since few tables have."""
    if not pa.types.is_string(cells.type) or not len(cells) or (data := cells.buffers()[2]) is None:
        return False
    held = np.frombuffer(data, np.uint8)
    return bool(((held == ord("\n")) | (held == ord("\r"))).any())


def _says_names(batch: RawBatch, roles: Mapping[str, str]) -> BoolArray | None:
    """Which rows, (n,), hold the names of their columns, as of tables written behind each other."""
    found: BoolArray | None = None
    for role, name in roles.items():
        cells = batch.columns[role]
        if not name or not pa.types.is_string(cells.type):
            return None
        said = pc.equal(pc.utf8_trim(cells, f" \t{BYTE_ORDER_MARK}"), name)
        mask = pc.fill_null(said, False).to_numpy(zero_copy_only=False)
        found = mask if found is None else found & mask
        if not found.any():
            return None
    return found


def not_read(table: Table, read: Collection[str]) -> str:
    """The columns of a table that are not read, in words; "" for none."""
    names = table.column_names
    unread = [repr(name) if name else f"column {place} (without a name)"
              for place, name in enumerate(names, start=1) if name not in read]  # fmt: skip
    more = ", …" if len(unread) > _SHOWN else ""
    return f"not read: {', '.join(unread[:_SHOWN])}{more}" if unread else ""


def trimmed_rows(table: Table, columns: Sequence[str | None]) -> Iterator[tuple[str, ...]]:
    """The cells of each row, trimmed; "" where a cell is empty or a column is None."""
    roles = {f"{k}_taxid": name for k, name in enumerate(columns) if name}
    for batch in sound_batches(table, roles):
        cells = [
            pc.utf8_trim_whitespace(
                pc.fill_null(batch.columns[f"{k}_taxid"].cast(pa.string()), "")
            ).to_pylist()
            if name
            else [""] * batch.rows
            for k, name in enumerate(columns)
        ]
        yield from zip(*cells, strict=True)
