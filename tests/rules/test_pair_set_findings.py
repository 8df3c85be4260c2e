"""Findings about all pairs together: the whole finding, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from taxcheck.policy.model import Dataset
from tests.rules.builders import (
    closure,
    counted,
    depth,
    ints,
    judge,
    mapping,
    pairs,
    sampled,
    some,
    tree,
)


def test_exchanged_columns_are_observed() -> None:
    reverse = tree(reversed_is_tree=True)
    result = judge("PAIR015", tree=reverse)
    assert counted(result) == (4, 4)
    assert result.observed == {
        "forest only when reversed": True,
        "roots": 1,
        "leaves": 2,
        "rows whose depths run backwards": 0,
    }
    assert counted(judge("PAIR015")) == (0, 4)
    one = replace(tree(), roots=replace(tree().roots, count=1), leaves=0)
    assert "1 root stands against 0 leaves" in judge("PAIR015", tree=one).message
    ten = replace(tree(), roots=replace(tree().roots, count=20))
    assert judge("PAIR015", tree=ten).outcome == "pass"  # exactly ten for each leaf
    more = replace(tree(), roots=replace(tree().roots, count=21))
    assert "21 roots stand against 2 leaves" in judge("PAIR015", tree=more).message
    half = pairs(depth=depth(backwards=2))
    assert judge("PAIR015", pairs=half).outcome == "pass"
    assert judge("PAIR015", pairs=pairs(depth=depth(backwards=3))).outcome == "fail"
    bare = judge("PAIR015", tree=tree(edges=0), pairs=pairs(depth=None))
    assert bare.reason == "there are no depth-1 pairs to read a direction from"
    assert (
        judge("PAIR015", pairs=pairs(depth=None)).observed["rows whose depths run backwards"] == 0
    )


def test_depths_are_shared_out_by_range() -> None:
    # 4 near, 3 at depth 2 to 5, 3 deeper
    counts = {1: 4, 2: 1, 5: 2, 6: 1, 7: 2}
    own = ints(0, 4, 1, 0, 0, 2, 1, 2)
    given = {"depth": depth(counts), "tree": tree(closure_depths=own)}
    result = judge("PAIR009", {"parent_share": 0.4}, **given)  # exactly the share
    assert (result.outcome, counted(result)) == ("pass", (3, 10))
    assert result.message.startswith(
        "40.0 % of 10 pairs are at depth 1, 30.0 % at depth 2 to 5, 30.0 % deeper"
    )
    observed = result.observed
    assert (observed["depth 1"], observed["depth 2 to 5"], observed["deeper than 5"]) == (
        0.4,
        0.3,
        0.3,
    )
    assert observed["histogram"] == {"1": 4, "2": 1, "5": 2, "6": 1, "7": 2}
    assert observed["departure from the hierarchy's own"] == 0.0
    assert (observed["mean depth"], observed["median depth"]) == (3.6, 3.5)
    assert observed["largest depth"] == 7
    told = judge("PAIR009", {"parent_share": 0.41}, **given)
    assert told.outcome == "info"
    nothing = judge("PAIR009", depth=replace(depth(), counts=ints(0, 0)))
    assert nothing.reason == "no pair has a depth"
    hollow = replace(depth(), counts=ints(2, 0))  # a depth that no pair has
    even = judge("PAIR009", depth=hollow, tree=tree(closure_depths=ints(0, 2)))
    assert even.observed["effective number of depths"] == 1.0


def test_long_histograms_are_cut() -> None:
    long = depth(dict.fromkeys(range(1, 71), 1))
    result = judge("PAIR009", depth=long, tree=tree(closure_depths=None))
    assert len(result.observed["histogram"]) == 64


def test_held_out_pairs_may_be_missing_from_the_shape() -> None:
    # 4 of 8 expected pairs are held out: half of the closure may depart
    held = closure(expected=8, distinct=4, missing=some(0, 8))
    far = tree(closure_depths=ints(0, 3, 5))  # 3/8 against 3/4: a departure of 3/8
    given = {"depth": depth(), "tree": far}
    assert judge("PAIR009", {"departure": 0.05}, closure=held, **given).outcome == "pass"
    whole = closure(expected=8, distinct=8)
    assert judge("PAIR009", {"departure": 0.374}, closure=whole, **given).outcome == "warn"
    assert judge("PAIR009", {"departure": 0.375}, closure=whole, **given).outcome == "pass"
    lost = closure(expected=8, distinct=4, missing=some(4, 8))  # missing, not held out
    assert judge("PAIR009", {"departure": 0.05}, closure=lost, **given).outcome == "warn"


def test_a_cap_on_depth_cuts_the_hierarchys_shape() -> None:
    capped = Dataset(pairs="depth<=1")
    only = depth({1: 3})
    result = judge("PAIR009", depth=only, dataset=capped)
    assert result.observed["departure from the hierarchy's own"] == 0.0
    two = judge("PAIR009", dataset=Dataset(pairs="depth<=2"))
    assert two.observed["departure from the hierarchy's own"] == 0.0


def test_a_departure_and_a_shallow_share_have_fixes_of_their_own() -> None:
    away = judge("PAIR009", tree=tree(closure_depths=ints(0, 3, 9)))
    assert away.outcome == "warn"
    assert "the closure of their own depth-1 pairs has" in away.message
    shallow = judge("PAIR009", {"parent_share": 0.9})
    assert shallow.fix != away.fix


def test_the_ten_largest_are_counted_and_sampled() -> None:
    held = ints(*[1] * 10, *[9] * 10, 0)
    rows = pairs(held, np.ones(21, dtype=np.int64))
    limits = {"top_ten_share": 0.89, "gini": 0.99, "ancestors": 20}
    result = judge("PAIR011", limits, pairs=rows)
    assert (result.outcome, counted(result)) == ("info", (90, 100))
    assert result.observed == {
        "share of the top ten": 0.9,
        "Gini": pytest.approx(0.4),
        "ancestors": 20,
    }
    assert sampled(result) == [{"idx": k, "pairs": 9} for k in range(10, 20)]
    assert [s.node for s in result.samples] == list(range(10, 20))
    assert judge("PAIR011", {**limits, "top_ten_share": 0.9}, pairs=rows).outcome == "pass"
    gini = result.observed["Gini"]
    assert (
        judge("PAIR011", {**limits, "top_ten_share": 0.9, "gini": gini}, pairs=rows).outcome
        == "pass"
    )
    assert judge("PAIR011", {**limits, "ancestors": 21}, pairs=rows).outcome == "skipped"


def cut_mapping(below: int, above: int):
    """Taxids 0, 1, ... below n_nodes and 1000, 1001, ... above it."""
    taxids = np.r_[np.arange(below), 1_000 + np.arange(above)]
    return mapping(taxids, np.arange(len(taxids)))


def test_the_cut_at_n_nodes_is_counted_and_sampled() -> None:
    given = cut_mapping(10, 30)
    rows = pairs(
        np.r_[np.ones(10, int), np.zeros(30, int)], np.r_[np.ones(10, int), np.zeros(30, int)]
    )
    limits = {"group": 10}
    result = judge("PAIR014", limits, mapping=given, pairs=rows)
    assert (result.outcome, counted(result)) == ("fail", (30, 40))
    assert result.observed == {
        "cut at taxid": 40,
        "nodes below": 10,
        "covered below": 10,
        "nodes above": 30,
        "covered above": 0,
    }
    first = result.samples[0]
    assert (dict(first.values), first.row, first.node) == ({"idx": 10, "taxid": 1_000}, 11, 10)
    assert (first.taxid, first.table) == (1_000, "mapping")
    assert len(result.samples) == 20
    assert judge("PAIR014", {"group": 11}, mapping=given, pairs=rows).outcome == "skipped"
    one = np.r_[np.ones(11, int), np.zeros(29, int)]
    thirtieth = judge(
        "PAIR014", {**limits, "covered_above": 1 / 30}, mapping=given, pairs=pairs(one, one)
    )
    assert (thirtieth.outcome, counted(thirtieth)) == ("fail", (29, 40))
    assert thirtieth.samples[0].node == 11
    whole = np.ones(40, int)
    sound = judge("PAIR014", limits, mapping=given, pairs=pairs(whole, whole))
    assert (sound.outcome, counted(sound)) == ("pass", (0, 40))
    nine = np.r_[np.ones(9, int), np.zeros(31, int)]
    covered = {**limits, "covered_below": 0.9}
    assert judge("PAIR014", covered, mapping=given, pairs=pairs(nine, nine)).outcome == "fail"


def test_a_taxid_equal_to_n_nodes_is_above_the_cut() -> None:
    given = mapping(ints(0, 1, 4, 9))
    result = judge("PAIR014", mapping=given)
    assert (result.observed["nodes below"], result.observed["nodes above"]) == (2, 2)


def test_one_lost_node_is_a_cut_of_one() -> None:
    given = cut_mapping(1, 1)
    lone = pairs(ints(1, 0), ints(1, 0))
    assert judge("PAIR014", {"group": 1}, mapping=given, pairs=lone).outcome == "fail"
