"""The graph as the rules see it: kind, roots, leaves, gaps, and the risk of false negatives."""

from __future__ import annotations

import numpy as np
import pytest

from taxcheck.model.finding import Defect, Sample
from taxcheck.policy.model import Dataset
from taxcheck.statistics.hierarchy import closure as closures
from taxcheck.statistics.hierarchy import shape
from taxcheck.statistics.hierarchy.chains import Chains
from taxcheck.statistics.hierarchy.closure import closure_of
from taxcheck.statistics.hierarchy.edges import Edges
from taxcheck.statistics.hierarchy.kind import likeness_of
from taxcheck.statistics.hierarchy.pairset import PairSet
from taxcheck.statistics.hierarchy.shape import false_negative_risk, hierarchy_statistics
from taxcheck.statistics.hierarchy.slots import SlotSet
from taxcheck.statistics.values import Kind
from tests.statistics.pair_tables import Heard, graph


def described(drawn, descendants=None, dataset=None, sink=None):
    """By default every node with a parent is a descendant in some pair."""
    marks = drawn.parent_counts > 0
    marks[list(descendants or ())] = True
    closure = closure_of(drawn)
    edges = Edges(drawn, closure, "depth_diff")
    every = SlotSet(closure.size)
    every.add(np.arange(closure.expected))
    pairs = PairSet.empty(drawn.n, every)
    chains = Chains.of(drawn, closure, pairs)
    found = likeness_of(drawn, closure, pairs, chains, dataset or Dataset(), "depth_diff")
    return hierarchy_statistics(edges, marks, found, sink)


# 0 > 1 > 3, 0 > 2; 4 > 5; 6 > 7, and of 6 some pair says that it has an ancestor; 8 in no pair
TREE = graph(9, (0, 1), (0, 2), (1, 3), (4, 5), (6, 7), present=[True] * 8 + [False])


def test_a_forest_with_a_gap():
    heard = Heard()
    found = described(TREE, descendants=[6], sink=heard)
    assert (found.kind, found.kind_reason) == (Kind.TREE, "every node has at most one parent")
    assert (found.edges_from, found.nodes, found.edges, found.leaves) == ("depth_diff", 8, 5, 4)
    assert (found.cycles, found.several_parents) == (Defect(0, 8), Defect(0, 5))
    assert (found.components, found.component_sizes, found.max_depth) == (3, (4, 2, 2), 2)
    assert found.roots == Defect(
        3,
        8,
        tuple(Sample({"idx": k, "tree_nodes": s}, node=k) for k, s in ((0, 4), (4, 2), (6, 2))),
    )
    assert found.root_idx.tolist() == [0, 4, 6]
    assert found.missing_parent == Defect(1, 6, (Sample({"idx": 6}, node=6),))
    assert found.closure_depths.tolist()[:3] == [0, 5, 1]
    assert not found.reversed_is_tree
    # depth 1 holds 1, 2, 5, 7: of 0's two children the other is one of three; nothing else
    assert found.false_negative_risk == pytest.approx(2 * 1 / 3 / 6)
    assert heard.calls == [
        ("cycle", {"idx": []}),
        ("several_parents", {"idx": [], "parents": []}),
        ("missing_parent", {"idx": [6]}),
        ("several_roots", {"idx": [0, 4, 6]}),
    ]


def test_roots_of_the_largest_trees_come_first():
    found = described(graph(6, (0, 1), (2, 3), (2, 4), (2, 5)))
    assert [s.node for s in found.roots.samples] == [2, 0]
    many = described(graph(60, *((k, k + 30) for k in range(30)), (3, 0)))
    assert (many.roots.count, many.components) == (29, 29)
    assert [s.node for s in many.roots.samples] == [3, 1, 2, *range(4, 21)]
    assert many.component_sizes == (4, *[2] * 9)


# the root of every node is told, with its parents: 7 has six
DAG = graph(8, (0, 1), (0, 2), (1, 3), (2, 3), *((k, 7) for k in range(6)))


def test_nodes_with_several_parents_are_shown_with_the_first_five():
    heard = Heard()
    found = described(DAG, sink=heard)
    assert (found.several_parents.count, found.several_parents.total) == (2, 4)
    assert (found.leaves, found.roots.count) == (2, 4)
    assert found.several_parents.samples == (
        Sample({"idx": 3, "parent_idx": "1, 2"}, node=3),
        Sample({"idx": 7, "parent_idx": "0, 1, 2, 3, 4 ..."}, node=7),
    )
    assert heard.calls[1] == ("several_parents", {"idx": [3, 7], "parents": [2, 6]})
    five = described(graph(6, *((k, 5) for k in range(5))))
    assert five.several_parents.samples[0].values["parent_idx"] == "0, 1, 2, 3, 4"


def test_a_cycle_is_shown_in_order_and_counted_whole():
    heard = Heard()
    found = described(graph(6, (3, 1), (1, 2), (2, 3), (4, 5), (5, 4), (0, 1)), sink=heard)
    assert (found.cycles.count, found.cycles.total) == (5, 6)
    assert [s.node for s in found.cycles.samples] == [1, 2, 3]
    assert heard.calls[0] == ("cycle", {"idx": [1, 2, 3, 4, 5]})


def many_parents(several, single):
    """A DAG with ``several`` nodes with two parents and ``single`` nodes with one."""
    n = 2 + several + single
    second = [(1, 2 + k) for k in range(several)]
    return graph(n, *((0, k) for k in range(2, n)), *second)


@pytest.mark.parametrize(
    ("drawn", "declared", "kind", "reason"),
    [
        (many_parents(1, 99), None, Kind.DAG,
         "1 of 100 nodes with a parent have several: 1.0 % or more, so a DAG is meant"),
        (many_parents(1, 100), None, Kind.DAMAGED_TREE,
         "1 of 101 nodes with a parent have several: under 1.0 %, so a tree was meant"),
        (many_parents(2, 1), "tree", Kind.DAMAGED_TREE,
         "the policy declares a tree, and 2 of 3 nodes with a parent have several"),
        (many_parents(0, 3), "tree", Kind.TREE, "every node has at most one parent"),
        (many_parents(0, 3), "dag", Kind.DAG, "the policy declares a DAG"),
    ],
)  # fmt: skip
def test_few_nodes_with_several_parents_damage_a_tree(drawn, declared, kind, reason):
    dataset = Dataset(kind=declared) if declared else Dataset()
    found = described(drawn, dataset=dataset)
    assert (found.kind, found.kind_reason) == (kind, reason)
    assert found.kind == {Kind.DAG: "dag", Kind.TREE: "tree"}.get(kind, "damaged tree")


@pytest.mark.parametrize(
    ("edges", "turned"),
    [
        (((0, 2), (1, 2)), True),
        (((0, 3), (1, 3), (0, 2)), False),  # 0 has two children
        (((0, 2), (1, 2), (2, 3), (3, 2)), False),  # a cycle, either way
        (((0, 1), (1, 2)), False),  # a tree as it is
    ],
)
def test_a_tree_with_its_columns_swapped_is_known(edges, turned):
    assert described(graph(4, *edges)).reversed_is_tree is turned


def test_nothing_is_said_of_a_closure_that_is_not_whole(monkeypatch):
    assert described(graph(6, (0, 1), (0, 2), (3, 4), (4, 3))).closure_depths is None
    assert described(LATTICE).closure_depths.tolist() == [0, 5, 2]
    monkeypatch.setattr(closures, "usual_memory", lambda: 0)
    cut = described(graph(7, (0, 1), (0, 2), (1, 3), (2, 3), (0, 4), (3, 4)))
    assert (cut.closure_depths, cut.false_negative_risk) == (None, None)


def test_an_empty_graph():
    found = described(graph(3, present=[False] * 3))
    assert (found.nodes, found.leaves, found.components, found.max_depth) == (0, 0, 0, 0)
    assert (found.component_sizes, found.false_negative_risk) == ((), None)


# 0 > 1, 2; 1 > 3, 4; 2 > 4: depth 1 holds 1, 2 and depth 2 holds 3, 4
LATTICE = graph(5, (0, 1), (0, 2), (1, 3), (1, 4), (2, 4))


@pytest.mark.parametrize("block", [1 << 22, 3, 1])
def test_the_risk_in_a_dag(monkeypatch, block):
    monkeypatch.setattr(shape, "_BLOCK", block)
    # 0 holds both of depth 1 and both of depth 2, 1 both of depth 2, 2 only node 4; 7 pairs
    assert false_negative_risk(LATTICE, closure_of(LATTICE)) == pytest.approx((2 + 2 + 2) / 7)


def test_a_closure_of_one_pair_has_no_risk():
    drawn = graph(2, (0, 1))
    assert false_negative_risk(drawn, closure_of(drawn)) == 0.0


def test_the_risk_in_a_dag_with_larger_levels():
    # 0 > 1, 2, 3, 4; 5 > 4, 6: depth 1 holds 1, 2, 3, 4, 6; six pairs
    drawn = graph(7, (0, 1), (0, 2), (0, 3), (0, 4), (5, 4), (5, 6))
    expected = (4 * 3 / 4 + 2 * 1 / 4) / 6
    assert false_negative_risk(drawn, closure_of(drawn)) == pytest.approx(expected)


def test_what_hangs_from_a_cycle_has_no_depth_and_no_part_in_the_risk():
    # 0 > 1, 2 beside the cycle 3 > 4 > 3 with 5 below
    drawn = graph(6, (0, 1), (0, 2), (3, 4), (4, 3), (4, 5))
    closure = closure_of(drawn)
    assert closure.expected == 3
    assert false_negative_risk(drawn, closure) == pytest.approx(2 / 3)
    hanging = graph(3, (0, 1), (1, 0), (1, 2))
    assert false_negative_risk(hanging, closure_of(hanging)) is None


def test_a_closure_too_large_to_walk_has_no_risk_figure(monkeypatch):
    for drawn, limit, pairs in ((LATTICE, "_LARGEST_DAG_WALK", 7), (TREE, "_LARGEST_WALK", 6)):
        monkeypatch.setattr(shape, limit, pairs)
        assert false_negative_risk(drawn, closure_of(drawn)) is not None
        monkeypatch.setattr(shape, limit, pairs - 1)
        assert false_negative_risk(drawn, closure_of(drawn)) is None


@pytest.mark.parametrize("sparse", [32, 0, 10_000])
def test_both_ways_to_sum_a_forest_agree(monkeypatch, sparse):
    monkeypatch.setattr(shape, "_SPARSE", sparse)
    # depth 1 holds 1, 2, 5, 7; depth 2 holds 3 alone
    assert false_negative_risk(TREE, closure_of(TREE)) == pytest.approx(2 * 1 / 3 / 6)
