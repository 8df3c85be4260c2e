"""How distances add up along the chains that the rows of pairs make."""

from __future__ import annotations

import numpy as np

from taxcheck.model.arrays import IntArray
from taxcheck.statistics.spool import KeptPairs

_FEW = 0.05
_LOOKED_AT = 10_000  # rows that tell


def counted_from_two(kept: KeptPairs, n: int) -> bool:
    """Whether two steps add up to one less than the distance across both: 1 is at 2.

    The distance is along one way of a DAG, the shortest or the longest, and others differ from it.
    """
    less = _excess(kept, n)
    if less is None or np.mean(less == 1) <= _FEW:
        return False
    longest = np.mean(less < 0) > _FEW  # none is more than one less
    return bool(longest or np.mean(less < 1) <= _FEW)


def adds_up(kept: KeptPairs, n: int, lowest: int) -> bool:
    """Whether distances add up along the chains if a parent is at ``lowest``.

    In a DAG some chain does, and is the shortest way or the longest. Without chains nothing denies
    it.
    """
    excess = _excess(kept, n)
    if excess is None:
        return True
    excess = excess - (lowest - 1)
    one_sided = min(np.mean(excess < 0), np.mean(excess > 0)) <= _FEW
    return bool(one_sided and np.mean(excess == 0) > _FEW)


def _excess(kept: KeptPairs, n: int) -> IntArray | None:
    """What two steps add up to, less the distance across both, (k,); None where no rows tell."""
    for batch in kept.batches():
        if batch.depth_diff is None:
            return None
        order = np.argsort(batch.descendant * n + batch.ancestor)
        keys = (batch.descendant * n + batch.ancestor)[order]
        first = np.full(n, -1, dtype=np.int64)
        first[batch.descendant] = np.arange(len(batch.rows))
        upper = first[batch.ancestor]  # a row in which the ancestor is the descendant
        lower = np.flatnonzero(upper >= 0)[:_LOOKED_AT]
        upper = upper[lower]
        across = batch.descendant[lower] * n + batch.ancestor[upper]
        at = np.minimum(np.searchsorted(keys, across), len(keys) - 1)
        there = keys[at] == across
        if there.any():
            whole = batch.depth_diff[order[at]]
            return np.asarray((batch.depth_diff[lower] + batch.depth_diff[upper] - whole)[there])
    return None
