"""Offenders as files: a part of them may hold what another does not."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxcheck.model.finding import Outcome
from taxcheck.run.check import check
from taxcheck.run.failures import FailureWriter
from taxcheck.run.registry import load_rules
from taxcheck.run.request import Request
from taxcheck.statistics.offenders import Offenders, shown_identifiers
from taxcheck.statistics.symptoms import rule_of
from tests.case_folders import case_folder

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
            columns = {"ancestor_taxid": shown_identifiers(pa.array(part, kind))}
            rows = np.arange(2)
            sink(Offenders("taxid_disagreement", columns, (rows,), rows))
    column = pq.read_table(tmp_path / "taxid_disagreement.parquet")["ancestor_taxid"]
    assert column.type == (pa.string() if parts[0] == [None, None] else kind)
    written = [cell for part in parts for cell in part]
    assert column.cast(pa.string()).to_pylist() == [None if c is None else str(c) for c in written]


SMALL_DISK = """
import gc, resource, signal, sys
from pathlib import Path
import numpy as np
from taxcheck.model.errors import OutputError
from taxcheck.run.failures import FailureWriter
from taxcheck.statistics.offenders import of_nodes

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sink = FailureWriter(Path(sys.argv[1])).__enter__()
for defect in ("self_pair", "duplicate_pair", "reversed_pair"):
    sink(of_nodes(defect, np.arange(3)))
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
    assert told.stdout.count(".parquet: cannot be written: ") == 1
    assert list(tmp_path.iterdir()) == []


# Their samples alone say what they find: no row or node is wrong, but the shape of the whole.
OF_NO_ROWS = {"ancestor_dominance", "index_range_as_taxids", "table_too_small"}


@pytest.mark.long
def test_what_a_finding_shows_the_sink_has_heard_of_by_name_and_idx():
    heard, shown, bad = set(), set(), (Outcome.FAIL, Outcome.WARN)
    data = [rule.id for rule in load_rules() if rule.family in ("MAP", "PAIR", "TREE")]
    for folder in (case_folder(id, "bad") for id in data):
        offenders = []
        files = {path.name: str(path) for path in folder.iterdir()}
        report = check(
            Request(
                mapping=files.get("mapping.tsv"),
                pairs=files.get("pairs.tsv"),
                held_out=files.get("held_out.tsv"),
                taxonomy=files.get("taxdump"),
                drawn=False,
            ),
            sink=offenders.append,
        )
        told = {}
        for some in offenders:
            told.setdefault(rule_of(some.defect), set()).update(np.concatenate(some.nodes).tolist())
        heard |= {name for name, nodes in told.items() if nodes}
        for result in report.results:
            name = result.name
            if result.outcome in bad and name not in OF_NO_ROWS:
                nodes = {sample.node for sample in result.samples} - {None}
                assert nodes <= told.get(name, set()), (folder, name)
                shown |= {name} if nodes else set()
    assert heard <= {rule.name for rule in load_rules()}
    assert len(shown) > 15
