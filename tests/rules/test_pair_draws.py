"""PAIR009, PAIR011, PAIR012 and PAIR013 on hand-made values: what training would draw."""

from __future__ import annotations

import numpy as np
import pytest

from taxcheck.policy.model import Dataset
from taxcheck.statistics.values import Kind
from tests.rules.builders import closure, depth, held_out, ints, judge, pairs, some, tree

# 2 / 4 / 4 of ten pairs are near, middle and far; the same as their own closure.
DEEP = depth({1: 1, 4: 2, 8: 7})
OWN = tree(closure_depths=ints(0, 1, 0, 0, 2, 0, 0, 0, 7))
WHOLE = closure(expected=10, distinct=10)


def test_a_deep_hierarchys_own_shape_is_told_and_not_blamed() -> None:
    result = judge("PAIR009", depth=DEEP, tree=OWN, closure=WHOLE)
    assert result.outcome == "info"
    assert result.message == (
        "10.0 % of 10 pairs are at depth 1, 20.0 % at depth 2 to 5, 70.0 % deeper: "
        "the shape of the hierarchy itself"
    )
    assert result.observed["departure from the hierarchy's own"] == 0
    # exp(.1 * 2.302585 + .2 * 1.609438 + .7 * .356675) = exp(.8018185)
    assert result.observed["effective number of depths"] == pytest.approx(2.22959, abs=1e-5)


def test_balanced_draws_leave_nothing_to_tell() -> None:
    balanced = Dataset(sampler="balanced")
    assert judge("PAIR009", depth=DEEP, tree=OWN, dataset=balanced).outcome == "pass"
    assert judge("PAIR009").outcome == "pass"  # three of four pairs are parent and child


def test_a_declared_uniform_sampler_on_deep_pairs_warns() -> None:
    uniform = Dataset(sampler="uniform")
    given = {"depth": DEEP, "tree": OWN, "closure": WHOLE, "dataset": uniform}
    result = judge("PAIR009", **given)
    assert result.outcome == "warn"
    assert result.message.endswith("; the declared sampler draws them uniformly")
    assert judge("PAIR009", {"deep_share": 0.7}, **given).outcome == "info"


def test_a_departure_warns() -> None:
    # (1/2, 1/2) against (3/4, 1/4): a total variation distance of 1/4
    half = depth({1: 2, 2: 2})
    result = judge("PAIR009", depth=half)
    assert result.outcome == "warn"
    assert result.observed["departure from the hierarchy's own"] == 0.25
    assert judge("PAIR009", {"departure": 0.25}, depth=half).outcome == "pass"


@pytest.mark.parametrize(
    "given",
    [
        {"dataset": Dataset(pairs="sampled")},
        {"tree": tree(kind=Kind.DAG)},
        {"tree": tree(closure_depths=None)},
    ],
)
def test_no_departure_is_judged_where_none_is_defined(given: dict[str, object]) -> None:
    result = judge("PAIR009", depth=depth({1: 2, 2: 2}), **given)
    assert result.outcome == "pass"
    assert result.observed["departure from the hierarchy's own"] is None


def test_a_declared_cap_is_held_against_the_capped_closure() -> None:
    edges = depth({1: 3})
    assert judge("PAIR009", depth=edges).outcome == "warn"
    assert judge("PAIR009", depth=edges, dataset=Dataset(pairs="edges")).outcome == "pass"
    assert judge("PAIR009", depth=edges, dataset=Dataset(pairs="depth<=1")).outcome == "pass"


def test_held_out_pairs_explain_a_departure_up_to_their_share() -> None:
    # one of four pairs, the only one at depth 2, is held out: distance 1/4, share 1/4
    split = closure(expected=4, distinct=3)
    assert judge("PAIR009", depth=depth({1: 3}), closure=split).outcome == "pass"


def test_absurd_depths_are_no_allocation() -> None:
    assert judge("PAIR009", depth=depth({1: 3, 10**18: 1})).outcome == "warn"


def test_ten_ancestors_and_gini() -> None:
    # 100 ancestors with 1 pair each: the top ten hold a tenth, and nothing is unequal
    even = np.ones(100, dtype=np.int64)
    result = judge("PAIR011", pairs=pairs(even, even))
    assert result.outcome == "pass"
    assert result.observed == {"share of the top ten": 0.1, "Gini": 0.0, "ancestors": 100}
    # one with 901 and 99 with 1: 910 of 1,000; Gini = 0.901 - .01
    steep = np.r_[901, np.ones(99, dtype=np.int64)]
    result = judge("PAIR011", pairs=pairs(steep, even))
    assert result.outcome == "info"
    assert result.message == (
        "ten of 100 ancestors hold 910 of 1,000 pairs (91.0 %); the Gini coefficient is 0.891"
    )
    assert result.judged
    assert result.samples[0].values == {"idx": 0, "pairs": 901}
    assert judge("PAIR011").reason == "2 ancestors are too few to speak of the ten largest"


ROW = {"ancestor_idx": 0, "descendant_idx": 3}


def test_a_leak_fails() -> None:
    leak = held_out(exact=some(2, 10, ROW), reversed=some(1, 10), implied=some(4, 10))
    result = judge("PAIR012", held_out=leak)
    assert result.outcome == "fail"
    assert result.message == (
        "3 of 10 held-out pairs (30.0 %) are in training (2 as they are, 1 reversed); "
        "4 of 10 held-out pairs (40.0 %) follow from the training edges; "
        "first: row 11 (ancestor_idx 0, descendant_idx 3)"
    )
    assert result.judged
    assert (result.count, result.total) == (3, 10)


def test_implied_pairs_and_unseen_nodes_are_told() -> None:
    implied = judge("PAIR012", held_out=held_out(implied=some(4, 10, ROW)))
    assert implied.outcome == "info"
    assert implied.observed["implied share"] == 0.4
    unseen = judge("PAIR012", held_out=held_out(only_held_out=some(2, 4)))
    assert unseen.outcome == "info"
    assert unseen.message == "2 nodes are in held-out pairs only"
    one = judge("PAIR012", held_out=held_out(only_held_out=some(1, 4)))
    assert one.message == "1 node is in held-out pairs only"
    assert judge("PAIR012").outcome == "pass"
    assert judge("PAIR012", held_out=held_out(rows=0, valid=0)).outcome == "skipped"


def test_false_negatives_weigh_by_the_declared_sampler() -> None:
    risky = tree(false_negative_risk=0.5117)  # Echinodermata
    told = judge("PAIR013", tree=risky)
    assert told.outcome == "info"
    assert told.message == (
        "a same-depth sampler would draw a true descendant of the anchor in 51.2 % of its negatives"
    )
    assert judge("PAIR013", tree=risky, dataset=Dataset(sampler="same-depth")).outcome == "warn"
    filtered = Dataset(sampler="same-depth-filtered")
    assert judge("PAIR013", tree=risky, dataset=filtered).outcome == "pass"
    assert judge("PAIR013", tree=tree(false_negative_risk=0.05)).outcome == "pass"
    assert judge("PAIR013", tree=tree(false_negative_risk=None)).outcome == "skipped"
