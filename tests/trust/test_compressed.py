"""Small files of many rows: what they take stays within the memory that a run is given."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather
from pyarrow import parquet as pq

pytestmark = pytest.mark.slow

ROWS, GIVEN = 30_000_000, 1_000_000_000
_BATCH = 1_000_000
_NAMES = ("descendant_idx", "ancestor_idx", "depth_diff")


def _write(path: Path) -> None:
    """The same pair again and again."""
    one = pa.table({name: np.full(_BATCH, k) for name, k in zip(_NAMES, (2, 1, 1), strict=True)})
    if path.suffix == ".gz":
        with gzip.open(path, "wb", 6) as packed:
            packed.write(",".join(_NAMES).encode() + b"\n")
            for _ in range(ROWS // _BATCH):
                packed.write(b"2,1,1\n" * _BATCH)
    elif path.suffix == ".feather":
        feather.write_feather(pa.concat_tables([one] * (ROWS // _BATCH)), path, compression="zstd")
    else:
        with pq.ParquetWriter(path, one.schema, compression="zstd") as writer:
            for _ in range(ROWS // _BATCH):
                writer.write_table(one)


@pytest.mark.parametrize("name", ["pairs.parquet", "pairs.feather", "pairs.csv.gz"])
def test_rows_that_repeat_are_counted_in_the_memory_that_is_given(
    name: str, tmp_path: Path
) -> None:
    _write(tmp_path / name)
    (tmp_path / "mapping.csv").write_text("idx,taxid\n0,10\n1,11\n2,12\n")
    command = [sys.executable, "-m", "taxcheck", "run", "--mapping", "mapping.csv",
               "--pairs", name, "--memory", "1GB", "--workers", "2"]  # fmt: skip
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = " ".join(process.stdout.read().split())
    process.stdout.close()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 1
    assert "29,999,999 of 30,000,000 rows (> 99.9 %) repeat a pair" in said
    assert "What caused PAIR006 duplicate_pair was not asked: more than 9,090,909 offenders" in said
    assert used.ru_maxrss << 10 < GIVEN, "what is told as left out made room"
