"""HIER001 to HIER009: the whole finding, by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from taxcheck.audit.values import NullScore
from tests.rules.audit import (
    clade,
    judge,
    score,
    scores,
)
from tests.rules.builders import counted, sampled, tree


def nodes_of(result):
    return [sample.node for sample in result.samples]


def test_a_correlation_is_observed_with_its_ceiling() -> None:
    low = score(0.2, None, ceiling=0.5)
    given = scores(spearman=low, spearman_recentred=0.1)
    assert judge("HIER001", {"of_ceiling": 0.4}, scores=given).outcome == "pass"  # .2 = .4 x .5
    result = judge("HIER001", {"of_ceiling": 0.41}, scores=given)
    assert result.outcome == "warn"
    assert result.observed["re-centred on the root"] == 0.1
    assert result.observed["part of the ceiling"] == 0.4
    assert result.observed["Pearson of norm and depth"] == 0.1
    assert result.observed["median radius by depth"] == {"0": 0.0, "1": 1.2}
    assert sampled(result) == [{"correlation": 0.2, "ceiling": 0.5}]
    assert not judge("HIER001").samples
    unknown = judge("HIER001", scores=scores(spearman=score(0.2, None), spearman_recentred=None))
    assert unknown.observed["part of the ceiling"] == 0.2  # a ceiling of 1
    flat = scores(spearman=score(0.0, None, ceiling=0.0))
    assert judge("HIER001", scores=flat).reason == (
        "all nodes have one depth, so there is no order to follow"
    )


def test_edges_are_observed_by_depth() -> None:
    edges = score(0.75, None, low=0.7, high=0.8, sources=100, total=100)
    depths = ((1, 10, 1.0), (2, 40, 0.5), (3, 50, 0.75))
    given = scores(monotone_edges=edges, monotone_by_depth=depths)
    result = judge("HIER002", scores=given)
    assert (result.outcome, counted(result)) == ("warn", (25, 100))
    assert result.observed["edges left out"] == 0
    assert result.observed["share by the child's depth"] == {"1": 0.0, "2": 0.5, "3": 0.25}
    assert sampled(result) == [
        {"depth": 2, "edges": 40, "share inside": 0.5},
        {"depth": 3, "edges": 50, "share inside": 0.25},
    ]
    assert sampled(judge("HIER002", {"inside": 0.2}, scores=given))[1]["depth"] == 3
    assert "most of them at depth 2: 50.0 % of 40 edges" in result.message
    passed = judge("HIER002", {"inside": 0.25}, scores=given)
    assert (passed.outcome, passed.count, passed.samples) == ("pass", 0, ())
    assert "most of them" not in passed.message
    unknown = replace(edges, value=float("nan"))
    nan = judge("HIER002", scores=scores(monotone_edges=unknown, monotone_by_depth=()))
    assert (nan.outcome, nan.count) == ("warn", 0)


def test_a_depth_at_exactly_the_share_is_no_sample() -> None:
    edges = score(0.5, None, sources=100, total=100)
    depths = ((1, 50, 0.75), (2, 50, 0.25))
    result = judge(
        "HIER002", {"inside": 0.25}, scores=scores(monotone_edges=edges, monotone_by_depth=depths)
    )
    assert sampled(result) == [{"depth": 2, "edges": 50, "share inside": 0.75}]


def test_a_ranking_is_observed_with_seed_and_hits() -> None:
    result = judge("HIER003", scores=scores(seed=7, mean_rank=None))
    assert result.observed == {
        "value": 0.8,
        "interval": [pytest.approx(0.78), pytest.approx(0.82)],
        "sources": 2_000,
        "total": 82_114,
        "protocol": "nickel",
        "nulls": {"popularity": 0.2, "collapsed": 0.0},
        "margin over each null, at least": {
            "popularity": pytest.approx(0.55),
            "collapsed": pytest.approx(0.8),
        },
        "seed": 7,
        "hits": {"hits@10": 0.9},
    }
    assert counted(result) == (0, 1)
    further = replace(score(), trained_only=0.9, euclidean=0.1, ceiling=0.99)
    observed = judge("HIER003", scores=scores(map=further, mean_rank=None)).observed
    assert observed["trained rows only"] == 0.9
    assert observed["by Euclidean distance"] == 0.1
    assert observed["ceiling under ties"] == 0.99


def test_a_score_that_no_null_is_below_is_sampled() -> None:
    weak = score(0.21, 0.2)  # margin -.04
    result = judge("HIER003", scores=scores(map=weak, mean_rank=None))
    assert sampled(result) == [
        {
            "score": "MAP",
            "value": 0.21,
            "null": "popularity",
            "value of the null": 0.2,
            "margin, at least": pytest.approx(-0.04),
        }
    ]


def test_a_perfect_null_is_left_out_of_the_wording_of_its_score() -> None:
    hits = {1: score(0.9), 10: score(1.0, nulls={"popularity": NullScore(1.0, 0.0)})}
    told = judge("HIER004", scores=scores(parent_hits=hits)).message.split("; not judged")[0]
    assert told.count("best null") == 1
    assert "nothing could be better" not in told


def test_nothing_ranked_is_told_in_words() -> None:
    none = scores(map=None, mean_rank=None, parent_hits={})
    assert judge("HIER003", scores=none).reason == "no ranking was computed for this table"
    assert judge("HIER004", scores=none).reason == "no parent was ranked for this table"
    assert " nodes" in judge("HIER004").message


def test_clades_are_observed_and_sampled_whole() -> None:
    odd = (
        clade("Asteriidae", 0.9, idx=5, size=40, depth=4, spread=14.0, expected=8.0),
        clade("Crinoidea", -6.5, idx=7),
        clade("Holothuria", -7.5, idx=9),
    )
    rest = tuple(clade(f"class {k}", 0.0) for k in range(9))
    given = scores(clades=odd + rest)
    result = judge("HIER005", {"z": 0.8}, scores=given)
    assert counted(result) == (3, 12)
    assert result.observed == {
        "clades": 12,
        "level": "subtrees of 10 nodes or more",
        "scattered": 1,
        "tight": 2,
        "largest |z|": 7.5,
    }
    assert sampled(result)[0] == {
        "clade": "Asteriidae",
        "nodes": 40,
        "depth": 4,
        "spread": 14.0,
        "expected": 8.0,
        "z": 0.9,
        "never trained": 0.0,
    }
    assert nodes_of(result) == [5, 7, 9]
    assert judge("HIER005", {"z": 7.5}, scores=given).outcome == "pass"
    assert "the largest |z| is 7.5" in judge("HIER005", {"z": 7.5}, scores=given).message
    many = tuple(clade(f"class {k}", 9.0) for k in range(25))
    assert len(judge("HIER005", scores=scores(clades=many)).samples) == 20
    at_the_mean = (clade("x", 0.0),) * 10
    tight = judge("HIER005", {"z": -1.0}, scores=scores(clades=at_the_mean))
    assert (tight.observed["scattered"], tight.observed["tight"]) == (0, 10)


def test_separation_and_siblings_say_of_what() -> None:
    result = judge("HIER006")
    assert " pairs; best null" in result.message
    assert result.message.startswith("separation 1.70")
    assert result.message.endswith("; classes: rank class")
    assert result.observed["as the incident's successors compute it"] == 1.68
    nameless = judge("HIER006", scores=scores(clade_level="", separation_successors=None))
    assert "classes" not in nameless.message
    assert "as the incident's successors compute it" not in nameless.observed
    siblings = judge("HIER009")
    assert " nodes; best null" in siblings.message
    assert siblings.observed["median distance, sibling"] == 3.0


def test_the_root_is_observed_and_sampled() -> None:
    result = judge("HIER007", scores=scores(root=(3, 1.25, 1)))
    assert result.observed == {"root": 3, "radius": 1.25, "rows nearer the origin": 1}
    assert result.count == 1
    assert (sampled(result), nodes_of(result)) == ([{"idx": 3, "radius": 1.25}], [3])
    assert result.message.endswith("1 row is nearer the origin")
    centred = judge("HIER007")
    assert (centred.count, centred.samples) == (0, ())
    assert judge("HIER007", tree=tree(roots=replace(tree().roots, count=0))).outcome == "skipped"


def test_hubs_are_observed_beside_map() -> None:
    result = judge("HIER008", scores=scores(hubness=41.0))
    assert result.observed == {"skew of the k-occurrence": 41.0, "MAP: value": 0.8}
    assert sampled(result) == [{"skew": 41.0}]
    at = judge("HIER008", {"skew": 41}, scores=scores(hubness=41.0, map=None))
    assert (at.outcome, at.samples) == ("pass", ())
    assert at.observed == {"skew of the k-occurrence": 41.0}
