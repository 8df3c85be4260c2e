"""Closures and sets of pairs, where arrays are empty, cut into blocks, or too large."""

from __future__ import annotations

import pickle
import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taxcheck.model.finding import Skip
from taxcheck.statistics.hierarchy import dag, lists, matrix
from taxcheck.statistics.hierarchy.closure import ForestClosure, closure_of, whole_closure
from taxcheck.statistics.hierarchy.dag import GraphClosure, Reach
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.hierarchy.lists import Lists
from taxcheck.statistics.hierarchy.matrix import Core, Matrix
from taxcheck.statistics.hierarchy.pairset import PairSet
from taxcheck.statistics.hierarchy.slots import SlotSet
from taxcheck.statistics.hierarchy.stems import Stems
from tests.oracles import closure as oracle
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
    slots = np.arange(closure.size)
    columns = closure.pairs(slots)
    assert {column.dtype for column in columns} == {np.dtype(np.int64)}
    assert closure.distances(slots).tolist() == columns[2].tolist()
    there = zip(*(column[columns[2] > 0].tolist() for column in columns), strict=True)
    found = list(there)
    assert len(set(found)) == len(found) == closure.expected
    return set(found)


@pytest.fixture(params=["lists", "ways", "matrix", "stripes"])
def rows(request, monkeypatch):
    """Each way to hold what is above the nodes with several parents, in parts large and small."""
    if request.param in ("matrix", "stripes"):
        monkeypatch.setattr(dag, "_FEW", -1)
        monkeypatch.setattr(dag, "_LISTED", 1 << 40)
    if request.param == "ways":
        monkeypatch.setattr(lists, "_WAYS", 1)
    if request.param == "stripes":
        monkeypatch.setattr(matrix, "_WIDTH", 2)
        monkeypatch.setattr(matrix, "_REACHED", 8)
        monkeypatch.setattr(matrix, "_GATHERED", 1)
    return Matrix if request.param in ("matrix", "stripes") else Lists


def test_the_closure_of_a_dag(rows):
    closure = closure_of(DAG)
    assert isinstance(closure, GraphClosure)
    assert isinstance(closure._rows, rows)
    assert triples(closure) == {(a, d, k) for d, above in ABOVE.items() for a, k in above.items()}
    assert (closure.expected, closure.depths.tolist()) == (14, [0, 7, 4, 3])
    slot, distance = closure.find(ids(0, 3, 5, 6, 3), ids(5, 0, 5, 5, 4))
    assert distance.tolist() == [1, -1, -1, -1, 1]
    assert (slot >= 0).tolist() == [True, False, False, False, True]
    assert closure.distances(slot[[0, 4]]).tolist() == [1, 1]
    assert closure.shortcuts.tolist() == [5 * 7 + 0]
    assert (closure.beyond.tolist(), closure.needs) == ([], 0)


edges_of_a_dag = st.sets(
    st.tuples(st.integers(0, 11), st.integers(0, 11)).filter(lambda e: e[0] != e[1]), max_size=30
).map(lambda edges: {(min(edge), max(edge)) for edge in edges})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edges_of_a_dag, st.permutations(range(12)))
@pytest.mark.usefixtures("rows")
def test_any_dag_has_the_ancestors_that_sets_find(edges, names):
    edges = {(names[a], names[d]) for a, d in edges}
    drawn = graph(12, *sorted(edges))
    closure = GraphClosure(drawn)
    above = {d: oracle.ancestors(edges, d) for d in range(12)}
    wanted = {(a, d, k) for d, found in above.items() for a, k in found.items()}
    assert triples(closure) == wanted
    assert closure.expected == len(wanted) <= closure.size
    assert {k: c for k, c in enumerate(closure.depths.tolist()) if c} == Counter(
        k for _, _, k in wanted
    )
    d, a = (axis.ravel() for axis in np.mgrid[0:12, 0:12])
    slot, distance = closure.find(a, d)
    assert distance.tolist() == [above[y].get(x, -1) for x, y in zip(a, d, strict=True)]
    held = slot >= 0
    assert (held == (distance > 0)).all()
    assert len(set(slot[held].tolist())) == len(wanted)
    for mine, its in zip(closure.pairs(slot[held]), (a, d, distance), strict=True):
        assert mine.tolist() == its[held].tolist()
    first, size = closure.spans()
    owned = first[d[held]], size[d[held]]
    assert ((slot[held] >= owned[0]) & (slot[held] < owned[0] + owned[1])).all()
    past = {(p, c) for p, c in edges if any(p in above[q] for q, x in edges if x == c)}
    reach = Reach.of(drawn, 1 << 40)
    assert (reach.expected, reach.shortcuts.tolist()) == (
        closure.expected,
        closure.shortcuts.tolist(),
    )
    assert set(closure.shortcuts.tolist()) == {c * 12 + p for p, c in past}
    assert closure.deepest() == drawn.depths.max(initial=0)


def test_a_dag_too_deep_for_a_byte_is_held_in_lists(monkeypatch):
    monkeypatch.setattr(dag, "_FEW", -1)
    monkeypatch.setattr(dag, "_LISTED", 1 << 40)
    ladder = [(k, k + 1) for k in range(300)] + [(300, 302), (0, 301), (1, 301), (301, 302)]
    closure = closure_of(graph(303, *ladder))
    assert isinstance(closure._rows, Lists)
    assert closure.find(ids(0, 2, 300), ids(302, 302, 302))[1].tolist() == [2, 299, 1]


def test_an_estimate_is_near_what_it_estimates():
    rng = np.random.default_rng(5)
    child = np.repeat(np.arange(1, 2_000), 3)
    parent = (rng.random(len(child)) * child).astype(int)
    drawn = Graph.from_edges(parent, child, np.ones(2_000, dtype=bool))
    stems = Stems.of(drawn)
    core = Core.of(drawn, stems)
    whole = int(GraphClosure(drawn)._rows.counts.sum())
    assert whole <= stems.most.sum()
    assert core.estimate(core.position[stems.nodes]) == pytest.approx(whole, rel=0.1)


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


def test_a_few_second_parents_cost_a_few_rows():
    """Of a deep tree with second parents only what is above those is held."""
    n = 5_000
    parent = np.maximum(np.arange(n) - 1 - np.arange(n) % 3, 0)
    second = np.arange(100, n, 500)
    drawn = Graph.from_edges(
        np.r_[parent[1:], second - 90], np.r_[np.arange(1, n), second], np.ones(n, dtype=bool)
    )
    closure = closure_of(drawn)
    assert len(closure._rows.counts) == len(second)
    assert closure.expected > 20 * closure._rows.counts.sum()
    edges = set(zip(drawn.parents.tolist(), drawn.children.tolist(), strict=True))
    for node in (101, 1_234, 4_999):
        above = oracle.ancestors(edges, node)
        a = np.arange(n)
        distance = closure.find(a, np.full(n, node))[1]
        assert {int(k): int(distance[k]) for k in np.flatnonzero(distance > 0)} == above


def test_a_closure_that_is_too_large_holds_trees_and_parents_of_the_last_nodes():
    # of 3 and, in its tree, of 4 all is held; of 5 the parents
    closure = GraphClosure(DAG, 9)
    assert triples(closure) == {
        (a, d, k) for d, above in ABOVE.items() for a, k in above.items() if d < 5 or k == 1
    }
    assert closure.beyond.tolist() == [5]
    assert closure.needs == 6 * 6  # as a matrix
    assert GraphClosure(DAG, closure.needs).expected == 14


def test_a_repair_refuses_a_closure_that_is_too_large_with_the_reason():
    assert whole_closure(DAG).expected == 14
    told = (
        "the depth-1 pairs imply more pairs, in a graph that is no tree, than fit into memory; "
        "with `memory` 1MB they would"
    )
    with pytest.raises(Skip, match=re.escape(told)):
        whole_closure(DAG, 27)


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
    pairs = PairSet.empty(n, SlotSet(closure.size))
    assert (len(pairs), pairs.reversed_keys(closure).tolist()) == (0, [])


def add(pairs, closure, ancestor, descendant):
    slot, _ = closure.find(ancestor, descendant)
    out = slot < 0
    pairs.add(len(slot), slot[~out], descendant[out] * pairs.n + ancestor[out])


@pytest.mark.parametrize("parts", [1, 2, 7])
def test_a_set_of_pairs_within_and_outside_the_closure(parts):
    closure = closure_of(DAG)
    pairs = PairSet.empty(7, SlotSet(closure.size))
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
    pairs = PairSet.empty(3, SlotSet(closure.size))
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
