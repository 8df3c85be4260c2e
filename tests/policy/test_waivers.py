"""Waivers: visible, bounded, dated; an expired or a useless one fails."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from taxcheck.model.errors import UsageError
from taxcheck.model.finding import Outcome
from taxcheck.model.report import RenderOptions, Report
from taxcheck.model.schema import report_schema
from taxcheck.model.waiver import WaiverState
from taxcheck.policy.read import load_policy, loads
from taxcheck.run.check import check
from taxcheck.run.registry import cause_names, load_renderers, load_rules
from taxcheck.run.request import Request

# 2026-06-15, noon UTC
TODAY = "1781524800"
PAIRS = "ancestor\tdescendant\tdepth_diff\n0\t1\t1\n0\t2\t1\n1\t3\t1\n0\t3\t2\n2\t2\t1\n"


@pytest.fixture(autouse=True)
def today(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", TODAY)


@pytest.fixture
def data(tmp_path: Path) -> tuple[str, str]:
    """Four nodes and their closure, and one self pair in row 6 of the file."""
    (tmp_path / "mapping.tsv").write_text("taxid\tidx\n10\t0\n11\t1\n12\t2\n13\t3\n")
    (tmp_path / "pairs.tsv").write_text(PAIRS)
    return str(tmp_path / "mapping.tsv"), str(tmp_path / "pairs.tsv")


def waiver(**keys: object) -> str:
    """A [[waiver]] of one self pair until the end of June; keys are added, or None leaves out."""
    table = {
        "rule": "PAIR005",
        "owner": "ana@example.org",
        "reason": "kept for the old loader",
        "expires": "2026-06-30",
        "max_count": 1,
    } | keys
    lines = [f"{key} = {json.dumps(value)}" for key, value in table.items() if value is not None]
    return "[[waiver]]\n" + "\n".join(lines) + "\n"


def run(data: tuple[str, str], tmp_path: Path, policy: str) -> Report:
    (tmp_path / "taxcheck.toml").write_text(policy)
    loaded = load_policy(tmp_path / "taxcheck.toml", load_rules())
    return check(Request(mapping=data[0], pairs=data[1], policy=loaded))


def outcome(report: Report, rule: str) -> Outcome:
    return next(r.outcome for r in report.results if r.id == rule)


def test_without_a_waiver_it_fails(data, tmp_path):
    report = run(data, tmp_path, "")
    assert (outcome(report, "PAIR005"), report.exit_code) == (Outcome.FAIL, 1)


def test_a_waived_finding_is_seen_and_does_not_count(data, tmp_path):
    report = run(data, tmp_path, waiver())
    assert outcome(report, "PAIR005") is Outcome.WAIVED
    assert (report.verdict, report.exit_code) == (Outcome.PASS, 0)
    assert report.headline == "Nothing is wrong beyond 1 waived finding."
    (status,) = report.waivers
    assert status.state is WaiverState.WAIVED
    text = load_renderers()["terminal"](report, RenderOptions())
    assert "~ PAIR005 self_pair" in text
    assert "waived by ana@example.org until 2026-06-30: kept for the old loader" in text
    page = load_renderers()["html"](report, RenderOptions())
    assert "WAIVED" in page
    assert "by ana@example.org until 2026-06-30: kept for the old loader" in page


def test_the_json_says_what_was_waived_and_follows_the_schema(data, tmp_path):
    report = run(data, tmp_path, waiver())
    content = json.loads(load_renderers()["json"](report, RenderOptions()))
    schema = report_schema()
    jsonschema.validate(content, schema)
    rule = next(rule for rule in content["results"] if rule["id"] == "PAIR005")
    assert (rule["outcome"], rule["severity"], rule["count"]) == ("waived", "fail", 1)
    assert content["waivers"][0]["waiver"]["expires"] == "2026-06-30"


def test_the_last_day_is_the_day_it_expires(data, tmp_path):
    assert run(data, tmp_path, waiver(expires="2026-06-15")).exit_code == 0
    report = run(data, tmp_path, waiver(expires="2026-06-14"))
    assert report.waivers[0].state is WaiverState.EXPIRED
    assert (outcome(report, "PAIR005"), report.exit_code) == (Outcome.FAIL, 1)
    assert "expired on 2026-06-14" in load_renderers()["terminal"](report, RenderOptions())


def test_a_stale_waiver_fails_with_its_own_line(data, tmp_path):
    Path(data[1]).write_text(PAIRS.removesuffix("2\t2\t1\n"))
    report = run(data, tmp_path, waiver())
    assert outcome(report, "PAIR005") is Outcome.PASS
    assert (report.verdict, report.exit_code) == (Outcome.FAIL, 1)
    assert report.headline == (
        "PAIR005, waived by ana@example.org: there is nothing to waive. Take it out of the policy."
    )
    assert "Waiver stale: PAIR005" in load_renderers()["html"](report, RenderOptions())


def test_more_than_was_waived_fails(data, tmp_path):
    Path(data[1]).write_text(PAIRS + "3\t3\t1\n")
    report = run(data, tmp_path, waiver())
    assert (outcome(report, "PAIR005"), report.exit_code) == (Outcome.FAIL, 1)
    assert report.waivers[0].message.endswith("covers up to 1, and 2 were found.")


def test_a_waiver_of_other_data_neither_waives_nor_fails(data, tmp_path):
    report = run(data, tmp_path, waiver(max_count=None, fingerprint="blake3:00"))
    assert report.waivers[0].state is WaiverState.OTHER_DATA
    assert not report.waivers[0].fails
    assert outcome(report, "PAIR005") is Outcome.FAIL
    known = next(s.fingerprint for s in report.inputs if s.role == "pairs")
    report = run(data, tmp_path, waiver(max_count=None, fingerprint=known))
    assert outcome(report, "PAIR005") is Outcome.WAIVED


@pytest.mark.parametrize(
    ("bound", "state"),
    [
        ({"taxid": [12]}, WaiverState.WAIVED),
        ({"taxid": ["12", 13]}, WaiverState.WAIVED),
        ({"idx": [2]}, WaiverState.WAIVED),
        ({"taxid": [13]}, WaiverState.EXCEEDED),
        ({"idx": [0]}, WaiverState.EXCEEDED),
    ],
)
def test_a_waiver_of_nodes_covers_those_nodes(data, tmp_path, bound, state):
    report = run(data, tmp_path, waiver(max_count=None, **bound))
    assert report.waivers[0].state is state


def test_a_rule_that_did_not_run_leaves_its_waiver_alone(data, tmp_path):
    report = run(data, tmp_path, waiver(rule="TREE009") + waiver())
    assert [s.state for s in report.waivers] == [WaiverState.NOT_JUDGED, WaiverState.WAIVED]
    assert report.exit_code == 0


def test_what_a_waived_cause_explains_still_leads(data, tmp_path):
    """Node 4 is in no pair, and a table sized from the pairs lacks it: PAIR003 explains PAIR004."""
    Path(data[0]).write_text("taxid\tidx\n10\t0\n11\t1\n12\t2\n13\t3\n14\t4\n")
    report = run(data, tmp_path, waiver() + waiver(rule="coverage_gap"))
    assert outcome(report, "PAIR003") is Outcome.WAIVED
    assert [cause.id for cause, _ in report.by_cause] == ["PAIR004"]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"owner": None}, "needs owner"),
        ({"reason": " "}, "needs reason"),
        ({"expires": None}, "needs expires = YYYY-MM-DD"),
        ({"expires": "soon"}, "needs expires = YYYY-MM-DD"),
        ({"rule": "PAIR999"}, "is no rule"),
        ({"max_count": None}, "has no bound"),
        ({"max_count": -1}, "whole number"),
        ({"taxid": 12}, "list of identifiers"),
        ({"owners": "x"}, "did you mean 'owner'?"),
    ],
)
def test_a_waiver_that_is_not_whole_is_refused(data, tmp_path, keys, said):
    with pytest.raises(UsageError, match=said.replace("?", r"\?")):
        run(data, tmp_path, waiver(**keys))


def test_a_waiver_is_of_one_rule_by_id_or_name(data, tmp_path):
    for word in ("PAIR005", "self_pair", "Self_Pair", "pair005"):
        report = run(data, tmp_path, waiver(rule=word))
        assert [one.waiver.rule for one in report.waivers] == ["PAIR005"]
        assert outcome(report, "PAIR005") is Outcome.WAIVED
    with pytest.raises(UsageError, match="'self_pairs' is no rule; did you mean 'self_pair'"):
        run(data, tmp_path, waiver(rule="self_pairs"))


def test_a_name_of_two_rules_is_refused_in_one_line():
    rule = next(rule for rule in load_rules() if rule.id == "PAIR005")
    rules = (rule, replace(rule, id="MINE001"), replace(rule, id="MINE002", name="other"))
    for text in (waiver(rule="self_pair"), "[rules.self_pair]\nenabled = false\n"):
        with pytest.raises(UsageError) as told:
            loads(text, rules)
        assert "'self_pair' is the name of PAIR005 and MINE001; give the id" in str(told.value)
    assert loads(waiver(rule="other"), rules).waivers[0].rule == "MINE002"


def test_a_rule_has_one_table_by_id_or_name():
    assert not loads("[rules.self_pair]\nenabled = false\n", load_rules()).rules["PAIR005"].enabled
    with pytest.raises(UsageError, match="two tables of PAIR005"):
        loads("[rules.self_pair]\n[rules.PAIR005]\n", load_rules())


def test_an_empty_list_is_no_bound(data, tmp_path):
    with pytest.raises(UsageError, match="has no bound"):
        run(data, tmp_path, waiver(max_count=None, taxid=[]))


CAUSE = """
[[waiver]]
rule = "one_based_idx"
owner = "ada"
reason = "the old numbering is still read downstream"
expires = 2099-01-01
max_count = {most}
"""


@pytest.mark.parametrize(
    ("most", "shifted", "verdict", "state"),
    [(100, True, "pass", "waived"), (10, True, "fail", "exceeded"), (100, False, "fail", "stale")],
)
def test_a_waived_cause_waives_what_it_explains_whole(most, shifted, verdict, state, tmp_path):
    """A star of 30 leaves: the idx of its 30 pairs, and no others, are one too high."""
    n, by = 31, int(shifted)
    mapping = "taxid\tidx\n" + "".join(f"{900 + k}\t{k}\n" for k in range(n))
    rows = "".join(f"{by}\t{k + by}\t1\t900\t{900 + k}\n" for k in range(1, n))
    head = "ancestor_idx\tdescendant_idx\tdepth_diff\tancestor_taxid\tdescendant_taxid\n"
    (tmp_path / "mapping.tsv").write_text(mapping)
    (tmp_path / "pairs.tsv").write_text(head + rows)
    (tmp_path / "taxcheck.toml").write_text(CAUSE.format(most=most))
    policy = load_policy(tmp_path / "taxcheck.toml", load_rules(), cause_names())
    report = check(
        Request(
            mapping=str(tmp_path / "mapping.tsv"), pairs=str(tmp_path / "pairs.tsv"), policy=policy
        )
    )
    assert (report.verdict, report.waivers[0].state) == (verdict, state)
    assert bool(report.causes) is shifted
