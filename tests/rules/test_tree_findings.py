"""TREE001 to TREE009: the whole finding, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from taxcheck.config import Dataset
from taxcheck.rule import Sample
from taxcheck.statistics.values import Kind
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
    assert "; 1 of them are not declared, and 1 of 1 declared roots are none" in result.message
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
    }
    assert sampled(result) == [{"distance": 2}]
    long = closure(expected=9_999, missing=some(70, 9_999), missing_by_depth=np.ones(71, int))
    assert len(judge("TREE004", closure=long).observed["missing by depth"]) == 64
    one = closure(expected=4, missing=some(1, 4), missing_by_depth=ints(0, 0, 1))
    found = judge("TREE004", closure=one)
    assert (found.outcome, counted(found)) == ("fail", (1, 4))
    assert "deeper" not in found.message
    assert judge("TREE004").finding.samples == ()


def test_false_and_unproven_pairs_are_observed() -> None:
    both = closure(false=some(2, 10, {"ancestor_idx": 3}), unproven=1)
    result = judge("TREE005", closure=both)
    assert counted(result) == (2, 10)
    assert result.observed == {
        "count": 2,
        "total": 10,
        "false": 2,
        "unproven": 1,
        "proved": 7,
        "proof": "tree",
    }
    assert "1 pairs (10.0 %) is unproven" in result.message
    unproven = judge("TREE005", closure=closure(false=some(0, 10), unproven=2))
    assert (unproven.outcome, counted(unproven)) == ("warn", (0, 10))
    assert unproven.observed["proved"] == 8


def test_what_disagrees_with_the_taxonomy_is_observed() -> None:
    apart = taxonomy(disagreement=some(1, 4, {"ancestor_idx": 3}), missing=5)
    result = judge("TREE009", taxonomy=apart)
    assert result.outcome == "fail"
    assert result.observed == {
        "taxonomy": "taxdump",
        "date": "2024-09-07",
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
