"""One fused pass over sources: draw, measure, differentiate, move; see arXiv:1705.08039, eq. 6.

A source's negatives, and the sum of e^-d over them, are shared by all of its positives: a pair
costs one distance, not one for each of its negatives, and still meets all of them.

Which space, loss and optimizer is meant is told by small integers as it runs, so that one compiled
kernel serves all of them. Numba keeps it on disk until this file changes: everything that is
compiled into it, numbers too, must stand here. Formulas as in ``taxcheck.geometry``; with
q = sinh^2(d/2), cosh d = 1 + 2q and sinh d = 2 sqrt(q (1 + q)), so e^-d = 1 / (cosh d + sinh d)
needs neither exp nor acosh.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from taxcheck.model.arrays import Int32Array, IntArray

Floats = npt.NDArray[np.floating]

# The codes of ``geometry.models``, and the tangent space again, for steps in the metric: gradients
# of POLAR are Riemannian, in the orthonormal frame that turns with a row. By coordinates they are
# e^r times as long across the radius as along it, and far out rounding leaves nothing of the
# shorter part.
BALL, TANGENT, LORENTZ, EUCLIDEAN, POLAR = 0, 1, 2, 3, 4
RSGD, ADAM, ADAGRAD = 0, 1, 2
OPTIMIZERS = {"rsgd": RSGD, "adam": ADAM, "adagrad": ADAGRAD}
SOFTMAX, MARGIN = 0, 1
LOSSES = {"softmax": SOFTMAX, "margin": MARGIN}

# Not nnan and ninf: a NaN has to be seen.
FAST = {"reassoc", "contract", "arcp", "afn", "nsz"}

LEAST = 1e-3  # dL/dd of a row that is not worth a step
_LONGEST = 0.5  # hyperbolic length of one step of a row
_TINY = 1e-14  # of q: coincident points have no direction apart
_ROOM = 1e-30  # of 1 - |x|^2: a row that another worker is writing may look as if it were outside
_BLOCK = 512  # candidates whose separations are computed at once ...
_TOGETHER = 32  # ... for so many sources
_MULTIPLIER = np.uint64(0x2545F4914F6CDD1D)


@njit(fastmath=FAST, nogil=True, cache=True)
def train(
    x: Floats,  # (n, width), changed
    sources: Int32Array,  # (s,); these and the next three are a ``sampling.Chunk``
    starts: IntArray,  # (s + 1,)
    positives: Int32Array,  # (p,)
    weights: npt.NDArray[np.float32],  # (p,)
    entry: Int32Array,  # these and the next three are a ``dataset.Ancestry``
    size: Int32Array,
    ancestor_starts: IntArray,
    ancestors: Int32Array,
    pool: Int32Array,  # candidates of uniform draws
    popular: Int32Array,  # of draws by degree: every node as often as it is drawn
    by_depth: Int32Array,  # of hard draws
    depth_starts: IntArray,  # (depths + 1,) into by_depth
    depth: Int32Array,  # (n,)
    lefts: Floats,  # (s, w) ``Space.left`` of the sources
    rights: Floats,  # (m, w) ``Space.right`` of the candidates of nearest
    ids: Int32Array,  # (m,) their rows
    n_uniform: int,  # negatives of each kind that a source gets
    n_degree: int,
    n_hard: int,
    n_nearest: int,  # at most
    targets: Floats,  # (n,) of the radial regulariser
    first_moment: Floats,  # (n, width) of Adam, changed
    second_moment: Floats,  # (n, width) of Adam, (n, 1) of Adagrad, changed
    steps: Floats,  # (n,) of Adam, changed
    random: npt.NDArray[np.uint64],  # (1,) random state of this worker, changed
    low: int,  # its sources are those from here ...
    high: int,  # ... to here
    geometry: int,  # a code, as the next two
    loss: int,
    optimizer: int,
    anchored: bool,  # sources are the ancestors of pairs
    lr: float,
    strength: float,  # of the regulariser
    limit: float,  # largest square of a row's norm; on the Lorentz sheet, of its spatial part
    temperature: float,
    margin: float,
    window: float,  # how far beyond the farthest positive the nearest candidates may be
) -> tuple[float, float]:
    """(sum of the loss, sum of the regulariser) of a step for every source of a worker.

    Candidates so far away that their dL/dd is below ``LEAST`` are left alone, in the margin loss
    those that violate nothing. With several workers rows are changed without locks (Hogwild,
    arXiv:1106.5730).
    """
    # No named tuple: numba's index would hold its class, and fail where a later version has none.
    related = (entry, size, ancestor_starts, ancestors)
    pools = (pool, popular, by_depth, depth_starts, depth)
    counts = (n_uniform, n_degree, n_hard, n_nearest)
    width, loss_sum, pull_sum = x.shape[1], 0.0, 0.0
    drawn = counts[0] + counts[1] + counts[2]
    most = drawn + counts[3] + 1
    for s in range(low, high):
        most = max(most, starts[s + 1] - starts[s] + drawn + counts[3] + 1)
    state = random[0]
    rows, near, q = np.empty(most, np.int64), np.empty(most), np.empty(most)
    u, whole, g = np.empty(width), np.empty(width), np.empty(width)
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
        loss_sum += loss_weights(
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
                pull_sum += pull(geometry, x, v, targets[v], strength, g)
            update(geometry, optimizer, x, v, g, lr, limit, first_moment, second_moment, steps)
        for i in range(width):
            whole[i] += along * u[i]
        if strength > 0:
            pull_sum += pull(geometry, x, source, targets[source], strength, whole)
        update(geometry, optimizer, x, source, whole, lr, limit, first_moment, second_moment, steps)
    random[0] = state
    return loss_sum, pull_sum


@njit(fastmath=FAST, inline="always", cache=True)
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


@njit(fastmath=FAST, inline="always", cache=True)
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
    """Whether a is an ancestor of d."""
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


@njit(fastmath=FAST, inline="always", cache=True)
def half_chords(
    geometry: int, x: Floats, u: Floats, rows: IntArray, first: int, end: int, q: Floats
) -> None:
    """Fill q = sinh^2(d/2) of the point u (width,) and rows [first, end) of x; in flat space d.

    The model is looked at once and not for each row, so that its loop stays tight.
    """
    width = u.shape[0]
    if geometry == LORENTZ:
        for j in range(first, end):
            v, square = rows[j], 0.0
            for i in range(1, width):
                square += (u[i] - x[v, i]) ** 2
            q[j] = max((square - (u[0] - x[v, 0]) ** 2) / 4, 0.0)
        return
    own = 0.0
    for i in range(width):
        own += u[i] * u[i]
    if geometry in (TANGENT, POLAR):
        a = math.sqrt(own) + 1e-300
        for j in range(first, end):
            v, b = rows[j], 0.0
            for i in range(width):
                b += x[v, i] * x[v, i]
            b = math.sqrt(b) + 1e-300
            apart = 0.0
            for i in range(width):
                apart += (u[i] / a - x[v, i] / b) ** 2
            q[j] = math.sinh((a - b) / 2) ** 2 + math.sinh(a) * math.sinh(b) * apart / 4
        return
    for j in range(first, end):
        v = rows[j]
        square = b = 0.0
        for i in range(width):
            square += (u[i] - x[v, i]) ** 2
            b += x[v, i] * x[v, i]
        if geometry == EUCLIDEAN:
            q[j] = math.sqrt(square)
        else:
            q[j] = square / max((1 - own) * (1 - b), _ROOM)


@njit(fastmath=FAST, inline="always", cache=True)
def nearness(geometry: int, q: float) -> float:
    """e^-d of what ``half_chords`` gave."""
    if geometry == EUCLIDEAN:
        return math.exp(-q)
    return 1 / (1 + 2 * q + 2 * math.sqrt(q * (1 + q)))


@njit(fastmath=FAST, inline="always", cache=True)
def separation(geometry: int, q: float, window: float) -> float:
    """What ``Space.separation`` is at a distance ``window`` beyond that of q."""
    if geometry == EUCLIDEAN:
        return (q + window) ** 2
    return 2 * math.sinh(math.asinh(math.sqrt(q)) + window / 2) ** 2


@njit(fastmath=FAST, inline="always", cache=True)
def gradients(
    geometry: int, x: Floats, u: Floats, v: int, q: float
) -> tuple[float, float, float, float]:
    """(a, b, c, e) with dd/du = a u + b v and dd/dv = c v + e u.

    Derivatives by the coordinates; LORENTZ and POLAR have the Riemannian gradient itself.
    """
    width = u.shape[0]
    if geometry == EUCLIDEAN:
        f = 1 / max(q, 1e-12)
        return f, -f, f, -f
    root = math.sqrt(max(q, _TINY) * (1 + q))  # sinh d / 2; dd/dq = 1 / root
    if geometry == LORENTZ:
        f = 1 / (2 * root)
        return (1 + 2 * q) * f, -f, (1 + 2 * q) * f, -f
    a = b = 0.0
    for i in range(width):
        a += u[i] * u[i]
        b += x[v, i] * x[v, i]
    if geometry == BALL:
        alpha, beta = max(1 - a, _ROOM), max(1 - b, _ROOM)
        f = 2 / (alpha * beta * root)
        return f * (1 + q * beta), -f, f * (1 + q * alpha), -f
    a, b = max(math.sqrt(a), 1e-12), max(math.sqrt(b), 1e-12)
    product = math.sinh(a) * math.sinh(b)
    apart = max(4 * (q - math.sinh((a - b) / 2) ** 2) / max(product, 1e-300), 0.0)
    cosine = 1 - apart / 2
    by_a = math.sinh(a - b) / 2 + math.cosh(a) * math.sinh(b) * apart / 4
    by_b = math.sinh(b - a) / 2 + math.cosh(b) * math.sinh(a) * apart / 4
    if geometry == POLAR:
        across_u, across_v = math.sinh(b) / (2 * root), math.sinh(a) / (2 * root)
        return (
            (by_a / root + across_u * cosine) / a,
            -across_u / b,
            (by_b / root + across_v * cosine) / b,
            -across_v / a,
        )
    e = -product / (2 * a * b * root)
    return (
        (by_a + product * cosine / (2 * a)) / (a * root),
        e,
        (by_b + product * cosine / (2 * b)) / (b * root),
        e,
    )


@njit(fastmath=FAST, inline="always", cache=True)
def pull(geometry: int, x: Floats, v: int, target: float, strength: float, g: Floats) -> float:
    """Radial regulariser (r - target)^2 of row v; ``strength`` times its gradient is added to g.

    r is the norm in the ball and in flat space, the hyperbolic radius elsewhere.
    """
    width = x.shape[1]
    first = 1 if geometry == LORENTZ else 0
    norm = 0.0
    for i in range(first, width):
        norm += x[v, i] ** 2
    norm = math.sqrt(norm)
    r = math.asinh(norm) if geometry == LORENTZ else norm
    f = 2 * strength * (r - target)
    outward = x[v, 0] if geometry == LORENTZ else 1.0  # the unit radial tangent is (|x|, x0 x/|x|)
    if geometry == LORENTZ:
        g[0] += f * norm
    for i in range(first, width):
        g[i] += f * outward * x[v, i] / max(norm, 1e-12)
    return (r - target) ** 2


@njit(fastmath=FAST, inline="always", cache=True)
def update(
    geometry: int,
    optimizer: int,
    x: Floats,
    row: int,
    g: Floats,
    lr: float,
    limit: float,
    first_moment: Floats,
    second_moment: Floats,
    steps: Floats,
) -> None:
    """Move one row against its gradient g (width,), which is used up, and back inside.

    ``limit`` is the largest square of its norm; on the Lorentz sheet, of its spatial part.
    """
    width = x.shape[1]
    if geometry == LORENTZ:
        _along_the_sheet(optimizer, x, row, g, lr, limit, second_moment)
        return
    if geometry == POLAR:
        _around_the_origin(x, row, g, lr, limit)
        return
    square = 0.0
    for i in range(width):
        square += x[row, i] ** 2
    if optimizer == RSGD:
        f = lr * (1 - square) ** 2 / 4 if geometry == BALL else lr
        for i in range(width):
            g[i] = x[row, i] - f * g[i]
    elif optimizer == ADAGRAD:
        total = second_moment[row, 0]
        for i in range(width):
            total += g[i] * g[i]
        second_moment[row, 0] = total
        f = lr / (math.sqrt(total) + 1e-10)
        for i in range(width):
            g[i] = x[row, i] - f * g[i]
    else:
        steps[row] += 1
        t = steps[row]
        one, two = 1 - 0.9**t, 1 - 0.999**t
        for i in range(width):
            m = 0.9 * first_moment[row, i] + 0.1 * g[i]
            s = 0.999 * second_moment[row, i] + 0.001 * g[i] * g[i]
            first_moment[row, i], second_moment[row, i] = m, s
            g[i] = x[row, i] - lr * (m / one) / (math.sqrt(s / two) + 1e-8)
    square = 0.0
    for i in range(width):
        square += g[i] ** 2
    f = math.sqrt(limit / square) if geometry != EUCLIDEAN and square > limit else 1.0
    for i in range(width):  # written once, inside: another worker may read the row meanwhile
        x[row, i] = f * g[i]


@njit(fastmath=FAST, inline="always", cache=True)
def _around_the_origin(x: Floats, row: int, g: Floats, lr: float, limit: float) -> None:
    """The radius falls by the step's part along it, the direction turns by the rest / sinh r."""
    width = x.shape[1]
    square = length = outward = 0.0
    for i in range(width):
        square += x[row, i] ** 2
        length += g[i] * g[i]
    r = math.sqrt(square)
    pace = min(lr, _LONGEST / max(math.sqrt(length), 1e-300))
    if r < 1e-9:
        for i in range(width):
            x[row, i] -= pace * g[i]
        return
    for i in range(width):
        outward += g[i] * x[row, i] / r
    rest = 0.0
    for i in range(width):
        rest += (g[i] - outward * x[row, i] / r) ** 2
    rest = math.sqrt(rest)
    angle = pace * rest / math.sinh(r)
    new = min(r - pace * outward, math.sqrt(limit))
    keep, turn = math.cos(angle) * new / r, math.sin(angle) * new / max(rest, 1e-300)
    for i in range(width):
        x[row, i] = keep * x[row, i] - turn * (g[i] - outward * x[row, i] / r)


@njit(fastmath=FAST, inline="always", cache=True)
def _along_the_sheet(
    optimizer: int, x: Floats, row: int, g: Floats, lr: float, limit: float, total: Floats
) -> None:
    """The exponential map of the Lorentz sheet, to third order; g is tangent at the row."""
    width = x.shape[1]
    square = -g[0] * g[0]
    for i in range(1, width):
        square += g[i] * g[i]
    if square <= 0:
        return
    length = math.sqrt(square)
    step = lr * length
    if optimizer == ADAGRAD:
        total[row, 0] += square
        step /= math.sqrt(total[row, 0]) + 1e-10
    step = min(step, _LONGEST)
    ch, t = 1 + step * step / 2, step * (1 + step * step / 6) / length
    square = 0.0
    for i in range(1, width):
        x[row, i] = ch * x[row, i] - t * g[i]
        square += x[row, i] ** 2
    if square > limit:
        f = math.sqrt(limit / square)
        for i in range(1, width):
            x[row, i] *= f
        square = limit
    x[row, 0] = math.sqrt(1 + square)
