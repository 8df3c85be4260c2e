"""A sample's row says of which input it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from taxcheck.run.check import check
from taxcheck.run.request import Request


@pytest.fixture
def tables(tmp_path):
    mapping, pairs, held = (tmp_path / name for name in ("m.tsv", "p.tsv", "h.tsv"))
    mapping.write_text("taxid\tidx\n10\t0\n11\t1\n12\t2\n12\t3\nx\t4\n")
    pairs.write_text("ancestor_idx\tdescendant_idx\n0\t1\n1\t1\n0\t2\n")
    held.write_text("ancestor_idx\tdescendant_idx\n1\t2\n0\t1\n")
    return Request(mapping=str(mapping), pairs=str(pairs), held_out=str(held))


@pytest.mark.parametrize(
    ("rule", "table", "row"),
    [
        ("MAP001", "mapping", 6),
        ("MAP002", "mapping", 4),
        ("PAIR003", "mapping", 5),
        ("PAIR005", "pairs", 3),
        ("PAIR012", "held-out", 3),
    ],
)
@pytest.mark.parametrize("workers", [1, 2])
def test_a_row_says_whose_it_is(tables, rule, table, row, workers):
    report = check(replace(tables, workers=workers))
    (result,) = (r for r in report.results if r.id == rule)
    first = result.samples[0]
    assert (first.table, first.row) == (table, row)
