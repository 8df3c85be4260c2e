"""Causes that show in the distances: some are missing, or all are counted otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.cause import Explanation, Mend, cause
from taxcheck.model.result import RuleResult
from taxcheck.model.room import Room
from taxcheck.model.vocabulary import plural
from taxcheck.policy.model import Dataset
from taxcheck.statistics.hierarchy.edges import present_in
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.hierarchy.kind import DAMAGED_SHARE
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.spool import KeptPairs
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.truth import Truth
from taxcheck.statistics.values import (
    DepthStatistics,
    HierarchyStatistics,
    Kind,
    MappingStatistics,
    PairStatistics,
)

from .chains import adds_up, counted_from_two
from .lost import FROM_TAXONOMY, MISSING, NO_REPAIR, called, everything, follows, lost_pairs

_FEWEST = 20
_WHOLE, _FEW = 0.99, 0.05
# Of pairs that are missing as lost edges 9 in 10 seem so; of those that false edges imply, 1 in 50.
_AS_EDGES = 0.75
_SPARSE = 0.2  # nodes in no pair, to one that is in some
_DEPTHS = 3  # that nodes must have, before what they share means anything
_FROM_EDGES = "rows that were lost cannot be moved back; the depth-1 pairs imply them"
_OWN = "missing_ancestor_pair"
_ROW_BYTES = 80  # that a pair takes while all are looked at together


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
    explains.pop(_OWN, None)
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
        explains["depth_mismatch"] = _with_columns(symptoms, totals, shift, tree.kind)
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


def nearer_by_depth(symptoms: Symptoms, totals: PairState) -> bool:
    """Whether nodes have one depth each, and are less deep than their parents' depths make them.

    So it is in a DAG of whose parents one is there: another one is nearer to a root.
    """
    symptom = symptoms.get("depth_mismatch")
    if symptom is None or len(symptom) < _FEWEST or "inconsistent_depth" in symptoms:
        return False
    return bool(_with_columns(symptoms, totals, 0, Kind.DAG).all())


def _with_columns(symptoms: Symptoms, totals: PairState, shift: int, kind: Kind) -> BoolArray:
    """Which distances are those of the depth columns once they are shifted, (k,)."""
    symptom = symptoms["depth_mismatch"]
    stated = symptom.column("depth_diff")
    depths = None if totals.depth is None else totals.depth.node_depths
    assert stated is not None
    shifted = stated.astype(np.int64) + shift
    if depths is None:
        return np.asarray(shifted >= 1)
    ancestor, descendant = symptom.nodes
    steps = depths.lowest[descendant] - depths.lowest[ancestor]
    if kind is Kind.DAG:  # there another way down may be longer than the depths say
        return np.asarray((shifted >= 1) & (shifted >= steps))
    return np.asarray(shifted == steps)


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


@cause(loss=True)
def lost_second_parents(
    symptoms: Symptoms,
    kept: KeptPairs,
    totals: PairState,
    graph: Graph,
    tree: HierarchyStatistics,
    room: Room,
    truth: Truth | None = None,
) -> Explanation | None:
    """In a DAG only one parent of each node was kept at distance 1.

    The depth-1 pairs are a tree, while all pairs together are closed: every ancestor of an
    ancestor is an ancestor, also where the tree has no such chain.

    Why it matters:
    Nothing is false here, though the chains of the tree contradict it: the pairs are those of a
    DAG whose second edges are missing. To delete what the tree does not hold would delete true
    pairs.

    How to fix:
    Keep every row of a child and its parents. A dictionary of parents, ``dict(zip(child,
    parent))``, or ``drop_duplicates("child")`` keeps one.

    Known exceptions:
    Pairs of a tree to which false ones were added are not closed, and where false edges took the
    place of true ones, what those imply is missing. Without distances every pair that no chain
    implies is an edge, and nothing is missing. With a taxonomy no node has two parents.

    References:
    - Aho, Garey & Ullman 1972, transitive reduction: https://doi.org/10.1137/0201008
    """
    names = [n for n in ("false_ancestor_pair", "false_ancestor_pair.unproven") if n in symptoms]
    beyond = sum(
        int(np.count_nonzero(symptoms[name].because(reason)))
        for name in names
        for reason in ("ancestry", "beyond_edges")
    )
    several = tree.beyond.several_parents
    if truth is not None or several < max(_FEWEST, DAMAGED_SHARE * len(graph.parents)):
        return None  # without second parents no edge of one is lost
    if beyond < _FEWEST or graph.parent_counts.max(initial=0) != 1 or not len(kept):
        return None
    room.ask(len(kept) * _ROW_BYTES, f"looking at {plural(len(kept), 'pair')} together")
    there = _There.of(kept, graph)
    explains: dict[str, BoolArray | bool] = {}
    if _OWN in symptoms:  # an edge that a longer chain implies
        lost = there.as_edges(*symptoms[_OWN].nodes)
        if np.count_nonzero(lost) < _AS_EDGES * len(lost):
            return None
        explains[_OWN] = np.ones(len(lost), dtype=bool)
        there = there.with_pairs(*symptoms[_OWN].nodes)
    whole = sum(int(np.count_nonzero(there.closed(*symptoms[name].nodes))) for name in names)
    every = sum(len(symptoms[name]) for name in names)
    if whole < _WHOLE * every:
        return None
    for name in names:  # what is not closed hangs from edges that are lost as well
        explains[name] = np.ones(len(symptoms[name]), dtype=bool)
    if "depth_mismatch" in symptoms:  # once it is read as a DAG, a way may be longer
        explains["depth_mismatch"] = _with_columns(symptoms, totals, 0, Kind.DAG)
    return Explanation(
        message="only one parent of each node was kept at distance 1, in what is no tree: "
        f"{plural(every, 'pair')} run through parents that are not there, and are closed all the "
        "same",
        explains=explains,
        parameters={"pairs": every},
        free=1,
        impact=f"{plural(every, 'true pair')} will seem false, and the edges of second parents are "
        "never trained as such.",
        why_not="no pair says which of the distant ancestors are parents; give the edges",
    )


@dataclass(frozen=True)
class _There:
    """The pairs that are there, and their distances, beside a forest of one parent a node."""

    keys: IntArray  # (k,) ascending, descendant * n + ancestor
    distance: IntArray  # (k,)
    graph: Graph
    parent: IntArray  # (n,)

    @classmethod
    def of(cls, kept: KeptPairs, graph: Graph) -> _There:
        """All sound pairs; those without a distance are at 0."""
        batches = [*kept.batches()]
        keys = np.concatenate([b.descendant * graph.n + b.ancestor for b in batches])
        stated = [np.zeros(len(b.rows)) if b.depth_diff is None else b.depth_diff for b in batches]
        distance = np.concatenate(stated).astype(np.int64)
        order = np.argsort(keys)
        parent = np.full(graph.n, -1, dtype=np.int64)
        parent[graph.children] = graph.parents
        return cls(keys[order], distance[order], graph, parent)

    def with_pairs(self, ancestor: IntArray, descendant: IntArray) -> _There:
        """The same with further ones at distance 1."""
        keys = np.r_[self.keys, descendant * self.graph.n + ancestor]
        distance = np.r_[self.distance, np.ones(len(ancestor), dtype=np.int64)]
        order = np.argsort(keys)
        return replace(self, keys=keys[order], distance=distance[order])

    def at(self, ancestor: IntArray, descendant: IntArray) -> IntArray:
        """The distance of pairs, (k,); -1 where one is not there."""
        wanted = descendant * self.graph.n + ancestor
        at = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where(self.keys[at] == wanted, self.distance[at], -1)

    def closed(self, ancestor: IntArray, descendant: IntArray) -> BoolArray:
        """Which pairs have their ancestor's parent above their descendant; at the top all have."""
        above = self.parent[ancestor]
        asked = (above >= 0) & (above != descendant)
        return np.asarray(~asked | (self.at(above, descendant) >= 0))

    def as_edges(self, ancestor: IntArray, descendant: IntArray) -> BoolArray:
        """Which pairs, were they edges that are lost, have all that is two steps long beside them.

        Those are the ancestor's parent with the descendant, and the ancestor with its children.
        """
        above = self.parent[ancestor]
        two = self.at(above, descendant)
        sound = (above < 0) | ((two > 0) & (two <= 2))
        position, child = self.graph.children_of.expand(descendant)
        two = self.at(ancestor[position], child)
        sound[position[(two < 1) | (two > 2)]] = False
        return np.asarray(sound)
