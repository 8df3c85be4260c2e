"""PAIR012 and PAIR013: what was held out and is trained on, and negatives that are positives."""

from __future__ import annotations

from collections.abc import Mapping

from taxcheck.model.finding import Defect, Finding, Sample, Severity, Skip
from taxcheck.model.rule import Repair, Threshold, rule
from taxcheck.model.vocabulary import percent, plural
from taxcheck.policy.model import Dataset
from taxcheck.statistics.values import HeldOutStatistics, HierarchyStatistics

from .wording import be, first, have, part, reasons


@rule("PAIR012", "fail", about="pairs", repair=(Repair.HELD_OUT,))
def split_leak(held_out: HeldOutStatistics) -> Finding:
    """Held-out pairs are among the training pairs or follow from them, or are no true pairs.

    Exact repetitions and reversed ones are a failure, and so are rows that are no pair of two
    mapped nodes, and pairs or distances that the chains of parent-child pairs contradict. A given
    taxonomy decides the ancestry of the nodes that it knows. Where training and held-out pairs hold
    all that the training pairs imply, a held-out pair fails too whose own implied pairs are in
    neither part: it is wrong, or those are lost. Held-out rows that repeat a pair warn. Pairs that
    follow from the training pairs' own depth-1 edges, and nodes that only the held-out part names,
    are told.

    Why it matters:
    A score on pairs that were trained on measures memory. A reversed copy gives a symmetric
    distance away just as well. Implied pairs are fair only as a test of transitivity: whoever knows
    the training edges can derive them, so they say nothing of unseen relations. A node that
    training never names has the vector of its initialisation, and scores at chance. A false pair
    counts as an error of the model that ranks it low, and rightly so.

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
    if not held_out.rows or (not held_out.valid and not _no_pairs(held_out)):
        raise Skip("the held-out file has no valid pair")
    exact, back, implied = held_out.exact, held_out.reversed, held_out.implied
    leaked = exact.count + back.count
    failed = leaked + held_out.false.count + held_out.lonely.count + _no_pairs(held_out)
    only = held_out.only_held_out
    told = _leaks(held_out, leaked) + _faults(held_out) + _told(held_out)
    offender = _shown(held_out)
    of_pairs = failed or held_out.repeated or implied.count
    soft = Severity.WARN if held_out.repeated else Severity.INFO
    return Finding(
        found=bool(told),
        message="; ".join(told) + first(offender.samples)
        if told
        else f"none of {held_out.valid:,} held-out pairs is in training or follows from it",
        severity=None if failed else soft,
        count=of_pairs or only.count,
        total=held_out.rows if of_pairs else only.total,
        observed={
            "exact": exact.count,
            "reversed": back.count,
            "false": held_out.false.count,
            "implying pairs in no part": held_out.lonely.count,
            "no pairs of mapped nodes": _no_pairs(held_out),
            "repeated": held_out.repeated,
            "implied": implied.count,
            "implied share": implied.count / max(held_out.valid, 1),
            "nodes only held out": only.count,
        },
        samples=exact.samples + back.samples or offender.samples,
        impact=_impact(held_out, leaked) if failed or held_out.repeated else None,
        fix=_fix(leaked, failed) if failed or held_out.repeated else None,
    )


def _no_pairs(held_out: HeldOutStatistics) -> int:
    """Rows that are no pair of two mapped nodes."""
    return held_out.rows - held_out.valid


def _leaks(held_out: HeldOutStatistics, leaked: int) -> list[str]:
    if not leaked:
        return []
    return [
        f"{part(leaked, held_out.valid, 'held-out pairs')} {be(leaked)} in training "
        f"({held_out.exact.count:,} as they are, {held_out.reversed.count:,} reversed)"
    ]


def _faults(held_out: HeldOutStatistics) -> list[str]:
    """What is wrong with held-out rows, whatever training has."""
    told, false = [], held_out.false
    if false.count:
        verb = "contradicts" if false.count == 1 else "contradict"
        told.append(
            f"{part(false.count, held_out.valid, 'held-out pairs')} {verb} {_judges(false)}"
            f"{reasons(false.detail)}"
        )
    if lonely := held_out.lonely.count:
        told.append(
            f"{part(lonely, held_out.valid, 'held-out pairs')} "
            f"{'implies' if lonely == 1 else 'imply'} pairs that are in no part: wrong, or pairs "
            "of the closure are lost"
        )
    if lost := _no_pairs(held_out):
        told.append(
            f"{part(lost, held_out.rows, 'held-out rows')} {be(lost)} no pair of two mapped nodes"
        )
    if held_out.repeated:
        rows = plural(held_out.repeated, "held-out row")
        told.append(f"{rows} {'repeats' if held_out.repeated == 1 else 'repeat'} a held-out pair")
    return told


def _judges(false: Defect) -> str:
    """What held-out pairs contradict."""
    chains = "the chains of parent-child pairs"
    if not (denied := false.detail.get("taxonomy", 0)):
        return chains
    return "the taxonomy" if denied == false.count else f"the taxonomy or {chains}"


def _shown(held_out: HeldOutStatistics) -> Defect:
    """The defect whose samples are shown: of the worst that is found, where it has any."""
    faults = (held_out.exact, held_out.reversed, held_out.false, held_out.lonely)
    if fault := next((defect for defect in faults if defect.count), None):
        return fault
    if _no_pairs(held_out) or held_out.repeated:
        return Defect(0, held_out.rows)
    return held_out.implied if held_out.implied.count else held_out.only_held_out


def _told(held_out: HeldOutStatistics) -> list[str]:
    """What is no fault, and makes a score of less worth."""
    told, implied, only = [], held_out.implied, held_out.only_held_out
    if implied.count:
        told.append(
            f"{part(implied.count, held_out.valid, 'held-out pairs')} "
            f"{'follows' if implied.count == 1 else 'follow'} from the training edges"
        )
    if only.count:
        told.append(f"{plural(only.count, 'node')} {be(only.count)} in held-out pairs only")
    return told


def _impact(held_out: HeldOutStatistics, leaked: int) -> str:
    if leaked:
        return (
            f"{part(leaked, held_out.valid, 'held-out pairs')} {have(leaked)} been seen in "
            "training: their score measures memory."
        )
    if count := held_out.false.count:
        pairs = part(count, held_out.valid, "held-out pairs")
        return f"{pairs} will be scored, against {_judges(held_out.false)}."
    if count := held_out.lonely.count:
        pairs = part(count, held_out.valid, "held-out pairs")
        return f"{pairs} may be wrong: no part has what they imply."
    if lost := _no_pairs(held_out):
        return f"{part(lost, held_out.rows, 'held-out rows')} cannot be scored."
    return f"{plural(held_out.repeated, 'pair')} will count more than once in the scores."


def _fix(leaked: int, failed: int) -> str:
    if leaked:
        return (
            "drop the held-out pairs from the training pairs: ``train = train[~pd.MultiIndex"
            ".from_frame(train[key]).isin(pd.MultiIndex.from_frame(held_out[key]))]`` with "
            '``key = ["ancestor_idx", "descendant_idx"]``, then once more with '
            "``held_out[key[::-1]]``"
        )
    if not failed:
        return '``held_out.drop_duplicates(["ancestor_idx", "descendant_idx"])``'
    return "hold out pairs of the closure, with its distances and the idx of the same mapping"


@rule(
    "PAIR013",
    "info",
    about="pairs",
    thresholds={
        "risk": Threshold(
            0.05,
            "told where more than this share of a same-depth pool are true descendants",
            "Cnidaria 30.6 %, Mollusca 37.3 %, Echinodermata 51.2 %, Mammalia 54.4 %",
            bounds="risk",
        )
    },
    beyond_repair=(
        "the sampler takes negatives unfiltered; no row is wrong",
        'a sampler that filters them, declared by [dataset] sampler = "same-depth-filtered"',
    ),
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
        severity=Severity.WARN if unfiltered else None,
        observed={"risk": risk, "sampler": dataset.sampler},
        samples=(Sample({"share of false negatives": risk}),),
        impact=f"{percent(risk)} of the negatives contradict the pairs that are being trained."
        if unfiltered
        else None,
        fix="leave the anchor's descendants out of the pool, ``pool = np.setdiff1d(pool, "
        'descendants_of[anchor])``, and declare ``[dataset] sampler = "same-depth-filtered"``',
    )
