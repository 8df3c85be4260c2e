"""PAIR009: how training draws are spread over depths, and whether the hierarchy is why."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from taxcheck.model.arrays import IntArray, distinct, in_ranges
from taxcheck.model.finding import Finding, Observed, Severity, Skip
from taxcheck.model.rule import Threshold, rule
from taxcheck.model.vocabulary import FAR, percent
from taxcheck.policy.model import Dataset
from taxcheck.statistics.values import ClosureStatistics, DepthStatistics, HierarchyStatistics, Kind

# The three ranges in which the literature and the incident speak of distances.
_LISTED_DEPTHS = 64


def _shares(depths: IntArray, counts: IntArray) -> list[float]:
    """Parts of the pairs in each of the ranges of depths."""
    return [float(part) for part in in_ranges(depths, counts) / max(int(counts.sum()), 1)]


def _departure(depth: DepthStatistics, own: IntArray) -> float:
    """Total variation distance of two histograms over depths, 0 (same) to 1 (disjoint)."""
    depths = distinct(np.r_[depth.depths, np.arange(len(own))])
    here = np.zeros(len(depths))
    here[np.searchsorted(depths, depth.depths)] = depth.counts / depth.counts.sum()
    there = np.zeros(len(depths))
    there[np.searchsorted(depths, np.arange(len(own)))] = own / own.sum()
    return float(np.abs(here - there).sum() / 2)


def _own_histogram(tree: HierarchyStatistics, dataset: Dataset) -> IntArray | None:
    """What the declared intent expects by depth; None where no histogram can be expected.

    In a DAG a distance is a convention (shortest, longest), so that a departure says nothing; a
    sampled set is free to depart.
    """
    if dataset.pairs == "sampled" or tree.kind is Kind.DAG or tree.closure_depths is None:
        return None
    cap = dataset.depth_cap
    own = tree.closure_depths if cap is None else tree.closure_depths[: cap + 1]
    return own if own.sum() else None


def _held_out_share(closure: ClosureStatistics) -> float:
    """Part of the proved pairs that must be held out, since training does not have as many.

    Taking that part away shifts a histogram by at most as much in total variation, so a split
    explains a departure up to it.
    """
    held = closure.expected - closure.missing.count - closure.distinct
    return held / (held + closure.distinct) if held > 0 else 0.0


@rule(
    "PAIR009",
    "info",
    about="pairs",
    thresholds={
        "parent_share": Threshold(
            0.20,
            "told where parent-child pairs are less than this share",
            "parent-child share: all of NCBI 5.5 %, Mammalia 9.6 %, WordNet nouns 11.4 %, "
            "Echinodermata 11.6 %, Cnidaria 15.0 %",
            bounds="depth 1",
            at_most=False,
        ),
        "departure": Threshold(
            0.05,
            "a warning where the total variation distance to the hierarchy's own histogram is more",
            "Echinodermata, Mammalia, all of NCBI: 0; the incident: 0.57",
            bounds="departure from the hierarchy's own",
        ),
        "deep_share": Threshold(
            0.65,
            "a warning where a uniform sampler is declared and more pairs than this are deeper "
            "than 5",
            "all of NCBI 72.6 %, the incident 73.9 %; Mammalia 51.9 %, Echinodermata 42.1 %",
            bounds="deeper than 5",
        ),
    },
    caused_by=(
        "MAP005",
        "PAIR014",
        "MAP007",
        "MAP003",
        "PAIR015",
        "PAIR007",
        "PAIR008",
        "PAIR003",
        "TREE001",
        "TREE007",
        "TREE004",
    ),
    pictures=("depths", "draws"),
    beyond_repair=(
        "how draws are spread is the sampler's matter; no row is wrong",
        "--oversample, --target-share or --cap-depth",
    ),
    descriptive=True,
)
def depth_imbalance(
    depth: DepthStatistics,
    tree: HierarchyStatistics,
    closure: ClosureStatistics,
    dataset: Dataset,
    threshold: Mapping[str, float],
) -> Finding:
    """Distant pairs crowd out parent-child pairs.

    A node at depth k has one parent and k ancestors, so the closure of a deep hierarchy is made of
    distant pairs even where nothing is wrong: all of NCBI has 5.5 % at depth 1, 21.9 % at depth 2
    to 5 and 72.6 % deeper. That is told and not blamed. It is a warning where the pairs depart from
    the histogram that the closure of their own depth-1 pairs has, or where the policy declares a
    sampler that draws pairs uniformly and most are deeper than 5. The effective number of depths
    is the exponential of the histogram's entropy.

    Why it matters:
    Drawn uniformly, three of four updates on NCBI relate a leaf to something far above it, which
    the root's region satisfies for all leaves alike; the few updates that separate siblings and
    tie children to parents are outvoted, and nodes are pushed to the boundary. Where the histogram
    is not the hierarchy's own, rows are missing at some depths: mostly parents, whose chains are
    then broken as well.

    How to fix:
    Leave the pairs as they are and balance the draws over the three ranges; then declare it,
    ``[dataset] sampler = "balanced"``:

        reach = pd.cut(pairs["depth_diff"], [0, 1, 5, np.inf])
        weight = 1 / pairs.groupby(reach, observed=True)["depth_diff"].transform("size")
        sampler = torch.utils.data.WeightedRandomSampler(weight.to_numpy(), len(pairs))

    An equal weight for every single depth is no help where there are many: with 37 depths it gives
    parent-child pairs 1 in 37 draws, 2.7 %, fewer than the 6.1 % that they have in the incident.

    Where the histogram departs, repair TREE007 and TREE004 first: a sampler cannot restore pairs.

    Known exceptions:
    With ``pairs = "sampled"`` any histogram may be meant, and in a DAG the distance of a pair is a
    convention, so no departure is judged. A closure that lost pairs evenly over all depths keeps
    its histogram: that loss is TREE004's. Where pairs are held out, the threshold grows by their
    share.

    References:
    - Nickel & Kiela 2017, training on the closure: https://arxiv.org/abs/1705.08039
    - Sala et al. 2018, local against global distortion: https://arxiv.org/abs/1804.03329
    - Hill 1973, effective numbers: https://doi.org/10.2307/1934352
    """
    total = int(depth.counts.sum())
    if not total:
        raise Skip("no pair has a depth")
    if tree.flat:
        raise Skip("all distances are 1, which tells no depth of what is no list of edges")
    near, middle, far = _shares(depth.depths, depth.counts)
    p = depth.counts[depth.counts > 0] / total
    own = _own_histogram(tree, dataset)
    departure = None if own is None else _departure(depth, own)
    allowed = threshold["departure"] + _held_out_share(closure)
    departs = departure is not None and departure > allowed
    outvoted = dataset.sampler == "uniform" and far > threshold["deep_share"]
    told = near < threshold["parent_share"] and dataset.sampler != "balanced"
    found = departs or outvoted or told
    message = (
        f"{percent(near)} of {total:,} pairs are at depth 1, {percent(middle)} at depth 2 to 5, "
        f"{percent(far)} deeper"
    )
    if own is not None and departs:
        shape = ", ".join(percent(share) for share in _shares(np.arange(len(own)), own))
        message += f"; the closure of their own depth-1 pairs has {shape}"
    elif departure is not None:
        message += ": the shape of the hierarchy itself"
    if outvoted:
        message += "; the declared sampler draws them uniformly"
    listed = zip(depth.depths[:_LISTED_DEPTHS], depth.counts[:_LISTED_DEPTHS], strict=True)
    observed: dict[str, Observed] = {
        "depth 1": near,
        "depth 2 to 5": middle,
        "deeper than 5": far,
        "mean depth": depth.mean,
        "median depth": depth.median,
        "largest depth": depth.maximum,
        "effective number of depths": float(np.exp(-(p * np.log(p)).sum())),
        "departure from the hierarchy's own": departure,
        "histogram": {str(k): int(count) for k, count in listed},
    }
    balance = (
        'draw with ``weight = 1 / pairs.groupby(pd.cut(pairs["depth_diff"], [0, 1, 5, np.inf]), '
        'observed=True)["depth_diff"].transform("size")`` and declare ``[dataset] sampler = '
        '"balanced"``'
    )
    return Finding(
        found=found,
        message=message,
        severity=Severity.WARN if departs or outvoted else None,
        count=int(depth.counts[depth.depths > FAR].sum()),
        total=total,
        observed=observed,
        impact=f"Drawn uniformly, {percent(far)} of the draws are pairs deeper than 5 and "
        f"{percent(near)} are parent and child.",
        fix=(
            f"repair TREE007 and TREE004 first, no sampler restores pairs; then {balance}"
            if departs
            else balance
        ),
    )
