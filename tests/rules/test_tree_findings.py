"""TREE001 to TREE009: the whole finding, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from taxcheck.model.finding import Sample
from taxcheck.policy.model import Dataset
from taxcheck.statistics.values import Beyond, Kind
from tests.rules.builders import (
    closure,
    counted,
    ints,
    judge,
    mapping,
    sampled,
    some,
    taxonomy,
    tree,
)


def test_a_cycle_is_printed_to_its_sixth_node() -> None:
    def ring(n: int):
        samples = tuple(Sample({"idx": k}, node=k) for k in range(n))
        return tree(cycles=replace(some(n, 9), samples=(*samples, Sample({"text": "x"}))))

    big = mapping(np.arange(9) + 70, np.arange(9))
    whole = judge("TREE001", tree=ring(6), mapping=big)
    assert whole.message.endswith("idx 5 (taxid 75) -> idx 0 (taxid 70)")
    cut = judge("TREE001", tree=ring(7), mapping=big)
    assert cut.message.endswith("idx 5 (taxid 75) -> ...")
    assert whole.observed["edges from"] == "depth_diff"


def test_several_parents_in_a_dag_are_worded_so() -> None:
    several = tree(kind=Kind.DAG, several_parents=some(1, 3, {"idx": 2}))
    result = judge("TREE002", tree=several)
    assert result.outcome == "info"
    assert "has more than one; read as a DAG" in result.message
    assert sampled(result) == [{"idx": 2}]
    assert judge("TREE002", tree=several, dataset=Dataset(kind="tree")).outcome == "fail"


def test_roots_are_observed() -> None:
    result = judge("TREE003", dataset=Dataset(roots=(20,)))
    assert (result.outcome, counted(result)) == ("warn", (1, 4))
    assert result.observed == {
        "roots": 1,
        "connected parts": 1,
        "largest parts": [4],
        "declared roots": 1,
        "undeclared": 1,
        "declared and not found": 1,
    }
    assert "; it is not declared, and the declared one is no root; first" in result.message
    more = judge("TREE003", dataset=Dataset(roots=(20, 30)))
    assert "; it is not declared, and 2 of 2 declared roots are no roots; first" in more.message
    assert sampled(result) == [{"idx": 0, "tree_nodes": 4}]
    assert "first: idx 0" in result.message
    as_declared = judge("TREE003", dataset=Dataset(roots=(10,)))
    assert as_declared.message.endswith(", as declared")
    two = tree(roots=replace(tree().roots, count=2), root_idx=ints(0, 1))
    several = judge("TREE003", tree=two)
    assert (several.outcome, counted(several)) == ("info", (2, 4))
    assert "first: idx 0" in several.message


def test_missing_pairs_are_observed_by_depth() -> None:
    by_depth = ints(0, 1, 2, 3, 4, 5, 6)
    open_ = closure(expected=100, missing=some(21, 100, {"distance": 2}), missing_by_depth=by_depth)
    result = judge("TREE004", closure=open_)
    assert counted(result) == (21, 100)
    assert "1 at depth 1, 2 at depth 2, 3 at depth 3, 4 at depth 4, 11 deeper" in result.message
    assert result.observed == {
        "expected pairs": 100,
        "missing": 21,
        "missing by depth": {str(k): k for k in range(1, 7)},
        "proof": "tree",
        "nodes with unknown ancestors": {},
    }
    assert sampled(result) == [{"distance": 2}]
    long = closure(expected=9_999, missing=some(70, 9_999), missing_by_depth=np.ones(71, int))
    assert len(judge("TREE004", closure=long).observed["missing by depth"]) == 64
    one = closure(expected=4, missing=some(1, 4), missing_by_depth=ints(0, 0, 1))
    found = judge("TREE004", closure=one)
    assert (found.outcome, counted(found)) == ("fail", (1, 4))
    assert "deeper" not in found.message
    assert judge("TREE004").samples == ()


def test_false_and_unproven_pairs_are_observed() -> None:
    both = closure(false=some(2, 10, {"ancestor_idx": 3}), unproven=some(1, 10, broken_chain=1))
    result = judge("TREE005", closure=both)
    assert counted(result) == (2, 10)
    assert result.observed == {
        "count": 2,
        "total": 10,
        "false": 2,
        "unproven": 1,
        "unproven by reason": {"broken_chain": 1},
        "proved": 7,
        "proof": "tree",
    }
    assert "1 pair (10.0 %) is unproven: their chains" in result.message
    unproven = judge(
        "TREE005", closure=closure(false=some(0, 10), unproven=some(2, 10, broken_chain=1, cycle=1))
    )
    assert (unproven.outcome, counted(unproven)) == ("warn", (0, 10))
    assert unproven.observed["proved"] == 8


def test_what_disagrees_with_the_taxonomy_is_observed() -> None:
    apart = taxonomy(disagreement=some(1, 4, {"ancestor_idx": 3}), missing=5)
    result = judge("TREE009", taxonomy=apart)
    assert result.outcome == "fail"
    assert result.observed == {
        "taxonomy": "taxdump",
        "version": "2024-09-07",
        "pairs that the taxonomy lacks": 1,
        "pairs that the file lacks": 5,
    }
    assert sampled(result) == [{"ancestor_idx": 3}]
    declared = judge("TREE009", taxonomy=apart, dataset=Dataset(pairs="closure"))
    assert counted(declared) == (6, 9)
    assert "; 5 pairs that it holds among the mapped nodes are missing" in declared.message
    only = taxonomy(missing=5)
    lacking = judge("TREE009", taxonomy=only, dataset=Dataset(pairs="closure"))
    assert lacking.message.startswith("5 pairs that taxdump (2024-09-07) holds")


def test_what_a_proof_could_not_know_is_told() -> None:
    open_ = closure(
        unproven=some(7, 10, {"ancestor_idx": 5}, cycle=4, beyond_bound=3),
        false=some(0, 10),
        open={"cycle": 2, "beyond_bound": 1},
    )
    missing, false = judge("TREE004", closure=open_), judge("TREE005", closure=open_)
    assert missing.outcome == "pass"
    assert missing.message == (
        "all 4 pairs of the closure are there; what is missing above 3 nodes cannot be told in "
        "full: 2 cycle, 1 beyond bound"
    )
    assert missing.observed["nodes with unknown ancestors"] == {"cycle": 2, "beyond_bound": 1}
    assert (false.outcome, sampled(false)) == ("warn", [{"ancestor_idx": 5}])
    assert false.message.startswith(
        "no pair is false, but 7 pairs (70.0 %) are unproven: their chains pass a cycle (4), more "
        "pairs are implied than can be held against the file (3); first: row 11"
    )


def test_a_bound_of_memory_is_no_pass_and_says_what_would_lift_it() -> None:
    cut = closure(
        unproven=some(3, 10, {"ancestor_idx": 5}, beyond_bound=3),
        false=some(0, 10),
        open={"beyond_bound": 1},
        needs=11_500_000_000,
    )
    missing, false = judge("TREE004", closure=cut), judge("TREE005", closure=cut)
    assert (missing.outcome, missing.count) == ("warn", 0)
    assert missing.message == (
        "all 4 pairs of the closure are there; what is missing above 1 node cannot be told in "
        "full: 1 beyond bound; with ``--memory 12GB`` what is beyond the bound is proved too"
    )
    assert (false.outcome, "``--memory 12GB``" in (false.fix or "")) == ("warn", True)
    lacking = replace(cut, missing=some(1, 4), missing_by_depth=np.array([0, 0, 1]))
    assert judge("TREE004", closure=lacking).outcome == "fail"


def test_second_parents_that_only_the_pairs_beyond_the_edges_show() -> None:
    lost = tree(kind=Kind.DAG, beyond=Beyond(9, 8, 2))
    result = judge("TREE002", tree=lost)
    assert (result.outcome, counted(result)) == ("info", (0, 3))
    assert result.message == (
        "no node has more than one parent by its depth-1 pairs, but with the pairs beyond them "
        "2 of 3 nodes with a parent (66.7 %) have; read as a DAG"
    )
    assert result.observed["with the pairs beyond the edges"] == 2
    assert judge("TREE002", tree=tree(beyond=Beyond(9, 1, 2))).outcome == "pass"


def test_a_kind_that_damage_hides_warns() -> None:
    hidden = tree(kind=Kind.UNKNOWN, several_parents=some(2, 3), kind_reason="rows were lost")
    result = judge("TREE002", tree=hidden)
    assert result.outcome == "warn"
    assert result.message.endswith("whether a tree was damaged or a DAG is meant cannot be told")
    assert result.observed["reason"] == "rows were lost"
    assert "declare ``[dataset] kind" in (result.fix or "")


def test_pairs_beyond_the_edges_are_told_by_both_rules() -> None:
    open_ = closure(unproven=some(3, 10, beyond_edges=2, shorter_way=1), false=some(0, 10))
    missing, false = judge("TREE004", closure=open_), judge("TREE005", closure=open_)
    assert missing.message == (
        "all 4 pairs of the closure are there; 3 pairs beyond them are unproven (TREE005): if "
        "true, depth-1 pairs are missing that nothing here can name"
    )
    assert false.outcome == "warn"
    assert false.message == (
        "no pair is false, but 3 pairs (30.0 %) are unproven: no chain of depth-1 pairs holds or "
        "contradicts them; such a pair was lost, or they are wrong (2), they state a shorter way "
        "than the depth-1 pairs have (1)"
    )


def test_distances_that_are_all_one_are_told() -> None:
    result = judge("TREE005", tree=tree(flat=True))
    assert (result.outcome, counted(result)) == ("warn", (0, 4))
    assert result.message == (
        "all 4 pairs state the distance 1, but only 3 of them follow from no others: this is a "
        "closure without distances, or a list of edges, and was judged as if it stated none"
    )
    bad = judge("TREE005", tree=tree(flat=True), closure=closure(false=some(1, 4, ancestry=1)))
    assert bad.outcome == "fail"
