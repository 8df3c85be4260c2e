"""Rows that break a schema are set apart with a reason each; nothing is dropped silently."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa_schema
import pyarrow as pa
import pyarrow.compute as pc
from pandera.errors import SchemaError

from taxcheck.sources.aliases import HEADER_REASON, MALFORMED, is_header_cell
from taxcheck.sources.batches import IntArray, Quarantined, RawBatch
from taxcheck.sources.cells import CodeArray, Problem

BoolArray = npt.NDArray[np.bool_]

IDX_LIMIT = 2**31 - 1  # exclusive: no embedding table has more rows
DEPTH_LIMIT = 2**31  # exclusive, in absolute value
_CELL_LIMIT = 200  # characters of a cell that are kept for the report

NOTHING = Quarantined(np.empty(0, dtype=np.int64), (), {})


def not_malformed(raw: RawBatch) -> pa.Array | None:
    """Why lines could not be taken apart, (n,) with null for sound ones; None: all are sound."""
    return raw.columns.get(MALFORMED)


def judge(
    schema: pa_schema.DataFrameSchema,
    values: Mapping[str, object],
    problems: Mapping[str, CodeArray],
    malformed: pa.Array | None,
    raw: RawBatch,
) -> tuple[BoolArray | None, Quarantined]:
    """The rows that a schema accepts, (n,) or None for all of them, and the others.

    ``values`` are the coerced columns by role. The schema speaks for the contract: where it
    accepts the batch nothing else is looked at; where it does not, its own checks name the rows.
    """
    frame = pd.DataFrame(values, copy=False)
    if not problems and malformed is None:
        try:
            schema.validate(frame, inplace=True)
        except SchemaError:
            pass
        else:
            return None, NOTHING
    reason = np.zeros(raw.rows, dtype=np.int64)  # number of the first reason that holds, 0 for none
    reasons = [""]

    def because(mask: BoolArray, text: str) -> None:
        new = mask & (reason == 0)
        if new.any():
            reason[new] = len(reasons)
            reasons.append(text)

    if malformed is not None:
        texts = malformed.dictionary_encode()
        codes = texts.indices.fill_null(-1).to_numpy()
        for number, text in enumerate(texts.dictionary.to_pylist()):
            because(codes == number, text)
    because(_headers(raw, problems), HEADER_REASON)
    for role, codes in problems.items():
        for problem in Problem:
            if problem is not Problem.NONE:
                because(codes == problem, f"{role} {problem.label}")
    for role, column in schema.columns.items():
        if role in frame:
            for check in column.checks:
                passed = check(frame[role]).check_output
                because(~np.asarray(passed, dtype=np.bool_), str(check.title))
    bad = np.flatnonzero(reason)
    if not len(bad):
        raise AssertionError(f"the schema {schema.name} refuses a batch whose rows its checks pass")
    return reason == 0, Quarantined(
        rows=bad + raw.first_row,
        reasons=tuple(np.array(reasons, dtype=object)[reason[bad]].tolist()),
        cells={
            role: _texts(column, bad) for role, column in raw.columns.items() if role != MALFORMED
        },
    )


def _headers(raw: RawBatch, problems: Mapping[str, CodeArray]) -> BoolArray:
    """Rows all of whose cells are names of columns; only rows with a problem can be."""
    found = np.zeros(raw.rows, dtype=np.bool_)
    if not problems:
        return found
    suspects = np.flatnonzero(
        np.logical_or.reduce([codes == Problem.NOT_WHOLE for codes in problems.values()])
    )
    roles = [r for r, c in raw.columns.items() if pa.types.is_string(c.type) and r != MALFORMED]
    if not len(suspects) or len(roles) < 2:
        return found
    verdict = np.ones(len(suspects), dtype=np.bool_)
    for role in roles:
        cells = raw.columns[role].take(pa.array(suspects)).dictionary_encode()
        known = [is_header_cell(role, word) for word in cells.dictionary.to_pylist()]
        codes = cells.indices.fill_null(len(known)).to_numpy()
        verdict &= np.array([*known, False], dtype=np.bool_)[codes]
    found[suspects] = verdict
    return found


def _texts(column: pa.Array, rows: IntArray) -> tuple[str | None, ...]:
    cells = column.take(pa.array(rows)).cast(pa.string())
    return tuple(pc.utf8_slice_codeunits(cells, 0, _CELL_LIMIT).to_pylist())
