"""Graphs small enough to draw: depths, components, cycles and the walk."""

from __future__ import annotations

from itertools import pairwise
from unittest import mock

import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxcheck.statistics.hierarchy import forest as module
from taxcheck.statistics.hierarchy.forest import Forest
from taxcheck.statistics.hierarchy.graph import Graph, connected
from tests.statistics.pair_tables import graph
from tests.statistics.small_taxonomy import ids

# 0 > 1 > 3, 0 > 2 > 3 > 4; 5 > 6; 7 is in no pair
DAG = ((0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (5, 6))
THERE = [True] * 7 + [False]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (0, 2, 1, 3)])
def test_edges_are_distinct_proper_and_sorted_by_child(order):
    edges = [(1, 2), (0, 2), (1, 1), (0, 3)]
    found = graph(4, *(edges[k] for k in order), (0, 2))
    assert found.parents.tolist() == [0, 1, 0]
    assert found.children.tolist() == [2, 2, 3]
    assert graph(0).n == 0
    assert graph(1, (0, 0)).parents.tolist() == []


def test_neighbours_of_some_nodes():
    found = graph(8, *DAG)
    assert found.parent_counts.tolist() == [0, 1, 1, 2, 1, 0, 1, 0]
    assert found.parents_of.counts.tolist() == found.parent_counts.tolist()
    assert found.children_of.counts.tolist() == [2, 1, 1, 1, 0, 1, 0, 0]
    position, parent = found.parents_of.expand(ids(3, 0, 6))
    assert (position.tolist(), parent.tolist()) == ([0, 0, 2], [1, 2, 5])
    position, child = found.children_of.expand(ids(0, 5))
    assert (position.tolist(), child.tolist()) == ([0, 0, 1], [1, 2, 6])


def test_depths_are_shortest_distances_from_a_root():
    assert graph(8, *DAG, present=THERE).depths.tolist() == [0, 1, 1, 2, 3, 0, 1, -1]
    # a shortcut from the root, and a cycle that hangs from nowhere
    assert graph(5, (0, 1), (1, 2), (0, 2), (3, 4), (4, 3)).depths.tolist() == [0, 1, 1, -1, -1]
    tree = graph(5, (2, 0), (0, 1), (2, 3), present=[True] * 4 + [False])
    assert tree.depths.tolist() == [1, 2, 0, 1, -1]
    assert (tree.depths.dtype, tree.forest.depth.dtype) == (np.int64, np.int32)


def test_roots_are_in_some_pair_and_have_no_parent():
    assert graph(8, *DAG, present=THERE).roots.tolist() == [0, 5]


def test_what_lies_below_some_nodes():
    assert np.flatnonzero(graph(8, *DAG).below(ids(2, 6))).tolist() == [2, 3, 4, 6]
    assert np.flatnonzero(graph(4, (0, 1), (1, 2), (2, 0)).below(ids(1))).tolist() == [0, 1, 2]
    assert not graph(4, (0, 1)).below(ids()).any()


def test_components_of_a_dag_and_of_a_forest():
    of_root, sizes = graph(8, *DAG, present=THERE).components()
    assert (of_root.tolist(), sizes.tolist()) == ([0, 1], [5, 2])
    forest = graph(6, (4, 0), (0, 1), (2, 3), present=[True] * 5 + [False])
    of_root, sizes = forest.components()
    assert forest.roots.tolist() == [2, 4]
    assert sizes[of_root].tolist() == [2, 3]


def test_components_where_unused_idx_lie_in_between():
    present = [True, True, False, True, True, False, True]
    drawn = graph(7, (0, 1), (0, 3), (1, 3), (4, 6), present=present)
    of_root, sizes = drawn.components()
    assert (drawn.roots.tolist(), of_root.tolist(), sizes.tolist()) == ([0, 4], [0, 1], [3, 2])


@pytest.mark.parametrize("seed", range(40))
def test_cycles_and_components_are_those_of_networkx(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 90))
    count = int(rng.integers(1, 2 * n))
    parents, children = rng.integers(0, n, (2, count))
    if seed % 3 == 0:  # few of them lie on cycles
        parents, children = np.minimum(parents, children), np.maximum(parents, children)
        parents[-1], children[-1] = children[-1], parents[-1]
    drawn = Graph.from_edges(parents, children, np.ones(n, dtype=bool))
    other = networkx.DiGraph(zip(drawn.parents.tolist(), drawn.children.tolist(), strict=True))
    other.add_nodes_from(range(n))
    knots = [c for c in networkx.strongly_connected_components(other) if len(c) > 1]
    every, one = drawn.cycles()
    assert set(every.tolist()) == set().union(*knots)
    if knots:
        assert all(other.has_edge(*edge) for edge in pairwise([*one.tolist(), int(one[0])]))
    joins = {(a, b) for knot in knots for a, b in other.edges if a in knot and b in knot}
    left = drawn.acyclic
    assert {*zip(left.parents.tolist(), left.children.tolist(), strict=True)} == {
        *other.edges
    } - joins
    weak = [*networkx.weakly_connected_components(other)]
    of_root, sizes = drawn.components()
    assert sorted(sizes.tolist()) == sorted(map(len, weak))
    at = {node: k for k, part in enumerate(weak) for node in part}
    roots = drawn.roots.tolist()
    assert [sizes[k] for k in of_root] == [len(weak[at[root]]) for root in roots]
    same = [[at[a] == at[b] for a in roots] for b in roots]
    assert (of_root[:, None] == of_root[None, :]).tolist() == same


def test_a_graph_is_a_forest_unless_a_node_has_two_parents_or_is_in_a_cycle():
    assert graph(3, (0, 1), (0, 2)).forest is not None
    assert graph(3, (0, 2), (1, 2)).forest is None
    assert graph(3, (0, 1), (1, 0)).forest is None
    assert graph(0).forest is not None


@pytest.mark.parametrize(
    ("edges", "on_cycle", "cycle"),
    [
        (((0, 1), (1, 2), (2, 0)), [0, 1, 2], [0, 1, 2]),
        (((3, 1), (1, 2), (2, 3), (0, 1)), [1, 2, 3], [1, 2, 3]),
        # the shortest way back: 0 > 1 > 0, not 0 > 1 > 2 > 0
        (((0, 1), (1, 2), (2, 0), (1, 0)), [0, 1, 2], [0, 1]),
        # two cycles joined by an edge: the one with the smaller idx is told
        (((1, 2), (2, 1), (2, 3), (3, 4), (4, 3)), [1, 2, 3, 4], [1, 2]),
        (((0, 1), (0, 2), (1, 2)), [], []),
        (((0, 1), (1, 2)), [], []),
    ],
)
def test_one_cycle_is_told_in_order(edges, on_cycle, cycle):
    every, one = graph(5, *edges).cycles()
    assert (every.tolist(), one.tolist()) == (on_cycle, cycle)


def test_a_graph_without_cycles_has_none():
    every, one = graph(3, (0, 1), (0, 2), (1, 2)).cycles()
    assert (len(every), len(one)) == (0, 0)


def test_strong_components_follow_the_edges_and_weak_ones_do_not():
    strong = connected(ids(0, 1, 2), ids(1, 0, 3), 4, "strong")
    assert len(set(strong.tolist())) == 3
    assert strong[0] == strong[1]
    weak = connected(ids(0, 1, 2), ids(1, 0, 3), 4, "weak")
    assert weak[0] == weak[1] != weak[2] == weak[3]


def test_the_walk_enters_every_subtree_as_one_stretch():
    #  2 > 0 > 4, 5;  2 > 1;  3 alone; 6 and 7 in a cycle, 8 below it
    forest = Forest.from_parents(ids(2, 2, -1, -1, 0, 0, 7, 6, 7))
    assert forest.depth.tolist() == [1, 1, 0, 0, 2, 2, -1, -1, -1]
    assert forest.size[:6].tolist() == [3, 1, 5, 1, 1, 1]
    assert forest.entry[:6].tolist() == [1, 4, 0, 5, 2, 3]
    assert forest.reached.tolist() == [True] * 6 + [False] * 3
    assert forest.tops().tolist() == [2, 2, 2, 3, 2, 2, 6, 7, 8]
    assert [level.tolist() for level in forest.levels] == [[2, 3], [0, 1], [4, 5]]
    narrow = (forest.parent, forest.depth, forest.entry, forest.size)
    assert {column.dtype for column in narrow} == {np.dtype(np.int32)}
    assert Forest.from_parents(ids(-1, 0)).reached is None


def test_a_forest_of_few_among_many_nodes_is_the_one_that_a_walk_over_all_gives(monkeypatch):
    rng = np.random.default_rng(5)
    n = 4_000
    parent = np.full(n, -1)
    inside = np.sort(rng.choice(n, 60, replace=False))
    for k in range(1, 60):
        parent[inside[k]] = inside[rng.integers(0, k)] if k % 7 else -1
    few = Forest.from_parents(parent)
    monkeypatch.setattr("taxcheck.statistics.hierarchy.forest._SPARSE", n)
    every = Forest.from_parents(parent)
    for name in ("parent", "depth", "size"):
        assert np.array_equal(getattr(few, name), getattr(every, name))
        assert getattr(few, name).dtype == getattr(every, name).dtype
    assert np.array_equal(np.sort(few.entry), np.arange(n))
    assert few.entry.dtype == every.entry.dtype
    a, d = (axis.ravel() for axis in np.meshgrid(inside, np.r_[inside, [0, n - 1]]))
    held = [(f.entry[a] < f.entry[d]) & (f.entry[d] < f.entry[a] + f.size[a]) for f in (few, every)]
    assert np.array_equal(*held)
    assert held[0].any()
    assert [sorted(level) for level in few.levels] == [sorted(level) for level in every.levels]
    assert few.reached is every.reached is None
    assert np.array_equal(few.tops(), every.tops())


def test_a_cycle_among_many_nodes_is_not_reached():
    parent = np.full(1_000, -1)
    parent[[5, 6, 7, 8]] = [6, 5, 6, 900]
    reached = Forest.from_parents(parent).reached
    assert np.flatnonzero(~reached).tolist() == [5, 6, 7]


@given(st.lists(st.integers(-1, 19), min_size=20, max_size=20), st.permutations(range(20)))
def test_a_deep_forest_is_walked_as_any_other(parents, names):
    """Parents before their children, cycles where a parent comes later; then any names."""
    parent = np.full(20, -1)
    for node, above in enumerate(parents):
        parent[names[node]] = -1 if above in (-1, node) else names[above]
    walked = Forest.from_parents(parent)
    with mock.patch.object(module, "_DEEP", 0):
        jumped = Forest.from_parents(parent)
    for name in ("depth", "entry", "size"):
        assert getattr(walked, name).tolist() == getattr(jumped, name).tolist()
    assert (walked.reached is None) == (jumped.reached is None)
    assert [level.tolist() for level in walked.levels] == [lv.tolist() for lv in jumped.levels]
    nodes = np.flatnonzero(walked.depth > 0)
    steps = walked.depth[nodes].astype(np.int64)
    with mock.patch.object(module, "_CLIMB", 0):
        assert walked.above(nodes, steps).tolist() == jumped.tops()[nodes].tolist()
    assert jumped.above(nodes, np.ones_like(nodes)).tolist() == parent[nodes].tolist()


def test_a_chain_of_a_hundred_thousand_nodes_takes_no_step_for_each():
    n = 100_000
    forest = Forest.from_parents(np.arange(-1, n - 1))
    assert forest.depth.tolist() == forest.entry.tolist() == list(range(n))
    assert forest.size[0] == n
    assert forest.above(ids(n - 1, 5), ids(n - 1, 2)).tolist() == [0, 3]
