"""The cause in which the closure ends at a depth: all that is farther apart is missing."""

from __future__ import annotations

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.cause import Explanation, cause
from taxcheck.policy.model import Dataset
from taxcheck.statistics.hierarchy.edges import present_in
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.truth import Truth
from taxcheck.statistics.values import (
    DepthStatistics,
    HierarchyStatistics,
)

from .depth_columns import nearer_by_depth
from .lost import MISSING, follows, lost_pairs

_FEWEST = 20
_WHOLE, _FEW = 0.99, 0.05
_SPARSE = 0.2  # nodes in no pair, to one that is in some
_FROM_EDGES = "rows that were lost cannot be moved back; the depth-1 pairs imply them"
_OWN = "missing_ancestor_pair"


@cause(loss=True)
def depth_capped(
    symptoms: Symptoms,
    tree: HierarchyStatistics,
    dataset: Dataset,
    totals: PairState,
    depth: DepthStatistics | None = None,
    truth: Truth | None = None,
) -> Explanation | None:
    """The closure was built only up to a depth.

    Pairs up to some distance are all there, and none that is longer.

    Why it matters:
    A node is tied to its nearest ancestors alone. All that is above them is drawn as a negative of
    the node, though it is true, so that distant clades are pushed apart from their own members.

    How to fix:
    If this is meant, declare it, with the distance that is told here:

        [dataset]
        pairs = "depth<=5"

    or ``pairs = "edges"`` where parents and children alone are meant. Else build the closure up to
    the root, or have ``taxcheck fix`` add what the edges imply.

    Known exceptions:
    A join that keeps one row of each descendant, the parent's, leaves the same rows as a closure to
    depth 1, unless the depths of nodes say that they have nearer ancestors (one_row_per_node).
    Where parents themselves are missing, see no_parent_pairs. Without distances, of a closure of
    which most rows were lost, no pair follows from others either: where many mapped nodes are in
    no pair, a cap is likely at most.

    References:
    - Nickel & Kiela 2017, training on the closure: https://arxiv.org/abs/1705.08039
    """
    lost = _lost_distances(symptoms, tree, truth)
    if lost is None:
        return None
    name, distance, expected = lost
    missing = np.bincount(distance, minlength=len(expected))
    # of a DAG whose edges are derived, a few pairs are farther apart than they were
    there = (expected - missing) / np.maximum(expected, 1)
    cap = int(np.flatnonzero(there > _FEW).max(initial=0))
    if not 0 < cap < len(expected) - 1 or there[cap] < 0.5 or missing[cap + 1 :].sum() == 0:
        return None
    declared = dataset.depth_cap
    if declared is not None and declared <= cap:
        return None
    chosen = np.asarray(distance > cap)
    if np.count_nonzero(chosen) < _WHOLE * len(chosen) and expected[cap + 1 :].sum() < _FEWEST:
        return None  # rows are missing everywhere, and few nodes are as deep
    if np.count_nonzero(chosen) < _FEW * len(chosen):
        return None  # nearly all that is missing is missing elsewhere
    if depth is not None and depth.counts[depth.depths > cap].sum() > _FEW * depth.counts.sum():
        return None  # longer pairs are there, above chains that are broken
    if cap == 1 and nearer_by_depth(symptoms, totals):
        return None
    explains: dict[str, BoolArray | bool] = {name: chosen}
    if name == MISSING:
        assert truth is not None
        explains = follows(truth, symptoms, chosen)
    if _OWN in symptoms and _OWN not in explains:
        own = symptoms[_OWN].column("distance")
        explains[_OWN] = np.asarray(own) > cap
    what = (
        "only pairs of parent and child are there, where a closure is meant"
        if cap == 1
        else f"the closure ends at depth {cap}: pairs up to there are all there, and no longer one"
    )
    return Explanation(
        message=what,
        explains=explains,
        parameters={"depth": cap},
        free=1,
        guess=_sparse(cap, depth, symptoms, totals),
        why_not=_FROM_EDGES,
    )


def _sparse(cap: int, depth: DepthStatistics | None, symptoms: Symptoms, totals: PairState) -> bool:
    """Whether so many nodes are in no pair that of the rest no pair may follow from others."""
    if cap > 1 or depth is not None or "coverage_gap" not in symptoms:
        return False
    used = int(np.count_nonzero(present_in([totals])))
    return len(symptoms["coverage_gap"]) > _SPARSE * used


def _lost_distances(
    symptoms: Symptoms, tree: HierarchyStatistics, truth: Truth | None
) -> tuple[str, IntArray, IntArray] | None:
    """(symptom, distance of each lost pair (k,), pairs that ought to be there by distance).

    By the taxonomy, or else by the pairs' own closure.
    """
    if truth is not None and (found := lost_pairs(symptoms)) is not None:
        depth = truth.depth
        at_depth = np.bincount(depth[depth > 0], minlength=2)
        expected = np.r_[0, np.cumsum(at_depth[::-1])[::-1][1:]]
        return MISSING, depth[found[1]] - depth[found[0]], expected
    if _OWN not in symptoms or tree.closure_depths is None:
        return None
    own = symptoms[_OWN].column("distance")
    return None if own is None else (_OWN, own.astype(np.int64), tree.closure_depths)
