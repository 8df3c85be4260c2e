"""Geometry inside the fused kernel: nearness, gradients and row updates of four models.

Each function switches on a small integer, so that one compiled kernel serves every model and can
be kept on disk. Formulas as in ``taxcheck.geometry``; with q = sinh^2(d/2), cosh d = 1 + 2q and
sinh d = 2 sqrt(q (1 + q)), so e^-d = 1 / (cosh d + sinh d) needs neither exp nor acosh.
"""

from __future__ import annotations

import math

from numba import njit

from taxcheck.engine.values import Floats, IntArray

# POLAR is the tangent model again, for steps in the metric: its gradients are Riemannian, in the
# orthonormal frame that turns with a row. By coordinates they are e^r times as long across the
# radius as along it, and far out rounding leaves nothing of the shorter part.
BALL, TANGENT, LORENTZ, EUCLIDEAN, POLAR = 0, 1, 2, 3, 4
GEOMETRIES = {"ball": BALL, "tangent": TANGENT, "lorentz": LORENTZ, "euclidean": EUCLIDEAN}
RSGD, ADAM, ADAGRAD = 0, 1, 2
OPTIMIZERS = {"rsgd": RSGD, "adam": ADAM, "adagrad": ADAGRAD}

# Not nnan and ninf: a NaN has to be seen.
FAST = {"reassoc", "contract", "arcp", "afn", "nsz"}

_TINY = 1e-14  # of q: coincident points have no direction apart
_ROOM = 1e-30  # of 1 - |x|^2: a row that another worker is writing may look as if it were outside
_LONGEST = 0.5  # hyperbolic length of one step of a row


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
