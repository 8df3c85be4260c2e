"""Offending rows as files: a part of them may hold what another does not."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxcheck.failures import FailureWriter
from taxcheck.statistics.rows import shown_identifiers

NUMBERS, TEXTS = [99, 2**53 + 1], ["a", "b"]


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        (kind, parts)
        for kind, known in ((pa.int64(), NUMBERS), (pa.string(), TEXTS))
        for parts in itertools.permutations((known, [known[0], None], [None, None]))
    ],
)
def test_identifiers_stay_themselves_wherever_a_null_is(tmp_path, kind, parts):
    with FailureWriter(tmp_path) as sink:
        for part in parts:
            taxids = shown_identifiers(pa.array(part, kind))
            sink("taxid_disagreement", {"row": np.arange(2), "ancestor_taxid": taxids})
    column = pq.read_table(tmp_path / "taxid_disagreement.parquet")["ancestor_taxid"]
    assert column.type == (pa.string() if parts[0] == [None, None] else kind)
    written = [cell for part in parts for cell in part]
    assert column.cast(pa.string()).to_pylist() == [None if c is None else str(c) for c in written]
