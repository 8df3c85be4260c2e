"""Causes in which distances or depths are counted from another number."""

from __future__ import annotations

import numpy as np

from taxcheck.model.arrays import BoolArray
from taxcheck.model.cause import Explanation, Mend, cause
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.spool import KeptPairs
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.values import (
    DepthStatistics,
    HierarchyStatistics,
    Kind,
)

from .chains import adds_up, counted_from_two
from .depth_columns import from_columns

_FEWEST = 20
_WHOLE = 0.99
_DEPTHS = 3  # that nodes must have, before what they share means anything


@cause()
def depths_offset(
    symptoms: Symptoms,
    kept: KeptPairs,
    totals: PairState,
    depth: DepthStatistics,
    tree: HierarchyStatistics,
) -> Explanation | None:
    """Distances are counted from another number than 1.

    The smallest distance is 0 where parents are meant, or 2; with the difference taken away all
    distances add up along the chains.

    Why it matters:
    What ought to be an edge is none, and grandparents pass for parents: weights by distance, levels
    of negatives and every chain are wrong by one step.

    How to fix:
    Count the steps from the descendant up to the ancestor, so that a parent is at 1:

        pairs["depth_diff"] += 1

    ``taxcheck fix`` does so.

    Known exceptions:
    Where the pairs of parents are missing the smallest distance is 2 as well, and distances add up
    as they are: no_parent_pairs.

    References:
    - Nickel & Kiela 2017: https://arxiv.org/abs/1705.08039
    """
    lowest = int(depth.depths[0]) if len(depth.depths) else 1
    if lowest == 1 or abs(lowest) > 100:
        return None
    if lowest == 2 and not counted_from_two(kept, totals.origin.n):
        return None
    shift = 1 - lowest
    if lowest < 1 and not adds_up(kept, totals.origin.n, lowest):
        return None
    others = "self_pair" in symptoms and lowest == 0
    if lowest < 1 and (others or depth.counts[0] < 0.01 * depth.counts.sum()):
        return None
    explains: dict[str, BoolArray | bool] = {}
    if "depth_mismatch" in symptoms:
        explains["depth_mismatch"] = from_columns(symptoms, totals, shift, tree.kind)
    return Explanation(
        message=f"distances are counted from {lowest}: a parent is at {lowest}, and ought to be "
        "at 1",
        explains=explains,
        parameters={"smallest distance": lowest},
        free=1,
        mend=Mend(
            what=f"add {shift} to all distances"
            if shift > 0
            else f"take {-shift} from all distances",
            why="distances then add up along all chains of parents",
            depth=shift,
        ),
    )


@cause()
def depth_column_offset(
    symptoms: Symptoms, totals: PairState, depth: DepthStatistics, tree: HierarchyStatistics
) -> Explanation | None:
    """The two depth columns are counted from different numbers.

    In every row the depth of the descendant less that of the ancestor differs from the distance by
    the same number, and a node's depth as a descendant from that as an ancestor.

    Why it matters:
    A node has two depths, and whichever row was read last decides its radius. Differences of the
    columns are wrong by one number everywhere.

    How to fix:
    Count both columns from the same root. The distances are right:

        pairs["descendant_depth"] = pairs["ancestor_depth"] + pairs["depth_diff"]

    ``taxcheck fix`` writes both anew from the hierarchy.

    Known exceptions:
    In a DAG depths need not differ by the distance, so that the columns alone cannot show it.

    References:
    - Nickel & Kiela 2018, hierarchy and distance from the root: https://arxiv.org/abs/1806.03417
    """
    depths = None if totals.depth is None else totals.depth.node_depths
    if depths is None or depth.inconsistent is None or not depth.inconsistent.count:
        return None
    ranges = np.unique(depths.highest[depths.lowest < depths.highest]
                       - depths.lowest[depths.lowest < depths.highest])  # fmt: skip
    if len(ranges) != 1 or depth.inconsistent.count < min(_FEWEST, 2):
        return None
    every = depth.mismatch.count >= _WHOLE * depth.mismatch.total
    if not every and (tree.kind is not Kind.DAG or len(depth.judged_columns) < 2):
        return None
    if not every and len(np.unique(depths.lowest[depths.lowest < depths.highest])) < _DEPTHS:
        return None
    by = int(ranges[0])
    if by == 2 and depth.depths.tolist() == [1]:
        return None  # so it is, too, where the columns of parents and children were exchanged
    both = (totals.as_ancestor > 0) & (totals.as_descendant > 0)
    whole = np.count_nonzero(depths.lowest[both] < depths.highest[both])
    if whole < _WHOLE * np.count_nonzero(both):
        return None
    explains: dict[str, BoolArray | bool] = {}
    for name in ("inconsistent_depth", "depth_mismatch"):
        if name in symptoms:
            explains[name] = np.ones(len(symptoms[name]), dtype=bool)
    return Explanation(
        message=f"the depth columns are {by} apart: a node has one depth as ancestor and another "
        "as descendant",
        explains=explains,
        parameters={"apart": by},
        free=1,
        why_not="no row is wrong beside its depths, which are written anew from the hierarchy",
    )
