"""Causes in which a part of the hierarchy was lost by what hangs together: a clade, or one node."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.cause import Explanation, cause
from taxcheck.model.vocabulary import plural
from taxcheck.statistics.spool import KeptPairs
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.truth import Truth
from taxcheck.statistics.values import MappingStatistics, PairStatistics

from .called import called
from .columns import lost_nodes
from .lost import FROM_TAXONOMY, NO_REPAIR, follows, lost_pairs

_WHOLE = 0.99  # of what a hypothesis says is lost
_SMALLEST = 3  # nodes of a clade
_NAMED = 3  # clades or nodes that are told; more are chance, or something else
WAYS = {
    "touching": "every pair of them",
    "below": "every pair in which they are the descendant",
    "above": "every pair in which they are the ancestor",
}


@dataclass(frozen=True)
class Losses:
    """The pairs that the file lacks by the taxonomy, and which nodes lost all of theirs."""

    truth: Truth
    symptoms: Symptoms
    ancestor: IntArray  # (k,) of the lost pairs
    descendant: IntArray
    as_ancestor: BoolArray  # (n,) nodes that lost all pairs in which they were the ancestor
    as_descendant: BoolArray

    @classmethod
    def of(cls, truth: Truth, symptoms: Symptoms, pairs: PairStatistics) -> Losses | None:
        """None where nothing is lost, or most rows are other pairs than the taxonomy's."""
        found, other = lost_pairs(symptoms), symptoms.get("disagrees_with_taxonomy")
        if found is None or (other is not None and 2 * len(other) > pairs.rows):
            return None
        n = len(truth.position)
        above, below = (np.bincount(ends, minlength=n) for ends in found)
        alone = ~truth.shared  # the pairs of a node with two idx may be those of the other one
        silent = (ends[:n] == 0 for ends in (pairs.as_ancestor, pairs.as_descendant))
        no_ancestor, no_descendant = (alone & mask for mask in silent)
        return cls(
            truth,
            symptoms,
            *found,
            (truth.below > 0) & (above == truth.below) & no_ancestor,
            (truth.depth > 0) & (below == truth.depth) & no_descendant,
        )

    def without(self, nodes: BoolArray) -> tuple[str, BoolArray] | None:
        """Which pairs of the nodes (n,) were lost, in words and of all lost pairs, (k,).

        None where too many of those pairs are there.
        """
        truth, found = self.truth, None
        between = int(truth.along(nodes.astype(np.int64))[nodes].sum() - np.count_nonzero(nodes))
        upper, lower = int(truth.below[nodes].sum()), int(truth.depth[nodes].sum())
        a, d = nodes[self.ancestor], nodes[self.descendant]
        for way, chosen, expected in (
            ("touching", a | d, upper + lower - between),
            ("below", d, lower),
            ("above", a, upper),
        ):
            count = int(np.count_nonzero(chosen))
            more = found is None or count > int(np.count_nonzero(found[1]))
            if more and count and count >= _WHOLE * expected:
                found = "nearly " * (count < expected) + WAYS[way], chosen
        return found

    def explained(self, chosen: BoolArray) -> dict[str, BoolArray | bool]:
        """What would be sound with the chosen pairs."""
        return follows(self.truth, self.symptoms, chosen)


@cause(loss=True)
def lost_clade(
    truth: Truth,
    symptoms: Symptoms,
    pairs: PairStatistics,
    mapping: MappingStatistics,
) -> Explanation | None:
    """All pairs of one clade are missing.

    By the taxonomy every node below one taxon lost all of its pairs, and nearly nobody else did.

    Why it matters:
    The clade is mapped and has rows in the table, which no update ever moves towards anything. The
    gaps in the hierarchy around it follow from the one loss.

    How to fix:
    Look for the step that left the clade out: a filter by division or host, a shard that failed, a
    list of taxids that was cut. Then build its pairs again, or have ``taxcheck fix ... --taxonomy
    taxdump/`` build them.

    Known exceptions:
    Without a taxonomy nothing says which nodes are one clade, and PAIR003 counts them alone.

    References:
    - NCBI taxonomy dump, nodes.dmp: https://ftp.ncbi.nlm.nih.gov/pub/taxonomy/taxdump_readme.txt
    """
    losses = Losses.of(truth, symptoms, pairs)
    if losses is None:
        return _uncovered_clade(truth, symptoms, mapping)
    tops = _clades(losses)
    if not tops:
        return None
    nodes = np.zeros(len(truth.position), dtype=bool)
    for top, itself in tops:
        clade = truth.clade(top)
        clade[top] = itself
        nodes |= clade
    found = losses.without(nodes)
    if found is None:
        return None
    way, chosen = found
    who = ", ".join(
        f"{'' if itself else 'below '}{called(mapping, top, truth)}" for top, itself in tops
    )
    count = int(np.count_nonzero(nodes))
    return Explanation(
        message=f"the clade{'s' if len(tops) > 1 else ''} {who} {is_(len(tops))} lost: "
        f"{way}, {plural(count, 'node')}",
        explains=losses.explained(chosen),
        parameters={"clade": who, "nodes": count, "pairs": int(np.count_nonzero(chosen))},
        free=len(tops),
        why_not=FROM_TAXONOMY,
    )


def _uncovered_clade(
    truth: Truth, symptoms: Symptoms, mapping: MappingStatistics
) -> Explanation | None:
    """Where no closure is meant, so that no pair is missing: the nodes in no pair are a clade."""
    if "coverage_gap" not in symptoms:
        return None
    nodes = symptoms["coverage_gap"].nodes[0]
    lost = np.zeros(len(truth.position), dtype=bool)
    lost[nodes] = True
    lost &= ~truth.shared
    whole = np.flatnonzero(truth.inside(lost) == truth.below + 1)
    if not len(whole):
        return None
    top = int(whole[np.argmax(truth.below[whole])])
    clade = truth.clade(top)
    count = int(truth.below[top]) + 1
    if count < max(_SMALLEST, _WHOLE * len(nodes)):
        return None
    who = called(mapping, top, truth)
    return Explanation(
        message=f"the clade {who} is lost: {WAYS['touching']}, {plural(count, 'node')}",
        explains=lost_nodes(symptoms, clade[nodes]),
        parameters={"clade": who, "nodes": count},
        free=1,
        why_not=FROM_TAXONOMY,
    )


def is_(count: int) -> str:
    """The verb of a counted subject."""
    return "is" if count == 1 else "are"


def _clades(losses: Losses) -> list[tuple[int, bool]]:
    """(top, whether it is lost itself) of the largest clades that are lost whole."""
    truth = losses.truth
    for lost in (losses.as_descendant, losses.as_ancestor | (truth.below == 0)):
        size, lost_inside = truth.below + 1, truth.inside(lost)
        whole = lost_inside == size
        below = (lost_inside - lost == truth.below) & ~whole & (truth.below >= _SMALLEST)
        parent = truth.parent
        covered = (parent >= 0) & (whole | below)[parent]
        tops = np.flatnonzero((whole | below) & ~covered & (truth.below >= _SMALLEST - 1))
        if lost is not losses.as_descendant:  # a node without inner ones below is one node
            inner = truth.inside(losses.as_ancestor)
            tops = tops[whole[tops] & (inner[tops] > 1)]
        tops = tops[np.argsort(-truth.below[tops], kind="stable")][:_NAMED]
        if len(tops):
            largest = truth.below[tops[0]]
            large = [int(t) for t in tops if 10 * truth.below[t] >= largest]
            return [_named(truth, top, bool(whole[top])) for top in large]
    return []


def _named(truth: Truth, top: int, itself: bool) -> tuple[int, bool]:
    """All below a node with one child are that child's clade."""
    children = np.flatnonzero(truth.parent == top)
    return (int(children[0]), True) if not itself and len(children) == 1 else (top, itself)


@cause(loss=True)
def lost_node(
    symptoms: Symptoms,
    pairs: PairStatistics,
    mapping: MappingStatistics,
    kept: KeptPairs,
    truth: Truth | None = None,
) -> Explanation | None:
    """All pairs of one inner node are missing, everywhere or as the ancestor.

    Every broken chain is broken at this node: its children lost their parent, and nothing else is
    missing.

    Why it matters:
    All that hangs below the node is cut off from what is above it. It may look like hundreds of
    unproven pairs and orphans, or in a DAG like many false pairs; it is one node.

    How to fix:
    Look the node up in what the pairs were built from: mostly its identifier was read as something
    else (``NA``, a number with a decimal point), or the row with its children was left out.

    Known exceptions:
    Without a taxonomy nothing may say which of several childless nodes had these children, nor
    whether one node or several of them are lost: then none is named.

    References:
    - pandas.read_csv, keep_default_na: which cells are read as missing:
      https://pandas.pydata.org/docs/reference/api/pandas.read_csv.html
    """
    if truth is None:
        return _lost_by_itself(symptoms, pairs, mapping, kept)
    losses = Losses.of(truth, symptoms, pairs)
    if losses is None:
        return None
    inner = truth.inside(losses.as_ancestor) - losses.as_ancestor
    lost = np.flatnonzero(losses.as_ancestor & ((inner == 0) | ~_all_inner(losses, inner)))
    if not 0 < len(lost) <= _NAMED:
        return None
    nodes = np.zeros(len(truth.position), dtype=bool)
    nodes[lost] = True
    found = losses.without(nodes)
    if found is None:
        return None
    way, chosen = found
    who = ", ".join(called(mapping, int(x), truth) for x in lost)
    of_one = way.replace("of them", "of it").replace("they are", "it is")
    return Explanation(
        message=f"{who} {is_(len(lost))} lost: {way if len(lost) > 1 else of_one}",
        explains=losses.explained(chosen),
        parameters={"node": who, "pairs": int(np.count_nonzero(chosen))},
        free=len(lost),
        why_not=FROM_TAXONOMY,
    )


def _lost_by_itself(
    symptoms: Symptoms, pairs: PairStatistics, mapping: MappingStatistics, kept: KeptPairs
) -> Explanation | None:
    """Without a taxonomy: all nodes without a parent have one and the same grandparent.

    The lost node is the only one in no pair, or else the only childless child of the grandparent;
    where several may be, as many nodes may be lost.
    """
    if "missing_parent" not in symptoms:
        return None
    orphans = symptoms["missing_parent"].nodes[0]
    n = len(pairs.as_ancestor)
    lost = np.zeros(n, dtype=bool)
    lost[orphans] = True
    near, nearest = np.zeros(n, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    children: list[IntArray] = []
    for batch in kept.batches():
        if batch.depth_diff is None:
            return None
        second = (batch.depth_diff == 2) & lost[batch.descendant]
        near += np.bincount(batch.descendant[second], minlength=n)
        nearest[batch.descendant[second]] = batch.ancestor[second]
    above = np.unique(nearest[orphans])
    if len(orphans) < 2 or len(above) != 1 or above[0] < 0 or (near[orphans] != 1).any():
        return None
    grandparent = int(above[0])
    for batch in kept.batches():
        assert batch.depth_diff is not None
        own = (batch.ancestor == grandparent) & (batch.depth_diff == 1)
        children.append(batch.descendant[own])
    childless = np.concatenate(children)
    childless = childless[pairs.as_ancestor[childless] == 0]
    gap = symptoms.get("coverage_gap")
    explains: dict[str, BoolArray | bool] = {
        name: np.ones(len(symptoms[name]), dtype=bool)
        for name in ("missing_parent", "false_ancestor_pair.unproven")
        if name in symptoms
    }
    place = f"below {called(mapping, grandparent)}"
    if gap is not None and len(gap) == 1:
        who = called(mapping, int(gap.nodes[0][0]))
        explains["coverage_gap"] = np.ones(1, dtype=bool)
    elif gap is None and len(childless) == 1:
        who = called(mapping, int(childless[0]))
    else:
        return None
    return Explanation(
        message=f"{who}, {place}, is lost as an ancestor: "
        f"{plural(len(orphans), 'child', 'children')} of it lost their parent",
        explains=explains,
        parameters={"node": who, "below": called(mapping, grandparent), "children": len(orphans)},
        free=1,
        why_not=NO_REPAIR,
    )


def _all_inner(losses: Losses, inner: IntArray) -> BoolArray:
    """Whether all inner nodes below each lost their pairs too, (n,): then it is a clade."""
    has_children = losses.truth.below > 0
    return np.asarray(inner == losses.truth.inside(has_children) - has_children)
