"""The catalogue as a whole: stable ids, defects as names, documents, thresholds, causes."""

from __future__ import annotations

import re
from importlib.metadata import entry_points

import pytest

from taxcheck.rule import Rule
from tests.rules import audit
from tests.rules.builders import RULES, judge

NAMES = {
    "MAP001": "invalid_row",
    "MAP002": "duplicate_taxid",
    "MAP003": "duplicate_idx",
    "MAP004": "index_hole",
    "MAP005": "swapped_columns",
    "MAP006": "unknown_taxid",
    "MAP007": "taxid_as_index",
    "MAP008": "noise_taxon",
    "MAP009": "not_ancestor_closed",
    "PAIR001": "invalid_row",
    "PAIR002": "index_out_of_range",
    "PAIR003": "coverage_gap",
    "PAIR004": "table_too_small",
    "PAIR005": "self_pair",
    "PAIR006": "duplicate_pair",
    "PAIR007": "reversed_pair",
    "PAIR008": "depth_mismatch",
    "PAIR009": "depth_imbalance",
    "PAIR010": "taxid_disagreement",
    "PAIR011": "ancestor_dominance",
    "PAIR012": "split_leak",
    "PAIR013": "false_negative_risk",
    "PAIR014": "index_range_as_taxids",
    "PAIR015": "swapped_pair_columns",
    "TREE001": "cycle",
    "TREE002": "several_parents",
    "TREE003": "several_roots",
    "TREE004": "missing_ancestor_pair",
    "TREE005": "false_ancestor_pair",
    "TREE006": "inconsistent_depth",
    "TREE007": "missing_parent",
    "TREE008": "rank_inversion",
    "TREE009": "disagrees_with_taxonomy",
}
AUDIT = {
    "EMB001": "row_count_mismatch",
    "EMB002": "non_finite",
    "EMB003": "outside_ball",
    "EMB004": "boundary_saturation",
    "EMB005": "norm_collapse",
    "EMB006": "never_trained",
    "EMB007": "duplicate_row",
    "EMB008": "dimensional_collapse",
    "EMB009": "precision_loss",
    "EMB010": "distance_ceiling",
    "HIER001": "radius_ignores_depth",
    "HIER002": "child_inside_parent",
    "HIER003": "weak_reconstruction",
    "HIER004": "parent_not_found",
    "HIER005": "scattered_group",
    "HIER006": "weak_separation",
    "HIER007": "root_off_centre",
    "HIER008": "hubness",
    "HIER009": "siblings_not_near",
    "TRAIN001": "regularizer_too_strong",
    "TRAIN002": "clip_too_near",
    "TRAIN003": "init_too_near",
    "TRAIN004": "early_stopping_misread",
    "TRAIN005": "table_size_from_pairs",
    "TRAIN006": "too_few_updates",
    "TRAIN007": "dimension_for_size",
    "TRAIN008": "quality_by_proxy",
    "TRAIN009": "unhealthy_curve",
}
INFO = {"MAP008", "PAIR009", "PAIR011", "PAIR013", "TREE003"}
WARN = {"MAP006", "MAP009", "TREE002", "TREE008"}
AUDIT_INFO = {"HIER007", "HIER008", "TRAIN007", "TRAIN008"}
AUDIT_FAIL = {
    "EMB001", "EMB002", "EMB003", "EMB004", "EMB006", "HIER003", "TRAIN004", "TRAIN005",
}  # fmt: skip
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


def test_ids_and_names_are_fixed_and_sorted() -> None:
    assert {r.id: r.name for r in CORE} == NAMES | AUDIT
    assert [r.id for r in CORE] == sorted({r.id for r in CORE})


def test_default_severities_are_the_catalogues() -> None:
    ours = [RULES[id] for id in NAMES]
    assert {r.id for r in ours if r.severity == "info"} == INFO
    assert {r.id for r in ours if r.severity == "warn"} == WARN
    of_audit = [RULES[id] for id in AUDIT]
    assert {r.id for r in of_audit if r.severity == "info"} == AUDIT_INFO
    assert {r.id for r in of_audit if r.severity == "fail"} == AUDIT_FAIL


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
    assert set(commands) <= {"run", "explain", "rules", "inspect", "why", "evaluate"}


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
    assert not causes & (INFO | AUDIT_INFO | {"TREE002", "PAIR012"})


@pytest.mark.parametrize("id", NAMES)
def test_sound_data_is_no_failure_and_no_warning(id: str) -> None:
    result = judge(id)
    assert result.outcome in ("pass", "info", "skipped"), result.message
    if result.finding and result.outcome == "pass":
        assert result.finding.fix is None
        assert result.finding.impact is None
        assert result.finding.observed


@pytest.mark.parametrize("id", AUDIT)
def test_a_sound_audit_is_no_failure_and_no_warning(id: str) -> None:
    result = audit.judge(id)
    assert result.outcome == "pass", result.message
    assert result.finding is not None
    assert result.finding.fix is None
    assert result.finding.impact is None
    assert result.finding.observed


@pytest.mark.parametrize("id", AUDIT)
def test_an_audits_rule_is_skipped_where_only_data_is_given(id: str) -> None:
    result = judge(id)
    assert (result.outcome, result.finding) == ("skipped", None)
    assert re.fullmatch(r"no (embedding|coverage|scores|training) in this run", result.message)
