"""PAIR012 and PAIR013: what was held out and is trained on, and negatives that are positives."""

from __future__ import annotations

from collections.abc import Mapping

from taxcheck.config import Dataset
from taxcheck.rule import Finding, Sample, Severity, Skip, Threshold, rule
from taxcheck.statistics.values import HeldOutStatistics, HierarchyStatistics

from .wording import be, first, have, part, percent


@rule("PAIR012", "fail")
def split_leak(held_out: HeldOutStatistics) -> Finding:
    """Held-out pairs are among the training pairs, or follow from them.

    Exact repetitions and reversed ones are a failure. Pairs that follow from the training pairs'
    own depth-1 edges, and nodes that only the held-out part names, are told.

    Why it matters:
    A score on pairs that were trained on measures memory. A reversed copy gives a symmetric
    distance away just as well. Implied pairs are fair only as a test of transitivity: whoever knows
    the training edges can derive them, so they say nothing of unseen relations. A node that
    training never names has the vector of its initialisation, and scores at chance.

    How to fix:
    Remove the held-out pairs, in both directions, from training:

        key = ["ancestor_idx", "descendant_idx"]
        held = pd.MultiIndex.from_frame(held_out[key])
        back = pd.MultiIndex.from_frame(held_out[key[::-1]])
        rows = pd.MultiIndex.from_frame(train[key])
        train = train[~rows.isin(held) & ~rows.isin(back)]

    For unseen relations hold out edges together with all pairs that only they support.

    Known exceptions:
    Reconstruction ranks the training pairs themselves and needs no held-out part. The usual link
    prediction on WordNet nouns holds out pairs of the closure that are no edges and trains on all
    edges: every such pair is implied, by design.

    References:
    - Ganea et al. 2018, link prediction on a closure: https://arxiv.org/abs/1804.01882
    - Toutanova & Chen 2015, leakage by inverse relations: https://doi.org/10.18653/v1/W15-4007
    """
    if not held_out.valid:
        raise Skip("the held-out file has no valid pair")
    exact, back, implied = held_out.exact, held_out.reversed, held_out.implied
    leaked = exact.count + back.count
    only = held_out.only_held_out
    told = []
    if leaked:
        told.append(
            f"{part(leaked, held_out.valid, 'held-out pairs')} {be(leaked)} in training "
            f"({exact.count:,} as they are, {back.count:,} reversed)"
        )
    if implied.count:
        told.append(
            f"{part(implied.count, held_out.valid, 'held-out pairs')} "
            f"{'follows' if implied.count == 1 else 'follow'} from the training edges"
        )
    if only.count:
        told.append(f"{only.count:,} nodes are in held-out pairs only")
    found = bool(told)
    offender = next((d for d in (exact, back, implied, only) if d.count), exact)
    return Finding(
        found=found,
        message="; ".join(told) + first(offender.samples)
        if found
        else f"none of {held_out.valid:,} held-out pairs is in training or follows from it",
        severity=Severity.INFO if found and not leaked else None,
        count=leaked or implied.count or only.count,
        total=held_out.valid if leaked or implied.count else only.total,
        observed={
            "exact": exact.count,
            "reversed": back.count,
            "implied": implied.count,
            "implied share": implied.count / held_out.valid,
            "nodes only held out": only.count,
        },
        samples=exact.samples + back.samples or implied.samples or only.samples,
        impact=f"{part(leaked, held_out.valid, 'held-out pairs')} {have(leaked)} been seen in "
        "training: their score measures memory."
        if leaked
        else None,
        fix="drop the held-out pairs from the training pairs: ``train = train[~pd.MultiIndex"
        ".from_frame(train[key]).isin(pd.MultiIndex.from_frame(held_out[key]))]`` with "
        '``key = ["ancestor_idx", "descendant_idx"]``, then once more with '
        "``held_out[key[::-1]]``"
        if leaked
        else None,
    )


@rule(
    "PAIR013",
    "info",
    thresholds={
        "risk": Threshold(
            0.05,
            "told where more than this share of a same-depth pool are true descendants",
            "Cnidaria 30.6 %, Mollusca 37.3 %, Echinodermata 51.2 %, Mammalia 54.4 %",
        )
    },
)
def false_negative_risk(
    tree: HierarchyStatistics, dataset: Dataset, threshold: Mapping[str, float]
) -> Finding:
    """Negatives drawn at the descendant's depth are often true descendants of the anchor.

    For a pair (a, d) the pool is all other nodes as deep as d; the risk is the part of the pool
    that descends from a too, averaged over the pairs. It is a warning where the policy declares a
    sampler that takes same-depth negatives unfiltered.

    Why it matters:
    A false negative pushes apart what the next pair pulls together. For pairs with the root the
    whole pool is false; for pairs with a class or an order a large part is. Negatives of the same
    depth are hard in the right way only when siblings-by-ancestry are left out: in Echinodermata
    51 % of such draws contradict the closure.

    How to fix:
    Leave out the anchor's descendants, which two comparisons on the entry and exit times of a
    depth-first walk decide, then declare ``[dataset] sampler = "same-depth-filtered"``:

        false = (entry[a] < entry[pool]) & (entry[pool] < entry[a] + size[a])
        pool = pool[~false]

    For pairs with the root nothing is left: draw no negatives, or take the anchor from below.

    Known exceptions:
    Negatives of the descendant (is x an ancestor of d?) are another question, with few false ones.
    Without a declared sampler the number is what a same-depth sampler would meet.

    References:
    - Robinson et al. 2021, hard negative samples: https://arxiv.org/abs/2010.04592
    - Chuang et al. 2020, debiased contrastive learning: https://arxiv.org/abs/2007.00224
    """
    risk = tree.false_negative_risk
    if risk is None:
        raise Skip(f"the risk is not computed for this hierarchy ({tree.kind})")
    unfiltered = dataset.sampler == "same-depth"
    found = risk > threshold["risk"] and dataset.sampler != "same-depth-filtered"
    verb = "draws" if unfiltered else "would draw"
    return Finding(
        found=found,
        message=f"a same-depth sampler {verb} a true descendant of the anchor in {percent(risk)} "
        "of its negatives"
        + (", filtered out as declared" if dataset.sampler == "same-depth-filtered" else ""),
        severity=Severity.WARN if found and unfiltered else None,
        observed={"risk": risk, "sampler": dataset.sampler},
        samples=(Sample({"share of false negatives": risk}),) if found else (),
        impact=f"{percent(risk)} of the negatives contradict the pairs that are being trained."
        if found and unfiltered
        else None,
        fix="leave the anchor's descendants out of the pool, ``pool = np.setdiff1d(pool, "
        'descendants_of[anchor])``, and declare ``[dataset] sampler = "same-depth-filtered"``'
        if found
        else None,
    )
