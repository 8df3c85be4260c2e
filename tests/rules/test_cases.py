"""Every rule's smallest data, sound and bad, through the whole gate."""

from __future__ import annotations

from functools import cache

import pytest

from taxcheck.commands.selftest.cases import load_cases
from taxcheck.model.finding import Outcome
from taxcheck.model.report import Report
from taxcheck.policy.model import Policy
from taxcheck.policy.read import load_policy
from taxcheck.run.check import check
from taxcheck.run.registry import find_rule, load_rules
from taxcheck.run.request import Request
from tests.case_folders import case_folder

IDS = [rule.id for rule in load_rules()]
BAD = (Outcome.FAIL, Outcome.WARN, Outcome.ERROR)
every_rule = pytest.mark.parametrize("id", IDS)


@cache
def judge(id: str, kind: str) -> Report:
    folder = case_folder(id, kind)

    def path(name: str) -> str | None:
        return str(folder / name) if (folder / name).exists() else None

    policy, tables = folder / "taxcheck.toml", list(folder.glob("checkpoint.*"))
    return check(
        Request(
            mapping=path("mapping.tsv"),
            pairs=path("pairs.tsv"),
            held_out=path("held_out.tsv"),
            taxonomy=path("taxdump"),
            embeddings=str(tables[0]) if tables else None,
            initial=path("initial.npy"),
            drawn=False,
            policy=load_policy(policy, load_rules()) if policy.exists() else Policy(),
        )
    )


def said(id: str, kind: str) -> tuple[str, int]:
    (result,) = (r for r in judge(id, kind).results if r.id == id)
    assert result.judged, result.reason
    return result.outcome.value, result.count


def test_every_rule_has_a_case_and_a_corruption():
    cases = load_cases()
    assert sorted(cases.of_rule) == IDS
    assert {id for corruption in cases.corruptions.values() for id in corruption.rules} == {*IDS}


@pytest.mark.long
@every_rule
def test_of_bad_data_the_rule_says_what_was_worked_out_by_hand(id: str):
    case = load_cases().of_rule[id]
    assert case.why
    assert said(id, "bad") == (case.outcome, case.count)


@pytest.mark.long
@every_rule
def test_the_sound_data_passes_and_is_sound_for_every_rule(id: str):
    assert said(id, "ok") == ("pass", load_cases().of_rule[id].ok_count)
    assert not [(r.id, r.message) for r in judge(id, "ok").results if r.outcome in BAD]


@pytest.mark.long
@every_rule
def test_what_a_threshold_bounds_is_a_number_that_is_observed(id: str):
    (result,) = (r for r in judge(id, "bad").results if r.id == id)
    for threshold in find_rule(id).thresholds.values():
        if threshold.bounds is not None:
            assert isinstance(result.observed[threshold.bounds], int | float)
