"""A baseline: only what is new or worse fails, and what cannot be compared is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from taxcheck.cli import main
from taxcheck.commands.compare.baseline import against
from taxcheck.model.change import BaselineState, Change
from taxcheck.model.finding import Outcome
from taxcheck.model.report import RenderOptions, Report
from taxcheck.model.written import report_from_json, report_to_json
from taxcheck.run.check import check
from taxcheck.run.registry import load_renderers
from taxcheck.run.request import Request

MAPPING = "taxid\tidx\n10\t0\n11\t1\n12\t2\n13\t3\n"
SOUND = "ancestor\tdescendant\tdepth_diff\n0\t1\t1\n0\t2\t1\n1\t3\t1\n0\t3\t2\n"
SELF = "2\t2\t1\n"


def run(folder: Path, pairs: str, mapping: str = MAPPING) -> Report:
    (folder / "mapping.tsv").write_text(mapping)
    (folder / "pairs.tsv").write_text(pairs)
    return check(Request(mapping=str(folder / "mapping.tsv"), pairs=str(folder / "pairs.tsv")))


def keep(report: Report, path: Path, **changed: object) -> str:
    content = json.loads(load_renderers()["json"](report, RenderOptions())) | changed
    path.write_text(json.dumps(content))
    return str(path)


def compared(folder: Path, before: str, after: str, tolerance: float = 0.01) -> Report:
    baseline = keep(run(folder, before), folder / "last.json")
    return against(run(folder, after), baseline, tolerance)


def change(report: Report, rule: str) -> Change | None:
    return next(r.change for r in report.results if r.id == rule)


def test_what_was_there_before_warns(tmp_path):
    report = compared(tmp_path, SOUND + SELF, SOUND + SELF)
    assert change(report, "PAIR005") is Change.UNCHANGED
    assert (report.verdict, report.exit_code) == (Outcome.WARN, 0)
    assert report.headline == (
        "Nothing is new or worse than in the baseline; 1 known finding remains."
    )


def test_what_is_new_fails(tmp_path):
    report = compared(tmp_path, SOUND, SOUND + SELF)
    assert change(report, "PAIR005") is Change.NEW
    assert (report.verdict, report.exit_code) == (Outcome.FAIL, 1)


def test_what_is_worse_fails_and_the_tolerance_is_a_part_of_what_it_was(tmp_path):
    """One self pair of five rows, then two of six: .2, then .333, two thirds more."""
    more = SOUND + SELF + "3\t3\t1\n"
    assert compared(tmp_path, SOUND + SELF, more, 0.6).exit_code == 1
    report = compared(tmp_path, SOUND + SELF, more, 0.7)
    assert (change(report, "PAIR005"), report.exit_code) == (Change.UNCHANGED, 0)


def test_what_is_fixed_is_told(tmp_path):
    report = compared(tmp_path, SOUND + SELF, SOUND)
    assert report.baseline is not None
    assert [rule.id for rule in report.baseline.of(Change.FIXED)] == ["PAIR005"]
    assert "findings 1 fixed" in report.baseline.summary
    assert report.verdict is Outcome.PASS


@pytest.mark.parametrize("policy", ["the same", "another"])
@pytest.mark.parametrize("now", ["skipped", None])
def test_a_failure_that_is_no_longer_judged_fails(tmp_path, now, policy):
    was, report = run(tmp_path, SOUND + SELF), run(tmp_path, SOUND)
    others = tuple(r for r in report.results if r.id != "PAIR005")
    (one,) = (r for r in report.results if r.id == "PAIR005")
    gone = replace(one, outcome=Outcome.SKIPPED, count=None, message="disabled by the policy")
    report = replace(report, results=(*others, gone) if now else others)
    said = {"policy": {"differences": {"rules.PAIR005": "off"}}} if policy == "another" else {}
    report = against(report, keep(was, tmp_path / "last.json", **said), 0.01)
    assert (report.verdict, report.exit_code) == (Outcome.FAIL, 1)
    why = ": disabled by the policy" if now else ""
    assert report.headline == f"PAIR005 self_pair failed before and is no longer judged{why}."
    assert report.baseline is not None
    assert "1 no longer judged" in report.baseline.summary
    for name in ("terminal", "markdown", "html", "junit"):
        text = load_renderers()[name](report, RenderOptions(width=200))
        assert "failed before and is no longer judged" in text, name
    assert report_from_json(report_to_json(report)) == report


@pytest.mark.parametrize(("strict", "code"), [(False, 0), (True, 1)])
def test_a_warning_that_is_no_longer_judged_warns(tmp_path, strict, code):
    was = run(tmp_path, SOUND.replace("1\t3\t1\n", ""))
    lost = {r.id for r in was.results if r.outcome is Outcome.WARN}
    left = tuple(r for r in was.results if r.outcome in (Outcome.PASS, Outcome.INFO))
    kept = tuple(replace(r, outcome=Outcome.PASS) for r in left)
    report = replace(was, results=kept, fail_on=Outcome.WARN if strict else Outcome.FAIL)
    found = replace(was, results=(*left, *(r for r in was.results if r.id in lost)))
    report = against(report, keep(found, tmp_path / "last.json"), 0.01)
    assert lost
    assert (report.verdict, report.exit_code) == (Outcome.WARN, code)
    assert "warned before and is no longer judged" in report.headline


def test_no_baseline_is_said_and_everything_is_new(tmp_path):
    report = against(run(tmp_path, SOUND + SELF), str(tmp_path / "none.json"), 0.01)
    assert report.baseline is not None
    assert report.baseline.state is BaselineState.MISSING
    assert report.exit_code == 1
    for name in ("terminal", "html"):
        text = load_renderers()[name](report, RenderOptions(width=200))
        assert "no baseline (the file does not exist)" in text
        assert "Everything counts as new." in text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"inputs": []}, "it read nothing"),
        ({"tool": {"name": "taxcheck", "version": "0.0.1"}}, "written by taxcheck 0.0.1"),
        (
            {"policy": {"source": None, "differences": {"dataset.pairs": "edges"}}},
            "the policy differs in dataset.pairs",
        ),
        ({"schema_version": "3.0"}, "schema 3.0, which cannot be compared"),
    ],
)
def test_what_cannot_be_compared_is_said_and_everything_is_new(tmp_path, changed, said):
    report = run(tmp_path, SOUND + SELF)
    report = against(report, keep(report, tmp_path / "last.json", **changed), 0.01)
    assert report.baseline is not None
    assert report.baseline.state is BaselineState.NOT_COMPARABLE
    assert said in report.baseline.summary
    assert report.exit_code == 1
    content = json.loads(load_renderers()["json"](report, RenderOptions()))
    assert content["baseline"]["state"] == "not comparable"
    assert all(rule["change"] is None for rule in content["results"])


def test_a_baseline_that_is_no_report_is_three(tmp_path, capsys):
    run(tmp_path, SOUND)
    (tmp_path / "last.json").write_text("[]")
    command = ["run", "--mapping", str(tmp_path / "mapping.tsv")]
    command += ["--pairs", str(tmp_path / "pairs.tsv"), "--baseline", str(tmp_path / "last.json")]
    with pytest.raises(SystemExit) as done:
        main(command)
    assert done.value.code == 3
    assert "is no report of `taxcheck run --json`" in capsys.readouterr().err


def test_warnings_under_fail_on_warn_are_held_against_it_too(tmp_path):
    """A pair above a broken chain is unproven, of which TREE005 warns: the same in both runs."""
    broken = SOUND.replace("1\t3\t1\n", "")
    baseline = keep(run(tmp_path, broken), tmp_path / "last.json")
    request = Request(
        mapping=str(tmp_path / "mapping.tsv"),
        pairs=str(tmp_path / "pairs.tsv"),
        fail_on=Outcome.WARN,
    )
    report = against(check(request), baseline, 0.0)
    assert report.count(Outcome.WARN)
    assert report.exit_code == 0
