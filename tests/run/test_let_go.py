"""More offenders than are kept: the report says that no cause was asked, and fix that it cannot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from taxcheck.commands.fix.repair import fix
from taxcheck.commands.selftest.cases import load_cases
from taxcheck.model import room
from taxcheck.model.memory import LEAST
from taxcheck.model.report import RenderOptions
from taxcheck.run.check import check
from taxcheck.run.registry import load_renderers
from taxcheck.statistics import symptoms

SAID = "What caused PAIR010 taxid_disagreement was not asked"


@pytest.fixture
def request_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    corruption = load_cases().corruptions["idx_rotated"]
    frame = corruption.corrupt(load_cases().bases["tree"](), np.random.default_rng(1)).frame
    monkeypatch.setattr(symptoms, "MOST", 100)
    return frame.write(tmp_path / "data")


def test_every_format_says_that_no_cause_was_asked(request_):
    report = check(request_)
    assert report.causes == ()
    (said,) = report.broken_causes
    assert said.startswith(SAID)
    assert "no cause whose undoing would change pairs was tried" in said
    for name, render in load_renderers().items():
        if name == "projection":  # a picture alone
            continue
        assert SAID in " ".join(render(report, RenderOptions()).split()), name


def test_a_repair_asks_where_rows_were_let_go_of(request_, tmp_path):
    fixed = fix(request_, tmp_path / "fixed")
    assert not fixed.written
    assert any("more rows than are kept" in one.why for one in fixed.plan.lacking if one.blocking)


def test_what_does_not_fit_into_the_memory_given_is_not_asked_and_told(tmp_path, monkeypatch):
    """A hypothesis that would hold all rows, and a trial that would hold all twice."""
    corruption = load_cases().corruptions["rows_turned_round"]
    frame = corruption.corrupt(load_cases().bases["tree"](), np.random.default_rng(1)).frame
    request = replace(frame.write(tmp_path / "data"), memory=LEAST)
    assert {cause.name for cause in check(request).causes} == {"exchanged_ends"}
    monkeypatch.setattr(room, "BASE", LEAST - 700_000)
    report = check(request)
    assert report.causes == ()
    said = " ".join(report.broken_causes)
    assert "exchanged_ends" in said
    assert "undoing them in a copy of all pairs takes 1MB; give `memory` 101MB" in said
    enough = check(replace(request, memory=2 * LEAST))
    assert {cause.name for cause in enough.causes} == {"exchanged_ends"}
    assert not enough.broken_causes
