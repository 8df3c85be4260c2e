"""One fused pass over sources: draw, measure, differentiate, move; see arXiv:1705.08039, eq. 6.

A source's negatives, and the sum of e^-d over them, are shared by all of its positives: a pair
costs one distance, not one for each of its negatives, and still meets all of them.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from taxcheck.engine.kernel_draws import advance, below, is_above
from taxcheck.engine.kernel_geometry import (
    FAST,
    gradients,
    half_chord,
    nearness,
    pull,
    update,
)
from taxcheck.engine.values import Floats, Int32Array, IntArray

SOFTMAX, MARGIN = 0, 1
LOSSES = {"softmax": SOFTMAX, "margin": MARGIN}


@njit(fastmath=FAST, cache=True)
def loss_weights(
    loss: int,
    near: Floats,
    weights: npt.NDArray[np.float32],
    positives: int,
    count: int,
    temperature: float,
    margin: float,
) -> float:
    """Turn e^-d of ``positives`` and then negatives into dL/dd, in place; the loss.

    Softmax: -log(e^(-d/T) / (e^(-d/T) + sum of e^(-d/T) over negatives)), of each positive.
    Margin: the mean over negatives of max(0, margin + d - d_negative), of each positive.
    """
    total = 0.0
    if loss == SOFTMAX:
        if temperature != 1:
            for j in range(count):
                near[j] **= 1 / temperature
        apart = 0.0
        for j in range(positives, count):
            apart += near[j]
        share = 0.0
        for j in range(positives):
            weight, whole = weights[j], near[j] + apart
            total += weight * math.log(whole / max(near[j], 1e-300))
            share += weight / max(whole, 1e-300)
            near[j] = weight * (1 - near[j] / max(whole, 1e-300)) / temperature
        for j in range(positives, count):
            near[j] *= -share / temperature
        return total
    for j in range(count):
        near[j] = -math.log(max(near[j], 1e-300))
    each = 1 / max(count - positives, 1)
    pushed = np.zeros(count)
    for j in range(positives):
        weight, violated = weights[j] * each, 0
        for k in range(positives, count):
            lacking = margin + near[j] - near[k]
            if lacking > 0:
                total += weight * lacking
                violated += 1
                pushed[k] -= weight
        pushed[j] = weight * violated
    near[:count] = pushed
    return total


@njit(fastmath=FAST, parallel=True, nogil=True, cache=True)
def train(
    x: Floats,  # (n, width), changed
    sources: Int32Array,
    starts: IntArray,
    positives: Int32Array,
    weights: npt.NDArray[np.float32],
    entry: Int32Array,
    size: Int32Array,
    above_starts: IntArray,
    above: Int32Array,
    popular: Int32Array,  # ancestors of all pairs: a draw by degree
    pool: Int32Array,
    by_depth: Int32Array,
    depth_starts: IntArray,
    depth: Int32Array,
    counts: tuple[int, int, int],  # uniform, degree, hard
    targets: Floats,  # (n,) of the radial regulariser
    first_moment: Floats,
    second_moment: Floats,
    steps: Floats,
    states: npt.NDArray[np.uint64],  # (workers,), changed
    codes: tuple[int, int, int],  # geometry, loss, optimizer
    numbers: tuple[float, float, float, float, float, float],
) -> tuple[float, float]:
    """(sum of the loss, sum of the regulariser). ``numbers``: lr, lambda, limit, temperature,
    margin, and the gradient below which a negative is left alone.

    With several workers rows are changed without locks (Hogwild, arXiv:1106.5730).
    """
    geometry, loss, optimizer = codes
    lr, strength, limit, temperature, margin, least = numbers
    width, workers = x.shape[1], states.shape[0]
    losses, pulls = np.zeros(workers), np.zeros(workers)
    most = 0
    for s in range(sources.shape[0]):
        most = max(most, starts[s + 1] - starts[s])
    most += counts[0] + counts[1] + counts[2]
    for worker in prange(workers):
        state = states[worker]
        rows, near, q = np.empty(most, np.int64), np.empty(most), np.empty(most)
        u, whole, g = np.empty(width), np.empty(width), np.empty(width)
        low = worker * sources.shape[0] // workers
        high = (worker + 1) * sources.shape[0] // workers
        for s in range(low, high):
            source = sources[s]
            begin, k = starts[s], 0
            for j in range(begin, starts[s + 1]):
                rows[k] = positives[j]
                k += 1
            own = k
            level = depth[source]
            first_peer = depth_starts[level]
            peers = depth_starts[level + 1] - first_peer
            for j in range(counts[0] + counts[1] + counts[2]):
                state = advance(state)
                if j < counts[0]:
                    v = pool[below(state, pool.shape[0])]
                elif j < counts[0] + counts[1]:
                    v = popular[below(state, popular.shape[0])]
                else:
                    v = by_depth[first_peer + below(state, peers)]
                    if is_above(entry, size, above_starts, above, source, v):
                        continue
                if v == source or is_above(entry, size, above_starts, above, v, source):
                    continue
                rows[k] = v
                k += 1
            if k == own:
                continue
            for i in range(width):
                u[i] = x[source, i]
                whole[i] = 0.0
            for j in range(k):
                q[j] = half_chord(geometry, x, u, rows[j])
                near[j] = nearness(geometry, q[j])
            losses[worker] += loss_weights(
                loss, near, weights[begin:], own, k, temperature, margin
            )
            along = 0.0
            for j in range(k):
                f, v = near[j], rows[j]
                if abs(f) < least:
                    continue
                a, b, c, e = gradients(geometry, x, u, v, q[j])
                along += f * a
                for i in range(width):
                    whole[i] += f * b * x[v, i]
                    g[i] = f * (c * x[v, i] + e * u[i])
                if strength > 0 and j < own:
                    pulls[worker] += pull(geometry, x, v, targets[v], strength, g)
                update(
                    geometry, optimizer, x, v, g, lr, limit, first_moment, second_moment, steps
                )
            for i in range(width):
                whole[i] += along * u[i]
            if strength > 0:
                pulls[worker] += pull(geometry, x, source, targets[source], strength, whole)
            update(
                geometry, optimizer, x, source, whole, lr, limit, first_moment, second_moment, steps
            )
        states[worker] = state
    return losses.sum(), pulls.sum()
