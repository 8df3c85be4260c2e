"""Lines that cannot be taken apart, kept until their place among the rows is known."""

from __future__ import annotations

import contextlib
import sys
from collections import deque
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.sources.tables.batches import RawBatch
from taxcheck.sources.tables.columns import MALFORMED

Malformed = tuple[int, str, str]  # line from 1, reason, text of the line
TEXT_LIMIT = 200  # characters of a malformed line that are kept


@contextlib.contextmanager
def quiet(handler: object) -> Iterator[None]:
    """Keep Arrow from printing that it could not decode a line; the parse itself ends with it."""
    before = sys.unraisablehook

    def hook(unraisable: sys.UnraisableHookArgs) -> None:
        if unraisable.object is not handler:
            before(unraisable)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before


def put_back(batch: RawBatch, malformed: deque[Malformed]) -> RawBatch:
    """Put the malformed lines that fall into a batch back into their place.

    Those that follow its last row stay for the next batch, except where it has no rows.
    """
    rows = batch.rows
    found: list[Malformed] = []
    while malformed and (malformed[0][0] < batch.first_row + rows + len(found) or not batch.rows):
        found.append(malformed.popleft())
    if not found:
        return batch
    total = rows + len(found)
    bad = np.zeros(total, dtype=np.bool_)
    places = np.array([line - batch.first_row for line, _, _ in found])
    if places.min() < 0 or places.max() >= total:  # a lone \r inside a line shifts Arrow's count
        places = np.arange(rows, total)
    bad[places] = True
    source = np.cumsum(~bad) - 1
    order = pa.array(source, mask=bad)
    cells = {role: column.take(order) for role, column in batch.columns.items()}
    first = next(iter(cells))
    mask = pa.array(bad)
    cells[first] = pc.replace_with_mask(
        cells[first], mask, pa.array([text for _, _, text in found], pa.string())
    )
    cells[MALFORMED] = pc.replace_with_mask(
        pa.nulls(total, pa.string()), mask, pa.array([reason for _, reason, _ in found])
    )
    return RawBatch(batch.first_row, cells)
