"""Every corruption makes exactly what it should fire, and nothing else, over all rules at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from taxcheck_rules.cases.reckoning import dominance, imbalance, negatives
from taxcheck_rules.cases.taxonomy import noisy

from taxcheck.commands.selftest.cases import SKIPPED, Verdict
from taxcheck.commands.selftest.frame import Dag, Tree
from taxcheck.model.report import Report
from taxcheck.model.result import RuleResult
from taxcheck.run.check import check
from taxcheck.run.registry import load_rules
from tests.commands.selftest.bases import BASES, CORRUPTIONS, TABLES, base

pytestmark = pytest.mark.long

SEED = 20240907
DATA = [rule.id for rule in load_rules() if not rule.about.of_table]
AUDIT = [rule.id for rule in load_rules() if rule.about.of_table]
CATALOGUE = DATA + AUDIT
# Their count moves by a few with every row that comes or goes and judges nothing, so that only
# their outcome is held; a corruption that reshapes the whole table states the count too.
DESCRIPTIVE = {rule.id for rule in load_rules() if rule.descriptive}

Baseline = Callable[[str], dict[str, Verdict]]


def verdicts(report: Report) -> dict[str, Verdict]:
    return {r.id: (r.outcome.value, r.count) for r in report.results}


def leads(report: Report) -> list[str]:
    """Names of causes, ids of findings that none explains, in the order that leads."""
    leading = (group.lead for group in report.by_cause)
    return [lead.id if isinstance(lead, RuleResult) else lead.name for lead in leading]


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
    observed = {r.id: r.observed for r in report.results}
    for id, values in corrupted.observed.items():
        assert {key: observed[id][key] for key in values} == values
    named = [(c.name, {e.rule: (e.count, e.of) for e in c.explains}) for c in report.causes]
    assert named == [(name, dict(explains)) for name, explains in corrupted.causes.items()]
    first = set(leads(report)[:1])
    assert first <= {*corrupted.causes, *corruption.rules, *(corrupted.leads or ())}
