"""Connected components and cycles of a graph that is no forest, by SciPy's graph routines."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from taxcheck.statistics.values import IntArray


def connected(
    parents: IntArray, children: IntArray, n: int, connection: Literal["weak", "strong"]
) -> IntArray:
    """The component of every node, (n,); ``parents`` and ``children`` are (edges,)."""
    _, label = connected_components(
        _matrix(parents, children, n), directed=True, connection=connection
    )
    return np.asarray(label, dtype=np.int64)


def cycles(parents: IntArray, children: IntArray, n: int) -> tuple[IntArray, IntArray]:
    """All nodes on cycles, and one cycle in order (parent before child); both may be empty."""
    component = connected(parents, children, n, "strong")
    on_cycle = np.flatnonzero(np.bincount(component)[component] > 1)
    if not len(on_cycle):
        return on_cycle, on_cycle
    start = int(on_cycle[0])
    inside = (component[parents] == component[start]) & (component[children] == component[start])
    order, predecessor = breadth_first_order(_matrix(parents[inside], children[inside], n), start)
    position = np.full(n, n, dtype=np.int64)
    position[order] = np.arange(len(order))
    back = parents[inside & (children == start)]
    path = [int(back[np.argmin(position[back])])]
    while path[-1] != start:
        path.append(int(predecessor[path[-1]]))
    return on_cycle, np.array(path[::-1], dtype=np.int64)


def _matrix(parents: IntArray, children: IntArray, n: int) -> csr_array:
    return csr_array((np.ones(len(parents), dtype=np.int8), (parents, children)), shape=(n, n))
