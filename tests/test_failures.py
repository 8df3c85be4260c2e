"""Offending rows as files: a part of them may hold what another does not."""

from __future__ import annotations

import itertools
import subprocess
import sys

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


SMALL_DISK = """
import gc, resource, signal, sys
from pathlib import Path
import numpy as np
from taxcheck.errors import OutputError
from taxcheck.failures import FailureWriter

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sink = FailureWriter(Path(sys.argv[1])).__enter__()
for defect in ("self_pair", "duplicate_pair", "reversed_pair"):
    sink(defect, {"row": np.arange(3)})
resource.setrlimit(resource.RLIMIT_FSIZE, (200, -1))
try:
    sink.__exit__(None, None, None)
except OutputError as error:
    print(error)
del sink
gc.collect()
"""


def test_a_disk_that_is_full_at_the_end_is_told_once_for_all_files(tmp_path):
    """A file that is left open would complain on its own when it is collected."""
    told = subprocess.run(
        [sys.executable, "-c", SMALL_DISK, tmp_path], capture_output=True, text=True
    )
    assert told.stderr == ""
    assert told.stdout.count("the failing rows cannot be written") == 1
    assert list(tmp_path.iterdir()) == []
