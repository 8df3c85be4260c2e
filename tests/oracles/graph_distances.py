"""Distances in a graph by breadth-first search."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from taxcheck.audit.metrics.lists import Floats, Ints


def graph_distances(parents: Ints, children: Ints, n: int, sources: Ints) -> Floats:
    """Edges from each source (k,) to every node, by breadth-first search: (k, n), inf if apart."""
    ones = np.ones(len(parents))
    graph = csr_array((ones, (np.asarray(parents), np.asarray(children))), shape=(n, n))
    found = dijkstra(graph, directed=False, unweighted=True, indices=np.asarray(sources))
    return np.asarray(found, dtype=np.float64)
