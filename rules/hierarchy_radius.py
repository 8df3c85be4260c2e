"""HIER001, HIER002 and HIER007: whether the radius follows the depth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from taxcheck.model.finding import Finding, Observed, Sample, Skip
from taxcheck.model.rule import Threshold, rule
from taxcheck.model.vocabulary import percent, plural
from taxcheck.model.vocabulary import score as figure
from taxcheck.statistics.values import HierarchyStatistics, MappingStatistics

from .scoring import SCORE_CAUSES, needed, observed_of
from .wording import be, node

if TYPE_CHECKING:
    from taxcheck.audit.values import HierarchyScores

_TRAINED = "Echinodermata, trained in the ball to MAP 0.84 at d = 10 and 0.23 at d = 2"
_RADIUS_CAUSES = ("PAIR015", *SCORE_CAUSES, "EMB005")


@rule(
    "HIER001",
    "warn",
    about="hierarchy",
    thresholds={
        "of_ceiling": Threshold(
            0.3,
            "a warning where the better correlation is under this part of what ties allow",
            f"{_TRAINED}: 0.60 and 0.43; the incident's successors report +0.990 on Echinodermata "
            "and +0.650 on Mollusca; 0 by chance",
        )
    },
    caused_by=_RADIUS_CAUSES,
    pictures=("radius_by_depth", "scores"),
)
def radius_ignores_depth(scores: HierarchyScores, threshold: Mapping[str, float]) -> Finding:
    """The hyperbolic radius does not grow with the depth of a node.

    Spearman's correlation of radius and depth, as stored and after moving the root to the origin;
    the better one is held against its ceiling, since depths are tied and radii are not. No null can
    judge it: an untrained initialisation by depth reaches the ceiling, and shuffling labels within
    a depth changes nothing. So a pass proves nothing by itself; HIER003 decides.

    Why it matters:
    Room grows with the radius, and a tree needs little inside and much outside. Where the radius
    ignores the depth the table does not use the one property that hyperbolic space was chosen for,
    and readings such as 'the nearer the centre, the more general' are wrong.

    How to fix:
    See which depths break the order:

        taxcheck evaluate checkpoint.pt --mapping mapping.tsv --pairs pairs.parquet

    Rows that were never trained lie anywhere, mostly far out (EMB006): repair them first. Swapped
    pair columns (PAIR015) turn the order round. Otherwise burn in longer: the order of radii is
    laid in the first epochs.

    Known exceptions:
    Shallow leaves rightly lie far out: a leaf needs no room inside. A good embedding of a tree with
    leaves at all depths therefore stays well below its ceiling, and a value near 1 mostly says that
    a regularizer set the radii. The radius has no meaning with several roots or in a Euclidean
    table.

    References:
    - Nickel & Kiela 2017, the norm as a measure of generality: https://arxiv.org/abs/1705.08039
    - Nickel & Kiela 2018, norm and rank: https://arxiv.org/abs/1806.03417
    - Ganea et al. 2018, entailment cones: https://arxiv.org/abs/1804.01882
    """
    score = needed(scores.spearman, "the correlation of radius and depth")
    recentred = scores.spearman_recentred
    best = score.value if recentred is None else max(score.value, recentred)
    ceiling = 1.0 if score.ceiling is None else score.ceiling
    if not ceiling > 0:
        raise Skip("all nodes have one depth, so there is no order to follow")
    found = not best >= threshold["of_ceiling"] * ceiling
    moved = "" if recentred is None else f", {figure(recentred)} re-centred on the root"
    message = (
        f"Spearman of radius and depth {figure(score.value)} (95 % {figure(score.low)} to "
        f"{figure(score.high)}){moved}; ties allow {figure(ceiling)}. By itself it proves nothing"
    )
    observed: dict[str, Observed] = {
        **observed_of(score),
        "re-centred on the root": recentred,
        "part of the ceiling": best / ceiling,
        "Pearson of norm and depth": scores.pearson_norm,
        "median radius by depth": {str(row[0]): row[3] for row in scores.radius_by_depth},
    }
    return Finding(
        found=found,
        message=message,
        observed=observed,
        samples=(Sample({"correlation": best, "ceiling": ceiling}),),
        impact="The radius of a node says little or nothing of its depth.",
        fix="train from rows that start nested, as ``taxcheck train --init nested`` does, or "
        "raise ``--lambda-reg``",
    )


@rule(
    "HIER002",
    "warn",
    about="hierarchy",
    thresholds={
        "inside": Threshold(
            0.05,
            "a warning where more than this share of the children is nearer the centre, or as near",
            f"{_TRAINED}: 0.5 % and 1.2 % of 7,111 edges; with 26 % of the nodes in no pair 10.9 % "
            "and 15.6 %",
        )
    },
    caused_by=_RADIUS_CAUSES,
    pictures=("inside", "scores"),
)
def child_inside_parent(scores: HierarchyScores, threshold: Mapping[str, float]) -> Finding:
    """Children lie nearer the centre than their parents.

    The share of parent-child edges whose child has no larger hyperbolic radius, by depth. Edges to
    or from a row that is no point have no order and are left out: EMB001, EMB002 and EMB003 count
    such rows. As for HIER001 an untrained initialisation by depth is perfect here, so the share is
    held against a threshold and not against nulls, and a pass proves nothing by itself.

    Why it matters:
    The loss places an ancestor between its descendants, which is towards the centre. Each edge the
    other way round is a node that was not pulled to its place: never trained, held back by a stuck
    subtree, or trained with its pair the wrong way round. Whoever reads direction off the table,
    from entailment cones to 'which of the two is the more general', gets those edges wrong.

    How to fix:
    Look at the depth where it happens. All over: the rows are untrained (EMB006) or the pairs are
    exchanged (PAIR015). At the root's children: the root is not at the centre (HIER007). Deep down:
    too little training; go on with a falling learning rate.

        taxcheck evaluate checkpoint.pt --mapping mapping.tsv --pairs pairs.parquet

    Known exceptions:
    In a DAG a child of two parents can lie between them, inside of one. Where all rows are at the
    clip, radii are equal and rounding decides (EMB004).

    References:
    - Nickel & Kiela 2017: https://arxiv.org/abs/1705.08039
    - Ganea et al. 2018, entailment cones: https://arxiv.org/abs/1804.01882
    """
    score = needed(scores.monotone_edges, "the order of the edges")
    inside = 1 - score.value
    found = not inside <= threshold["inside"]
    worst = max(scores.monotone_by_depth, key=lambda row: (1 - row[2]) * row[1], default=None)
    message = (
        f"{percent(inside)} of {score.sources:,} children are nearer the centre than their parent, "
        f"or as near (95 % {percent(1 - score.high)} to {percent(1 - score.low)})"
    )
    if found and worst is not None:
        message += (
            f"; most of them at depth {worst[0]}: {percent(1 - worst[2])} of "
            f"{plural(worst[1], 'edge')}"
        )
    lost = score.total - score.sources
    if lost:
        message += f"; left out: {plural(lost, 'edge')} to or from a row that is no point"
    return Finding(
        found=found,
        message=message,
        count=round(inside * score.sources) if found and inside == inside else 0,
        total=score.sources,
        observed={
            **observed_of(score),
            "edges left out": lost,
            "share by the child's depth": {
                str(depth): 1 - share for depth, _, share in scores.monotone_by_depth
            },
        },
        samples=tuple(
            Sample({"depth": depth, "edges": edges, "share inside": 1 - share})
            for depth, edges, share in scores.monotone_by_depth
            if 1 - share > threshold["inside"]
        ),
        impact=f"{percent(inside)} of the edges point the wrong way: the child looks more general "
        "than its parent.",
        fix="go on training with a falling learning rate, and see the depths with ``taxcheck "
        "evaluate checkpoint.pt --mapping mapping.tsv --pairs pairs.parquet``",
    )


@rule("HIER007", "info", about="hierarchy", caused_by=SCORE_CAUSES, pictures=("projection",))
def root_off_centre(
    scores: HierarchyScores,
    tree: HierarchyStatistics | None = None,
    mapping: MappingStatistics | None = None,
) -> Finding:
    """Other rows lie nearer the origin than the root.

    Why it matters:
    Distances do not depend on where the origin is, so nothing is wrong with the table; only what is
    read off radii is. Norms by depth, 'distance from the centre' and plots of the disk assume the
    root in the middle, and HIER001 is lower as stored than re-centred.

    How to fix:
    Move the root to the origin by a translation of the ball, which changes no distance:

        x = mobius_add(-x[root], x)

    with the addition of the reference below; or train with the root's row held at 0.

    Known exceptions:
    With several roots none of them can be at the centre, and the rule is skipped. A root with one
    large branch and several small ones is drawn towards the large one.

    References:
    - Ganea et al. 2018, hyperbolic neural networks, Moebius addition:
      https://arxiv.org/abs/1805.09112
    - Nickel & Kiela 2017: https://arxiv.org/abs/1705.08039
    """
    if tree is not None and tree.roots.count != 1:
        raise Skip(f"{plural(tree.roots.count, 'root')}: no single one belongs at the centre")
    if scores.root is None:
        raise Skip("there is no single root that would belong at the centre")
    idx, radius, nearer = scores.root
    root = f"idx {idx}" if mapping is None else node(mapping, idx)
    own = mapping is not None and mapping.derived
    found = nearer > 0
    return Finding(
        found=found,
        message=f"the root, {root}, has radius {figure(radius)}; {plural(nearer, 'row')} "
        f"{be(nearer)} nearer the origin"
        if found
        else f"the root, {root}, is the row nearest the origin, at radius {figure(radius)}",
        count=nearer,
        observed={"root": root if own else idx, "radius": radius, "rows nearer the origin": nearer},
        samples=(Sample({"idx": idx, "radius": radius}, node=idx),),
        fix="``x = mobius_add(-x[root], x)`` moves the root to the origin and changes no distance",
    )
