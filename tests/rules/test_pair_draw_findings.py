"""PAIR012 and PAIR013: the whole finding, by hand."""

from __future__ import annotations

from taxcheck.policy.model import Dataset
from tests.rules.builders import (
    counted,
    held_out,
    judge,
    sampled,
    some,
    tree,
)


def test_leaks_are_observed_by_kind() -> None:
    both = held_out(
        exact=some(1, 10, {"row": 1}), reversed=some(2, 10, {"row": 2}), implied=some(3, 10)
    )
    result = judge("PAIR012", held_out=both)
    assert (result.outcome, counted(result)) == ("fail", (3, 10))
    assert result.observed == {
        "exact": 1,
        "reversed": 2,
        "false": 0,
        "implying pairs in no part": 0,
        "no pairs of mapped nodes": 0,
        "repeated": 0,
        "implied": 3,
        "implied share": 0.3,
        "nodes only held out": 0,
    }
    assert sampled(result) == [{"row": 1}, {"row": 2}]
    back = judge("PAIR012", held_out=held_out(reversed=some(1, 10, {"row": 2})))
    assert back.message.endswith("first: row 11 (row 2)")
    assert sampled(back) == [{"row": 2}]
    implied = judge("PAIR012", held_out=held_out(implied=some(1, 10, {"row": 3})))
    assert (implied.outcome, counted(implied), sampled(implied)) == ("info", (1, 10), [{"row": 3}])
    assert "1 of 10 held-out pairs (10.0 %) follows from" in implied.message
    only = judge("PAIR012", held_out=held_out(only_held_out=some(2, 4, {"idx": 3})))
    assert (counted(only), sampled(only)) == ((2, 4), [{"idx": 3}])


def test_a_risk_is_observed_beside_the_sampler() -> None:
    risky = tree(false_negative_risk=0.3)
    told = judge("PAIR013", tree=risky)
    assert told.outcome == "info"
    assert told.observed["risk"] == 0.3
    assert sampled(told) == [{"share of false negatives": 0.3}]
    assert "would draw" in told.message
    assert "filtered" not in told.message
    drawn = judge("PAIR013", tree=risky, dataset=Dataset(sampler="same-depth"))
    assert drawn.outcome == "warn"
    assert drawn.observed["sampler"] == "same-depth"
    assert "a same-depth sampler draws a true" in drawn.message
    filtered = judge("PAIR013", tree=risky, dataset=Dataset(sampler="same-depth-filtered"))
    assert (filtered.outcome, filtered.samples) == ("pass", ())
    assert filtered.message.endswith(", filtered out as declared")
    calm = judge("PAIR013", {"risk": 0.3}, tree=risky, dataset=Dataset(sampler="same-depth"))
    assert (calm.outcome, calm.impact) == ("pass", None)


def test_held_out_rows_that_are_no_true_pairs_fail() -> None:
    false = judge("PAIR012", held_out=held_out(false=some(3, 10, {"row": 4}, ancestry=3)))
    assert (false.outcome, false.count, false.total) == ("fail", 3, 10)
    assert false.message.startswith("3 of 10 held-out pairs (30.0 %) contradict the chains of")
    denied = judge("PAIR012", held_out=held_out(false=some(3, 10, taxonomy=2, distance=1)))
    assert "contradict the taxonomy or the chains of parent-child pairs: 2 tax" in denied.message
    alone = judge("PAIR012", held_out=held_out(lonely=some(1, 10, {"row": 4})))
    assert (alone.outcome, alone.count) == ("fail", 1)
    assert "(10.0 %) implies pairs that are in no part: wrong, or" in alone.message
    lost = judge("PAIR012", held_out=held_out(valid=8, implied=some(1, 8, {"row": 3})))
    assert (lost.outcome, lost.count, lost.samples) == ("fail", 2, ())
    assert judge("PAIR012", held_out=held_out(valid=0)).count == 10
    assert judge("PAIR012", held_out=held_out(repeated=2)).outcome == "warn"
