"""The published contract of every input, as Pandera schemas; they decide where bounds leave doubt.

``contract.py`` asks for them only then: loading Pandera takes longer than a gate on a small clade.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pandera.pandas as pa_schema
import pyarrow as pa
import pyarrow.compute as pc
from pandera.errors import SchemaError

from taxcheck.model.arrays import BoolArray, FloatArray, IntArray
from taxcheck.sources.bounds import DEPTH_LIMIT, IDX_LIMIT
from taxcheck.sources.tables.batches import NOTHING_REFUSED, Quarantined, RawBatch, Reasons
from taxcheck.sources.tables.cells import CodeArray, Problem
from taxcheck.sources.tables.columns import MALFORMED, is_header_cell

_CELL_LIMIT = 200  # characters of a cell that are kept for the report


def _not_negative(series: pd.Series) -> pd.Series:
    """Integers from 0; texts that are not a negative integer."""
    if pd.api.types.is_integer_dtype(series.dtype):
        return series >= 0
    return ~series.str.match(r"-\d+$")


def _idx(role: str, title: str = "", description: str = "") -> pa_schema.Column:
    return pa_schema.Column(
        "int64",
        checks=[
            pa_schema.Check.ge(
                0,
                name="not_negative",
                title=f"{role} is negative",
                description="An idx is a row number of the embedding table, from 0.",
                n_failure_cases=1,
            ),
            pa_schema.Check.lt(
                IDX_LIMIT,
                name="below_limit",
                title=f"{role} is larger than any table",
                description="No embedding table has 2**31 - 1 rows: such an idx is a damaged cell.",
                n_failure_cases=1,
            ),
        ],
        title=title or f"idx of the {role}",
        description=description or f"Row of the embedding table that holds the {role}.",
    )


MAPPING_SCHEMA = pa_schema.DataFrameSchema(
    {
        "taxid": pa_schema.Column(
            checks=[
                pa_schema.Check(
                    _not_negative,
                    name="not_negative",
                    title="taxid is negative",
                    description="NCBI taxids are positive; -1 mostly stands for a missing value.",
                    n_failure_cases=1,
                )
            ],
            nullable=False,
            title="identifier",
            description="What the node is called: an integer (NCBI taxid) or a text such as "
            "CHEBI:18357. It is the same kind throughout a file.",
        ),
        "idx": _idx(
            "idx",
            "row of the embedding table",
            "Dense: the idx of n nodes are 0 to n - 1, each once.",
        ),
    },
    name="mapping",
    title="Mapping of identifiers to idx",
    description="One row for every node. Duplicates and holes are judged by rules.",
)


def _depth(role: str, title: str, description: str) -> pa_schema.Column:
    return pa_schema.Column(
        "int64",
        checks=[
            pa_schema.Check.in_range(
                -DEPTH_LIMIT + 1,
                DEPTH_LIMIT - 1,
                name="within_limit",
                title=f"{role} is larger than any depth",
                description="Beyond 2**31 a depth is a damaged cell. Depths that are wrong but "
                "possible are judged by a rule.",
                n_failure_cases=1,
            )
        ],
        required=False,
        title=title,
        description=description,
    )


PAIRS_SCHEMA = pa_schema.DataFrameSchema(
    {
        "ancestor": _idx("ancestor"),
        "descendant": _idx("descendant"),
        "depth_diff": _depth(
            "depth_diff", "distance", "Steps from the ancestor down to the descendant, from 1."
        ),
        "ancestor_depth": _depth(
            "ancestor_depth", "depth of the ancestor", "Steps from the root to the ancestor."
        ),
        "descendant_depth": _depth(
            "descendant_depth", "depth of the descendant", "Steps from the root to the descendant."
        ),
    },
    name="pairs",
    title="Training pairs",
    description="One row says that the ancestor lies above the descendant. Identifiers beside "
    "the idx (ancestor_taxid, descendant_taxid) are compared with the mapping by a rule.",
)


EMBEDDINGS_SCHEMA = pa_schema.DataFrameSchema(
    {
        "norm": pa_schema.Column(
            "float64",
            nullable=True,
            checks=[
                pa_schema.Check(
                    np.isfinite,
                    ignore_na=False,
                    name="finite",
                    title="the row is not finite",
                    description="NaN and infinite numbers are points of no space.",
                    n_failure_cases=1,
                ),
            ],
            title="norm of the row",
            description="Euclidean norm of the row as stored.",
        ),
        "outside": pa_schema.Column(
            "float64",
            nullable=True,
            checks=[
                pa_schema.Check.lt(
                    1.0,
                    ignore_na=False,
                    name="inside_the_model",
                    title="the row is no point of the model",
                    description="For the ball the norm in units of its radius; for Lorentz the "
                    "distance off the sheet in units of 100 (8 + d) u x0^2, u the roundoff of the "
                    "dtype; 0 for tangent and Euclidean rows, which can be anything finite.",
                    n_failure_cases=1,
                )
            ],
            title="how far outside the row is",
            description="Below 1 for every point of the model that the table is read as.",
        ),
    },
    name="embeddings",
    title="Embedding table",
    description="Statistics of every row of the table, by row number.",
    coerce=False,
)


_SCHEMAS = {
    str(schema.name): schema for schema in (MAPPING_SCHEMA, PAIRS_SCHEMA, EMBEDDINGS_SCHEMA)
}


def judge(
    table: str,
    values: Mapping[str, object],
    problems: Mapping[str, CodeArray],
    raw: RawBatch,
) -> tuple[BoolArray | None, Quarantined]:
    """The rows that a schema accepts, (n,) or None for all of them, and the others.

    ``values`` are the coerced columns by role, integers as int64. Where the schema accepts the
    batch nothing else is looked at; where it does not, its own checks name the rows.
    """
    schema = _SCHEMAS[table]
    frame = pd.DataFrame({role: _series(column) for role, column in values.items()}, copy=False)
    if not problems and MALFORMED not in raw.columns:
        try:
            schema.validate(frame, inplace=True)
        except SchemaError:
            pass
        else:
            return None, NOTHING_REFUSED
    reasons = Reasons(raw, _headers(raw, problems), problems)
    for role, column in schema.columns.items():
        if role in frame:
            for check in column.checks:
                passed = check(frame[role]).check_output
                reasons.because(~np.asarray(passed, dtype=np.bool_), str(check.title))
    bad = np.flatnonzero(reasons.refused)
    if not len(bad):
        raise AssertionError(f"the schema {schema.name} refuses a batch whose rows its checks pass")
    return ~reasons.refused, Quarantined(
        rows=raw.numbers[bad],
        reasons=tuple(reasons.of_rows[bad].tolist()),
        cells={
            role: _texts(column, bad) for role, column in raw.columns.items() if role != MALFORMED
        },
    )


def _series(column: object) -> object:
    """A column as pandas holds it, without a copy where that is possible."""
    if isinstance(column, np.ndarray):
        return column.astype(np.int64, copy=False)
    if not isinstance(column, pa.Array):
        return column
    if pa.types.is_int64(column.type):
        return pc.fill_null(column, 0).to_numpy()
    return pd.array(pc.fill_null(column, ""), dtype="str")


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


def judge_rows(norm: FloatArray, outside: FloatArray) -> tuple[BoolArray, BoolArray]:
    """(rows that are not finite, rows that are no points of the model), (k,) each."""
    frame = pd.DataFrame({"norm": norm, "outside": outside}, copy=False)
    (finite,) = EMBEDDINGS_SCHEMA.columns["norm"].checks
    (inside,) = EMBEDDINGS_SCHEMA.columns["outside"].checks
    broken = ~np.asarray(finite(frame["norm"]).check_output, dtype=bool)
    off = ~np.asarray(inside(frame["outside"]).check_output, dtype=bool)
    return broken, off & ~broken


def contract() -> dict[str, object]:
    """Tables, columns and checks of the published contract, JSON-ready."""
    return {name: _table(schema) for name, schema in _SCHEMAS.items()}


def _table(schema: pa_schema.DataFrameSchema) -> dict[str, object]:
    return {
        "title": schema.title,
        "description": schema.description,
        "columns": {name: _column(column) for name, column in schema.columns.items()},
    }


def _column(column: pa_schema.Column) -> dict[str, object]:
    return {
        "title": column.title,
        "description": column.description,
        "type": str(column.dtype) if column.dtype else "int64 or text",
        "required": column.required,
        "nullable": column.nullable,
        "checks": [
            {
                "name": check.name,
                "refused_as": check.title,
                "description": check.description,
                **{key: int(value) for key, value in check.statistics.items() if "value" in key},
            }
            for check in column.checks
        ],
    }
