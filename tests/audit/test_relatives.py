"""Parents, ancestors and descendants, against sets."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from taxcheck.audit import relatives
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.spool import PairSpool


@st.composite
def graphs(draw):
    """Edges from lower to higher numbers, renamed at random: a forest, or a DAG."""
    n = draw(st.integers(1, 14))
    most = draw(st.sampled_from([1, 3]))
    names = draw(st.permutations(range(n)))
    edges = set()
    for child in range(1, n):
        above = draw(st.sets(st.integers(0, child - 1), max_size=most))
        edges |= {(names[parent], names[child]) for parent in above}
    nodes = draw(st.lists(st.sampled_from(range(n)), unique=True))
    return n, edges, nodes


def above(edges, node):
    reached, level = set(), {node}
    while level:
        level = {parent for parent, child in edges if child in level} - reached
        reached |= level
    return reached


def graph_of(n, edges):
    pairs = np.array(sorted(edges), dtype=np.int64).reshape(-1, 2)
    return Graph.from_edges(pairs[:, 0], pairs[:, 1], np.ones(n, dtype=bool))


def listed(lists):
    return [
        set(lists.targets[a:b].tolist())
        for a, b in zip(lists.starts[:-1], lists.starts[1:], strict=True)
    ]


@given(graphs())
def test_kin_are_those_of_sets(case):
    n, edges, nodes = case
    graph, chosen = graph_of(n, edges), np.array(nodes, dtype=np.int64)
    up = {node: above(edges, node) for node in range(n)}
    below = {node: {k for k in range(n) if node in up[k]} for node in range(n)}
    parents = relatives.parents(graph, chosen)
    assert parents.sources.tolist() == nodes
    assert listed(parents) == [{p for p, c in edges if c == node} for node in nodes]
    assert listed(relatives.ancestors(graph, chosen)) == [up[node] for node in nodes]
    assert listed(relatives.descendants(graph, chosen)) == [below[node] for node in nodes]


@given(graphs())
def test_a_forest_and_the_walk_give_the_same(case):
    n, edges, nodes = case
    graph, chosen = graph_of(n, edges), np.array(nodes, dtype=np.int64)
    walked = relatives._reached(graph.children_of, chosen, n)
    np.testing.assert_array_equal(relatives.descendants(graph, chosen).targets, walked.targets)


def test_ancestors_that_pairs_give_are_theirs_alone():
    spool = PairSpool(has_depth=False)
    rows = np.arange(3)
    spool.append(rows, np.array([0, 0, 4]), np.array([2, 3, 2]), None)
    spool.append(rows + 3, np.array([0, 1, 0]), np.array([2, 2, 1]), None)  # (0, 2) again
    found = relatives.ancestors_in_pairs(spool, np.array([1, 2, 4]), 5)
    spool.close()
    assert found.sources.tolist() == [1, 2, 4]
    assert listed(found) == [{0}, {0, 1, 4}, set()]
