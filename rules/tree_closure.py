"""TREE004, TREE005 and TREE007: is the closure complete, and true to its parent-child pairs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from taxcheck.model.finding import Finding, Observed, Sample, Severity, Skip
from taxcheck.model.memory import size_text
from taxcheck.model.rule import Repair, rule
from taxcheck.model.vocabulary import percent, plural
from taxcheck.policy.model import Dataset
from taxcheck.statistics.values import (
    ClosureStatistics,
    HierarchyStatistics,
    Kind,
    TaxonomyStatistics,
)

from .wording import be, first, have, judged, part, reasons

# What makes a closure wrong, most fundamental first: columns that were taken for others, and then
# rows that break a chain of depth-1 pairs.
MISREAD = ("MAP005", "PAIR014", "MAP007", "MAP003", "PAIR015")
BROKEN_CHAINS = ("PAIR007", "PAIR008", "PAIR003", "TREE001", "TREE007")
# Why a pair is unproven, as it is told.
_UNPROVEN = {
    "broken_chain": "their chains of depth-1 pairs are broken",
    "cycle": "their chains pass a cycle",
    "beyond_bound": "more pairs are implied than can be held against the file",
    "beyond_edges": "no chain of depth-1 pairs holds or contradicts them; such a pair was lost, or "
    "they are wrong",
    "shorter_way": "they state a shorter way than the depth-1 pairs have",
}
_LISTED_DEPTHS = 64
_NAMED_DEPTHS = 4


@rule(
    "TREE004",
    "fail",
    about="tree",
    caused_by=(*MISREAD, *BROKEN_CHAINS),
    pictures=("closure",),
    repair=(Repair.MISSING_PAIRS,),
)
def missing_ancestor_pair(
    tree: HierarchyStatistics,
    closure: ClosureStatistics,
    dataset: Dataset,
    taxonomy: TaxonomyStatistics | None = None,
) -> Finding:
    """The closure is not complete: the parent-child pairs imply pairs that are not there.

    Every pair of the closure of the depth-1 pairs is looked for in training and held-out pairs
    together; the count is exact, by depth. With ``pairs = "depth<=k"`` only depths 1 to k are
    asked for.

    Why it matters:
    The set says that it relates a node to all of its ancestors and leaves some out, so the missing
    ones are drawn as negatives of the very nodes they belong to. Reconstruction metrics count a
    true ancestor as an error. What is missing is seldom random: a cap on depth, a file cut short,
    or one clade.

    How to fix:
    Build the closure from the edges again, or declare what is meant:

        [dataset]
        pairs = "depth<=5"

    ``"edges"`` means parent-child pairs alone, ``"sampled"`` a subset that is not judged.

    Known exceptions:
    The proof is one of self-consistency: it asks what the depth-1 pairs of the file imply. Where
    those are missing themselves (TREE007) nothing above them is implied, so that a set with broken
    chains can pass here; TREE009 holds the pairs against a taxonomy instead.

    References:
    - Nickel & Kiela 2017, WordNet noun closure of 743,241 pairs: https://arxiv.org/abs/1705.08039
    - Aho, Garey & Ullman 1972, transitive reduction: https://doi.org/10.1137/0201008
    """
    if dataset.pairs in ("edges", "sampled"):
        raise Skip(f'the policy declares pairs = "{dataset.pairs}": no closure is meant')
    cap = dataset.depth_cap
    by_depth, expected, samples = (
        closure.missing_by_depth,
        closure.expected,
        closure.missing.samples,
    )
    if cap is not None:
        by_depth = by_depth[: cap + 1]
        samples = tuple(s for s in samples if _within(s, cap))
        if tree.closure_depths is not None:
            expected = int(tree.closure_depths[: cap + 1].sum())
    count = int(by_depth.sum())
    depths = np.flatnonzero(by_depth)
    told = ", ".join(f"{int(by_depth[k]):,} at depth {k}" for k in depths[:_NAMED_DEPTHS])
    deeper = int(by_depth[depths[_NAMED_DEPTHS:]].sum())
    told += f", {deeper:,} deeper" if deeper else ""
    meant = "the closure" if cap is None else f"the closure up to depth {cap}"
    missing = part(count, expected, f"pairs of {meant}")
    if not expected:
        raise Skip("the depth-1 pairs imply no pair: there is no closure to be complete")
    found = count > 0
    bounded = bool(closure.needs)
    return Finding(
        found=found or bounded,
        severity=Severity.FAIL if found else Severity.WARN,
        message=(
            f"{missing} {be(count)} missing: {told}{first(samples)}"
            if found
            else f"all {expected:,} pairs of {meant} are there"
        )
        + _unknown(closure),
        count=count,
        total=expected,
        observed={
            "expected pairs": expected,
            "missing": count,
            "missing by depth": {str(k): int(by_depth[k]) for k in depths[:_LISTED_DEPTHS]},
            "proof": closure.path,
            "nodes with unknown ancestors": dict(closure.open),
        },
        samples=samples,
        impact=f"{missing} are not there: parent-child pairs are wrong, or true ones will be drawn "
        "as negatives."
        if _doubted(tree, closure, taxonomy)
        else f"{missing} will be drawn as negatives, though true.",
        fix="``taxcheck fix ... --out fixed/`` adds them from the edges, or build the pairs again, "
        "one for every ancestor on the walk from a node to its root; "
        'or, if they are not meant to be complete, declare ``[dataset] pairs = "sampled"``, or '
        '``"depth<=5"`` with the cap that is meant',
    )


def _doubted(
    tree: HierarchyStatistics, closure: ClosureStatistics, taxonomy: TaxonomyStatistics | None
) -> bool:
    """Whether parent-child pairs may be wrong, which imply pairs that are missing as a loss does.

    In a DAG nothing tells the two apart.
    """
    denied = None if taxonomy is None else taxonomy.disagreement
    return bool(
        tree.kind is Kind.DAG
        or closure.false.count
        or tree.several_parents.count
        or (denied is not None and denied.count)
    )


def _unknown(closure: ClosureStatistics) -> str:
    """Where more pairs may be missing than can be told; empty where there is no such place."""
    told = ""
    if closure.open:
        nodes = plural(sum(closure.open.values()), "node")
        told = f"; what is missing above {nodes} cannot be told in full{reasons(closure.open)}"
    told += _bound(closure)
    beyond = sum(closure.unproven.detail.get(key, 0) for key in ("beyond_edges", "shorter_way"))
    if beyond:
        told += (
            f"; {plural(beyond, 'pair')} beyond them {be(beyond)} unproven (TREE005): if true, "
            "depth-1 pairs are missing that nothing here can name"
        )
    return told


def _bound(closure: ClosureStatistics) -> str:
    """With how much memory more would be known; empty where memory is no bound."""
    if not closure.needs:
        return ""
    return f"; with ``--memory {size_text(closure.needs)}`` what is beyond the bound is proved too"


def _within(sample: Sample, cap: int) -> bool:
    depth = sample.values.get("distance")
    return not isinstance(depth, int) or depth <= cap


@rule(
    "TREE005",
    "fail",
    about="tree",
    caused_by=(*MISREAD, *BROKEN_CHAINS),
    repair=(Repair.FALSE_PAIRS,),
)
def false_ancestor_pair(
    closure: ClosureStatistics,
    tree: HierarchyStatistics,
    taxonomy: TaxonomyStatistics | None = None,
) -> Finding:
    """The chains of parent-child pairs contradict a pair, or its distance, or do not prove it.

    Each pair is held against the closure of the depth-1 pairs. In a tree it is false where the
    chain from the descendant up to a root is intact and does not pass the ancestor, or passes it at
    another distance. In a DAG an edge may have been lost, so false is only what would close a
    cycle, or states a longer way than the edges have. What can be neither proved nor contradicted
    is unproven, which is counted apart by reason and warns.

    A tree with wrong pairs and a DAG that lost its second parents may have the same edges. If most
    of the pairs beyond them are transitively closed with the others, as those of a DAG are, none of
    them is called false, nor is a single one that is.

    Why it matters:
    A false pair pulls a node into a clade where it does not belong, together with all that hangs
    below it, and the evaluation rewards it. Unproven pairs may all be true, as the 801,564 of the
    incident are, but the file holds nothing that says so, and a model that learns local structure
    from the edges cannot connect them either.

    How to fix:
    Build the pairs again from the taxonomy by walking up the parents of every node, which cannot
    give a false one. ``taxcheck run ... --failures out/`` lists all false rows. For unproven pairs
    restore the missing parents (TREE007), or give the taxonomy (``--taxonomy``) for TREE009.

    Known exceptions:
    In a DAG a distance is held against the shortest one; longer paths have to be written as that.
    Without depth_diff, or where every distance is 1, the edges are the transitive reduction of the
    pairs, which contradicts none. A policy that declares ``kind = "tree"`` or ``"dag"`` decides how
    strictly pairs are read.

    References:
    - Tarjan 1972, intervals of a depth-first walk: https://doi.org/10.1137/0201010
    - Aho, Garey & Ullman 1972, transitive reduction: https://doi.org/10.1137/0201008
    """
    bad, open_ = closure.false, closure.unproven
    unproven = ""
    if open_.count:
        share = percent(open_.count / max(bad.total, 1))
        pairs, why = plural(open_.count, "pair"), _why(open_.detail)
        unproven = f"{pairs} ({share}) {be(open_.count)} unproven: {why}"
    observed: dict[str, Observed] = {
        "false": bad.count,
        "unproven": open_.count,
        "unproven by reason": dict(open_.detail),
        "proved": bad.total - bad.count - open_.count,
        "proof": closure.path,
    }
    if tree.flat and not bad.count and not open_.count:
        return _flat(closure, tree, observed)
    if unproven and not bad.count:
        return Finding(
            found=True,
            severity=Severity.WARN,
            message=f"no pair is false, but {unproven}{first(open_.samples)}{_bound(closure)}",
            total=bad.total,
            observed=observed,
            samples=open_.samples,
            impact=f"{part(open_.count, bad.total, 'pairs')} {be(open_.count)} neither held nor "
            "contradicted by the chains of parent-child pairs: whether they are true is not known.",
            fix=f"add ``--memory {size_text(closure.needs)}`` to this command"
            if closure.needs
            else "restore the missing parents (TREE007), cut the cycles (TREE001), or hold the "
            "pairs against a taxonomy: add ``--taxonomy taxdump/`` to this command",
        )
    undenied = _undenied(taxonomy)
    counted = part(bad.count, bad.total, "pairs")
    told = "contradicted by their own chains" if undenied else "false"
    return judged(
        bad,
        f"{counted} {be(bad.count)} {told}{reasons(bad.detail)}"
        f"{first(bad.samples)}" + undenied + (f"; {unproven}" if unproven else ""),
        f"all {bad.total:,} pairs are proved",
        observed=observed,
        impact=f"{counted} contradict their own chains of parent-child pairs{undenied}."
        if undenied
        else f"{counted} teach an ancestry that their own chains contradict.",
        fix="add ``--failures out/`` to this command: it writes all of them; build the pairs again "
        "by walking up the parents of every node",
    )


def _undenied(taxonomy: TaxonomyStatistics | None) -> str:
    """What is told where a taxonomy knows all nodes and holds the ancestry of all pairs."""
    if taxonomy is None or taxonomy.disagreement is None:
        return ""
    if taxonomy.disagreement.count or taxonomy.unknown.count:
        return ""
    return "; the taxonomy denies no pair, so that distances are wrong, or pairs of parents lost"


def _flat(
    closure: ClosureStatistics, tree: HierarchyStatistics, observed: Mapping[str, Observed]
) -> Finding:
    """All distances are 1: a closure without distances, that calls every pair an edge."""
    return Finding(
        found=True,
        severity=Severity.WARN,
        message=f"all {closure.distinct:,} pairs state the distance 1, but only {tree.edges:,} of "
        "them follow from no others: this is a closure without distances, or a list of edges, and "
        "was judged as if it stated none",
        total=closure.distinct,
        observed={**observed, "edges": tree.edges},
        fix="write the distances along the edges, which ``taxcheck fix ... --out fixed/`` does, or "
        "leave depth_diff out; if every pair is meant as an edge, declare ``[dataset] pairs = "
        '"edges"``',
    )


def _why(detail: Mapping[str, int]) -> str:
    """Why pairs are unproven; of several reasons each with its number, most frequent first."""
    ordered = sorted(detail.items(), key=lambda item: (-item[1], item[0]))
    if len(ordered) == 1:
        return _UNPROVEN[ordered[0][0]]
    return ", ".join(f"{_UNPROVEN[key]} ({rows:,})" for key, rows in ordered)


@rule(
    "TREE007",
    "fail",
    about="tree",
    caused_by=("MAP005", "PAIR014", "MAP007", "PAIR015", "PAIR008", "PAIR003"),
    repair=(Repair.PARENTS,),
)
def missing_parent(tree: HierarchyStatistics, dataset: Dataset) -> Finding:
    """A node has pairs with distant ancestors and none with a parent.

    Counted are nodes that are the descendant of some pair and of no depth-1 pair.

    Why it matters:
    The chain from such a node to the root is broken at its first step. Nothing ties it to its
    siblings, its depth cannot be known from the file, and every pair above the break is unproven.
    Local structure is what the parent-child pairs carry, so these nodes end up somewhere below a
    distant ancestor: 22,676 nodes in the incident, whose parents a wrong filter had removed.

    How to fix:
    Look for the filter that removed the parents (PAIR014, PAIR003) and build the pairs again. To
    list the nodes:

        children = pairs.loc[pairs["depth_diff"] == 1, "descendant_idx"]
        pairs.loc[~pairs["descendant_idx"].isin(children), "descendant_idx"].unique()

    Where nodes are left out on purpose, contract the tree first: a node's parent is then its
    nearest ancestor that is kept, at depth 1.

    Known exceptions:
    A sampled set (``[dataset] pairs = "sampled"``) need not hold every parent and is not judged.
    Without depth_diff every descendant has a parent by construction, and the rule is skipped.

    References:
    - Nickel & Kiela 2017: https://arxiv.org/abs/1705.08039
    - Sala et al. 2018, embeddings built from edges alone: https://arxiv.org/abs/1804.03329
    """
    if dataset.pairs == "sampled":
        raise Skip('the policy declares pairs = "sampled": a parent may be left out')
    if tree.edges_from == "transitive reduction":
        raise Skip(
            "without depth_diff the edges are derived, so that every descendant has a parent"
        )
    bad = tree.missing_parent
    lost = part(bad.count, bad.total, "descendants")
    return judged(
        bad,
        f"{lost} {have(bad.count)} ancestors but no parent{first(bad.samples)}",
        f"each of {bad.total:,} descendants has a parent",
        impact=f"{lost} will be trained on distant ancestors only.",
        fix='``pairs[~pairs["descendant_idx"].isin(pairs.loc[pairs["depth_diff"] == 1, '
        '"descendant_idx"])]`` lists their pairs; find the filter that removed the parents, and '
        "build the pairs again without it, or have "
        "``taxcheck fix ... --taxonomy taxdump/ --out fixed/`` restore them",
    )
