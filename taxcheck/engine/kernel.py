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
    half_chords,
    nearness,
    pull,
    separation,
    update,
)
from taxcheck.engine.values import Floats, Int32Array, IntArray

SOFTMAX, MARGIN = 0, 1
LOSSES = {"softmax": SOFTMAX, "margin": MARGIN}
LEAST = 1e-3  # dL/dd of a row that is not worth a step
# Of the sources of kernel_draws and kernel_geometry: numba recompiles when this file changes only.
INLINED = "ba6db4ed1088e09c"
_BLOCK = 512  # candidates whose separations are computed at once ...
_TOGETHER = 32  # ... for so many sources


@njit(fastmath=FAST, cache=True)
def loss_weights(
    loss: int,
    near: Floats,
    weights: npt.NDArray[np.float32],
    positives: int,
    count: int,
    others: int,
    temperature: float,
    margin: float,
) -> float:
    """Turn e^-d of ``positives`` and then negatives into dL/dd, in place; the loss.

    ``count`` includes those negatives that matter, ``others`` is the number of all of them.

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
    each = 1 / others
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


@njit(fastmath=FAST, cache=True)
def nearest(
    lefts: Floats,  # (s, w) of the sources
    rights: Floats,  # (m, w) of all candidates
    ids: Int32Array,  # (m,)
    largest: Floats,  # (s,)
    first: int,
    rows: Int32Array,  # (s, most), filled
    found: IntArray,  # (s,), filled
) -> None:
    """List for each source candidates whose separation from it is below ``largest``.

    Separations are products of the factors that ``Space.left`` and ``Space.right`` make. The walk
    starts at block ``first`` and ends for a source when its list is full.
    """
    m, most = rights.shape[0], rows.shape[1]
    blocks = (m + _BLOCK - 1) // _BLOCK
    found[:] = 0
    for turn in range(blocks):
        begin = (turn + first) % blocks * _BLOCK
        apart = np.dot(lefts, rights[begin : min(begin + _BLOCK, m)].T)
        for s in range(lefts.shape[0]):
            for j in range(apart.shape[1]):
                if apart[s, j] < largest[s] and found[s] < most:
                    rows[s, found[s]] = ids[begin + j]
                    found[s] += 1


@njit(fastmath=FAST, inline="always", cache=True)
def draw(
    peer: int,
    state: np.uint64,
    rows: IntArray,
    k: int,
    pools: tuple[Int32Array, Int32Array, Int32Array, IntArray, Int32Array],
    counts: tuple[int, int, int, int],
) -> np.uint64:
    """Fill ``rows`` from k on: uniform, by degree, of the peer's depth; the new random state."""
    pool, popular, by_depth, depth_starts, depth = pools
    first = depth_starts[depth[peer]]
    peers = depth_starts[depth[peer] + 1] - first
    for _ in range(counts[0]):
        state = advance(state)
        rows[k] = pool[below(state, pool.shape[0])]
        k += 1
    for _ in range(counts[1]):
        state = advance(state)
        rows[k] = popular[below(state, popular.shape[0])]
        k += 1
    for _ in range(counts[2]):
        state = advance(state)
        rows[k] = by_depth[first + below(state, peers)]
        k += 1
    return state


@njit(fastmath=FAST, inline="always", cache=True)
def keep(
    geometry: int,
    source: int,
    floor: float,
    own: int,
    hard: int,
    k: int,
    related: tuple[Int32Array, Int32Array, IntArray, Int32Array],
    rows: IntArray,
    near: Floats,
    q: Floats,
) -> tuple[int, int]:
    """Close up the candidates [own, k) that matter; (their end, the number of true negatives).

    Left out are those with an e^-d below ``floor``, the source, its ancestors, and from ``hard``
    on its descendants. The costly question is only asked of those near enough to matter.
    """
    entry, size, starts, ancestors = related
    end, negatives = own, k - own
    for j in range(own, k):
        closeness, v = nearness(geometry, q[j]), rows[j]
        if closeness < floor:
            continue
        if (
            v == source
            or is_above(entry, size, starts, ancestors, v, source)
            or (j >= hard and is_above(entry, size, starts, ancestors, source, v))
        ):
            negatives -= 1
            continue
        rows[end], q[end], near[end] = v, q[j], closeness
        end += 1
    return end, negatives


@njit(fastmath=FAST, parallel=True, nogil=True, cache=True)
def train(
    x: Floats,  # (n, width), changed
    work: tuple[Int32Array, IntArray, Int32Array, npt.NDArray[np.float32]],
    related: tuple[Int32Array, Int32Array, IntArray, Int32Array],
    pools: tuple[Int32Array, Int32Array, Int32Array, IntArray, Int32Array],
    scan: tuple[Floats, Floats, Int32Array],
    counts: tuple[int, int, int, int],  # uniform, degree, hard, and at most so many nearest
    targets: Floats,  # (n,) of the radial regulariser
    moments: tuple[Floats, Floats, Floats],
    states: npt.NDArray[np.uint64],  # (workers,), changed
    codes: tuple[int, int, int, bool],  # geometry, loss, optimizer, and are sources ancestors
    numbers: tuple[float, float, float, float, float, float],
) -> tuple[float, float]:
    """(sum of the loss, sum of the regulariser).

    ``work``: sources, starts, positives, weights. ``related``: the fields of ``values.Related``.
    ``pools``: candidates of uniform draws, of draws by degree, by depth with its starts, depths.
    ``scan``: left factors of the sources, right factors of the candidates, their rows.
    ``numbers``: lr, lambda, limit, temperature, margin, window.

    Candidates so far away that their dL/dd is below ``LEAST`` are left alone, in the margin loss
    those that violate nothing. With several workers rows are changed without locks (Hogwild,
    arXiv:1106.5730).
    """
    sources, starts, positives, weights = work
    lefts, rights, ids = scan
    first_moment, second_moment, steps = moments
    geometry, loss, optimizer, anchored = codes
    lr, strength, limit, temperature, margin, window = numbers
    width, workers = x.shape[1], states.shape[0]
    losses, pulls = np.zeros(workers), np.zeros(workers)
    drawn = counts[0] + counts[1] + counts[2]
    most = drawn + counts[3] + 1
    for s in range(sources.shape[0]):
        most = max(most, starts[s + 1] - starts[s] + drawn + counts[3] + 1)
    for worker in prange(workers):
        state = states[worker]
        rows, near, q = np.empty(most, np.int64), np.empty(most), np.empty(most)
        u, whole, g = np.empty(width), np.empty(width), np.empty(width)
        low = worker * sources.shape[0] // workers
        high = (worker + 1) * sources.shape[0] // workers
        close = np.empty((_TOGETHER, counts[3]), np.int32)
        found, largest = np.zeros(_TOGETHER, np.int64), np.zeros(_TOGETHER)
        for s in range(low, high):
            source, begin = sources[s], starts[s]
            if counts[3] and (s - low) % _TOGETHER == 0:
                end = min(s + _TOGETHER, high)
                for t in range(s, end):
                    own = starts[t + 1] - starts[t]
                    for j in range(own):
                        rows[j] = positives[starts[t] + j]
                    half_chords(geometry, x, x[sources[t]], rows, 0, own, q)
                    largest[t - s] = separation(geometry, q[:own].max(), window) if own else 0.0
                state = advance(state)
                block = below(state, rights.shape[0] // _BLOCK + 1)
                nearest(lefts[s:end], rights, ids, largest, block, close, found)
            own = starts[s + 1] - begin
            for j in range(own):
                rows[j] = positives[begin + j]
            for i in range(width):
                u[i] = x[source, i]
                whole[i] = 0.0
            half_chords(geometry, x, u, rows, 0, own, q)
            farthest = 0.0
            for j in range(own):
                near[j] = nearness(geometry, q[j])
                farthest = max(farthest, q[j])
            k = own
            for j in range(found[(s - low) % _TOGETHER]):
                rows[k] = close[(s - low) % _TOGETHER, j]
                k += 1
            peer = positives[begin] if anchored and own else source
            state = draw(peer, state, rows, k, pools, counts)
            hard = k if anchored else k + counts[0] + counts[1]
            k += drawn
            half_chords(geometry, x, u, rows, own, k, q)
            floor = nearness(geometry, farthest)
            floor *= LEAST**temperature if loss == SOFTMAX else math.exp(-margin)
            kept, others = keep(geometry, source, floor, own, hard, k, related, rows, near, q)
            if others == 0:
                continue
            losses[worker] += loss_weights(
                loss, near, weights[begin:], own, kept, others, temperature, margin
            )
            along = 0.0
            for j in range(kept):
                f, v = near[j], rows[j]
                if abs(f) < LEAST and (strength == 0 or j >= own):
                    continue
                a, b, c, e = gradients(geometry, x, u, v, q[j])
                along += f * a
                for i in range(width):
                    whole[i] += f * b * x[v, i]
                    g[i] = f * (c * x[v, i] + e * u[i])
                if strength > 0 and j < own:
                    pulls[worker] += pull(geometry, x, v, targets[v], strength, g)
                update(geometry, optimizer, x, v, g, lr, limit, first_moment, second_moment, steps)
            for i in range(width):
                whole[i] += along * u[i]
            if strength > 0:
                pulls[worker] += pull(geometry, x, source, targets[source], strength, whole)
            update(
                geometry, optimizer, x, source, whole, lr, limit, first_moment, second_moment, steps
            )
        states[worker] = state
    return losses.sum(), pulls.sum()
