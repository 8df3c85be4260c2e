"""The contract of the pairs: ancestor and descendant are rows of a table, depths are integers."""

from __future__ import annotations

import numpy as np
import pandera.pandas as pa_schema
import pyarrow as pa

from taxcheck.schemas.quarantine import DEPTH_LIMIT, IDX_LIMIT, judge, not_malformed
from taxcheck.sources.batches import IntArray, PairBatch, Quarantined, RawBatch
from taxcheck.sources.cells import CodeArray, identifiers, whole_numbers


def _idx(role: str) -> pa_schema.Column:
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
        title=f"idx of the {role}",
        description=f"Row of the embedding table that holds the {role}.",
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
                "possible are judged by PAIR008.",
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
    "the idx (ancestor_taxid, descendant_taxid) are compared with the mapping by PAIR010.",
)


def apply_pairs(raw: RawBatch) -> tuple[PairBatch, Quarantined]:
    """Hold a batch to the contract: sound rows as int64, the others with a reason each.

    ``raw`` needs the roles "ancestor" and "descendant".
    """
    values: dict[str, IntArray] = {}
    problems: dict[str, CodeArray] = {}
    for role in PAIRS_SCHEMA.columns:
        if role in raw.columns:
            whole = whole_numbers(raw.columns[role])
            values[role] = whole.values
            if whole.problems is not None:
                problems[role] = whole.problems
    keep, quarantined = judge(PAIRS_SCHEMA, values, problems, not_malformed(raw), raw)
    rows = np.arange(raw.first_row, raw.first_row + raw.rows, dtype=np.int64)
    labels: dict[str, pa.Array] = {
        role: identifiers(raw.columns[role])[0]
        for role in ("ancestor_taxid", "descendant_taxid")
        if role in raw.columns
    }
    if keep is not None:
        rows = rows[keep]
        values = {role: column[keep] for role, column in values.items()}
        labels = {role: column.filter(pa.array(keep)) for role, column in labels.items()}
    return PairBatch(rows=rows, **values, **labels), quarantined
