"""HIER010: a minority of misplaced rows, told from a table that is weak throughout."""

from __future__ import annotations

from dataclasses import replace

import pytest

from taxcheck.audit.metrics.placement import Mixture
from tests.rules.audit import judge, placement


@pytest.mark.parametrize(
    ("bad", "outcome"), [(0, "pass"), (9, "pass"), (11, "warn"), (54, "warn"), (56, "fail")]
)
def test_the_lower_bound_decides(bad, outcome):
    found = judge("HIER010", placement=placement(bad))
    assert (found.outcome, found.count) == (outcome, bad if outcome != "pass" else 0)


def test_thresholds_are_the_policys():
    assert judge("HIER010", {"fail": 0.5}, placement=placement(200)).outcome == "warn"
    assert judge("HIER010", {"share": 0.5}, placement=placement(200)).outcome == "pass"


def test_a_minority_is_told_from_a_weak_table():
    told = judge("HIER010", placement=placement(200)).message
    assert told == (
        "200 of 1,000 nodes (20.0 %) lie no nearer to their ancestors, siblings and children than "
        "random rows do (95 % 19.5 % to 20.5 %); most rows are placed (median rank of the parent "
        "1 among 256 strangers as deep); worst: Ophiuroidea, 200 of 400 nodes (50.0 %)"
    )
    weak = judge("HIER010", placement=placement(200, parent_rank=60.0)).message
    assert "the table is weak throughout" in weak
    assert "most rows are placed" not in weak
    none = judge("HIER010", placement=placement(900)).message
    assert "most rows" not in none
    assert "weak throughout" not in none


def test_the_trained_rows_stand_beside_all():
    alone = Mixture(800, 0.004, 0.0, 0.008, 0.05)
    found = judge("HIER010", placement=placement(200, trained=alone))
    assert "of the trained ones 0.4 %" in found.message
    assert found.observed["share, trained rows alone"] == 0.004


def test_few_nodes_are_not_judged():
    few = judge("HIER010", placement=placement(10, judged=49))
    assert few.outcome == "skipped"
    assert few.reason == "of 49 of 49 nodes could it be told from a random row; that takes 50"
    four = placement(4, judged=60)
    assert judge("HIER010", placement=four).outcome == "pass"


def test_a_sample_is_told_as_one():
    known = placement(200)
    part = replace(known, place=replace(known.place, total=5_000_000))
    assert "200 of 1,000 sampled nodes" in judge("HIER010", placement=part).message
