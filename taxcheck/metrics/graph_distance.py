"""Distances in the hierarchy, along its edges in either direction."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from taxcheck.metrics.lists import Floats, IntArray, Ints


def tree_distances(parent: Ints, depth: Ints, u: Ints, v: Ints) -> Floats:
    """Edges between nodes u and v (pairs,) of a forest, depth(u) + depth(v) - 2 depth(lca).

    ``parent`` (n,) is below 0 at a root. All pairs climb together, the deeper end first, so it
    takes O(pairs x depth). Infinite between two trees, and for nodes without a depth (below 0).
    """
    depth = np.asarray(depth)
    a, b = np.array(u, dtype=np.int64), np.array(v, dtype=np.int64)
    total = depth[a].astype(np.float64) + depth[b]
    a[depth[a] < 0], b[depth[b] < 0] = -1, -1
    while True:
        apart = np.flatnonzero((a != b) & (a >= 0) & (b >= 0))
        if not len(apart):
            break
        x, y = a[apart], b[apart]
        a[apart] = np.where(depth[x] >= depth[y], parent[x], x)
        b[apart] = np.where(depth[y] >= depth[x], parent[y], y)
    met = (a == b) & (a >= 0)
    lca = np.where(met, depth[np.maximum(a, 0)], 0)
    return np.where(met, total - 2 * lca, np.inf)


def graph_distances(parents: Ints, children: Ints, n: int, sources: Ints) -> Floats:
    """Edges from each source (k,) to every node, by breadth-first search: (k, n), inf if apart."""
    ones = np.ones(len(parents))
    graph = csr_array((ones, (np.asarray(parents), np.asarray(children))), shape=(n, n))
    found = dijkstra(graph, directed=False, unweighted=True, indices=np.asarray(sources))
    return np.asarray(found, dtype=np.float64)


def pairs_of_rows(
    n: int, at_most: int, rng: np.random.Generator
) -> tuple[IntArray, IntArray, bool]:
    """(u, v, whether they are all): every pair u < v, or ``at_most`` drawn with replacement."""
    if n * (n - 1) // 2 <= at_most:
        u, v = np.triu_indices(n, 1)
        return u.astype(np.int64), v.astype(np.int64), True
    u = rng.integers(0, n, at_most)
    v = rng.integers(0, n - 1, at_most)
    return u, v + (v >= u), False
