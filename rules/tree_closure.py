"""TREE004, TREE005 and TREE007: is the closure complete, and true to its parent-child pairs."""

from __future__ import annotations

import numpy as np

from taxcheck.config import Dataset
from taxcheck.rule import Finding, Observed, Sample, Severity, Skip, rule
from taxcheck.statistics.values import ClosureStatistics, HierarchyStatistics

from .wording import be, first, have, judged, part, percent, reasons

# What makes a closure wrong, most fundamental first: columns that were taken for others, and then
# rows that break a chain of depth-1 pairs.
MISREAD = ("MAP005", "PAIR014", "MAP007", "MAP003", "PAIR015")
BROKEN_CHAINS = ("PAIR007", "PAIR008", "PAIR003", "TREE001", "TREE007")
_LISTED_DEPTHS = 64
_NAMED_DEPTHS = 4


@rule("TREE004", "fail", caused_by=(*MISREAD, *BROKEN_CHAINS))
def missing_ancestor_pair(
    tree: HierarchyStatistics, closure: ClosureStatistics, dataset: Dataset
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
    return Finding(
        found=found,
        message=f"{missing} {be(count)} missing: {told}{first(samples)}"
        if found
        else f"all {expected:,} pairs of {meant} are there",
        count=count,
        total=expected,
        observed={
            "expected pairs": expected,
            "missing": count,
            "missing by depth": {str(k): int(by_depth[k]) for k in depths[:_LISTED_DEPTHS]},
            "proof": closure.path,
        },
        samples=samples if found else (),
        impact=f"{missing} will be drawn as negatives, though true." if found else None,
        fix="``taxcheck fix ... --out fixed/`` adds them from the edges, or build the pairs again, "
        "one for every ancestor on the walk from a node to its root; "
        'or, if they are not meant to be complete, declare ``[dataset] pairs = "sampled"``, or '
        '``"depth<=5"`` with the cap that is meant'
        if found
        else None,
    )


def _within(sample: Sample, cap: int) -> bool:
    depth = sample.values.get("distance")
    return not isinstance(depth, int) or depth <= cap


@rule("TREE005", "fail", caused_by=(*MISREAD, *BROKEN_CHAINS))
def false_ancestor_pair(closure: ClosureStatistics) -> Finding:
    """A pair, or its distance, contradicts the chains of parent-child pairs.

    Each pair is held against the closure of the depth-1 pairs. Where the chain from the descendant
    up to a root is intact and does not pass the ancestor, or passes it at another distance, the
    pair is false. Where the chain is broken the pair can be neither proved nor contradicted: it is
    unproven, which is counted apart and warns.

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
    Without depth_diff the edges are the transitive reduction of the pairs, which contradicts none.

    References:
    - Tarjan 1972, intervals of a depth-first walk: https://doi.org/10.1137/0201010
    - Aho, Garey & Ullman 1972, transitive reduction: https://doi.org/10.1137/0201008
    """
    bad = closure.false
    proved = bad.total - bad.count - closure.unproven
    broken = ""
    if closure.unproven:
        share = percent(closure.unproven / max(bad.total, 1))
        broken = (
            f"{closure.unproven:,} pairs ({share}) {be(closure.unproven)} unproven: their chains "
            "of depth-1 pairs are broken"
        )
    observed: dict[str, Observed] = {
        "false": bad.count,
        "unproven": closure.unproven,
        "proved": proved,
        "proof": closure.path,
    }
    if broken and not bad.count:
        return Finding(
            found=True,
            severity=Severity.WARN,
            message=f"no pair is false, but {broken}",
            total=bad.total,
            observed=observed,
            fix="restore the missing parents (TREE007), or hold the pairs against a taxonomy: "
            "add ``--taxonomy taxdump/`` to this command",
        )
    return judged(
        bad,
        f"{part(bad.count, bad.total, 'pairs')} {be(bad.count)} false{reasons(bad.detail)}"
        f"{first(bad.samples)}" + (f"; {broken}" if broken else ""),
        f"all {bad.total:,} pairs are proved",
        observed=observed,
        impact=f"{part(bad.count, bad.total, 'pairs')} teach an ancestry that their own chains "
        "contradict.",
        fix="add ``--failures out/`` to this command: it writes all of them; build the pairs again "
        "by walking up the parents of every node",
    )


@rule("TREE007", "fail", caused_by=("MAP005", "PAIR014", "MAP007", "PAIR015", "PAIR008", "PAIR003"))
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
