"""Every corruption makes exactly what it should fire, and nothing else, over all rules at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from taxcheck_rules.cases.reckoning import dominance, imbalance, negatives
from taxcheck_rules.cases.taxonomy import noisy

from taxcheck.commands.selftest.cases import SKIPPED
from taxcheck.commands.selftest.frame import Dag, Tree
from taxcheck.run.check import check
from taxcheck.run.registry import load_rules
from tests.commands.selftest.bases import BASES, CORRUPTIONS, REPAIRED, TABLES, base
from tests.commands.selftest.exactly import expect_exactly, of_base, repeated

pytestmark = pytest.mark.long

DATA = [rule.id for rule in load_rules() if not rule.about.of_table]
AUDIT = [rule.id for rule in load_rules() if rule.about.of_table]
CATALOGUE = DATA + AUDIT


def test_every_rule_of_the_catalogue_has_a_corruption():
    assert {id for corruption in CORRUPTIONS.values() for id in corruption.rules} == set(CATALOGUE)


def test_the_sound_bases_fail_and_warn_of_nothing():
    """What is told of them instead, derived here from the pairs."""
    for name in BASES:
        found = {id: v for id, v in of_base(name).items() if v[0] not in ("pass", "skipped")}
        assert {outcome for outcome, _ in found.values()} <= {"info"}, name
        told = {"MAP008", "PAIR009", "PAIR011", "PAIR012", "PAIR013", "TREE002", "TREE003"}
        told.add("TRAIN007")
        assert found.keys() <= told, name
        asked = CATALOGUE if name in TABLES else DATA
        assert of_base(name).keys() == set(asked)


def test_the_sound_table_is_judged_by_every_rule_of_a_table():
    """Where pairs were held out; without them that one rule has nothing to judge."""
    assert {of_base("table with held-out pairs")[rule] for rule in AUDIT} == {("pass", 0)}
    alone = {rule for rule in AUDIT if of_base("table")[rule] != ("pass", 0)}
    assert [of_base("table")[rule] for rule in alone] == [SKIPPED]


def test_a_table_that_no_ranking_can_judge():
    """Of a genus with its strains popularity knows all that there is to know."""
    sound = of_base("table of a genus")
    assert {sound["HIER003"], sound["HIER004"]} == {SKIPPED}
    assert sound["HIER008"] == ("pass", 0)


def test_what_is_told_of_the_sound_tree():
    frame = base("tree with taxonomy")
    assert frame.taxonomy is not None
    tree, pairs, sound = Tree(frame.pairs), frame.pairs, of_base("tree with taxonomy")
    assert sound["MAP008"] == (
        "info",
        len(noisy(frame.taxonomy.names, frame.mapping["taxid"].tolist())),
    )
    assert sound["PAIR009"] == imbalance(pairs["depth_diff"], tree.parent)
    assert sound["PAIR011"] == dominance(pairs["ancestor_idx"])
    assert sound["PAIR013"] == negatives(pairs, {x: tree.depth(x) for x in tree.nodes})
    assert sound["TREE003"] == ("pass", 1)


def test_what_is_told_of_the_sound_dag():
    frame = base("DAG")
    dag, sound = Dag(frame.pairs), of_base("DAG")
    assert sound["PAIR011"] == dominance(frame.pairs["ancestor_idx"])
    assert sound["PAIR013"] == negatives(frame.pairs, dag.depth)
    assert sound["TREE002"] == ("info", sum(len(dag.parents(x)) > 1 for x in dag.nodes))
    assert sound["TREE003"] == ("info", sum(not dag.up[x] for x in dag.nodes))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CORRUPTIONS if name not in REPAIRED])
def test_exactly_what_was_damaged_is_found(name: str, tmp_path: Path):
    """Of those that no test repairs; of the others test_corruptions.py of the repair holds it."""
    corrupted = repeated(name)
    expect_exactly(name, corrupted, check(corrupted.frame.write(tmp_path)))
