"""HIER011: a table that remembers what it was trained on is told from one that has learnt."""

from __future__ import annotations

import pytest

from taxcheck.audit.values import NullScore
from tests.rules.audit import held_out_scores, judge, score

WEAK = score(0.12, 0.3, sources=300, total=300)


def test_what_exceeds_every_null_passes_beside_the_training_pairs():
    result = judge("HIER011")
    assert result.outcome == "pass"
    assert "MAP of held-out pairs 0.500" in result.message
    assert "of training pairs 0.900 (best null popularity 0.400)" in result.message
    assert result.observed["MAP of the training pairs"] == 0.9
    assert result.observed["mean rank: nulls"] == {"popularity": 60.0, "collapsed": 99.0}


def test_a_table_good_on_training_pairs_alone_remembers():
    result = judge("HIER011", held_out_scores=held_out_scores(map=WEAK))
    assert result.outcome == "warn"
    assert "the table remembers the pairs that it was trained on" in result.message
    assert "not exceeded (margin from" in result.message
    assert result.samples[0].values["null"] == "popularity"


def test_a_table_that_learnt_nothing_is_not_said_to_remember():
    nothing = held_out_scores(map=WEAK, training=score(0.3, 0.4))
    result = judge("HIER011", held_out_scores=nothing)
    assert result.outcome == "warn"
    assert "the table holds neither" in result.message
    assert "remembers" not in result.message


def test_what_was_never_trained_is_the_splits_doing():
    split = held_out_scores(map=WEAK, untrained=400)
    result = judge("HIER011", held_out_scores=split)
    assert result.outcome == "warn"
    assert "400 of 600 held-out pairs (66.7 %) have a node whose row was never" in result.message
    assert "remembers" not in result.message


@pytest.mark.parametrize(
    ("sources", "null", "outcome"),
    [(9, 0.49, "info"), (10, 0.49, "warn"), (9, 0.51, "warn")],
)
def test_few_descendants_are_told_not_blamed(sources, null, outcome):
    """Above the null by .01, and the interval of the difference has 0."""
    near = score(0.5, None, sources=sources, nulls={"popularity": NullScore(null, -0.04)})
    result = judge("HIER011", held_out_scores=held_out_scores(map=near))
    assert result.outcome == outcome
    assert ("these are too few to tell" in result.message) == (outcome == "info")
    more = judge("HIER011", {"fewest": 30}, held_out_scores=held_out_scores(map=near))
    assert more.outcome == ("info" if null < 0.5 else "warn")


def test_a_null_that_nothing_can_exceed_judges_nothing():
    closed = score(0.9, None, nulls={"popularity": NullScore(1.0, -0.1)})
    result = judge("HIER011", held_out_scores=held_out_scores(map=closed))
    assert result.outcome == "skipped"
    assert "no table can exceed" in result.reason
    assert judge("HIER011", held_out_scores=None).reason == "no held_out_scores given"


def test_pairs_that_are_in_training_too_are_told():
    result = judge("HIER011", held_out_scores=held_out_scores(in_training=3))
    assert "3 held-out pairs in training not scored" in result.message
