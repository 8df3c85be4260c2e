"""TREE001 to TREE009 on hand-made values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from taxcheck.model.finding import Defect, Sample
from taxcheck.policy.model import Dataset
from taxcheck.statistics.values import Kind
from tests.rules.builders import closure, depth, ints, judge, pairs, some, taxonomy, tree


def test_a_cycle_is_printed_in_order() -> None:
    ring = Defect(2, 4, tuple(Sample({"idx": k}, node=k) for k in (1, 3)))
    result = judge("TREE001", tree=tree(cycles=ring))
    assert result.outcome == "fail"
    assert result.message == (
        "2 of 4 nodes (50.0 %) are their own ancestors; one of them: "
        "idx 1 (taxid 20) -> idx 3 (taxid 40) -> idx 1 (taxid 20)"
    )
    assert judge("TREE001").message == "no cycle among 3 parent-child pairs"


def test_a_long_cycle_is_cut_off() -> None:
    ring = Defect(9, 9, tuple(Sample({"idx": k}, node=k) for k in range(9)))
    assert judge("TREE001", tree=tree(cycles=ring)).message.endswith("idx 5 -> ...")


@pytest.mark.parametrize(
    ("kind", "declared", "outcome"),
    [
        (Kind.DAG, "auto", "info"),
        (Kind.DAG, "dag", "info"),
        (Kind.DAMAGED_TREE, "auto", "warn"),
        (Kind.DAMAGED_TREE, "tree", "fail"),
        (Kind.DAG, "tree", "fail"),
    ],
)
def test_several_parents_weigh_by_kind(kind: Kind, declared: str, outcome: str) -> None:
    several = tree(kind=kind, several_parents=some(1, 200, {"idx": 3}))
    shown = "DAG" if kind is Kind.DAG else "damaged tree"
    result = judge("TREE002", tree=several, dataset=Dataset(kind=declared))
    assert result.outcome == outcome
    assert result.message == (
        f"1 of 200 nodes with a parent (0.5 %) has more than one; read as a {shown}; "
        "first: row 11 (idx 3)"
    )


TWO = tree(
    roots=Defect(2, 4, (Sample({"idx": 0, "tree_nodes": 2}, node=0),)),
    root_idx=ints(0, 2),
    components=2,
    component_sizes=(2, 2),
)


def test_several_roots_are_told() -> None:
    result = judge("TREE003", tree=TWO)
    assert result.outcome == "info"
    assert result.message == (
        "2 roots over 4 nodes, in 2 connected parts; first: idx 0, tree_nodes 2"
    )
    assert judge("TREE003").message == "1 root over 4 nodes, in 1 connected part"


@pytest.mark.parametrize(
    ("roots", "outcome", "undeclared", "missing"),
    [
        ((10, 30), "pass", 0, 0),
        (("10", "30"), "pass", 0, 0),
        ((10,), "warn", 1, 0),
        ((10, 30, 20), "warn", 0, 1),  # taxid 20 is in pairs and has a parent
        ((10, 30, 99), "warn", 0, 1),  # taxid 99 is not mapped
        ((10, 30, 40), "pass", 0, 0),  # taxid 40 is in no pair: a root without children
    ],
)
def test_roots_are_held_against_the_declared_ones(
    roots: tuple[int | str, ...], outcome: str, undeclared: int, missing: int
) -> None:
    result = judge(
        "TREE003",
        tree=TWO,
        pairs=pairs((1, 0, 1, 0), (0, 2, 0, 0)),
        dataset=Dataset(roots=roots),
    )
    assert result.outcome == outcome, result.message
    assert result.observed["undeclared"] == undeclared
    assert result.observed["declared and not found"] == missing


def test_a_declared_single_root_that_is_none_warns() -> None:
    assert judge("TREE003", dataset=Dataset(roots=(20,))).outcome == "warn"
    assert judge("TREE003", dataset=Dataset(roots=(10,))).outcome == "pass"


GAP = closure(
    expected=4,
    distinct=1,
    missing=Defect(3, 4, tuple(Sample({"distance": k}, node=3) for k in (2, 1))),
    missing_by_depth=ints(0, 2, 1),
)


def test_missing_pairs_by_depth() -> None:
    result = judge("TREE004", closure=GAP)
    assert result.outcome == "fail"
    assert result.message == (
        "3 of 4 pairs of the closure (75.0 %) are missing: 2 at depth 1, 1 at depth 2; "
        "first: distance 2"
    )
    assert result.observed["missing by depth"] == {"1": 2, "2": 1}
    assert judge("TREE004").message == "all 4 pairs of the closure are there"


def test_missing_pairs_beyond_the_declared_depth_are_not_asked_for() -> None:
    result = judge("TREE004", closure=GAP, dataset=Dataset(pairs="depth<=1"))
    assert result.message == (
        "2 of 3 pairs of the closure up to depth 1 (66.7 %) are missing: 2 at depth 1; "
        "first: distance 1"
    )
    deep = closure(missing=some(1, 4), missing_by_depth=ints(0, 0, 1))
    assert judge("TREE004", closure=deep, dataset=Dataset(pairs="depth<=1")).outcome == "pass"


def test_missing_pairs_are_true_only_where_nothing_denies_the_edges() -> None:
    assert (judge("TREE004", closure=GAP).impact or "").endswith("though true.")
    wrong = taxonomy(disagreement=some(2, 4))
    for doubted in (
        judge("TREE004", closure=GAP, taxonomy=wrong),
        judge("TREE004", closure=replace(GAP, false=some(1, 4))),
    ):
        assert "parent-child pairs are wrong, or true ones" in (doubted.impact or "")


@pytest.mark.parametrize("intent", ["edges", "sampled"])
def test_completeness_is_not_judged_where_none_is_meant(intent: str) -> None:
    result = judge("TREE004", closure=GAP, dataset=Dataset(pairs=intent))
    assert result.reason == f'the policy declares pairs = "{intent}": no closure is meant'


def test_false_pairs_fail_and_unproven_ones_are_named() -> None:
    bad = closure(false=some(2, 10, ancestry=1, distance=1), unproven=some(5, 10, broken_chain=5))
    result = judge("TREE005", closure=bad, taxonomy=taxonomy(disagreement=some(2, 10)))
    assert result.outcome == "fail"
    assert result.message == (
        "2 of 10 pairs (20.0 %) are false: 1 ancestry, 1 distance; "
        "5 pairs (50.0 %) are unproven: their chains of depth-1 pairs are broken"
    )
    assert result.observed["proved"] == 3
    assert judge("TREE005").message == "all 4 pairs are proved"


def test_two_depths_of_one_node() -> None:
    result = judge("TREE006", depth=depth(inconsistent=some(1, 4, {"idx": 3})))
    assert result.outcome == "fail"
    assert result.message == "1 of 4 nodes (25.0 %) has more than one depth; first: row 11 (idx 3)"
    none = judge("TREE006", depth=depth(inconsistent=None))
    assert none.reason == "the pairs have neither ancestor_depth nor descendant_depth"


def test_missing_parents_are_judged_where_edges_are_stated() -> None:
    orphans = some(1, 3, {"idx": 3})
    assert judge("TREE007", tree=tree(missing_parent=orphans)).message == (
        "1 of 3 descendants (33.3 %) has ancestors but no parent; first: row 11 (idx 3)"
    )
    sampled = Dataset(pairs="sampled")
    assert judge("TREE007", tree=tree(missing_parent=orphans), dataset=sampled).outcome == "skipped"
    derived = tree(edges_from="transitive reduction")
    assert judge("TREE007", tree=derived).outcome == "skipped"


def test_rank_inversions_warn() -> None:
    result = judge("TREE008", taxonomy=taxonomy(rank_inversion=some(2, 3)))
    assert result.outcome == "warn"
    assert result.message == ("2 of 3 edges between ranked taxa (66.7 %) have the finer rank above")
    assert judge("TREE008", taxonomy=taxonomy(rank_inversion=None)).outcome == "skipped"


def test_disagreement_with_the_taxonomy_goes_both_ways() -> None:
    both = taxonomy(disagreement=some(1, 4, {"ancestor_idx": 1}), missing=2)
    result = judge("TREE009", taxonomy=both)
    assert result.outcome == "fail"
    assert result.message == (
        "1 of 4 pairs (25.0 %) is no ancestry in taxdump (2024-09-07); "
        "first: row 11 (ancestor_idx 1); "
        "2 pairs that it holds among the mapped nodes are missing"
    )
    assert result.judged
    assert (result.count, result.total) == (3, 6)  # of the pairs of either


@pytest.mark.parametrize("intent", ["edges", "sampled", "depth<=2"])
def test_pairs_that_the_file_lacks_are_judged_for_a_closure_only(intent: str) -> None:
    lacking = taxonomy(missing=2)
    assert judge("TREE009", taxonomy=lacking).message == (
        "2 pairs that taxdump (2024-09-07) holds among the mapped nodes are missing"
    )
    assert judge("TREE009", taxonomy=lacking, dataset=Dataset(pairs=intent)).outcome == "pass"
    none = judge("TREE009", taxonomy=taxonomy(disagreement=None))
    assert none.reason == "there are no pairs to hold against the taxonomy"


def test_where_no_pair_is_left_nothing_passes() -> None:
    nothing = some(0, 0)
    empty = tree(
        nodes=0,
        edges=0,
        leaves=0,
        cycles=nothing,
        several_parents=nothing,
        roots=nothing,
        missing_parent=nothing,
        root_idx=ints(),
    )
    unproved = closure(
        expected=0, distinct=0, false=nothing, missing=nothing, duplicates=nothing, reversed=nothing
    )
    rules = ("TREE001", "TREE002", "TREE003", "TREE004", "TREE005", "TREE007", "PAIR006", "PAIR007")
    for id in (*rules, "PAIR015"):
        assert judge(id, tree=empty, closure=unproved).outcome == "skipped", id
