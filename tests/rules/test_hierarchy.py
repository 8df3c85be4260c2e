"""HIER001 to HIER009 on hand-made values: every score beside its nulls."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from taxcheck.audit.values import NullScore
from tests.rules.audit import clade, judge, score, scores
from tests.rules.builders import tree

# An untrained table: radii by depth, random directions. It is its own null, so that no margin
# is above 0, while radius and depth agree perfectly.
ITSELF = {"depth-aware init": NullScore(0.014, -0.002), "collapsed": NullScore(0.001, 0.011)}
UNTRAINED = scores(
    map=score(0.014, nulls=ITSELF),
    mean_rank=score(1_390.0, nulls={"depth-aware init": NullScore(1_390.0, -5.0)}),
    hits={},
    parent_hits={10: score(0.002, 0.002)},
    spearman=score(0.993, None, ceiling=0.993),
    spearman_recentred=0.993,
    monotone_edges=score(1.0, None),
    monotone_by_depth=((1, 2, 1.0), (2, 1, 1.0)),
    siblings=score(0.5, 0.5),
    separation=score(1.0, 1.0, optimum=None),
)


def test_a_score_is_worded_with_interval_null_and_how_many() -> None:
    ranked = score(
        0.612, 0.21, low=0.598, high=0.627, protocol="nickel", sources=2_000, total=82_114
    )
    result = judge("HIER003", scores=scores(map=ranked, mean_rank=None))
    assert result.outcome == "pass"
    assert result.message == (
        "MAP 0.612 (95 % 0.598 to 0.627) over 2,000 of 82,114 sources; best null popularity 0.210"
    )
    assert result.observed["protocol"] == "nickel"
    assert result.observed["nulls"] == {"popularity": 0.21, "collapsed": 0.0}


def test_an_untrained_table_by_depth_fails_though_its_radii_are_perfect() -> None:
    assert judge("HIER001", scores=UNTRAINED).outcome == "pass"
    assert judge("HIER002", scores=UNTRAINED).outcome == "pass"
    result = judge("HIER003", scores=UNTRAINED)
    assert result.outcome == "fail"
    assert result.judged
    assert (result.count, result.total) == (2, 2)
    assert "best null depth-aware init 0.014, not exceeded (margin from -0.002)" in result.message
    for id in ("HIER004", "HIER006", "HIER009"):
        assert judge(id, scores=UNTRAINED).outcome == "warn"


@pytest.mark.parametrize(
    ("id", "part", "outcome"),
    [
        ("HIER003", "map", "fail"),
        ("HIER003", "mean_rank", "fail"),
        ("HIER006", "separation", "warn"),
        ("HIER009", "siblings", "warn"),
    ],
)
def test_a_high_score_that_a_null_reaches_is_found(id: str, part: str, outcome: str) -> None:
    even = score(0.95, 0.93)  # a lower bound of -.03
    assert judge(id, scores=scores(**{part: even})).outcome == outcome
    assert judge(id, scores=scores(**{part: score(0.05, -0.1)})).outcome == "pass"


def test_nan_is_never_strong() -> None:
    nan = float("nan")
    broken = score(nan, 0.2, nulls={"popularity": NullScore(0.2, nan)})
    result = judge("HIER003", scores=scores(map=broken))
    assert result.outcome == "fail"
    assert "MAP not a number" in result.message


@pytest.mark.parametrize("id", ["HIER003", "HIER004", "HIER006", "HIER009"])
def test_a_score_without_nulls_proves_nothing(id: str) -> None:
    bare: dict[str, Any] = dict.fromkeys(
        ("map", "mean_rank", "separation", "siblings"), score(0.9, None)
    )
    result = judge(id, scores=scores(**bare, parent_hits={1: score(0.9, None)}))
    assert (result.outcome, result.reason) == (
        "skipped",
        "no null was computed to hold the score against",
    )


@pytest.mark.parametrize("id", [f"HIER00{k}" for k in range(1, 10)])
def test_a_part_that_was_not_computed_is_skipped(id: str) -> None:
    empty = replace(
        scores(),
        map=None,
        mean_rank=None,
        parent_hits={},
        spearman=None,
        monotone_edges=None,
        siblings=None,
        separation=None,
        clades=(),
        hubness=None,
        root=None,
    )
    assert judge(id, scores=empty).outcome == "skipped"


def test_one_weak_k_is_enough() -> None:
    hits = {1: score(0.02, 0.02), 10: score(0.9)}
    result = judge("HIER004", scores=scores(parent_hits=hits))
    assert result.outcome == "warn"
    assert result.judged
    assert [sample.values["score"] for sample in result.samples] == ["hits@1 of the parent"]


def test_the_better_of_two_correlations_counts() -> None:
    low = score(0.2, None, ceiling=0.988)
    assert judge("HIER001", scores=scores(spearman=low)).outcome == "pass"
    result = judge("HIER001", scores=scores(spearman=low, spearman_recentred=0.29))
    assert result.outcome == "warn"  # .3 x 0.988 is .2964
    assert result.message == (
        "Spearman of radius and depth 0.200 (95 % 0.180 to 0.220), 0.290 re-centred on the root; "
        "ties allow 0.988. By itself it proves nothing"
    )
    assert judge("HIER001", scores=scores(spearman=low, spearman_recentred=None)).outcome == "warn"


def test_edges_the_wrong_way_round() -> None:
    # Echinodermata with 26 % of the nodes in no pair
    edges = score(0.891, None, low=0.884, high=0.898, sources=7_111, total=7_111)
    depths = ((1, 5, 1.0), (9, 3_000, 0.8), (12, 100, 0.5))
    result = judge("HIER002", scores=scores(monotone_edges=edges, monotone_by_depth=depths))
    assert result.outcome == "warn"
    assert result.message == (
        "10.9 % of 7,111 children are nearer the centre than their parent, or as near (95 % 10.2 % "
        "to 11.6 %); most of them at depth 9: 20.0 % of 3,000 edges"
    )
    assert result.judged
    assert result.count == 775


def test_edges_of_rows_that_are_no_points_are_told_and_not_counted() -> None:
    edges = score(0.9, None, low=0.89, high=0.91, sources=100, total=120)
    result = judge("HIER002", scores=scores(monotone_edges=edges))
    assert result.judged
    assert (result.count, result.total) == (10, 100)
    assert result.message.startswith("10.0 % of 100 children")
    assert result.message.endswith("; left out: 20 edges to or from a row that is no point")


FLAT = {"popularity": NullScore(1.0, -0.4), "collapsed": NullScore(0.001, 0.59)}


def test_where_popularity_is_perfect_no_table_could_be_better() -> None:
    # A genus and its species: the genus is the one ancestor of all, and the most popular row.
    ranked = score(0.6, nulls=FLAT)
    mean = score(1.7, nulls={"popularity": NullScore(1.0, -0.8)}, higher_is_better=False)
    result = judge("HIER003", scores=scores(map=ranked, mean_rank=mean))
    assert (result.outcome, result.reason) == (
        "skipped",
        "the null popularity has MAP 1.00, which no table can exceed; the null popularity has "
        "mean rank 1.00, which no table can exceed; this table: MAP 0.600, mean rank 1.70",
    )
    found = {k: score(0.9, nulls=FLAT) for k in (1, 5, 10)}
    assert judge("HIER004", scores=scores(parent_hits=found)).outcome == "skipped"


def test_a_perfect_null_leaves_the_other_scores_to_judge_by() -> None:
    # 15 rows: ten of the fourteen others hold nearly every parent by chance.
    hits = {1: score(0.9), 10: score(1.0, nulls={"popularity": NullScore(1.0, 0.0)})}
    result = judge("HIER004", scores=scores(parent_hits=hits))
    assert result.outcome == "pass"
    assert result.message.endswith(
        "; not judged: the null popularity has hits@10 of the parent 1.00, which no table can "
        "exceed"
    )
    assert result.observed["hits@10 of the parent: nulls"] == {"popularity": 1.0}
    weak = judge("HIER004", scores=scores(parent_hits={**hits, 1: score(0.1, 0.1)}))
    assert weak.outcome == "warn"
    assert weak.judged
    assert weak.count == 1


@pytest.mark.parametrize(
    ("id", "part"), [("HIER003", "map"), ("HIER003", "mean_rank"), ("HIER009", "siblings")]
)
def test_a_perfect_score_passes_beside_a_null_that_is_nearly_so(id: str, part: str) -> None:
    near = {"popularity": NullScore(0.99, 0.0)}
    result = judge(id, scores=scores(**{part: score(1.0, nulls=near)}))
    assert result.outcome == "pass"
    assert "best null popularity 0.990, and nothing could be better" in result.message
    almost = score(0.999, nulls=near)
    assert judge(id, scores=scores(**{part: almost})).outcome != "pass"


def test_perfect_hits_of_the_parent_pass_and_a_separation_of_one_does_not() -> None:
    near = {"popularity": NullScore(0.99, 0.0)}
    hits = {1: score(0.9), 10: score(1.0, nulls=near)}
    assert judge("HIER004", scores=scores(parent_hits=hits)).outcome == "pass"
    one = score(1.0, nulls=near, optimum=None)
    assert judge("HIER006", scores=scores(separation=one)).outcome == "warn"


def test_where_no_clade_was_judged_the_reason_is_told() -> None:
    result = judge("HIER005", scores=scores(clades=(), spread_level="several parents"))
    assert (result.outcome, result.reason) == ("skipped", "no clade was judged (several parents)")


def test_scattered_and_tight_clades_are_named() -> None:
    odd = (
        clade("Asteriidae", 7.2, spread=14.1, expected=8.2, never_trained=0.96),
        clade("Crinoidea", -6.5, spread=0.2, idx=7),
    )
    rest = tuple(clade(f"class {k}", 1.0) for k in range(10))
    result = judge("HIER005", scores=scores(clades=odd + rest))
    assert result.outcome == "warn"
    assert result.message == (
        "2 of 12 clades (16.7 %) spread otherwise than size and depth predict (subtrees of 10 "
        "nodes or more): 1 scattered, 1 tight; first: Asteriidae (412 nodes), spread 14.10 against "
        "8.20, 96.0 % never trained"
    )
    assert result.judged
    assert [sample.node for sample in result.samples] == [2, 7]
    untold = (clade("Asteriidae", 7.2, never_trained=None), *rest)
    assert judge("HIER005", scores=scores(clades=untold)).message.endswith(", training unknown")
    assert judge("HIER005", {"z": 8}, scores=scores(clades=odd + rest)).outcome == "pass"
    assert judge("HIER005", scores=scores(clades=odd)).outcome == "skipped"


def test_the_root_is_told_where_it_is_off_the_centre() -> None:
    result = judge("HIER007", scores=scores(root=(0, 1.25, 12)))
    assert result.outcome == "info"
    told = "has radius 1.25; 12 rows are nearer the origin"
    assert result.message == f"the root, idx 0 (taxid 10), {told}"
    alone = judge("HIER007", scores=scores(root=(0, 1.25, 12)), mapping=None)
    assert alone.message == f"the root, idx 0, {told}"


def test_several_roots_have_no_centre() -> None:
    several = tree(roots=replace(tree().roots, count=3))
    result = judge("HIER007", scores=scores(root=(0, 1.25, 12)), tree=several)
    assert (result.outcome, result.reason) == (
        "skipped",
        "3 roots: no single one belongs at the centre",
    )
    assert judge("HIER007", tree=None).outcome == "pass"


def test_hubs_inform() -> None:
    assert judge("HIER008", scores=scores(hubness=41.0)).outcome == "info"
    assert judge("HIER008", scores=scores(hubness=27.0)).outcome == "pass"


def test_classes_that_an_interval_cannot_tell_are_no_warning_where_the_ranking_is_strong() -> None:
    few = {"classes dealt at random": NullScore(1.0, -0.006)}
    wide = score(1.17, nulls=few, optimum=None)
    result = judge("HIER006", scores=scores(separation=wide))
    assert (result.outcome, result.count) == ("pass", 0)
    assert "too few or too unlike for the interval to tell" in result.message
    assert judge("HIER006", scores=scores(separation=replace(wide, value=1.04))).outcome == "warn"
    lost = score(0.5, nulls={"popularity": NullScore(0.6, -0.1)})
    assert judge("HIER006", scores=scores(separation=wide, map=lost)).outcome == "warn"
