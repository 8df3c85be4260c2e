"""PAIR016: weights by which pairs cannot be drawn."""

from __future__ import annotations

from taxcheck.model.finding import Finding, Skip
from taxcheck.model.rule import rule
from taxcheck.statistics.values import PairStatistics

from .wording import be, first, judged, part, reasons


@rule(
    "PAIR016",
    "fail",
    about="pairs",
    beyond_repair=(
        "pairs cannot be drawn by such weights, and nothing says what they should be",
        "the weights that are meant, or the pairs without that column",
    ),
)
def unusable_weight(pairs: PairStatistics) -> Finding:
    """A weight is empty, no number, infinite or negative, or all those of a node are 0.

    Judged are the pairs that are sound otherwise, in the column that training reads weights from:
    weight, weights, count or frequency, or the one that the pair columns name. A weight is read in
    32 bits, as training does.

    Why it matters:
    A weight says how often a pair is drawn, or how much its loss counts. One NaN or infinite weight
    makes the loss of its whole batch NaN, and the table with it; a negative one pushes a node away
    from its own ancestor; a node without any weight above 0 is never trained. ``taxcheck train``
    refuses such weights.

    How to fix:
    List the rows, mend the step that computed the weights, and let it raise:

        bad = ~(np.isfinite(pairs["weight"]) & (pairs["weight"] >= 0))
        pairs[bad]

    A logarithm of a count of 0, a division by an empty group and a join that matched nothing are
    the usual sources. A column that is no weight needs another name, or pair columns that leave it
    out.

    Known exceptions:
    A weight of 0 is a pair that is kept and never drawn; that may be meant, and is not counted as
    long as both of its nodes are in a pair that is drawn.

    References:
    - torch.utils.data.WeightedRandomSampler, non-negative weights:
      https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.WeightedRandomSampler
    """
    weights = pairs.weights
    if weights is None:
        raise Skip("the pairs have no column of weights")
    bad = weights.unusable
    nothing_to_draw = bool(bad.total) and not bad.count and not weights.positive
    if nothing_to_draw:
        return Finding(
            found=True,
            message=f"all {bad.total:,} weights are 0",
            count=bad.total,
            total=bad.total,
            observed={"weights": bad.total, "above 0": 0},
            impact="No pair will ever be drawn.",
            fix='``pairs = pairs.drop(columns="weight")`` trains on all pairs alike; or compute '
            "the weights again",
        )
    idle = weights.undrawn
    if idle.count and not bad.count:
        return judged(
            idle,
            f"all pairs of {part(idle.count, idle.total, 'nodes')} weigh 0{first(idle.samples)}",
            "",
            observed={"weights": bad.total, "above 0": weights.positive},
            impact=f"{part(idle.count, idle.total, 'nodes')} will never be trained.",
            fix='``drawn = pairs[pairs["weight"] > 0]`` is what training draws: compute the '
            "weights of the others again, or drop the column",
        )
    return judged(
        bad,
        f"{part(bad.count, bad.total, 'weights')} {be(bad.count)} unusable{reasons(bad.detail)}"
        f"{first(bad.samples)}",
        f"all {bad.total:,} weights are finite and not negative, {weights.positive:,} above 0",
        observed={"weights": bad.total, "above 0": weights.positive},
        impact=f"{part(bad.count, bad.total, 'pairs')} cannot be drawn: training refuses to start, "
        "or its loss becomes NaN.",
        fix='``pairs[~(np.isfinite(pairs["weight"]) & (pairs["weight"] >= 0))]`` lists them; '
        "compute them again, or drop the column",
    )
