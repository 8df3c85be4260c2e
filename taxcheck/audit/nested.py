"""Of clades one inside the other that are odd together, the one that explains the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from taxcheck.audit.values import CladeSpread

_AS_ODD = 0.8  # of the logarithm by which its spread is off, and a clade is odd as a whole
_POINT = 1e-3  # of the expected spread: what is tighter is one point


def explaining(odd: Sequence[CladeSpread]) -> list[CladeSpread]:
    """The odd clades without those that are odd for another one's sake, in their order.

    A clade that is as odd as its part is odd as a whole, and the part is not named; one that is
    less odd is so for its part, which is.
    """
    by_idx = {clade.idx: clade for clade in odd}
    dropped: set[int] = set()
    for part in sorted(odd, key=lambda clade: clade.size):
        if part.idx in dropped:
            continue
        for whole in _around(part, by_idx):
            if off(whole) * off(part) <= 0:
                continue
            if abs(off(whole)) >= _AS_ODD * abs(off(part)):
                dropped.add(part.idx)
                break
            dropped.add(whole.idx)
    return [clade for clade in odd if clade.idx not in dropped]


def off(clade: CladeSpread) -> float:
    """The logarithm by which the spread of a clade is not what is expected."""
    return float(np.log(max(clade.spread / clade.expected, _POINT)))


def _around(part: CladeSpread, by_idx: dict[int, CladeSpread]) -> list[CladeSpread]:
    """The odd clades around one, the smallest first, as far as they follow one another."""
    found, at = [], part.inside
    while at is not None and (clade := by_idx.get(at)) is not None:
        found.append(clade)
        at = clade.inside
    return found
