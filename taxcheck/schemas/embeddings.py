"""The contract of an embedding table's rows, stated on their statistics: norm and model error."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa_schema
from pandera.errors import SchemaError

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

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
                    "distance off the sheet in units of 8 u x0^2, u the dtype's roundoff; 0 for "
                    "tangent and Euclidean rows, which can be anything finite.",
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


def judge_rows(norm: FloatArray, outside: FloatArray) -> tuple[BoolArray, BoolArray]:
    """(rows that are not finite, rows that are no points of the model), (k,) each.

    Where the schema accepts the rows nothing else is looked at; where it does not, its own checks
    name them.
    """
    frame = pd.DataFrame({"norm": norm, "outside": outside}, copy=False)
    try:
        EMBEDDINGS_SCHEMA.validate(frame, inplace=True)
    except SchemaError:
        pass
    else:
        nothing = np.zeros(len(norm), dtype=bool)
        return nothing, nothing
    (finite,) = EMBEDDINGS_SCHEMA.columns["norm"].checks
    (inside,) = EMBEDDINGS_SCHEMA.columns["outside"].checks
    broken = ~np.asarray(finite(frame["norm"]).check_output, dtype=bool)
    off = ~np.asarray(inside(frame["outside"]).check_output, dtype=bool)
    return broken, off & ~broken
