"""Empty lines of a text: rows in the middle of a table, and none at its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.sources.tables.batches import BATCH_ROWS, RawBatch
from taxcheck.sources.tables.columns import MALFORMED


def held_rows(tail: bytes, blank: int, delimiter: str) -> int:
    """How many of the last lines, in which nothing that is read stands, are rows.

    Those up to the last with a cell in a column that is not read.
    """
    if not blank:
        return 0
    filled = tail.rstrip(b' \t\r\n"' + delimiter.encode())
    behind = tail[len(filled) :]
    empty = behind.count(b"\n") - behind.endswith(b"\n")
    return max(blank - empty, 0) if filled else 0


def trailing_blank(batch: RawBatch) -> int:
    """How many of the last rows of a batch are empty in every column that is read."""
    cells = [column for role, column in batch.columns.items() if role != MALFORMED]
    if any(column[-1].as_py() != "" for column in cells):
        return 0
    lengths = sum(pc.fill_null(pc.binary_length(column), 1).to_numpy() for column in cells)
    filled = np.flatnonzero(lengths)
    return batch.rows - (int(filled[-1]) + 1 if len(filled) else 0)


def blank_rows(
    first: int, rows: int, columns: Mapping[str, pa.Array]
) -> Iterator[tuple[RawBatch, float]]:
    """So many rows of empty cells, from row ``first`` on; they add nothing to the share."""
    for start in range(0, rows, BATCH_ROWS):
        empty = pa.repeat("", min(BATCH_ROWS, rows - start))
        yield RawBatch(first + start, dict.fromkeys(columns, empty)), 0.0
