"""The cause in which the pairs of parents and children are missing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.cause import Explanation, cause
from taxcheck.model.result import RuleResult
from taxcheck.model.vocabulary import plural
from taxcheck.statistics.spool import KeptPairs
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.truth import Truth
from taxcheck.statistics.values import (
    DepthStatistics,
    HierarchyStatistics,
    MappingStatistics,
    PairStatistics,
)

from .called import called
from .chains import adds_up, counted_from_two
from .lost import FROM_TAXONOMY, NO_REPAIR, everything, follows, lost_pairs

_FEWEST = 20
_WHOLE = 0.99


@cause(loss=True)
def no_parent_pairs(
    found: Mapping[str, RuleResult],
    tree: HierarchyStatistics,
    kept: KeptPairs,
    symptoms: Symptoms,
    pairs: PairStatistics,
    mapping: MappingStatistics,
    depth: DepthStatistics | None = None,
    truth: Truth | None = None,
) -> Explanation | None:
    """The pairs of parents and children are missing, everywhere or in one clade.

    Nodes have pairs with their grandparents and all above, and none with their parent.

    Why it matters:
    Local structure is what parent-child pairs carry. Without them siblings are told apart by
    nothing, no chain can be followed, and no other pair can be proved.

    How to fix:
    Look for a filter such as ``depth_diff > 1``, or a step that treats edges apart and leaves them
    out when the parts are put together. Then build the pairs again, or have ``taxcheck fix ...
    --taxonomy taxdump/`` add them.

    Known exceptions:
    Where distances were counted from 2, parents are there under another number: depths_offset.

    References:
    - Sala et al. 2018, embeddings built from edges alone: https://arxiv.org/abs/1804.03329
    """
    by_truth = _parents_by_truth(symptoms, truth)
    if truth is not None and by_truth is not None:
        return _named_by_truth(symptoms, mapping, truth, *by_truth)
    if depth is None:
        return _by_shape(symptoms, tree) if "several_parents" in found else None
    if "missing_parent" not in symptoms:
        return None
    orphans = symptoms["missing_parent"].nodes[0]
    where, n = "", len(pairs.as_ancestor)
    if (depth.depths < 1).any() or not adds_up(kept, n, 1):
        return None  # they count no steps: nothing says at which of them a parent is
    if 1 in depth.depths:
        clade = None if len(orphans) < _FEWEST else _clade_of(kept, orphans, n)
        if clade is None:
            return None
        where = f" of the clade {called(mapping, clade)}"
    elif counted_from_two(kept, n):
        return None
    explains = everything(symptoms)
    if "coverage_gap" in symptoms and 20 * len(symptoms["coverage_gap"]) > len(orphans):
        del explains["coverage_gap"]  # too many to be childless nodes below the top
    explains.pop("missing_ancestor_pair", None)
    return _without_parents(where, len(orphans), explains, None)


def _named_by_truth(
    symptoms: Symptoms,
    mapping: MappingStatistics,
    truth: Truth,
    chosen: BoolArray,
    nodes: BoolArray,
) -> Explanation | None:
    """The lost pairs of parents, ``chosen`` (k,), are those of all ``nodes`` (n,), or a clade's."""
    top = _top(truth, nodes)
    everywhere = np.count_nonzero(nodes) >= _WHOLE * np.count_nonzero(truth.depth > 0)
    if not everywhere and top is None:
        return None
    where = "" if everywhere or top is None else f" of the clade {called(mapping, top, truth)}"
    explains = follows(truth, symptoms, chosen)
    if "several_parents" in symptoms:
        explains["several_parents"] = nodes[symptoms["several_parents"].nodes[0]]
    return _without_parents(where, int(np.count_nonzero(chosen)), explains, truth)


def _by_shape(symptoms: Symptoms, tree: HierarchyStatistics) -> Explanation | None:
    """Without distances: nearly all nodes with two parents have those of a chain with gaps."""
    bad = tree.several_parents
    if bad.detail.get("skipped", 0) < max(_FEWEST, 0.95 * bad.count):
        return None
    whole = 2 * bad.count > bad.total
    explains: dict[str, BoolArray | bool] = {
        "several_parents": np.ones(len(symptoms["several_parents"]), dtype=bool)
    }
    gap = symptoms.get("coverage_gap")
    if whole and gap is not None and 20 * len(gap) <= bad.count:
        explains["coverage_gap"] = np.ones(len(gap), dtype=bool)
    return _without_parents("" if whole else " of a part", bad.count, explains, None)


def _without_parents(
    where: str, count: int, explains: Mapping[str, BoolArray | bool], truth: Truth | None
) -> Explanation:
    return Explanation(
        message=f"the pairs of parent and child{where} are missing: {plural(count, 'node')} "
        "have distant ancestors and no parent",
        explains=explains,
        parameters={"nodes": count}
        | ({"clade": where.removeprefix(" of the clade ")} if where else {}),
        free=1 if where else 0,
        impact=f"{plural(count, 'node')} will be trained on distant ancestors only: all of their "
        f"parent-child pairs{where} are missing.",
        why_not=NO_REPAIR if truth is None else FROM_TAXONOMY,
    )


def _parents_by_truth(
    symptoms: Symptoms, truth: Truth | None
) -> tuple[BoolArray, BoolArray] | None:
    """The lost pairs of parents, (k,), and the nodes that lost them, (n,)."""
    if truth is None or (found := lost_pairs(symptoms)) is None:
        return None
    chosen = np.asarray(truth.parent[found[1]] == found[0])
    nodes = np.zeros(len(truth.position), dtype=bool)
    nodes[found[1][chosen]] = True
    if np.count_nonzero(chosen) < _FEWEST:
        return None
    # in a clade that is lost whole the other pairs are lost as well
    other = np.bincount(found[1][~chosen], minlength=len(nodes))
    return (chosen, nodes) if not other[nodes].any() else None


def _top(truth: Truth, nodes: BoolArray) -> int | None:
    """The node whose descendants are exactly these, with or without it; None where none is."""
    count = np.count_nonzero(nodes)
    highest = np.flatnonzero(nodes & ~nodes[truth.parent])
    if len(highest) == 1 and truth.below[highest[0]] + 1 == count:
        return int(highest[0])
    tops = np.unique(truth.parent[highest])
    return int(tops[0]) if len(tops) == 1 and truth.below[tops[0]] == count else None


def _clade_of(kept: KeptPairs, orphans: IntArray, n: int) -> int | None:
    """The node of whose descendants all, and nobody else but its children, lost their parents.

    Its children lost the only row that ties them to it, so that they are known by its parent.
    """
    lost = np.zeros(n, dtype=bool)
    lost[orphans] = True
    inside, every, near = (np.zeros(n, dtype=np.int64) for _ in range(3))
    for batch in kept.batches():
        every += np.bincount(batch.ancestor, minlength=n)
        inside += np.bincount(batch.ancestor[lost[batch.descendant]], minlength=n)
        if batch.depth_diff is not None:
            second = (batch.depth_diff == 2) & lost[batch.descendant]
            near += np.bincount(batch.ancestor[second], minlength=n)
    whole = np.flatnonzero((every > 0) & (inside == every) & ~lost)
    if not len(whole):
        return None
    top = int(whole[np.argmax(every[whole])])
    children = len(orphans) - int(every[top])
    return top if 0 < children <= len(orphans) and every[top] >= len(orphans) // 4 else None
