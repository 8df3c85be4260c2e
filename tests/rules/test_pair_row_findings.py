"""Findings about single pairs: the whole finding, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from taxcheck.policy.model import Dataset
from taxcheck.statistics.values import Identifiers
from tests.rules.builders import (
    closure,
    counted,
    depth,
    ints,
    judge,
    mapping,
    pairs,
    places,
    sampled,
    some,
    taxonomy,
    tree,
    weights,
)


@pytest.mark.parametrize(
    ("id", "given", "observed"),
    [
        ("PAIR001", {}, {"count": 0, "total": 4, "rows": 4, "valid rows": 4}),
        ("PAIR002", {}, {"count": 0, "total": 4, "n_nodes": 4, "mapped nodes": 4}),
        ("PAIR005", {}, {"count": 0, "total": 4}),
        ("PAIR006", {}, {"count": 0, "total": 4, "distinct pairs": 4, "weights column": False}),
        ("PAIR007", {}, {"count": 0, "total": 4}),
        (
            "PAIR008",
            {},
            {
                "count": 0,
                "total": 4,
                "columns judged": ["depth_diff", "ancestor_depth", "descendant_depth"],
            },
        ),
        ("TREE001", {}, {"count": 0, "total": 4, "edges from": "depth_diff", "edges": 3}),
        ("TREE006", {}, {"count": 0, "total": 4}),
        ("TREE007", {}, {"count": 0, "total": 3}),
        (
            "TREE002",
            {},
            {
                "count": 0,
                "total": 3,
                "kind": "tree",
                "reason": "every node has at most one parent",
                "declared": "auto",
                "with the pairs beyond the edges": 0,
            },
        ),
        (
            "TREE005",
            {},
            {
                "count": 0,
                "total": 4,
                "false": 0,
                "unproven": 0,
                "unproven by reason": {},
                "proved": 4,
                "proof": "tree",
            },
        ),
    ],
)
def test_what_is_observed_of_sound_pairs(id: str, given: dict, observed: dict) -> None:
    assert judge(id, **given).observed == observed


@pytest.mark.parametrize(
    ("id", "given", "told"),
    [
        ("PAIR001", {"pairs": pairs(invalid=some(1, 4))}, "1 of 4 rows (25.0 %) is invalid"),
        ("PAIR002", {"pairs": pairs(out_of_range=some(1, 4))}, "rows (25.0 %) names an idx"),
        ("PAIR002", {"pairs": pairs(out_of_range=some(2, 4))}, "rows (50.0 %) name an idx"),
        ("PAIR005", {"pairs": pairs(self_pairs=some(1, 4))}, "rows (25.0 %) pairs a node"),
        ("PAIR005", {"pairs": pairs(self_pairs=some(2, 4))}, "rows (50.0 %) pair a node"),
        ("PAIR006", {"closure": closure(duplicates=some(1, 4))}, "rows (25.0 %) repeats a"),
        ("PAIR006", {"closure": closure(duplicates=some(2, 4))}, "rows (50.0 %) repeat a"),
        ("PAIR007", {"closure": closure(reversed=some(1, 4))}, "pairs (25.0 %) is there in both"),
        ("PAIR010", {"pairs": pairs(taxid_disagreement=some(1, 4))}, "rows (25.0 %) joins a taxid"),
        ("PAIR010", {"pairs": pairs(taxid_disagreement=some(2, 4))}, "rows (50.0 %) join a taxid"),
        ("TREE006", {"depth": depth(inconsistent=some(1, 4))}, "nodes (25.0 %) has more than one"),
        ("TREE007", {"tree": tree(missing_parent=some(1, 3))}, "descendants (33.3 %) has anc"),
        ("TREE008", {"taxonomy": taxonomy(rank_inversion=some(1, 3))}, "(33.3 %) has the finer"),
    ],
)
def test_one_and_many_are_worded_and_counted(id: str, given: dict, told: str) -> None:
    result = judge(id, **given)
    assert result.outcome in ("fail", "warn")
    assert told in result.message
    (defect,) = (
        d
        for value in given.values()
        for d in (getattr(value, name) for name in value.__dataclass_fields__)
        if getattr(d, "count", 0) in (1, 2)
        and getattr(d, "total", None) in (3, 4)
        and d is not getattr(value, "roots", None)
        and d is not getattr(value, "parent_outside", None)
    )
    assert counted(result) == (defect.count, defect.total)


@pytest.mark.parametrize("id", ["PAIR002", "PAIR003", "PAIR004", "PAIR010", "PAIR014"])
def test_pairs_are_not_held_against_a_mapping_made_of_them(id: str) -> None:
    reason = "no mapping was given: it was made from the pairs' own labels"
    assert judge(id, mapping=mapping(derived=True)).reason == reason


def test_weights_that_are_declared_keep_what_repeats() -> None:
    twice = closure(duplicates=some(2, 4, {"ancestor_idx": 0}))
    declared = Dataset(duplicates="weights")
    result = judge("PAIR006", closure=twice, dataset=declared)
    assert counted(result) == (2, 4)
    assert sampled(result) == [{"ancestor_idx": 0}]
    assert result.observed["distinct pairs"] == 4
    assert result.impact.startswith("2 of 4 training pairs")
    weighted = judge("PAIR006", closure=twice, pairs=pairs(weights=weights()), dataset=declared)
    assert weighted.fix != result.fix


def test_uncovered_nodes_are_sampled_by_row() -> None:
    lone = pairs((1, 0, 0, 0), (0, 1, 0, 0), never=2)
    result = judge("PAIR003", pairs=lone)
    assert counted(result) == (2, 4)
    assert result.observed == {
        "only descendant": 1,
        "only ancestor": 1,
        "both": 0,
        "never": 2,
        "declared roots without children": 0,
    }
    assert sampled(result) == [{"idx": 2}, {"idx": 3}]
    assert places(result) == [(3, 2, "mapping"), (4, 3, "mapping")]
    many = mapping(np.arange(30) + 5, np.arange(30))
    none = pairs((1, *[0] * 29), (0, 1, *[0] * 28))
    assert len(judge("PAIR003", mapping=many, pairs=none).samples) == 20


def test_a_declared_root_by_text_needs_no_pair() -> None:
    names = np.array(["a", "b", "c", None], dtype=object)
    texts = mapping(identifiers=Identifiers(None, names))
    lone = pairs((1, 0, 0, 1), (0, 1, 0, 0), never=1)
    assert judge("PAIR003", mapping=texts, pairs=lone).outcome == "fail"
    result = judge("PAIR003", mapping=texts, pairs=lone, dataset=Dataset(roots=("c",)))
    assert result.outcome == "pass"
    assert result.message == "all 3 nodes are in a pair"
    assert result.observed["declared roots without children"] == 1
    # the word "None" is no node without a name
    unnamed = pairs((1, 0, 1, 0), (0, 1, 0, 0), never=1)
    assert (
        judge("PAIR003", mapping=texts, pairs=unnamed, dataset=Dataset(roots=("None",))).outcome
        == "fail"
    )
    bare = mapping(identifiers=Identifiers(None, None))
    assert (
        judge("PAIR003", mapping=bare, pairs=lone, dataset=Dataset(roots=("c",))).outcome == "fail"
    )


def test_two_nodes_are_enough_to_be_paired() -> None:
    one, two = mapping(ints(7), ints(0)), mapping(ints(7, 8), ints(0, 1))
    for id in ("PAIR003", "PAIR004"):
        assert judge(id, mapping=one, pairs=pairs((0,), (0,))).outcome == "skipped"
        assert judge(id, mapping=two, pairs=pairs((1, 0), (0, 1))).outcome == "pass"


def test_a_short_table_is_sampled_by_row() -> None:
    holed = mapping(ints(10, 20, 30, 40), ints(0, 1, 3, 5))
    short = pairs((1, 0, 0, 0, 0, 0), (0, 1, 0, 0, 0, 0))
    result = judge("PAIR004", mapping=holed, pairs=short)
    assert counted(result) == (4, 6)
    assert result.observed == {
        "max idx in pairs + 1": 2,
        "n_nodes": 6,
        "holes inside the pairs' range": 0,
    }
    assert sampled(result) == [{"idx": 3}, {"idx": 5}]
    assert places(result) == [(3, 3, "mapping"), (4, 5, "mapping")]


def test_weights_that_no_draw_can_use() -> None:
    given = weights(1, {"weight": "nan"}, **{"weight is no number": 1, "weight is negative": 2})
    result = judge("PAIR016", pairs=pairs(weights=given))
    assert (result.outcome, counted(result)) == ("fail", (3, 4))
    assert result.message == (
        "3 of 4 weights (75.0 %) are unusable: 2 weight is negative, 1 weight is no number; "
        "first: row 11 (weight nan)"
    )
    assert result.observed["above 0"] == 1


def test_weights_that_are_all_zero_draw_nothing() -> None:
    result = judge("PAIR016", pairs=pairs(weights=weights(0)))
    assert (result.outcome, counted(result), result.message) == (
        "fail",
        (4, 4),
        "all 4 weights are 0",
    )
    assert judge("PAIR016", pairs=pairs(weights=weights(1))).outcome == "pass"
    assert judge("PAIR016").reason == "the pairs have no column of weights"
