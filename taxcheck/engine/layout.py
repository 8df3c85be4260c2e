"""What every start that follows the hierarchy is made of: edges, midpoints, random directions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from taxcheck.engine.values import TrainingData

_Doubles = npt.NDArray[np.float64]
LARGEST = 300.0  # radii whose products of sinh still fit into float64
_ROWS = 1 << 16


def edges_of(data: TrainingData) -> csr_matrix:
    """The pairs at distance 1 of every node, (n, n) with a 1 for each."""
    close = data.distances == 1
    starts = np.concatenate([[0], np.cumsum(close, dtype=np.int64)])[data.starts]
    ones = np.ones(int(starts[-1]))
    return csr_matrix((ones, data.ancestors[close], starts), shape=(data.n_nodes, data.n_nodes))


def midpoints(
    edges: csr_matrix, directions: _Doubles, radii: _Doubles
) -> tuple[_Doubles, _Doubles]:
    """Directions (k, d) and radii (k,) of the midpoints of the nodes that each row (k, n) names.

    The Lorentz centroid, the sum of points scaled back onto the sheet (Law et al. 2019): a node
    with parents in two branches starts between them, not in one, from where it would hardly leave.
    """
    used = np.flatnonzero(np.bincount(edges.indices, minlength=edges.shape[1]))
    sums = edges[:, used] @ (np.sinh(radii[used])[:, None] * directions[used])
    length = np.linalg.norm(sums, axis=1)
    time = edges[:, used] @ np.cosh(radii[used])
    radius = np.arctanh(np.minimum(length / time, 1 - 2.0**-53))
    return sums / np.maximum(length, 1e-300)[:, None], radius


def random_directions(n: int, dim: int, rng: np.random.Generator) -> _Doubles:
    """Unit vectors (n, dim), evenly over the sphere."""
    x = rng.standard_normal((n, dim))
    for start in range(0, n, _ROWS):
        x[start : start + _ROWS] /= np.linalg.norm(x[start : start + _ROWS], axis=1, keepdims=True)
    return x
