"""What other programs get of a command: progress as lines, and what build and fix say as JSON."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from taxcheck.cli import main
from taxcheck.model.written import report_from_json

HEALTHY = Path("fixtures/healthy").absolute()
DATA = ["--mapping", str(HEALTHY / "mapping.tsv"), "--pairs", str(HEALTHY / "pairs.parquet")]
BUILD = ["build", str(HEALTHY / "taxdump"), "--root", "Forcipulatida"]

pytestmark = pytest.mark.long


def typed(*arguments: str) -> int:
    try:
        main(list(arguments))
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def told(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> list[dict[str, object]]:
    """The lines of progress of a command."""
    end, begin = os.pipe()
    monkeypatch.setenv("TAXCHECK_PROGRESS", str(begin))
    assert typed(*arguments) == 0
    os.close(begin)
    with open(end, encoding="utf-8") as lines:  # noqa: PTH123 - of an open file
        return [json.loads(line) for line in lines]


def test_progress_is_told_as_lines_to_the_file_that_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines = told(monkeypatch, "run", *DATA, "--json", str(tmp_path / "r.json"))
    assert {line["stage"] for line in lines} == {"reading mapping", "reading pairs"}
    for path, stage in ((HEALTHY / "mapping.tsv", "mapping"), (HEALTHY / "pairs.parquet", "pairs")):
        size = path.stat().st_size
        done = [line["done"] for line in lines if line["stage"] == f"reading {stage}"]
        assert done == sorted(done)
        assert done[-1] == size
    assert all(line["whole"] for line in lines)


def test_a_build_tells_its_stages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lines = told(monkeypatch, *BUILD, "--out", str(tmp_path / "built"), "-q")
    stages = ["reading the source", "writing", "running the gate"]
    assert lines == [{"stage": stage, "done": 0, "whole": 0} for stage in stages]


@pytest.mark.parametrize("number", ["", "x", "999999"])
def test_nobody_who_listens_is_no_reason_to_stop(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: str
) -> None:
    monkeypatch.setenv("TAXCHECK_PROGRESS", number)
    assert typed(*BUILD, "--out", str(tmp_path / "built"), "-q") == 0


def test_the_report_of_a_builds_gate_is_that_of_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = tmp_path / "gate.json"
    assert typed(*BUILD, "--out", str(tmp_path / "built"), "--json", str(written)) == 0
    gate = report_from_json(written.read_bytes())
    monkeypatch.chdir(tmp_path / "built")
    capsys.readouterr()
    assert typed("run", "--json", "-") == 0
    run = report_from_json(capsys.readouterr().out.encode())
    assert gate.results == run.results
    assert gate.title == "built"


def test_a_plan_is_told_with_the_report_that_it_answers(tmp_path: Path) -> None:
    written = tmp_path / "plan.json"
    out = ["--out", str(tmp_path / "fixed"), "--dry-run", "--json", str(written)]
    assert typed("fix", *DATA, *out, "--cap-depth", "3") == 0
    told = json.loads(written.read_bytes())
    before = report_from_json(json.dumps(told["before"]).encode())
    assert before.verdict == "pass"
    (repair,) = told["plan"]["repairs"]
    assert told["plan"]["before"]["pairs"] - told["plan"]["after"]["pairs"] == repair["rows"]
    assert not (tmp_path / "fixed").exists()
