"""Closures and sets of pairs, where arrays are empty, cut into blocks, or too large."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest

from taxcheck.model.finding import Skip
from taxcheck.statistics.hierarchy import closure as module
from taxcheck.statistics.hierarchy import levels, pairset
from taxcheck.statistics.hierarchy.closure import (
    ForestClosure,
    GraphClosure,
    closure_of,
    whole_closure,
)
from taxcheck.statistics.hierarchy.graph import Graph
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


@pytest.mark.parametrize(("nodes", "pairs"), [(1 << 13, 1 << 21), (2, 1 << 21), (8, 3), (1, 0)])
def test_the_closure_of_a_dag_in_blocks_of_any_size(monkeypatch, nodes, pairs):
    monkeypatch.setattr(levels, "_NODES", nodes)
    monkeypatch.setattr(levels, "_PAIRS", pairs)
    closure = closure_of(DAG)
    assert isinstance(closure, GraphClosure)
    assert triples(closure) == {(a, d, k) for d, above in ABOVE.items() for a, k in above.items()}
    assert (closure.expected, closure.depths.tolist()) == (14, [0, 7, 4, 3])
    slot, distance = closure.find(ids(0, 3, 5, 6, 3), ids(5, 0, 5, 5, 4))
    assert distance.tolist() == [1, -1, -1, -1, 1]
    assert (slot >= 0).tolist() == [True, False, False, False, True]
    assert closure.distances(slot[[0, 4]]).tolist() == [1, 1]


def test_edges_that_close_a_cycle_imply_nothing():
    # 0 > 1 > 2 > 0 is a cycle, from which 3 and 4 hang; 5 > 3 and 4 > 6 are beside it
    closure = closure_of(graph(7, (0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (5, 3), (4, 6)))
    assert triples(closure) == {
        (2, 3, 1), (3, 4, 1), (2, 4, 2), (5, 3, 1), (5, 4, 2), (4, 6, 1), (3, 6, 2), (2, 6, 3),
        (5, 6, 3),
    }  # fmt: skip
    single = closure_of(graph(4, (0, 1), (1, 2), (2, 0), (2, 3)))
    assert isinstance(single, ForestClosure)
    assert triples(single) == {(2, 3, 1)}


@pytest.mark.parametrize(("most", "last"), [(13, 5), (9, 5), (8, 4), (0, 1)])
def test_a_closure_that_is_too_large_holds_the_first_nodes_and_the_edges(monkeypatch, most, last):
    monkeypatch.setattr(levels, "_PAIRS", 0)  # every node is a block
    monkeypatch.setattr(module, "LARGEST_DAG_CLOSURE", most)
    closure = closure_of(DAG)
    assert triples(closure) == {
        (a, d, k) for d, above in ABOVE.items() for a, k in above.items() if d <= last or k == 1
    }
    assert closure.beyond.tolist() == list(range(last + 1, 6))


@pytest.mark.parametrize(("pairs", "beyond"), [(1, [4, 5]), (2, [5]), (3, []), (None, [])])
def test_a_closure_is_no_larger_than_its_pairs_ask_for(monkeypatch, pairs, beyond):
    monkeypatch.setattr(levels, "_PAIRS", 0)
    monkeypatch.setattr(module, "_LARGE", 2)
    monkeypatch.setattr(module, "_TIMES", 4)  # the closure passes 4 with node 3, and 8 with node 4
    assert closure_of(DAG, pairs).beyond.tolist() == beyond


def test_a_repair_refuses_a_closure_that_is_too_large_with_the_reason(monkeypatch):
    monkeypatch.setattr(levels, "_PAIRS", 0)
    assert whole_closure(DAG).expected == 14
    monkeypatch.setattr(module, "LARGEST_DAG_CLOSURE", 8)
    told = "the depth-1 pairs imply more than 8 pairs in a graph that is no tree"
    with pytest.raises(Skip, match=re.escape(told)):
        whole_closure(DAG)


def test_distances_beyond_a_byte_are_kept():
    chain = [(k, k + 1) for k in range(300)]
    closure = closure_of(graph(302, *chain, (301, 300)))
    assert isinstance(closure, GraphClosure)
    assert closure.find(ids(0), ids(300))[1].tolist() == [300]
    assert closure.depths[[1, 255, 256, 300]].tolist() == [301, 46, 45, 1]


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
    pairs = PairSet.empty(n, SlotSet(closure.expected))
    assert (len(pairs), pairs.reversed_keys(closure).tolist()) == (0, [])


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


def add(pairs, closure, ancestor, descendant):
    slot, _ = closure.find(ancestor, descendant)
    out = slot < 0
    pairs.add(len(slot), slot[~out], descendant[out] * pairs.n + ancestor[out])


@pytest.mark.parametrize("parts", [1, 2, 7])
def test_a_set_of_pairs_within_and_outside_the_closure(parts):
    closure = closure_of(DAG)
    pairs = PairSet.empty(7, SlotSet(closure.expected))
    rows = [(0, 3), (3, 0), (0, 3), (6, 1), (1, 2), (6, 1), (4, 5)]
    for some in np.array_split(np.array(rows), parts):
        ancestor, descendant = some.T
        add(pairs, closure, ancestor, descendant)
    assert (len(pairs), len(pairs.slots), pairs.rows) == (5, 2, 7)
    assert pairs.outside.tolist() == [0 * 7 + 3, 1 * 7 + 6, 2 * 7 + 1]
    ancestor, descendant = ids(0, 3, 1, 2, 6, 4, 3), ids(3, 0, 2, 1, 1, 5, 4)
    assert pairs.contains(closure, ancestor, descendant).tolist() == [
        True, True, True, False, True, True, False,
    ]  # fmt: skip
    assert pairs.reversed_keys(closure).tolist() == [0 * 7 + 3, 3 * 7 + 0]


def test_both_directions_of_a_cycle_are_outside():
    closure = closure_of(graph(3, (0, 1), (1, 0), (1, 2)))
    pairs = PairSet.empty(3, SlotSet(closure.expected))
    ancestor, descendant = ids(0, 1, 1), ids(1, 0, 2)
    add(pairs, closure, ancestor, descendant)
    assert pairs.outside.tolist() == [0 * 3 + 1, 1 * 3 + 0]
    assert pairs.reversed_keys(closure).tolist() == [0 * 3 + 1, 1 * 3 + 0]


def test_noise_that_closes_cycles_does_not_multiply_the_closure():
    """A fifth as much noise as there are pairs: most nodes are above all others by some way."""
    rng = np.random.default_rng(2)
    n = 3_000
    parent = (rng.random(n - 1) * np.arange(1, n)).astype(int)
    noise = rng.integers(0, n, (2, 2 * n))
    noise = noise[:, noise[0] != noise[1]]
    drawn = Graph.from_edges(
        np.r_[parent, noise[0]], np.r_[np.arange(1, n), noise[1]], np.ones(n, dtype=bool)
    )
    on_cycle = len(drawn.cycles()[0])
    assert on_cycle > n / 2
    assert closure_of(drawn).expected < 20 * n < on_cycle**2 / 20


def test_a_closure_that_is_shipped_finds_the_same_in_20_bytes_a_node():
    n = 10_000
    rng = np.random.default_rng(5)
    parents = np.floor(rng.random(n - 1) * np.arange(1, n)).astype(np.int64)
    tree = Graph.from_edges(parents, np.arange(1, n), np.ones(n, dtype=bool))
    closure = closure_of(tree)
    sent = pickle.dumps(closure, protocol=5)
    assert len(sent) < 20 * n + 5_000
    a, d = rng.integers(0, n, (2, 50_000))
    a[:n], d[:n] = np.r_[0, parents], np.arange(n)
    for mine, its in zip(closure.find(a, d), pickle.loads(sent).find(a, d), strict=True):
        np.testing.assert_array_equal(mine, its)
