"""Random numbers and negatives inside the fused kernel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from taxcheck.engine.values import Int32Array, IntArray

_MULTIPLIER = np.uint64(0x2545F4914F6CDD1D)


@njit(inline="always", cache=True)
def advance(state: np.uint64) -> np.uint64:
    """The next state of xorshift64* (Vigna 2016, arXiv:1402.6246); never 0 after a state not 0."""
    state ^= state >> np.uint64(12)
    state ^= state << np.uint64(25)
    state ^= state >> np.uint64(27)
    return state


@njit(inline="always", cache=True)
def below(state: np.uint64, limit: int) -> int:
    """An integer in [0, limit) of a state, limit at most 2**31; the bias is below limit / 2**32."""
    return int(((state * _MULTIPLIER) >> np.uint64(32)) * np.uint64(limit) >> np.uint64(32))


@njit(inline="always", cache=True)
def is_above(
    entry: Int32Array, size: Int32Array, starts: IntArray, ancestors: Int32Array, a: int, d: int
) -> bool:
    """Whether a is an ancestor of d; see ``values.Related``."""
    if entry.shape[0]:
        return bool(entry[a] < entry[d] < entry[a] + size[a])
    low, high = starts[d], starts[d + 1]
    while low < high:
        middle = (low + high) >> 1
        if ancestors[middle] < a:
            low = middle + 1
        else:
            high = middle
    return bool(low < starts[d + 1] and ancestors[low] == a)


@njit(inline="always", cache=True)
def seeds(seed: int, workers: int) -> npt.NDArray[np.uint64]:
    """One state for each worker, by splitmix64 steps of the seed (Steele et al. 2014)."""
    out = np.empty(workers, np.uint64)
    z = np.uint64(seed)
    for k in range(workers):
        z += np.uint64(0x9E3779B97F4A7C15)
        y = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        y = (y ^ (y >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        out[k] = (y ^ (y >> np.uint64(31))) | np.uint64(1)
    return out
