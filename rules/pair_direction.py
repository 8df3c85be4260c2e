"""PAIR007, PAIR008 and PAIR015: which way a pair points, and how far it says it reaches."""

from __future__ import annotations

from collections.abc import Mapping

from taxcheck.model.finding import Finding, Severity, Skip
from taxcheck.model.rule import Repair, Threshold, rule
from taxcheck.model.vocabulary import plural
from taxcheck.policy.model import Dataset
from taxcheck.statistics.values import (
    ClosureStatistics,
    HierarchyStatistics,
    Kind,
    PairStatistics,
)

from .wording import be, first, have, judged, part, reasons


@rule("PAIR007", "fail", about="pairs", caused_by=("MAP003",), repair=(Repair.REVERSED,))
def reversed_pair(closure: ClosureStatistics) -> Finding:
    """Both (a, d) and (d, a) are among the pairs.

    Counted are unordered pairs of nodes that occur in both directions.

    Why it matters:
    Ancestry is a strict order: at most one of the two can be true. In training the two pull the
    same distance and, where the loss or the sampler knows a direction, against each other; in the
    evaluation a node is ranked as ancestor and descendant of the same partner.

    How to fix:
    Keep the direction that the taxonomy supports. To list them:

        other = pairs.rename(columns={"ancestor_idx": "descendant_idx",
                                      "descendant_idx": "ancestor_idx"})
        pairs.merge(other, on=["ancestor_idx", "descendant_idx"])

    Often a second file was appended whose columns are the other way round.

    Known exceptions:
    A symmetric relation, such as 'is similar to', has no place in a closure; declare no hierarchy
    over it.

    References:
    - Nickel & Kiela 2017, hypernymy as a partial order: https://arxiv.org/abs/1705.08039
    """
    bad = closure.reversed
    return judged(
        bad,
        f"{part(bad.count, bad.total, 'pairs')} {be(bad.count)} there in both directions"
        f"{first(bad.samples)}",
        f"none of {closure.distinct:,} pairs is there in both directions",
        impact=f"{part(bad.count, bad.total, 'pairs')} teach that each node descends from the "
        "other.",
        fix="add ``--failures out/`` to this command: it writes all of them; drop the direction "
        "that the taxonomy does not hold, which TREE009 names with ``--taxonomy``; "
        "``taxcheck fix ... --out fixed/`` keeps the one that chains of parents hold",
    )


@rule("PAIR008", "fail", about="pairs", caused_by=("PAIR015",), repair=(Repair.DISTANCES,))
def depth_mismatch(pairs: PairStatistics, tree: HierarchyStatistics) -> Finding:
    """The depth columns of a row contradict one another, or state a distance below 1.

    In a tree depth_diff = descendant_depth - ancestor_depth. In a DAG, where a node's depth is its
    shortest distance from a root, depth_diff is at least that difference. Judged are the columns
    that the file has; depth_diff below 1 is wrong in any case.

    Why it matters:
    depth_diff decides which pairs are edges, so one wrong value moves an edge in the hierarchy that
    everything else is derived from. Depths that set target radii or pick negatives of the same
    level then place nodes at the wrong level, and weights by depth go to the wrong pairs.

    How to fix:
    Compute the columns from one walk over the taxonomy, last, after every filter on nodes:

        pairs["depth_diff"] = pairs["descendant_depth"] - pairs["ancestor_depth"]

    (in a tree only). In a DAG compute depth_diff as the shortest distance of the two nodes.

    Known exceptions:
    In a DAG the difference of shortest depths is smaller than the shortest distance of many sound
    pairs: 11 % of them in WordNet nouns, 50 % in ChEBI, 75 % in Uberon. These are not counted.

    References:
    - Miller 1995, WordNet: https://doi.org/10.1145/219717.219748
    - Mungall et al. 2012, Uberon: https://doi.org/10.1186/gb-2012-13-1-r5
    """
    depth = pairs.depth
    if depth is None:
        raise Skip("the pairs have no depth_diff column")
    bad = depth.mismatch
    law = "is at least" if tree.kind is Kind.DAG else "equals"
    compared = len(depth.judged_columns) == 2
    good = f"depth_diff is 1 or more in all {bad.total:,} rows"
    if compared:
        good += f" and {law} descendant_depth - ancestor_depth"
    return judged(
        bad,
        f"{part(bad.count, bad.total, 'rows')} {have(bad.count)} depths that contradict one "
        f"another{reasons(bad.detail)}{first(bad.samples)}",
        good,
        observed={"columns judged": ["depth_diff", *depth.judged_columns]},
        impact=f"{part(bad.count, bad.total, 'pairs')} state a wrong distance.",
        fix='in a tree ``pairs["depth_diff"] = pairs["descendant_depth"] - '
        'pairs["ancestor_depth"]`` after every filter on nodes; in a DAG the shortest distance; '
        "``taxcheck fix ... --out fixed/`` counts them along the edges",
    )


@rule(
    "PAIR015",
    "fail",
    about="pairs",
    thresholds={
        "roots_per_leaf": Threshold(
            10,
            "more roots than this for each leaf mean that the columns are exchanged",
            "Echinodermata: 1 root and 5,676 leaves; WordNet nouns: 1 and 64,958",
        ),
        "backwards": Threshold(
            0.5,
            "depth columns that run backwards in more than this share of the pairs mean the same",
            "Echinodermata and all of NCBI: 0",
        ),
    },
    repair=(Repair.PAIR_COLUMNS,),
)
def swapped_pair_columns(
    pairs: PairStatistics,
    tree: HierarchyStatistics,
    dataset: Dataset,
    threshold: Mapping[str, float],
) -> Finding:
    """Ancestor and descendant are exchanged throughout the pairs.

    Three signs are read: with parents and children exchanged the depth-1 pairs make a forest and as
    they are they do not; roots outnumber leaves tenfold; most rows have a descendant_depth below
    their ancestor_depth. One of them suffices.

    Why it matters:
    The model learns the hierarchy upside down. Leaves gather at the centre, where the volume of a
    hyperbolic space is smallest, and the root is asked to be near thousands of points at once. A
    symmetric loss even falls, and the ranking, taken from the other end, is scored against the
    wrong candidates: one checkpoint scored a MAP of 0.086 in one direction and 0.560 in the other.

    How to fix:
    Exchange the two names where the file is read or written:

        pairs = pairs.rename(columns={"ancestor_idx": "descendant_idx",
                                      "descendant_idx": "ancestor_idx"})

    In the closure files of facebookresearch/poincare-embeddings (id1, id2, weight) id1 is the
    descendant.

    Known exceptions:
    A hierarchy in which most things have many parents and few have children, such as a table of
    hybrids or a pedigree, could have far more roots than leaves, or be a forest only when it is
    turned round. Where the policy declares a DAG the first two signs therefore only warn; waive the
    warning, or raise ``roots_per_leaf``. A single chain is a tree in both directions and tells
    nothing.

    References:
    - facebookresearch/poincare-embeddings: https://github.com/facebookresearch/poincare-embeddings
    - Nickel & Kiela 2017: https://arxiv.org/abs/1705.08039
    """
    backwards = pairs.depth.backwards if pairs.depth else 0
    if not tree.edges and not backwards:
        raise Skip("there are no depth-1 pairs to read a direction from")
    roots, leaves = plural(tree.roots.count, "root"), plural(tree.leaves, "leaf", "leaves")
    signs = []
    if tree.reversed_is_tree:
        signs.append("the depth-1 pairs make a forest only with parents and children exchanged")
    if tree.roots.count > threshold["roots_per_leaf"] * tree.leaves:
        signs.append(f"{roots} {'stands' if tree.roots.count == 1 else 'stand'} against {leaves}")
    turned = backwards > threshold["backwards"] * pairs.valid
    if turned:
        signs.append(
            f"descendant_depth is below ancestor_depth in {part(backwards, pairs.valid, 'rows')}"
        )
    found = bool(signs)
    dag = dataset.kind == "dag"
    proved = turned or (tree.reversed_is_tree and not dag)
    are, will = ("are", "will") if proved else ("look", "may")
    return Finding(
        found=found,
        severity=Severity.WARN if dag and not proved else None,
        message=f"ancestor and descendant {are} exchanged: {'; '.join(signs)}"
        if found
        else f"ancestors stand above: {roots}, {leaves}",
        count=pairs.valid if found else 0,
        total=pairs.valid,
        observed={
            "forest only when reversed": tree.reversed_is_tree,
            "roots": tree.roots.count,
            "leaves": tree.leaves,
            "rows whose depths run backwards": backwards,
        },
        impact=f"All {pairs.valid:,} pairs {will} teach the hierarchy upside down.",
        fix=("" if proved else "if they are, ")
        + '``pairs = pairs.rename(columns={"ancestor_idx": "descendant_idx", '
        '"descendant_idx": "ancestor_idx"})``'
        + (", or ``taxcheck fix ... --out fixed/``" if proved else "; if not, waive this"),
    )
