"""The bad folder of every rule of the data: repaired, or what to give is said."""

from __future__ import annotations

import pytest

from taxcheck.commands.fix.repair import fix
from taxcheck.run.registry import load_rules
from tests.case_folders import case_folder
from tests.commands.fix.repaired import request_of, steps

RULES = {rule.id: rule for rule in load_rules() if not rule.about.of_table}
# Rows by rule: those of the case, or of what it takes.
REPAIRED = {
    "MAP001": {"MAP001": 2},
    "MAP004": {"MAP004": 14},
    "MAP005": {"MAP005": 15},
    "MAP007": {"MAP004": 15},
    # Canidae comes back: it and its five mapped descendants' pairs, two genera and four species
    # of which change their distance to Carnivora.
    "MAP009": {"MAP009": 1, "correct": 6, "add": 7},
    "PAIR001": {"PAIR001": 3},
    "PAIR005": {"PAIR005": 2},
    "PAIR006": {"PAIR006": 3},
    "PAIR007": {"PAIR007": 1},
    "PAIR008": {"PAIR008": 2},
    "PAIR012": {"PAIR012": 2, "leave": 1},  # the third runs upwards, so it is no pair to ask
    "PAIR015": {"PAIR015": 34},
    "TREE004": {"TREE004": 3},
    "TREE006": {"TREE006": 2},
    "TREE009": {"TREE009": 2},
}
# The finding that nothing in the folder mends.
REFUSED = {
    "MAP002": "MAP002",
    "MAP003": "MAP003",
    "PAIR002": "PAIR002",
    "PAIR003": "PAIR003",
    "PAIR004": "PAIR003",
    "PAIR010": "PAIR010",
    "PAIR014": "PAIR014",
    "PAIR016": "PAIR016",
    "PAIR017": "PAIR002",
    "TREE001": "TREE001",
    "TREE002": "TREE002",
    "TREE005": "TREE005",
    "TREE007": "TREE007",
}
# A warning that is not of rows; a successor is only sought where a taxid was merged.
TOLD = {"MAP006", *(id for id, rule in RULES.items() if rule.beyond_repair)}


@pytest.mark.long
@pytest.mark.parametrize("rule", RULES)
def test_bad_folder(rule, tmp_path):
    fixed = fix(request_of(case_folder(rule, "bad")), tmp_path / "fixed")
    lacking = [one.rule for one in fixed.plan.lacking]
    if rule in REPAIRED:
        assert (steps(fixed), fixed.exit_code, lacking) == (REPAIRED[rule], 0, [])
        assert fixed.after.exit_code == 0
        assert {"mapping.tsv", "pairs.parquet", "plan.json"} <= set(fixed.written)
        return
    assert not (tmp_path / "fixed").exists()
    if rule in REFUSED or (RULES[rule].repair and rule not in TOLD):
        assert lacking[0] == REFUSED.get(rule, rule)
        assert (fixed.plan.possible, fixed.exit_code) == (False, 1)
        assert all(one.why and one.give for one in fixed.plan.lacking)
    else:
        assert (fixed.plan.steps, fixed.exit_code) == ((), 0)
        assert lacking == ([rule] if rule in TOLD else [])


@pytest.mark.parametrize("rule", RULES)
def test_ok_folder_stays_as_it_is(rule, tmp_path):
    fixed = fix(request_of(case_folder(rule, "ok")), tmp_path / "fixed")
    assert (fixed.plan.steps, fixed.plan.lacking, fixed.exit_code) == ((), (), 0)
    assert not (tmp_path / "fixed").exists()
