"""Every corruption makes exactly what it should fire, and nothing else, over all rules at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from taxcheck.pipeline import check
from taxcheck.report import Report
from taxcheck.selftest.corruptions.hierarchy import Dag, Tree
from taxcheck.selftest.corruptions.judge import dominance, imbalance, negatives
from taxcheck.selftest.corruptions.taxonomy import noisy
from tests.corruptions import BASES, CORRUPTIONS, SKIPPED, TABLES, Verdict, base

pytestmark = pytest.mark.long

SEED = 20240907
DATA = (
    [f"MAP{k:03}" for k in range(1, 10)]
    + [f"PAIR{k:03}" for k in range(1, 16)]
    + [f"TREE{k:03}" for k in range(1, 10)]
)
# Their count says how many pairs are deep, or belong to ten nodes. It moves by a few with every
# row that comes or goes and judges nothing, so that only their outcome is held; a corruption that
# reshapes the whole table states the count too.
DESCRIPTIVE = {"PAIR009", "PAIR011"}
AUDIT = (
    [f"EMB{k:03}" for k in range(1, 11)]
    + [f"HIER{k:03}" for k in range(1, 10)]
    + [f"TRAIN{k:03}" for k in range(1, 10)]
)
CATALOGUE = DATA + AUDIT

Baseline = Callable[[str], dict[str, Verdict]]


def verdicts(report: Report) -> dict[str, Verdict]:
    return {
        r.rule.id: (r.outcome.value, r.finding.count if r.finding else None) for r in report.results
    }


def leads(report: Report) -> set[str]:
    return {cause.rule.id for cause, _ in report.causes}


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Baseline:
    known: dict[str, dict[str, Verdict]] = {}

    def of(name: str) -> dict[str, Verdict]:
        if name not in known:
            folder = tmp_path_factory.mktemp("base")
            known[name] = verdicts(check(base(name).write(folder)))
        return known[name]

    return of


def expected(changed: dict[str, Verdict], sound: dict[str, Verdict]) -> dict[str, Verdict]:
    """The whole table of verdicts; None in place of a count that only describes."""
    table = sound | changed
    free = DESCRIPTIVE - changed.keys()
    return {id: (outcome, None if id in free else count) for id, (outcome, count) in table.items()}


def test_every_rule_of_the_catalogue_has_a_corruption():
    assert {id for corruption in CORRUPTIONS.values() for id in corruption.rules} == set(CATALOGUE)


def test_the_sound_bases_fail_and_warn_of_nothing(baseline: Baseline):
    """What is told of them instead, derived here from the pairs."""
    for name in BASES:
        found = {id: v for id, v in baseline(name).items() if v[0] not in ("pass", "skipped")}
        assert {outcome for outcome, _ in found.values()} <= {"info"}, name
        told = {"MAP008", "PAIR009", "PAIR011", "PAIR013", "TREE002", "TREE003", "TRAIN007"}
        assert found.keys() <= told, name
        asked = CATALOGUE if name in TABLES else DATA
        assert baseline(name).keys() == set(asked)


def test_the_sound_table_is_judged_by_every_rule_of_a_table(baseline: Baseline):
    assert {baseline("table")[rule] for rule in AUDIT} == {("pass", 0)}


def test_a_table_that_no_ranking_can_judge(baseline: Baseline):
    """Of a genus with its strains popularity knows all that there is to know."""
    sound = baseline("table of a genus")
    assert {sound["HIER003"], sound["HIER004"]} == {SKIPPED}
    assert sound["HIER008"] == ("pass", 0)


def test_what_is_told_of_the_sound_tree(baseline: Baseline):
    frame = base("tree with taxonomy")
    assert frame.taxonomy is not None
    tree, pairs, sound = Tree(frame.pairs), frame.pairs, baseline("tree with taxonomy")
    assert sound["MAP008"] == (
        "info",
        len(noisy(frame.taxonomy.names, frame.mapping["taxid"].tolist())),
    )
    assert sound["PAIR009"] == imbalance(pairs["depth_diff"], tree.parent)
    assert sound["PAIR011"] == dominance(pairs["ancestor_idx"])
    assert sound["PAIR013"] == negatives(pairs, {x: tree.depth(x) for x in tree.nodes})
    assert sound["TREE003"] == ("pass", 1)


def test_what_is_told_of_the_sound_dag(baseline: Baseline):
    frame = base("DAG")
    dag, sound = Dag(frame.pairs), baseline("DAG")
    assert sound["PAIR011"] == dominance(frame.pairs["ancestor_idx"])
    assert sound["PAIR013"] == negatives(frame.pairs, dag.depth)
    assert sound["TREE002"] == ("info", sum(len(dag.parents(x)) > 1 for x in dag.nodes))
    assert sound["TREE003"] == ("info", sum(not dag.up[x] for x in dag.nodes))


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_is_repeatable_and_leaves_its_base_alone(name: str):
    corruption = CORRUPTIONS[name]
    sound = base(corruption.base)
    mapping, pairs = sound.mapping.copy(), sound.pairs.copy()
    table = repr(asdict(sound.table)) if sound.table else ""
    first, second = (corruption.corrupt(sound, np.random.default_rng(SEED)) for _ in range(2))
    assert first.expected == second.expected
    assert first.expected.keys() <= set(CATALOGUE)
    pd.testing.assert_frame_equal(first.frame.pairs, second.frame.pairs)
    pd.testing.assert_frame_equal(first.frame.mapping, second.frame.mapping)
    pd.testing.assert_frame_equal(sound.pairs, pairs)
    pd.testing.assert_frame_equal(sound.mapping, mapping)
    if sound.table and first.frame.table and second.frame.table:
        assert repr(asdict(sound.table)) == table
        np.testing.assert_array_equal(first.frame.table.vectors, second.frame.table.vectors)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_exactly_what_was_damaged_is_found(name: str, baseline: Baseline, tmp_path: Path):
    corruption = CORRUPTIONS[name]
    corrupted = corruption.corrupt(base(corruption.base), np.random.default_rng(SEED))
    report = check(corrupted.frame.write(tmp_path))
    want = expected(dict(corrupted.expected), baseline(corruption.base))
    found = verdicts(report)
    got = {
        id: (outcome, None if want[id][1] is None else count)
        for id, (outcome, count) in found.items()
    }
    different = {id: (got[id], want[id]) for id in want if got[id] != want[id]}
    assert not different, f"rule: (found, expected) in {different}"
    observed = {r.rule.id: r.observed for r in report.results}
    for id, values in corrupted.observed.items():
        assert {key: observed[id][key] for key in values} == values
    assert leads(report) <= set(corruption.rules)
    if corrupted.leads is not None:
        assert leads(report) == corrupted.leads
