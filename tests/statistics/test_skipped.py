"""A tree without its parent-child pairs is told from DAGs by how the parents that are left lie."""

from __future__ import annotations

import numpy as np

from taxcheck.statistics.hierarchy.edges import transitive_reduction
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.skipped import skipped_parents


def count(pairs: list[tuple[int, int]], n: int) -> int:
    ends = np.array(pairs)
    present = np.ones(n, dtype=bool)
    graph = Graph.from_edges(*transitive_reduction(ends[:, 0], ends[:, 1], present), present)
    return skipped_parents(graph, np.bincount(ends[:, 1], minlength=n))


def test_of_a_chain_each_node_has_the_two_ancestors_above_the_gap():
    """0 > 1 > ... > 6 without its six edges: 3 to 6 have two parents, 2 has one."""
    assert count([(a, d) for d in range(7) for a in range(d - 1)], 7) == 4


def test_of_a_diamond_both_parents_have_the_same_ancestors():
    """0 > 1, 2 > 3, and 3 > 4: no parent is skipped."""
    assert count([(0, 1), (0, 2), (0, 3), (1, 3), (2, 3), (0, 4), (1, 4), (2, 4), (3, 4)], 5) == 0
