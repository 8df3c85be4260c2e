"""The self-test: it finds what is planted, and says so where a rule does not."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from click.testing import CliRunner
from msgspec import structs

from taxcheck.cli.selftest import selftest
from taxcheck.commands.selftest.cases import load_cases
from taxcheck.commands.selftest.frame import DatasetFrame, Tree
from taxcheck.commands.selftest.planting import OWN, Planted, State, bases_of, own_clade, plant
from taxcheck.model.errors import InputError, UsageError
from taxcheck.model.finding import Finding
from taxcheck.run import rules as runner
from taxcheck.run.request import Request
from tests.case_folders import case_folder
from tests.oracles.starfish import starfish

pytestmark = pytest.mark.long

HEALTHY = ("fixtures/healthy/mapping.tsv", "fixtures/healthy/pairs.parquet")
CORRUPTIONS = load_cases().corruptions
FEW = tuple(
    CORRUPTIONS[name] for name in ("leaves_dropped", "reflexive_closure", "pairs_as_floats")
)


def base(name: str) -> DatasetFrame:
    return load_cases().bases[name]()


def states(planted: list[Planted]) -> dict[str, State]:
    return {p.name: p.state for p in planted}


def test_the_generated_starfish_have_the_shape_of_the_real_ones():
    own = Tree(base("table").pairs).parent
    assert tuple(own.get(node, -1) for node in range(177)) == starfish()[1]


@pytest.mark.parametrize("name", ["tree", "DAG"])
def test_the_generated_data_is_the_closure_of_its_edges(name):
    """Walked up from every node, edge by edge, as a person would."""
    pairs = base(name).pairs
    parents: dict[int, list[int]] = {}
    for a, d, k, *_ in pairs.itertuples(index=False):
        if k == 1:
            parents.setdefault(d, []).append(a)
    walked = set()
    for node in parents:
        level, steps, seen = {node}, 0, set()
        while level := {up for x in level for up in parents.get(x, ())} - seen:
            steps += 1
            seen |= level
            walked |= {(a, node, steps) for a in level}
    assert walked == set(pairs.iloc[:, :3].itertuples(index=False, name=None))


@pytest.mark.slow  # test_specificity.py holds the same of data that is made for tests
def test_every_corruption_is_found():
    planted = list(plant(base))
    assert len(planted) == len(CORRUPTIONS)
    assert {p.name: p.note for p in planted if p.state is not State.FOUND} == {}


def test_a_rule_that_overlooks_is_missed(monkeypatch):
    """PAIR005 passes whatever it sees: the self pairs that were planted are missed."""
    judged = runner._run

    def blind(rule, inputs, policy):
        if rule.id == "PAIR005":
            rule = replace(rule, function=lambda **_: Finding(False, "nothing seen"))
        return judged(rule, inputs, policy)

    monkeypatch.setattr(runner, "_run", blind)
    planted = list(plant(base, corruptions=FEW))
    assert states(planted) == {
        "leaves_dropped": State.FOUND,
        "reflexive_closure": State.MISSED,
        "pairs_as_floats": State.FOUND,
    }
    assert planted[1].note.startswith("PAIR005 pass 0 instead of fail 2,400")


def test_a_rule_that_cries_wolf_is_seen(monkeypatch):
    judged = runner._run

    def loud(rule, inputs, policy):
        result = judged(rule, inputs, policy)
        if rule.id == "PAIR005" and len(inputs["pairs"].as_ancestor) and result.judged:
            count = int(inputs["pairs"].self_pairs.count or inputs["pairs"].rows)
            return structs.replace(result, count=count)
        return result

    monkeypatch.setattr(runner, "_run", loud)
    (planted,) = plant(base, corruptions=FEW[:1])
    assert planted.state is State.MISSED
    assert "PAIR005" in planted.note


def test_a_clade_of_the_users_own_data():
    tree = own_clade(Request(mapping=HEALTHY[0], pairs=HEALTHY[1]))
    assert 1_000 < len(tree.mapping) <= 3_000
    real = pd.read_csv(HEALTHY[0], sep="\t")
    assert set(tree.mapping["taxid"]) <= set(real["taxid"])
    planted = list(plant(lambda name: bases_of(tree, name), OWN, corruptions=FEW))
    assert set(states(planted).values()) == {State.FOUND}


def test_what_has_no_place_in_a_clade_is_not_planted(tmp_path):
    """Three nodes have no forty leaves to drop."""
    (tmp_path / "m.tsv").write_text("taxid\tidx\n10\t0\n11\t1\n12\t2\n")
    (tmp_path / "p.tsv").write_text("ancestor\tdescendant\tdepth_diff\n0\t1\t1\n0\t2\t1\n")
    tree = own_clade(Request(mapping=str(tmp_path / "m.tsv"), pairs=str(tmp_path / "p.tsv")))
    planted = list(plant(lambda name: bases_of(tree, name), OWN, corruptions=FEW))
    assert states(planted)["leaves_dropped"] is State.NOT_PLANTED
    assert states(planted)["reflexive_closure"] is State.FOUND


@pytest.mark.parametrize(
    ("folder", "pairs", "said"),
    [
        (case_folder("PAIR005", "bad"), "pairs.tsv", "is not sound"),
        ("fixtures/uberon", "pairs.parquet", "corruptions are planted into trees"),
    ],
)
def test_data_that_proves_nothing_is_refused(folder, pairs, said):
    with pytest.raises(InputError, match=said):
        own_clade(Request(mapping=f"{folder}/mapping.tsv", pairs=f"{folder}/{pairs}"))


def test_the_command_prints_a_table_and_exits_with_what_it_found(monkeypatch):
    found = Planted("a", "tree", ("PAIR005",), State.FOUND)
    missed = Planted("b", "tree", (), State.MISSED, "PAIR006 fail 1 instead of pass")
    monkeypatch.setattr(
        "taxcheck.commands.selftest.planting.plant", lambda *_: iter([found, missed])
    )
    done = CliRunner().invoke(selftest, [])
    assert done.exit_code == 1
    lines = done.output.splitlines()
    assert lines[0].split() == ["found", "a", "PAIR005"]
    assert lines[1].split()[:4] == ["MISSED", "b", "nothing:", "PAIR006"]
    assert lines[2].startswith("1 of 2 corruptions found as they should be, 1 missed; ")
    monkeypatch.setattr("taxcheck.commands.selftest.planting.plant", lambda *_: iter([found]))
    assert CliRunner().invoke(selftest, ["-q"]).exit_code == 0


def test_one_of_the_two_tables_is_not_enough():
    done = CliRunner().invoke(selftest, ["--mapping", HEALTHY[0]])
    assert isinstance(done.exception, UsageError)
