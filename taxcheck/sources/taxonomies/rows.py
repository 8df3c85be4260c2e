"""The rows of a table that states a hierarchy; a line that cannot be taken apart is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.errors import InputError
from taxcheck.sources.readers import Candidate
from taxcheck.sources.tables.batches import RawBatch
from taxcheck.sources.tables.columns import MALFORMED
from taxcheck.sources.tables.table import Table, open_table


def table_of(candidate: Candidate) -> Table:
    """The candidate as a table, opened once; InputError where it is none."""
    return candidate.once(_open)


def _open(candidate: Candidate) -> Table:
    return open_table(candidate.path)


def sound_batches(table: Table, roles: Mapping[str, str]) -> Iterator[RawBatch]:
    """The columns by role, in batches; InputError at a line that cannot be taken apart."""
    for batch in table.batches(roles):
        if MALFORMED in batch.columns:
            reasons = batch.columns[MALFORMED]
            at = int(np.flatnonzero(reasons.is_valid().to_numpy(False))[0])
            raise InputError(
                f"{table.path}: row {batch.first_row + at:,} cannot be read "
                f"({reasons[at].as_py()}); mend or remove it"
            )
        yield batch


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
