"""Nodes whose parent seems to be skipped: what a tree without its parent-child pairs looks like."""

from __future__ import annotations

import numpy as np

from taxcheck.model.arrays import IntArray
from taxcheck.statistics.hierarchy.graph import Graph


def skipped_parents(graph: Graph, above: IntArray) -> int:
    """How many nodes with two parents have those that are left of a chain without its next step.

    Of the chain above such a node every pair of neighbours is missing. The lowest two ancestors
    that are left are then not related, and both are parents in the transitive reduction: one has
    two ancestors fewer than the node, the other three, but at the top, where it has as few as the
    first. ``above`` (n,) counts the ancestors of every node.
    """
    two = np.flatnonzero(graph.parent_counts == 2)
    if not len(two):
        return 0
    parents = above[graph.parents_of.expand(two)[1]].reshape(-1, 2)
    fewest, most = parents.min(axis=1), parents.max(axis=1)
    lower = most == above[two] - 2
    chained = lower & (fewest == above[two] - 3)
    ends = lower & (fewest == most)
    if 2 * np.count_nonzero(chained) < np.count_nonzero(ends):
        return 0  # mostly two parents with the same ancestors, as DAGs have them
    return int(np.count_nonzero(chained | ends))
