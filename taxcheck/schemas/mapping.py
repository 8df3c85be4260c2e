"""The contract of the mapping: every row gives an identifier the row of the table it owns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pandera.pandas as pa_schema
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.schemas.quarantine import IDX_LIMIT, judge, not_malformed
from taxcheck.sources.batches import MappingBatch, Quarantined, RawBatch
from taxcheck.sources.cells import CodeArray, identifiers, whole_numbers


def _not_negative(series: pd.Series) -> pd.Series:
    """Integers from 0; texts that are not a negative integer."""
    if pd.api.types.is_integer_dtype(series.dtype):
        return series >= 0
    return ~series.str.match(r"-\d+$")


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
        "idx": pa_schema.Column(
            "int64",
            checks=[
                pa_schema.Check.ge(
                    0,
                    name="not_negative",
                    title="idx is negative",
                    description="An idx is a row number of the embedding table, from 0.",
                    n_failure_cases=1,
                ),
                pa_schema.Check.lt(
                    IDX_LIMIT,
                    name="below_limit",
                    title="idx is larger than any table",
                    description="No embedding table has 2**31 - 1 rows: such an idx is a damaged "
                    "cell.",
                    n_failure_cases=1,
                ),
            ],
            title="row of the embedding table",
            description="Dense: the idx of n nodes are 0 to n - 1, each once.",
        ),
    },
    name="mapping",
    title="Mapping of identifiers to idx",
    description="One row for every node. Duplicates and holes are judged by MAP002 to MAP004.",
)


def apply_mapping(raw: RawBatch) -> tuple[MappingBatch, Quarantined]:
    """Hold a batch to the contract: sound rows, the others with a reason each.

    ``raw`` needs the roles "taxid" and "idx". Identifiers are int64 where the column is numeric,
    else stripped text; whether texts are integers is decided over the whole file, not here.
    """
    problems: dict[str, CodeArray] = {}
    names, empty = identifiers(raw.columns["taxid"])
    if empty is not None:
        problems["taxid"] = empty
    idx = whole_numbers(raw.columns["idx"])
    if idx.problems is not None:
        problems["idx"] = idx.problems
    values = {"taxid": _series(names), "idx": idx.values}
    keep, quarantined = judge(MAPPING_SCHEMA, values, problems, not_malformed(raw), raw)
    rows = np.arange(raw.first_row, raw.first_row + raw.rows, dtype=np.int64)
    if keep is None:
        return MappingBatch(rows, names, idx.values), quarantined
    return MappingBatch(rows[keep], names.filter(pa.array(keep)), idx.values[keep]), quarantined


def _series(names: pa.Array) -> object:
    """Identifiers as pandas holds them, without a copy where that is possible."""
    if pa.types.is_int64(names.type):
        return pc.fill_null(names, 0).to_numpy()
    return pd.array(pc.fill_null(names, ""), dtype="str")
