"""The figures of the explanations are those that the code gives."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from taxcheck.geometry.ball import radius_of_norm
from taxcheck.geometry.precision import (
    UNIT_ROUNDOFF,
    ball_rounding,
    largest_ball_radius,
    largest_sheet_radius,
)
from taxcheck.run.check import check
from taxcheck.run.request import Request

INCIDENT = Path("docs/explanation/incident.md").read_text(encoding="utf-8")
GEOMETRY = Path("docs/explanation/geometry.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def report(incident):
    return check(Request(mapping=str(incident.mapping), pairs=str(incident.pairs), drawn=False))


@pytest.mark.long
def test_the_figures_of_the_incident(report):
    """Those of the column 'rebuilt'; tests/run/test_incident.py holds the account's beside them."""
    pairs = report.statistics.pairs
    depth = {row.depth: row.pairs for row in pairs.depth.histogram}
    expected = {
        "nodes in the mapping": report.statistics.mapping.nodes,
        "pairs": pairs.rows,
        "nodes in pairs": pairs.nodes,
        "nodes in no pair": pairs.never,
        "only descendants": pairs.only_descendant,
        "only ancestors": pairs.only_ancestor,
        "both": pairs.both,
        "pairs at depth 1": depth[1],
        "pairs at depth 2 to 5": sum(depth[k] for k in range(2, 6)),
        "pairs deeper than 5": sum(count for k, count in depth.items() if k > 5),
        "rows of a table sized from the pairs": pairs.table_size,
        "nodes beyond that table": report.statistics.mapping.n_nodes - pairs.table_size,
        "holes inside it": pairs.holes_in_range,
    }
    told = re.findall(r"^\| ([^|]+) \| [\d,]+ \| ([\d,]+) \|$", INCIDENT, re.M)
    assert {what: int(number.replace(",", "")) for what, number in told} == expected
    both = re.findall(r"^\| [^|]+ \| ([\d,]+) \| ([\d,]+) \|$", INCIDENT, re.M)
    for account, rebuilt in ((int(a.replace(",", "")), int(b.replace(",", ""))) for a, b in both):
        assert abs(account - rebuilt) < 0.06 * account


@pytest.mark.long
def test_the_line_that_no_biology_draws(report):
    (cut,) = (r for r in report.results if r.id == "PAIR014")
    seen = cut.observed
    assert f"| below {seen['cut at taxid']:,} |" in INCIDENT
    assert f"| {seen['covered below']:,} of {seen['nodes below']:,} |" in INCIDENT
    assert f"| {seen['covered above']:,} of {seen['nodes above']:,} |" in INCIDENT
    unproven = report.statistics.tree.unproven_pairs
    (parent,) = (r for r in report.results if r.id == "TREE007")
    for number in (unproven, parent.count, parent.total):
        assert f"{number:,}" in INCIDENT


def test_the_largest_radius_of_each_dtype():
    told = re.findall(r"^\| (b?float\d+) \| ([\d.]+) \| ([\d.]+) \|$", GEOMETRY, re.M)
    assert [row[0] for row in told] == list(UNIT_ROUNDOFF)
    for dtype, ball, lorentz in told:
        assert float(ball) == pytest.approx(largest_ball_radius(dtype), abs=0.051)
        assert float(lorentz) == pytest.approx(largest_sheet_radius(dtype), abs=0.051)
    assert ball_rounding(UNIT_ROUNDOFF["float32"], 12.2) < 0.006
    assert 0.25 < ball_rounding(UNIT_ROUNDOFF["float32"], 16.0) < 0.27  # "up to a quarter"


def test_the_radius_of_each_clip():
    told = re.findall(r"^\| (0\.\d+) \| ([\d.]+) \|$", GEOMETRY, re.M)
    assert len(told) == 4
    for clip, radius in told:
        assert float(radius) == pytest.approx(radius_of_norm(float(clip)), abs=0.005)
    assert radius_of_norm(0.9997) == pytest.approx(8.8, abs=0.05)
    shrunk = [4 / (1 - n**2) ** 2 / 4 for n in (0.9, 0.999)]
    assert shrunk == pytest.approx([28, 250_000], rel=0.02)
