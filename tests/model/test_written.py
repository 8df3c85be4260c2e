"""A report as JSON, there and back; reports of earlier taxchecks; what is no report."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import cycle, islice
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from taxcheck.model.finding import Outcome
from taxcheck.model.report import Report
from taxcheck.model.result import RuleResult
from taxcheck.model.schema import report_schema
from taxcheck.model.waiver import WaiverState
from taxcheck.model.written import (
    NoReportError,
    OtherVersionError,
    plain_observed,
    report_from_json,
    report_to_json,
    settled,
)
from taxcheck.run.registry import load_renderers
from tests.reports.sample import REPORTS
from tests.reports.standing import STANDING

OLD = sorted(Path(__file__).with_name("reports").glob("*.json"))
ALL = REPORTS | STANDING


@pytest.mark.parametrize("name", ALL)
def test_a_report_comes_back_as_it_was(name):
    report = settled(ALL[name]())
    written = report_to_json(report)
    assert report_from_json(written) == report
    assert report_from_json(b"\xef\xbb\xbf" + written) == report
    assert report_to_json(report_from_json(written)) == written


@pytest.mark.parametrize("name", ["incident", "audited incident", "hostile", "waived", "worsened"])
@pytest.mark.parametrize("format", ["html", "terminal", "markdown", "sarif", "junit", "json"])
def test_a_report_that_was_read_back_is_rendered_as_the_fresh_one(name, format):
    from taxcheck.model.report import RenderOptions

    report = settled(ALL[name]())
    render = load_renderers()[format]
    assert render(report_from_json(report_to_json(report)), RenderOptions()) == render(
        report, RenderOptions()
    )


SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


LIMITS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)


@given(
    st.dictionaries(st.text(), VALUES),
    st.text(),
    st.floats(),
    st.integers(0, 2**63 - 1),
    st.dictionaries(st.text(), LIMITS),
)
def test_whatever_a_rule_observes_comes_back_once_it_is_settled(
    observed, text, number, count, limits
):
    result = RuleResult(
        id="XXX001",
        name=text,
        outcome=Outcome.WARN,
        severity="warn",  # type: ignore[arg-type] - as text it is settled too
        message=text,
        count=count,
        total=count,
        observed=plain_observed(observed),
        threshold=limits,
    )
    base = REPORTS["healthy"]()
    report = settled(
        Report(
            tool=base.tool, title=text, created=text, command=text, inputs=base.inputs,
            results=(result,), statistics=base.statistics, timings={"all": abs(number)}
            if number == number and abs(number) < float("inf") else None,
        )
    )  # fmt: skip
    assert report_from_json(report_to_json(report)) == report
    assert list(report.results[0].threshold.values()) == list(limits.values())
    json.loads(report_to_json(report), parse_constant=lambda name: pytest.fail(name))


def test_a_threshold_without_an_end_is_a_number_that_json_has_as_text():
    base = REPORTS["healthy"]()
    first = structs.replace(base.results[0], threshold={"a": float("inf"), "b": float("-inf")})
    report = settled(structs.replace(base, results=(first, *base.results[1:])))
    written = json.loads(report_to_json(report))
    jsonschema.Draft202012Validator(report_schema()).validate(written)
    assert written["results"][0]["threshold"] == {"a": "inf", "b": "-inf"}
    read = report_from_json(json.dumps(written).encode())
    assert read == report
    assert read.results[0].threshold["a"] > 1e308
    assert read.results[0].threshold["b"] < -1e308


def test_there_is_a_sample_of_every_earlier_schema():
    assert [path.stem for path in OLD] == ["1.0", "1.1", "1.2", "1.3", "1.4"]


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.stem)
def test_an_earlier_report_says_what_it_said(path):
    old, new = json.loads(path.read_text()), report_from_json(path.read_bytes())
    assert (new.verdict, new.exit_code) == (old["verdict"], old["exit_code"])
    for key in ("title", "created", "command", "headline", "proof"):
        assert getattr(new, key) == old[key]
    assert new.version == old["tool"]["version"]
    for then, now in zip(old["rules"], new.results, strict=True):
        for key in ("id", "name", "family", "outcome", "severity", "message", "count", "total"):
            assert getattr(now, key) == then[key], (then["id"], key)
        assert now.share == then["share"]
        assert dict(now.observed) == then["observed"]
        assert [s.node for s in now.samples] == [s["idx"] for s in then["samples"]]
        if now.outcome is Outcome.SKIPPED:
            assert now.reason == then["skipped_reason"]
    content = json.loads(report_to_json(new))
    jsonschema.validate(content, report_schema())
    for section, values in old["statistics"].items():
        for key, value in values.items():
            now = content["statistics"][section][key]
            if key == "never_trained":  # it has grown by two fields
                assert (now.pop("told_by"), now.pop("trained_known")) == ([], False)
            if key != "quality":  # it has grown
                assert now == value, (section, key)
    assert report_from_json(report_to_json(new)) == new


def test_waivers_and_a_baseline_of_an_earlier_report_are_kept():
    report = report_from_json(OLD[3].read_bytes())
    (status,) = report.waivers
    assert (status.state, status.waiver.owner) == (WaiverState.WAIVED, "data team")
    (waived,) = (r for r in report.results if r.outcome is Outcome.WAIVED)
    assert waived.waiver == status.waiver
    old = json.loads(OLD[3].read_text())["baseline"]
    assert report.baseline is not None
    assert report.baseline.summary == old["summary"].replace("1.00%", "1 %")  # as it is worded now


def test_what_is_derived_cannot_be_forged():
    content = json.loads(report_to_json(REPORTS["incident"]()))
    content |= {"verdict": "pass", "exit_code": 0, "headline": "All is well."}
    report = report_from_json(json.dumps(content).encode())
    assert (report.verdict, report.exit_code) == (Outcome.FAIL, 1)
    assert report.headline == "28,610 of 110,478 nodes (25.9 %) will never be trained."


def test_a_key_that_a_later_minor_version_adds_is_passed_over():
    content = json.loads(report_to_json(REPORTS["incident"]()))
    content |= {"schema_version": "2.7", "added": {"later": [1]}}
    report = report_from_json(json.dumps(content).encode())
    assert report.results == settled(REPORTS["incident"]()).results


def test_a_later_major_version_is_told_apart():
    with pytest.raises(OtherVersionError, match=r"has report schema 3\.1"):
        report_from_json(b'{"schema_version": "3.1"}')


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.stem)
def test_an_earlier_report_that_was_mended_is_refused_in_one_line(path):
    """Every value of the first three levels in turn is something else, of two kinds each."""
    kinds = cycle((7, [3], {"a": None}, "text", None))

    def spoilt(value, levels):
        if levels == 0 or not isinstance(value, dict | list):
            return
        for key in list(value) if isinstance(value, dict) else range(min(len(value), 2)):
            kept = value[key]
            for wrong in islice(kinds, 2):
                value[key] = wrong
                yield
            value[key] = kept
            yield from spoilt(kept, levels - 1)

    def refusal():
        try:
            report_from_json(json.dumps(content).encode())
        except NoReportError as error:
            return str(error)
        return None

    content = json.loads(path.read_text())
    said = [line for _ in spoilt(content, 3) if (line := refusal())]
    assert len(said) > 100
    assert all("\n" not in line and len(line) < 300 for line in said)


@pytest.mark.parametrize("path", [None, OLD[-1]], ids=["now", "1.4"])
def test_a_report_whose_numbers_cannot_be_is_refused_by_its_place(path):
    whole = path.read_bytes() if path else report_to_json(REPORTS["incident"]())
    key = "rules" if path else "results"
    at, rule = next((k, r) for k, r in enumerate(json.loads(whole)[key]) if r["total"])

    def refused(*results):
        content = json.loads(whole) | {key: list(results)}
        with pytest.raises(NoReportError) as error:
            report_from_json(json.dumps(content).encode())
        return str(error.value)

    start = "is not as `taxcheck run --json` writes it: results"
    assert refused({**rule, "count": 8, "total": 7}) == (
        f"{start}[0]: 8 of 7 cannot be; write it again"
    )
    assert refused(rule, rule) == f"{start}[1]: {rule['id']!r} is there twice; write it again"
    assert report_from_json(whole).results[at].total == rule["total"]


_EIGHT_AT_ONCE = """
import sys, threading
from taxcheck.model.written import settled
from tests.reports.sample import REPORTS

report = REPORTS["incident"]()
barrier = threading.Barrier(8)
sys.setswitchinterval(1e-6)

def settle():
    barrier.wait()
    settled(report)

threads = [threading.Thread(target=settle) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@pytest.mark.slow
def test_the_first_reports_of_a_process_may_be_settled_at_once():
    """In a process of its own: what msgspec knows of a class is made once, and its loss crashes."""
    subprocess.run([sys.executable, "-c", _EIGHT_AT_ONCE], check=True, timeout=900)
