"""HIER003, HIER004 and HIER008: whether neighbours in the table are relatives in the hierarchy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from taxcheck.model.finding import Finding, Observed, Sample, Skip
from taxcheck.model.rule import Threshold, rule
from taxcheck.model.vocabulary import score as figure

from .scoring import (
    MEANINGLESS,
    MISNUMBERED,
    SCORE_CAUSES,
    UNCOVERED,
    WITHOUT_ROW,
    against_nulls,
    observed_of,
    prefixed,
)

if TYPE_CHECKING:
    from taxcheck.audit.values import HierarchyScores, Score

_MISPLACED = (*MISNUMBERED, "PAIR015", "PAIR008")
_PARENT_CAUSES = (*_MISPLACED, *UNCOVERED, "TREE007", *WITHOUT_ROW, *MEANINGLESS)
_NOTHING = (
    "The table does not hold the hierarchy: its neighbours are no better than those of a table "
    "that learnt nothing."
)
_PART = (
    "The table holds the hierarchy in part: most neighbours are better than those of a table that "
    "learnt nothing, and some ancestors lie so far off that the mean rank is not."
)


@rule(
    "HIER003",
    "fail",
    about="hierarchy",
    caused_by=(*SCORE_CAUSES, "EMB005"),
    pictures=("scores", "mean_rank"),
)
def weak_reconstruction(scores: HierarchyScores) -> Finding:
    """The ancestors of a node are not found among its nearest rows better than without learning.

    Reconstruction: for sampled nodes all rows but itself are ranked by distance, and MAP and mean
    rank tell where the ancestors stand. Each passes when the lower bound of a paired bootstrap, the
    table's score minus the null's on the same nodes, exceeds every null: radii by depth with random
    directions, labels shuffled within depth, a collapsed table, and popularity (candidates ranked
    by their number of descendants). Whatever its value, a score that a null reaches is a failure,
    but for two cases: a null that is perfect itself cannot be exceeded, so that the score is not
    judged, and a table that is perfect passes however near the nulls come to it.

    Why it matters:
    This is what the table is for. Loss, the correlation of radius and depth, and the separation of
    classes can all look excellent in a table that knows nothing: an untrained initialisation by
    depth has r = 1.000, collapsing classes to rays gives a separation of 3.7. Naming the root for
    every node, which needs no embedding, already scores. Beside their nulls such values show what
    they are worth.

    How to fix:
    Repair what the data's rules and EMB001, EMB002 and EMB006 find: no training outlives it. Then
    train with burn-in, ten epochs at a hundredth of the learning rate, and watch MAP, not the loss:

        taxcheck evaluate checkpoint.pt --mapping mapping.tsv --pairs pairs.parquet

    Published for the closure of WordNet nouns: MAP 0.823 and mean rank 4.9 in 5 dimensions, 0.851
    and 4.0 in 10; for mammals 0.927 and 1.26 in 5.

    Known exceptions:
    In a hierarchy of two levels below one root popularity names the one ancestor of every node,
    with a MAP of 1: the rule is skipped. Scores under another protocol (self not masked, edges as
    positives) do not compare; the protocol is shown.

    References:
    - Nickel & Kiela 2017, reconstruction: https://arxiv.org/abs/1705.08039
    - Nickel & Kiela 2018, the Lorentz model: https://arxiv.org/abs/1806.03417
    - Sala et al. 2018, MAP as local quality: https://arxiv.org/abs/1804.03329
    """
    judged = {
        name: score
        for name, score in (("MAP", scores.map), ("mean rank", scores.mean_rank))
        if score is not None
    }
    if not judged:
        raise Skip("no ranking was computed for this table")
    finding = against_nulls(
        judged,
        "sources",
        impact=_PART if scores.map and scores.map.beats_every_null else _NOTHING,
        fix="train again with burn-in (ten epochs at ``lr / 100``) and choose checkpoints by MAP: "
        "``taxcheck evaluate checkpoint.pt --mapping mapping.tsv --pairs pairs.parquet``",
    )
    observed: dict[str, Observed] = {
        **finding.observed,
        "seed": scores.seed,
        "hits": {f"hits@{k}": score.value for k, score in sorted(scores.hits.items())},
    }
    return replace(finding, observed=observed)


@rule("HIER004", "warn", about="hierarchy", caused_by=_PARENT_CAUSES, pictures=("scores",))
def parent_not_found(scores: HierarchyScores) -> Finding:
    """The parent of a node is not among its nearest rows more often than without learning.

    Hits@1, 5 and 10 of any parent, among all rows but the node itself, its descendants and its
    other ancestors. Each k passes when the lower bound of the paired bootstrap exceeds every null,
    or where every parent is found.
    Descendants are left out because in a perfect tree metric a node with c children ties them with
    its parent, so that unfiltered hits@1 could be no more than 1 / (1 + c).

    Why it matters:
    MAP over all ancestors is carried by the far ones, which many rows share: a table that knows the
    phylum of everything and the genus of nothing still scores. The parent is the one that tells
    whether the local structure is there, for placing a new taxon and for walking up the tree.

    How to fix:
    See first that every node has its parent pair (TREE007), then that training draws enough of
    them: balance the draws over depths (PAIR009), and declare it,

        [dataset]
        sampler = "balanced"

    and train longer with a falling learning rate.

    Known exceptions:
    Chains of nodes with one child each differ little in anything; parent and grandparent are then
    near each other by right. In a DAG any of the parents counts.

    References:
    - Bordes et al. 2013, filtered ranking and hits@10:
      https://papers.nips.cc/paper/5071-translating-embeddings-for-modeling-multi-relational-data
    - Nickel & Kiela 2017: https://arxiv.org/abs/1705.08039
    """
    judged: dict[str, Score] = {
        f"hits@{k} of the parent": score for k, score in sorted(scores.parent_hits.items())
    }
    if not judged:
        raise Skip("no parent was ranked for this table")
    return against_nulls(
        judged,
        "nodes",
        impact="Parents are not found among the nearest rows: the local structure is missing.",
        fix='see that TREE007 is clean, balance the draws (``[dataset] sampler = "balanced"``, '
        "PAIR009) and train longer with a falling learning rate",
    )


@rule(
    "HIER008",
    "info",
    about="hierarchy",
    thresholds={
        "skew": Threshold(
            40,
            "told where the k-occurrence is more skewed than this",
            "Echinodermata, trained in the ball: 27 at d = 10 with MAP 0.84, 9 at d = 2 with 0.23; "
            "1.2 in an untrained table by depth; laid out without training 4 to 26, WordNet nouns "
            "laid out 10 to 22; a genus amid 2,500 strains 49",
        )
    },
    caused_by=SCORE_CAUSES,
    pictures=("hubs",),
)
def hubness(scores: HierarchyScores, threshold: Mapping[str, float]) -> Finding:
    """A few rows are among the nearest neighbours of very many.

    The skewness of the k-occurrence: how often a row is among the nearest of others.

    Why it matters:
    Hubs push true neighbours out of short lists. In a hierarchy some are meant to: an inner node is
    near all of its children, so that a good table is far more skewed than the data for which the
    measure was made. Beyond that, a few rows near the centre stand in everything's list, and search
    for relatives returns the same ones for each query.

    How to fix:
    Look at the rows concerned before changing anything: inner nodes with many children belong
    there, leaves do not. Where leaves are hubs, rank by mutual proximity instead of distance, or
    train with more negatives.

        taxcheck evaluate checkpoint.pt --mapping mapping.tsv --pairs pairs.parquet

    Known exceptions:
    A star has one hub by nature. No skew exceeds the square root of the number of rows, so that in
    a table of fewer than 1,600 it never reaches 40; lower the threshold there. It informs and never
    colours the verdict.

    References:
    - Radovanovic et al. 2010, hubs in space: https://jmlr.org/papers/v11/radovanovic10a.html
    - Schnitzer et al. 2012, mutual proximity: https://jmlr.org/papers/v13/schnitzer12a.html
    """
    skew = scores.hubness
    if skew is None:
        raise Skip("the k-occurrence was not computed for this table")
    found = not skew <= threshold["skew"]
    observed: dict[str, Observed] = {"skew of the k-occurrence": skew}
    if scores.map is not None:
        observed |= prefixed("MAP", {"value": observed_of(scores.map)["value"]})
    return Finding(
        found=found,
        message=f"the k-occurrence has a skew of {figure(skew)}",
        observed=observed,
        samples=(Sample({"skew": skew}),),
        fix="``taxcheck evaluate checkpoint.pt --mapping mapping.tsv --pairs pairs.parquet`` shows "
        "the table's neighbours; where leaves are hubs, rank by "
        "mutual proximity or train with more negatives",
    )
