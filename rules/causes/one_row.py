"""The cause in which of each node one row was kept."""

from __future__ import annotations

import numpy as np

from taxcheck.model.arrays import distinct
from taxcheck.model.cause import Explanation, cause
from taxcheck.model.room import Room
from taxcheck.model.vocabulary import plural
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.spool import KeptPairs
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.truth import Truth
from taxcheck.statistics.values import DepthStatistics, HierarchyStatistics, Kind, PairStatistics

from .depth_columns import nearer_by_depth
from .lost import FROM_TAXONOMY, MISSING, NO_REPAIR, UNPROVEN, everything, follows, lost_pairs

_FEWEST = 20  # nodes with several parents
_ROW_BYTES = 24  # that a pair takes while all are looked at together


@cause(loss=True)
def one_row_per_node(
    pairs: PairStatistics,
    symptoms: Symptoms,
    totals: PairState,
    kept: KeptPairs,
    graph: Graph,
    tree: HierarchyStatistics,
    room: Room,
    depth: DepthStatistics | None = None,
    truth: Truth | None = None,
) -> Explanation | None:
    """Of each node only one row was kept, as descendant or as ancestor, or one for each distance.

    No node is the descendant, or none the ancestor, of more than one pair. Or in what is no tree no
    descendant has two pairs of one distance, though what its parents have above them is not there.

    Why it matters:
    A hierarchy is told by the whole chain above each node. With one pair of each, a node is tied to
    a single ancestor, mostly the root, or the one that came first in the file.

    How to fix:
    Look for a step that keeps one row of each key, and let its key be both columns:

        pairs = pairs.drop_duplicates(["ancestor_idx", "descendant_idx"])

    A dictionary by node, ``dict(zip(child, parent))``, does the same.

    Known exceptions:
    In a tree a node has one ancestor at each distance, and nothing was lost. Where the pairs beyond
    the edges make it none, they may be wrong as well; so that one row of each descendant and
    distance is likely at most.
    Where the row that is kept is the one of the parent, the pairs are those of a closure to depth 1
    (depth_capped). Only the depths of the nodes may tell: where they are less than the chains of
    parents make them, nodes had other parents, nearer to a root.

    References:
    - pandas.DataFrame.drop_duplicates, subset:
      https://pandas.pydata.org/docs/reference/api/pandas.DataFrame.drop_duplicates.html
    """
    for end, counts in (("descendant", pairs.as_descendant), ("ancestor", pairs.as_ancestor)):
        used = int(np.count_nonzero(counts))
        if used < 2 or counts.max(initial=0) != 1:
            continue
        nearer = end == "descendant" and truth is None and nearer_by_depth(symptoms, totals)
        if end == "descendant" and not nearer and _edges(depth, symptoms, truth):
            return None
        explains = (
            follows(truth, symptoms, np.ones(len(symptoms[MISSING]), dtype=bool))
            if truth is not None and MISSING in symptoms
            else everything(symptoms)
        )
        if nearer:
            explains["depth_mismatch"] = np.ones(len(symptoms["depth_mismatch"]), dtype=bool)
        likely = nearer and _edges(depth, symptoms, truth)
        lost = NO_REPAIR if truth is None else FROM_TAXONOMY
        return Explanation(
            message=f"of each {end} only one row was kept: {plural(used, end)}, as many rows",
            explains=explains,
            parameters={"of each": end},
            free=0,
            guess=likely,
            why_not="the pairs, built again, or `taxonomy`" if likely else lost,
        )
    if truth is None and tree.kind is Kind.DAG and UNPROVEN in symptoms:
        return _of_each_distance(symptoms, kept, graph, tree, room)
    return None


def _of_each_distance(
    symptoms: Symptoms, kept: KeptPairs, graph: Graph, tree: HierarchyStatistics, room: Room
) -> Explanation | None:
    """One row was kept of each descendant and distance, of what has several ancestors at one."""
    several = tree.beyond.several_parents
    if several < _FEWEST or graph.parent_counts.max(initial=0) != 1:
        return None
    if "false_ancestor_pair" in symptoms:  # as of wrong rows: what was true stays so
        return None
    room.ask(len(kept) * _ROW_BYTES, f"looking at {plural(len(kept), 'pair')} together")
    keys = [np.empty(0, np.int64)]
    for batch in kept.batches():
        if batch.depth_diff is None:
            return None
        keys.append(batch.depth_diff.astype(np.int64) * graph.n + batch.descendant)
    if len(distinct(np.concatenate(keys))) < len(kept):
        return None
    return Explanation(
        message="of each descendant and distance only one row was kept, in what is no tree: "
        f"the pairs that are left give {plural(several, 'node')} several parents",
        explains=everything(symptoms),
        parameters={"of each": "descendant and distance"},
        free=0,
        guess=True,
        why_not=NO_REPAIR,
    )


def _edges(depth: DepthStatistics | None, symptoms: Symptoms, truth: Truth | None) -> bool:
    """Whether all pairs are those of parents, or nothing says that they are not."""
    if depth is not None:
        return bool(depth.depths.tolist() == [1])
    if truth is None or (found := lost_pairs(symptoms)) is None:
        return True
    return not (truth.parent[found[1]] == found[0]).any()
