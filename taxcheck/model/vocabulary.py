"""Numbers, shares and ranges that more than one part speaks of, worded in one way."""

from __future__ import annotations

import math
from collections.abc import Sequence

# The ranges of depths that pairs are told apart by: 1, 2 to 5, and beyond 5.
NEAR, FAR = 1, 5
DEPTH_RANGES = (  # (from, to, what it is called); None: no end
    (1, NEAR, "depth 1"),
    (NEAR + 1, FAR, "depth 2 to 5"),
    (FAR + 1, None, "deeper than 5"),
)
HIGH_NORM = 0.9  # norms above it are counted, as the first diagnosis of such a run did
# Unit roundoff u of the numbers that a table may hold: half the gap between 1 and the next one.
UNIT_ROUNDOFF = {
    "float16": 2.0**-11,
    "bfloat16": 2.0**-8,
    "float32": 2.0**-24,
    "float64": 2.0**-53,
}
NEAR_CLIP = 0.98  # of the clip's radius: nearer to it, rows differ only by where they were cut


def number(value: int | float) -> str:
    """Thousands separated; a real number with four significant digits.

    It has more where a share that is not 1 would read as 1.
    """
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) >= 1000:
        return f"{value:,.1f}"
    return f"{value:.4g}" if not 0.99995 <= abs(value) < 1 else f"{value:.12g}"


def numbers(values: Sequence[float]) -> list[str]:
    """The same of several that stand beside each other: those that differ read differently."""
    told = [number(value) for value in values]
    for digits in range(5, 16):
        if len(set(told)) == len(set(values)):
            break
        told = [f"{value:,.{digits}g}" for value in values]
    return told


def score(value: float) -> str:
    """``0.612``, ``3.98``, ``1,390``: a score with three figures."""
    if math.isnan(value):
        return "not a number"
    if abs(value) < 0.9995:
        return f"{value:.3f}"
    return f"{value:.2f}" if abs(value) < 99.995 else f"{value:,.0f}"


def percent(share: float) -> str:
    """A share of 0 to 1 as percent; what is neither all nor none never reads as either."""
    if 0 < share < 0.001:
        return "< 0.1 %"
    if 0.999 < share < 1:
        return "> 99.9 %"
    return f"{share * 100:.0f} %" if share in (0, 1) else f"{share * 100:.1f} %"


def never_trained(share: float | None) -> str:
    """``12.0 % never trained``; ``training unknown`` is for None, where nothing tells of it."""
    return "training unknown" if share is None else f"{percent(share)} never trained"


def said_of(count: int, one: str, verb: str, verbs: str) -> str:
    """``1 root is``, ``2 roots are``: a counted subject with its verb."""
    return f"{plural(count, one)} {verb if count == 1 else verbs}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """``1 root``, ``2 roots``, ``3 leaves``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
