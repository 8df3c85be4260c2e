"""HIER010: which rows, one by one, are no nearer to their relatives than random ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from taxcheck.model.finding import Finding, Observed, Severity, Skip
from taxcheck.model.rule import Threshold, rule
from taxcheck.model.vocabulary import number, percent

from .scoring import SCORE_CAUSES
from .wording import part

if TYPE_CHECKING:
    from taxcheck.audit.placement import Placements

_FEWEST_JUDGED, _FEWEST = 50, 5
_WEAK = 0.1  # of the strangers, before the median parent
_SHOWN = 20


@rule(
    "HIER010",
    "fail",
    about="hierarchy",
    thresholds={
        "share": Threshold(
            0.005,
            "it warns where the lower bound of the share of misplaced rows is beyond this",
            "Echinodermata, 7,112 nodes, trained by default, dag and fixed: 0 of 7,065; by default "
            "in 2 dimensions, MAP .31, 0.1 %; WordNet nouns by dag, 82,103 nodes: 0.1 %",
            bounds="least share",
        ),
        "fail": Threshold(
            0.05,
            "it fails where that lower bound is beyond this",
            "random directions planted in 1, 5 and 20 % of Echinodermata's rows: 1.0, 5.2 and "
            "20.7 % found",
        ),
    },
    caused_by=SCORE_CAUSES,
    pictures=("misplaced", "projection"),
    judges="misplaced",
)
def misplaced_rows(placement: Placements, threshold: Mapping[str, float]) -> Finding:
    r"""Rows, one by one, that lie no nearer to their ancestors than random rows do.

    Every node (of more than 200,000 a seeded sample) is asked how many of 256 strangers, as deep
    as its parent, stand before its parent; likewise for the two ancestors above, for siblings and
    for children, each after division by how near the candidate is to everybody. Two nulls answer
    for the same kind of node: rows of other nodes of its depth, and its radius in a random
    direction. The p-value of a node is how often the more favourable null has a relative as near;
    siblings and children are asked since a row is not misplaced with its parent. Under a null
    p-values are uniform, and in place near 0: their flat part is the share of misplaced rows, and
    those with the largest are named, so many of them. Where even a perfect row could not be told
    from a null, as in a level of few nodes, a node is not judged.

    Why it matters:
    Every score is a mean, and a mean that is far above its nulls hides a minority that holds
    nothing: with a fifth of the rows in random directions MAP fell from .99 to .77 and all rules
    passed. Whoever looks up one of these nodes gets the neighbours of a random place.

    How to fix:
    See which clades, depths and numbers of updates they have. Rows without training are EMB006; a
    clade that lost its pairs is PAIR003. Else ask for the story of one of them:

        taxcheck why "Asterias rubens" --embeddings checkpoint.pt --mapping mapping.tsv \
            --pairs pairs.parquet

    Rows that training left as good as random need more epochs, or more dimensions.

    Known exceptions:
    A table that is weak everywhere has rows whose place chance explains as well; the message says
    which of both it is. As many of the named rows are in their place as others, not named, lie near
    by chance: where the table is strong these are few. The ranks are among a sample and are no
    ranks of HIER003. A clade that moved as a whole has its relatives with it, all but those above:
    HIER005 and HIER006 see that. Popularity is no null of its own here, since candidates are as
    deep as the relative and held to what is usual for them.

    References:
    - Storey 2002, the share of true nulls: https://doi.org/10.1111/1467-9868.00346
    - Storey & Tibshirani 2003: https://doi.org/10.1073/pnas.1530509100
    """
    mixed, total = placement.mixture, placement.place.total
    if mixed.judged < _FEWEST_JUDGED:
        raise Skip(
            f"of {number(mixed.judged)} of {number(total)} nodes could it be told from a random "
            f"row; that takes {_FEWEST_JUDGED}"
        )
    named = placement.defect.count
    found = mixed.low > threshold["share"] and named >= _FEWEST
    alone, count = placement.trained, named if found else 0
    observed: dict[str, Observed] = {
        "share": mixed.share,
        "least share": mixed.low,
        "interval": [mixed.low, mixed.high],
        "judged": mixed.judged,
        "nodes": total,
        "median rank of the parent, of the others": placement.parent_rank,
        "strangers": placement.pool,
        "by clade": {name: f"{bad:,} of {of:,}" for name, bad, of in placement.by_clade[:_SHOWN]},
        "by depth": {str(k): f"{bad:,} of {of:,}" for k, bad, of in placement.by_depth[:_SHOWN]},
        "by pairs": _ranged(placement.by_pairs),
    }
    if placement.by_updates:
        observed["by updates"] = _ranged(placement.by_updates)
    if alone is not None:
        observed["share, trained rows alone"] = alone.share
    return Finding(
        found=found,
        message=_told(placement) if found else _sound(placement),
        severity=Severity.FAIL if mixed.low > threshold["fail"] else Severity.WARN,
        count=count,
        total=mixed.judged,
        observed=observed,
        samples=placement.defect.samples,
        impact=f"{part(count, mixed.judged, 'nodes')} have the neighbours of a random place.",
        fix="see which clades, depths and updates they have, and what became of one: ``taxcheck "
        "why NODE --embeddings checkpoint.pt --mapping mapping.tsv --pairs pairs.parquet``",
    )


def _told(placement: Placements) -> str:
    mixed = placement.mixture
    of = "sampled nodes" if placement.sampled else "nodes"
    said = (
        f"{part(placement.defect.count, mixed.judged, of)} lie no nearer to their ancestors, "
        f"siblings and children than random rows do (95 % {percent(mixed.low)} to "
        f"{percent(mixed.high)})"
    )
    if placement.trained is not None:
        said += f", of the trained ones {percent(placement.trained.share)}"
    said += _others(placement)
    worst = [clade for clade in placement.by_clade if clade[1]]
    if worst and worst[0][1] > mixed.share * worst[0][2]:
        name, bad, of_clade = worst[0]
        said += f"; worst: {name}, {part(bad, of_clade, 'nodes')}"
    return said


def _sound(placement: Placements) -> str:
    mixed = placement.mixture
    of = "sampled nodes" if placement.sampled else "nodes"
    said = (
        f"of {number(mixed.judged)} {of} {percent(mixed.share)} lie no nearer to their ancestors, "
        f"siblings and children than random rows do (95 % up to {percent(mixed.high)})"
    )
    untold = len(placement.place.nodes) - mixed.judged
    said += f"; of {number(untold)} more that cannot be told" if untold else ""
    return said + _others(placement)


def _others(placement: Placements) -> str:
    """Whether it is a minority among good rows, or the table is weak."""
    rank, share = placement.parent_rank, placement.mixture.share
    if np.isnan(rank):
        return ""
    said = f"median rank of the parent {round(rank)} among {placement.pool} strangers as deep"
    if share > 0.5:
        return f"; the others: {said}"
    if rank > _WEAK * placement.pool:
        return f"; the table is weak throughout, the others are hardly placed ({said})"
    return f"; most rows are placed ({said})"


def _ranged(ranges: tuple[tuple[int, int, int, int], ...]) -> Observed:
    return {
        f"{low:,}" if low == high else f"{low:,} to {high:,}": f"{bad:,} of {of:,}"
        for low, high, bad, of in ranges
    }
