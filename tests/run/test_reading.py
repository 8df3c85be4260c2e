"""How tables were read: to rules by name, in the report, and on the first screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from taxcheck.model.finding import Unavailable
from taxcheck.model.reading import Column, Forms, Reading
from taxcheck.model.report import RenderOptions
from taxcheck.model.written import report_from_json, report_to_json
from taxcheck.run.gather import gather
from taxcheck.run.judge import judge
from taxcheck.run.registry import load_renderers
from taxcheck.run.request import Request

CHAIN = "0,1,1,a\n1,2,1,b\n0,2,2,c\n"


def written(folder: Path, mapping: str, pairs: str) -> Request:
    (folder / "mapping.csv").write_text(mapping)
    (folder / "pairs.csv").write_text(pairs)
    return Request(mapping=str(folder / "mapping.csv"), pairs=str(folder / "pairs.csv"))


def test_rules_and_the_report_have_one_reading(tmp_path: Path) -> None:
    request = written(tmp_path, "taxid,idx\n 10,0\n0011,1\n12.0,2\n", CHAIN)
    with gather(request) as data:
        evidence, report = data.evidence, judge(data)
    assert evidence.mapping_reading == Reading(
        header=True,
        header_reason="its cells are known names of columns",
        first_row=("taxid", "idx"),
        columns={"taxid": Column("taxid", 1, "name"), "idx": Column("idx", 2, "name")},
        forms={
            "taxid": Forms(3, trimmed=1, plain=1, zero_padded=1, point_zero=1, digits=2),
            "idx": Forms(3, plain=3, digits=1),
        },
    )
    assert isinstance(evidence.pair_reading, Reading)
    assert evidence.pair_reading.first_row == ("0", "1", "1", "a")
    assert evidence.pair_reading.columns["descendant"] == Column("column 2", 2, "position")
    assert evidence.pair_reading.unread == ("column 4",)
    assert isinstance(evidence.held_out_reading, Unavailable)
    read = {one.role: one.reading for one in report_from_json(report_to_json(report)).inputs}
    assert read == {"mapping": evidence.mapping_reading, "pairs": evidence.pair_reading}


@pytest.mark.parametrize("name", ["terminal", "html", "markdown", "github", "sarif", "junit"])
def test_what_was_guessed_is_told_where_the_verdict_is(tmp_path: Path, name: str) -> None:
    request = written(tmp_path, "taxid,idx\n10,0\n11,1\n12,2\n", CHAIN)
    with gather(request) as data:
        told = load_renderers()[name](judge(data), RenderOptions(width=250))
    said = next(line for line in told.splitlines() if "1 further column" in line)
    assert "Columns without names are taken as ancestor, descendant, depth" in said
    assert "1 further column is not read." in said
    assert "mapping.csv" not in said
