"""Closures and sets of pairs, where arrays are empty, cut into blocks, or too large."""

from __future__ import annotations

import re

import numpy as np
import pytest

from taxcheck.rule import Skip
from taxcheck.statistics.hierarchy import closure as module
from taxcheck.statistics.hierarchy import pairset
from taxcheck.statistics.hierarchy.closure import ForestClosure, GraphClosure, closure_of
from taxcheck.statistics.hierarchy.pairset import PairSet, SlotSet
from tests.statistics.pair_tables import graph
from tests.statistics.small_taxonomy import ids

# 0 > 1 > 3 > 4, 0 > 2 > 3: 0 is two above 3 by either way, and 5 hangs from 4 and 0
DAG = graph(7, (0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (4, 5), (0, 5))
ABOVE = {
    1: {0: 1},
    2: {0: 1},
    3: {0: 2, 1: 1, 2: 1},
    4: {0: 3, 1: 2, 2: 2, 3: 1},
    5: {0: 1, 1: 3, 2: 3, 3: 2, 4: 1},
}


def triples(closure):
    columns = closure.pairs(np.arange(closure.expected))
    assert {column.dtype for column in columns[:2]} == {np.dtype(np.int64)}
    return set(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.parametrize("block", [1 << 16, 2, 1])
def test_the_closure_of_a_dag_in_blocks_of_any_size(monkeypatch, block):
    monkeypatch.setattr(module, "_BLOCK", block)
    closure = closure_of(DAG)
    assert isinstance(closure, GraphClosure)
    assert triples(closure) == {(a, d, k) for d, above in ABOVE.items() for a, k in above.items()}
    assert (closure.expected, closure.depths.tolist()) == (14, [0, 7, 4, 3])
    slot, distance = closure.find(ids(0, 3, 5, 6, 3), ids(5, 0, 5, 5, 4))
    assert distance.tolist() == [1, -1, -1, -1, 1]
    assert (slot >= 0).tolist() == [True, False, False, False, True]
    assert closure.distances(slot[[0, 4]]).tolist() == [1, 1]


def test_a_cycle_is_in_its_own_closure_without_self_pairs():
    closure = GraphClosure(graph(4, (0, 1), (1, 2), (2, 0), (2, 3)))
    assert triples(closure) == {
        (0, 1, 1), (1, 2, 1), (2, 0, 1), (0, 2, 2), (1, 0, 2), (2, 1, 2),
        (2, 3, 1), (1, 3, 2), (0, 3, 3),
    }  # fmt: skip


def test_a_closure_that_is_too_large_is_refused_with_the_reason(monkeypatch):
    monkeypatch.setattr(module, "LARGEST_DAG_CLOSURE", 14)
    assert closure_of(DAG).expected == 14
    monkeypatch.setattr(module, "LARGEST_DAG_CLOSURE", 13)
    told = "the depth-1 pairs imply more than 13 pairs in a graph that is no tree"
    with pytest.raises(Skip, match=re.escape(told)):
        closure_of(DAG)


def test_the_closure_of_a_forest():
    closure = closure_of(graph(6, (2, 0), (0, 1), (2, 3), (0, 4)))
    assert isinstance(closure, ForestClosure)
    assert triples(closure) == {
        (2, 0, 1), (0, 1, 1), (2, 1, 2), (2, 3, 1), (0, 4, 1), (2, 4, 2),
    }  # fmt: skip
    assert closure.depths.tolist() == [0, 4, 2]
    slot, distance = closure.find(ids(2, 1, 3, 2), ids(1, 2, 4, 2))
    assert (slot[1:].tolist(), distance.tolist()) == ([-1, -1, -1], [2, -1, -1, -1])
    assert closure.distances(slot[:1]).tolist() == [2]
    assert distance.dtype == slot.dtype == np.int64


@pytest.mark.parametrize("kind", [lambda g: ForestClosure(g.forest), GraphClosure])
@pytest.mark.parametrize("n", [0, 3])
def test_without_edges_there_is_nothing_in_a_closure(kind, n):
    closure = kind(graph(n))
    assert (closure.expected, closure.depths.sum()) == (0, 0)
    slot, distance = closure.find(ids(*range(n)), ids(*range(n)))
    assert (slot.tolist(), distance.tolist()) == ([-1] * n, [-1] * n)
    assert closure.depths.dtype == np.int64
    pairs = PairSet(closure, n)
    assert (len(pairs), pairs.reversed_keys(True).tolist()) == (0, [])


@pytest.fixture(params=["marks", "slots"])
def dense(request, monkeypatch):
    if request.param == "slots":
        monkeypatch.setattr(pairset, "_DENSE", 4)
    monkeypatch.setattr(pairset, "_WINDOW", 4)
    return request.param == "marks"


def slots_of(size, *added):
    slots = SlotSet(size)
    for some in added:
        slots.add(ids(*some))
    return slots


def test_slots_that_occur_and_slots_that_do_not(dense):
    slots = slots_of(10, (7, 2, 2), (), (2, 9))
    assert (slots._marks is not None) is dense
    assert (len(slots), slots.present().tolist()) == (3, [2, 7, 9])
    assert slots.contains(ids(-1, 0, 2, 9)).tolist() == [False, False, True, True]
    windows = [window.tolist() for window in slots.absent_windows()]
    assert windows == [[0, 1, 3], [4, 5, 6], [8]]
    for limit in (0, 1, 3, 4, 7, 20):
        assert slots.absent(limit).tolist() == [0, 1, 3, 4, 5, 6, 8][:limit]


@pytest.mark.usefixtures("dense")
def test_merged_slots_are_those_of_both():
    one, two = slots_of(10, (1, 2)), slots_of(10, (9,), (2,))
    both = one.merge(two)
    assert (len(both), both.present().tolist()) == (3, [1, 2, 9])
    assert both.absent(3).tolist() == [0, 3, 4]
    assert (one.present().tolist(), two.present().tolist()) == ([1, 2], [2, 9])
    assert SlotSet(0).absent(5).tolist() == []
    assert len(slots_of(10)) == len(slots_of(10).merge(slots_of(10))) == 0


def test_no_window_is_looked_at_beyond_the_limit(monkeypatch):
    slots, looked = SlotSet(1_000), []
    monkeypatch.setattr(pairset, "_WINDOW", 10)
    contains = slots.contains
    monkeypatch.setattr(
        type(slots), "contains", lambda _, window: looked.append(len(window)) or contains(window)
    )
    assert slots.absent(20).tolist() == list(range(20))
    assert looked == [10, 10]


@pytest.mark.parametrize("parts", [1, 2, 7])
def test_a_set_of_pairs_within_and_outside_the_closure(parts):
    closure = closure_of(DAG)
    pairs = PairSet(closure, 7)
    rows = [(0, 3), (3, 0), (0, 3), (6, 1), (1, 2), (6, 1), (4, 5)]
    for some in np.array_split(np.array(rows), parts):
        ancestor, descendant = some.T
        slot, _ = closure.find(ancestor, descendant)
        pairs.add(ancestor, descendant, slot, slot >= 0)
    assert (len(pairs), pairs.rows, pairs.rows_held, pairs.rows_outside) == (5, 7, 3, 4)
    assert pairs.outside.tolist() == [0 * 7 + 3, 1 * 7 + 6, 2 * 7 + 1]
    ancestor, descendant = ids(0, 3, 1, 2, 6, 4, 3), ids(3, 0, 2, 1, 1, 5, 4)
    assert pairs.contains(ancestor, descendant).tolist() == [
        True, True, True, False, True, True, False,
    ]  # fmt: skip
    for cyclic in (False, True):
        assert pairs.reversed_keys(cyclic).tolist() == [0 * 7 + 3, 3 * 7 + 0]


def test_on_a_cycle_both_directions_may_be_held():
    closure = closure_of(graph(3, (0, 1), (1, 0), (1, 2)))
    pairs = PairSet(closure, 3)
    ancestor, descendant = ids(0, 1, 1), ids(1, 0, 2)
    slot, _ = closure.find(ancestor, descendant)
    pairs.add(ancestor, descendant, slot, slot >= 0)
    assert pairs.reversed_keys(True).tolist() == [0 * 3 + 1, 1 * 3 + 0]
    assert pairs.reversed_keys(False).tolist() == []
