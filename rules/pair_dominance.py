"""PAIR011: how training draws are spread over ancestors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from taxcheck.model.finding import Finding, Sample, Skip
from taxcheck.model.rule import Threshold, rule
from taxcheck.statistics.values import PairStatistics

from .wording import part


@rule(
    "PAIR011",
    "info",
    about="pairs",
    thresholds={
        "top_ten_share": Threshold(
            0.5,
            "told where the ten largest ancestors hold more than this share of the pairs",
            "all of NCBI 31 %, WordNet nouns 42 %, Echinodermata 52 %, Mammalia 59 %",
            bounds="share of the top ten",
        ),
        "gini": Threshold(
            0.95,
            "told where the Gini coefficient of pairs over ancestors is more",
            "Cnidaria 0.906, Echinodermata 0.920, Mammalia 0.936, all of NCBI 0.983",
            bounds="Gini",
        ),
        "ancestors": Threshold(
            100,
            "least number of ancestors for which ten of them are few",
            "Echinodermata has 1,436, Cnidaria 2,514",
        ),
    },
    pictures=("pairs_per_node",),
    descriptive=True,
)
def ancestor_dominance(pairs: PairStatistics, threshold: Mapping[str, float]) -> Finding:
    """A few ancestors hold a large part of all pairs.

    Observed are the share of the ten largest and the Gini coefficient over all nodes that are an
    ancestor in some pair.

    Why it matters:
    Ten nodes near the root take part in a third to more than half of all updates of a closure. With
    plain SGD their rows move far faster than the rest and settle at the centre early; with adaptive
    optimizers they get tiny steps. A ranking that merely prefers popular ancestors already scores
    well, so a model has to be held against that null.

    How to fix:
    Draw pairs by depth (see PAIR009), or limit the weight of one ancestor, for example by the
    square root of its number of pairs:

        count = pairs.groupby("ancestor_idx")["ancestor_idx"].transform("size")
        weight = 1 / np.sqrt(count)

    and report the popularity null beside every ranking metric.

    Known exceptions:
    Every closure of a rooted tree has this shape: the root alone is the ancestor of all others. It
    is shown and never colours the verdict.

    References:
    - Nickel & Kiela 2017, reconstruction of a closure: https://arxiv.org/abs/1705.08039
    - Gastwirth 1972, the Gini index: https://doi.org/10.2307/1937992
    """
    held = np.sort(pairs.as_ancestor[pairs.as_ancestor > 0])
    if len(held) < threshold["ancestors"]:
        raise Skip(f"{len(held):,} ancestors are too few to speak of the ten largest")
    total = int(held.sum())
    top = int(held[-10:].sum())
    ranks = 2.0 * np.arange(1, len(held) + 1) - len(held) - 1
    gini = float(ranks @ held / (len(held) * total))
    found = top > threshold["top_ten_share"] * total or gini > threshold["gini"]
    largest = np.argsort(-pairs.as_ancestor, kind="stable")[:10]
    return Finding(
        found=found,
        message=f"ten of {len(held):,} ancestors hold {part(top, total, 'pairs')}; the Gini "
        f"coefficient is {gini:.3f}",
        count=top,
        total=total,
        observed={"share of the top ten": top / total, "Gini": gini, "ancestors": len(held)},
        samples=tuple(
            Sample({"idx": int(k), "pairs": int(pairs.as_ancestor[k])}, node=int(k))
            for k in largest
        ),
        fix='weight the draws: ``weight = 1 / np.sqrt(pairs.groupby("ancestor_idx")'
        '["ancestor_idx"].transform("size"))``, or balance them by depth (PAIR009)',
    )
