"""The catalogue as a whole: stable ids, defects as names, documents, thresholds, causes."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from types import SimpleNamespace

import pytest
from taxcheck_reports.pictures import PICTURES

from taxcheck.model.errors import BrokenError, UsageError
from taxcheck.model.rule import Rule
from taxcheck.policy.read import loads
from taxcheck.run.registry import find_rule, load_rules
from tests.rules import audit
from tests.rules.builders import RULES, judge

RULES_OF_DATA = [rule.id for rule in RULES.values() if not rule.about.of_table]
RULES_OF_TABLE = [rule.id for rule in RULES.values() if rule.about.of_table]
# The chains that the catalogue itself states: consequence -> causes.
CAUSES = {
    "MAP009": {"MAP005", "PAIR014"},
    "PAIR003": {"MAP005", "PAIR014"},
    "PAIR004": {"MAP005", "PAIR014"},
    "TREE004": {"MAP005", "PAIR014", "TREE007"},
    "TREE005": {"MAP005", "PAIR014"},
    "TREE007": {"MAP005", "PAIR014"},
    "MAP004": {"MAP007"},
    "TREE001": {"PAIR015"},
    "TREE002": {"PAIR015"},
    "TREE003": {"MAP005", "PAIR014", "PAIR015"},
    "PAIR008": {"PAIR015"},
    "EMB001": {"MAP005", "PAIR014", "PAIR003", "MAP007", "TRAIN005"},
    "EMB006": {"MAP005", "PAIR014", "PAIR003", "TRAIN005"},
    "TRAIN005": {"MAP005", "PAIR014", "PAIR003"},
    "HIER003": {"MAP005", "PAIR014", "EMB001", "EMB002", "EMB005", "EMB006", "TRAIN005"},
    "HIER005": {"MAP005", "PAIR014", "EMB001", "EMB006", "TRAIN005"},
    "EMB004": {"TRAIN001", "TRAIN002", "TRAIN003"},
}

CORE = {entry.name: entry for entry in entry_points(group="taxcheck.rules")}["core"].load().RULES
every_rule = pytest.mark.parametrize("rule", CORE, ids=lambda rule: rule.id)


def test_ids_are_sorted_and_ids_and_names_are_one_space() -> None:
    assert [r.id for r in CORE] == sorted({r.id for r in CORE})
    assert len({key for r in CORE for key in (r.id.lower(), r.name)}) == 2 * len(CORE)


def test_a_rule_is_found_by_its_id_or_its_name() -> None:
    for rule in CORE:
        assert find_rule(rule.id) is find_rule(rule.name) is rule


def test_a_name_that_two_rules_had_is_one_line_with_both() -> None:
    both = "MAP001 invalid_mapping_row or PAIR001 invalid_pair_row"
    with pytest.raises(UsageError, match=f"'invalid_row' is no rule any more; it is now {both}"):
        find_rule("invalid_row")
    with pytest.raises(UsageError, match=both):
        loads("[rules.invalid_row]\nenabled = false\n", load_rules())


def test_two_rules_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    other = SimpleNamespace(name="other", load=lambda: replace(CORE[0], id="XXX001"))
    core = SimpleNamespace(name="core", load=lambda: CORE[0])
    monkeypatch.setattr("taxcheck.run.registry.plugins", lambda _: [core, other])
    with pytest.raises(BrokenError, match=r"'other': rule XXX001 .* exists already"):
        load_rules.__wrapped__()


@every_rule
def test_every_picture_is_one_that_is_drawn(rule: Rule) -> None:
    assert set(rule.pictures) <= PICTURES.keys()
    assert rule.judges is None or rule.judges in rule.pictures


def test_a_picture_is_judged_by_one_rule() -> None:
    judged = [rule.judges for rule in CORE if rule.judges]
    assert sorted(set(judged)) == sorted(judged)


@pytest.mark.parametrize("folder", ["taxcheck", "reports"])
def test_no_rule_is_named_outside_the_rules(folder: str) -> None:
    ids = re.compile("|".join(f"{family}[0-9]{{3}}" for family in {r.family for r in CORE}))
    files = [p for p in Path(folder).rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    found = {str(p): ids.findall(p.read_text(encoding="utf-8")) for p in files}
    assert {path: seen for path, seen in found.items() if seen} == {}


@every_rule
def test_a_name_is_a_defect_and_not_a_check(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", rule.name)
    assert not re.search(r"(^|_)(check|ensure|validate|verify|ok)(_|$)", rule.name)


@every_rule
def test_the_document_is_plain_and_has_references(rule: Rule) -> None:
    document = rule.document
    text = "\n".join(getattr(document, part) for part in document.__slots__)
    assert "!" not in re.sub(r"!=|<!", "", text)
    assert re.search(r"https://\S+", document.references)
    assert len(document.why.split()) >= 30
    assert max(map(len, text.splitlines())) <= 100


@every_rule
def test_no_fix_names_a_command_that_does_not_exist(rule: Rule) -> None:
    commands = re.findall(r"taxcheck (\w+)", rule.document.fix + rule.document.exceptions)
    assert set(commands) <= {"run", "explain", "rules", "inspect", "why", "evaluate", "build"}


@every_rule
def test_every_threshold_says_what_it_means_and_where_it_comes_from(rule: Rule) -> None:
    for key, threshold in rule.thresholds.items():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", key)
        assert len(threshold.meaning.split()) >= 5
        assert re.search(
            r"NCBI|Echinodermata|Mammalia|Cnidaria|WordNet|incident", threshold.calibrated_on
        )
    assert bool(rule.thresholds) == ("threshold" in rule.needs)


@every_rule
def test_causes_exist_and_never_run_in_a_circle(rule: Rule) -> None:
    seen: set[str] = set()
    level = set(rule.caused_by)
    while level:
        assert rule.id not in level
        seen |= level
        level = {cause for id in level for cause in RULES[id].caused_by} - seen


@every_rule
def test_the_first_cause_is_always_a_root_cause(rule: Rule) -> None:
    # A report folds a finding under the first of its causes that was found. Where every cause's own
    # causes stand before it, that first one is explained by nothing else.
    for position, cause in enumerate(rule.caused_by):
        assert set(RULES[cause].caused_by) <= set(rule.caused_by[:position]), cause


@pytest.mark.parametrize("id", CAUSES)
def test_the_catalogues_causes_are_declared(id: str) -> None:
    assert CAUSES[id] <= set(RULES[id].caused_by)


def test_a_rule_that_may_only_inform_is_never_a_cause() -> None:
    # The report leads with failures and warnings; what an info explains would hang in the air.
    causes = {cause for rule in CORE for cause in rule.caused_by}
    assert not causes & ({r.id for r in CORE if r.severity == "info"} | {"TREE002", "PAIR012"})


@pytest.mark.parametrize("id", RULES_OF_DATA)
def test_sound_data_is_no_failure_and_no_warning(id: str) -> None:
    result = judge(id)
    assert result.outcome in ("pass", "info", "skipped"), result.message
    if result.judged and result.outcome == "pass":
        assert result.fix is None
        assert result.impact is None
        assert result.observed


@pytest.mark.parametrize("id", RULES_OF_TABLE)
def test_a_sound_audit_is_no_failure_and_no_warning(id: str) -> None:
    result = audit.judge(id)
    assert result.outcome == "pass", result.message
    assert result.judged
    assert result.fix is None
    assert result.impact is None
    assert result.observed


@pytest.mark.parametrize("id", RULES_OF_TABLE)
def test_an_audits_rule_is_skipped_where_only_data_is_given(id: str) -> None:
    result = judge(id)
    assert (result.outcome, result.judged) == ("skipped", False)
    inputs = "embedding|coverage|scores|training|alignment|geometry|placement|held out scores"
    assert re.fullmatch(rf"no ({inputs}) in this run", result.message)
