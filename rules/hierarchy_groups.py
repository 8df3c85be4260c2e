"""HIER005, HIER006 and HIER009: whether clades, classes and siblings hold together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from taxcheck.audit.nested import explaining
from taxcheck.model.finding import Finding, Sample, Skip
from taxcheck.model.rule import Threshold, rule
from taxcheck.model.vocabulary import never_trained, plural
from taxcheck.model.vocabulary import score as figure

from .scoring import SCORE_CAUSES, against_nulls, needed, strong
from .wording import part

if TYPE_CHECKING:
    from taxcheck.audit.exchanges import Exchanges
    from taxcheck.audit.values import CladeSpread, HierarchyScores, Score

_SAMPLES = 20


@rule(
    "HIER005",
    "warn",
    about="hierarchy",
    thresholds={
        "z": Threshold(
            6,
            "a clade is an outlier where the robust z-score of its spread is beyond this",
            "Echinodermata, 316 of 322 clades: at most 3.6, 3.6 and 4.2 trained by default, dag "
            "and fixed, and 3.6 in 2 dimensions; the first three 3.5, 3.6 and 4.2 in bfloat16, and "
            "in 2 dimensions 5.8. One clade of 10 to 300 nodes scattered at its own radii reaches "
            "11 to 16, 5 to 11 and 3 to 8 there, and one whose rows are one point -38",
        )
    },
    caused_by=SCORE_CAUSES,
    pictures=("clade_spread", "projection"),
    judges="clade_spread",
)
def scattered_group(scores: HierarchyScores, threshold: Mapping[str, float]) -> Finding:
    r"""Some clades spread far more, or far less, than their size and depth explain.

    Clades are all subtrees of ten nodes or more, one inside the other; of more than 2,000 the
    largest, with a taxonomy first those of a main rank. The spread of a clade, the mean distance of
    two of its members (of 64 to 512 drawn ones, where there are more), is held against what its
    number of members, its depth and its height predict over all clades, and against how far those
    of about its depth and height are from that; the residual as a robust z-score names the
    outliers, scattered and tight ones apart, each with the share of its members that were never
    trained. Of outliers one inside the other the highest is named that is as far off as its part;
    one that is less so is an outlier for the part's sake. A clade like which there are fewer than
    five is not judged.

    Why it matters:
    'Some groups tight, others everywhere' is how the incident was first seen, on a projection, long
    after training. A clade that is scattered has members that were not trained, or that hang
    elsewhere in the pairs than in the taxonomy; one that is far too tight has collapsed onto a
    point or a ray, and its members cannot be told apart.

    How to fix:
    Read the share of never-trained members first. Where it is high the pairs lack these nodes
    (PAIR003, EMB006). Where it is low ask for the story of one member:

        taxcheck why "Asterias rubens" --embeddings checkpoint.pt --mapping mapping.tsv \
            --pairs pairs.parquet --taxonomy taxdump/

    and look for a wrong parent (TREE009) or for copies (EMB007).

    Known exceptions:
    A clade whose members differ much in depth spreads more by nature; a few outliers among
    thousands of clades are chance, so read the z-scores and not their number. A container such as
    'unclassified Asteroidea', a node high up with leaves alone, may rightly be tighter than a clade
    of its size and depth. In many dimensions a table trained far out has strangers hardly farther
    apart than kin: there a scattered clade stays below the threshold, and HIER009 sees it sooner.
    Fewer than ten clades give no scale to judge by, and great clades near the root are like no
    others. Where nodes have several parents subtrees
    overlap, and the rule is skipped.

    References:
    - Iglewicz & Hoaglin 1993, robust z-scores, as described by NIST:
      https://www.itl.nist.gov/div898/handbook/eda/section3/eda35h.htm
    - McInnes et al. 2018, UMAP, on which scatter is seen first: https://arxiv.org/abs/1802.03426
    """
    if not scores.clades and scores.spread_level:
        raise Skip(f"no clade was judged ({scores.spread_level})")
    if len(scores.clades) < 10:
        raise Skip(f"{plural(len(scores.clades), 'clade')} of some size: no scale to judge by")
    odd = explaining([c for c in scores.clades if not abs(c.z) <= threshold["z"]])
    scattered = sum(clade.z > 0 for clade in odd)
    total = len(scores.clades)
    largest = max(abs(clade.z) for clade in scores.clades)
    message = (
        f"the spread of all {total:,} clades ({scores.spread_level}) is what size and depth "
        f"predict; the largest |z| is {largest:.1f}"
    )
    if odd:
        message = (
            f"{part(len(odd), total, 'clades')} spread otherwise than size and depth predict "
            f"({scores.spread_level}): {scattered:,} scattered, {len(odd) - scattered:,} tight; "
            f"first: {_told(odd[0])}"
        )
    return Finding(
        found=bool(odd),
        message=message,
        count=len(odd),
        total=total,
        observed={
            "clades": total,
            "level": scores.spread_level,
            "scattered": scattered,
            "tight": len(odd) - scattered,
            "largest |z|": largest,
        },
        samples=tuple(_sample(clade) for clade in odd[:_SAMPLES]),
        impact=f"{plural(len(odd), 'clade')} will look scattered, or be a single point, on every "
        "map of the table.",
        fix="``taxcheck why "
        f"{odd[0].label!r} --embeddings checkpoint.pt --mapping mapping.tsv --pairs "
        "pairs.parquet`` tells where its members hang"
        if odd
        else None,
    )


@rule(
    "HIER006",
    "warn",
    about="hierarchy",
    thresholds={
        "beyond": Threshold(
            1.05,
            "no warning where the separation is beyond every null by this factor and the ranking "
            "exceeds its nulls, though the interval reaches them",
            "Echinodermata, classes of all sizes: 1.17 by default at MAP 1.000 and 1.09 by fixed "
            "at 0.968, intervals from 0.998 and 0.996; 1.00 without learning",
        )
    },
    caused_by=SCORE_CAUSES,
    pictures=("separation", "distances"),
)
def weak_separation(
    scores: HierarchyScores,
    threshold: Mapping[str, float],
    exchanges: Exchanges | None = None,
) -> Finding:
    r"""Classes are no farther apart, for their width, than without learning, or two changed places.

    Mean distance between members of different classes over the mean distance within a class, all
    pairs of classes. It passes when the lower bound of the paired bootstrap exceeds every null, and
    no two subtrees of four nodes or more have each other's rows. Such a pair is looked for where
    subtrees lie far from what is above them, and told where its nodes rank as well as all others
    once the rows are put back, by 0.05 of MAP and three standard errors better than before; rows
    that are another's are counted.

    Why it matters:
    Where classes overlap, whatever reads the table for a group (a classifier, a search, a map)
    mixes them. A value by itself says little: collapsing each class to a ray gives 3.7, better than
    any trained table, and a form that compares each class with the next ones in file order depends
    on that order. Few classes of all sizes leave an interval that reaches the nulls in tables at
    MAP 1.000; where the value is beyond them and the ranking is strong, that is no warning.

    How to fix:
    See HIER005 for the classes that spread, and EMB006 for members without training. Otherwise more
    negatives from other classes, or more dimensions, move classes apart:

        taxcheck run --embeddings checkpoint.pt --mapping mapping.tsv --pairs pairs.parquet \
            --taxonomy taxdump/

    Known exceptions:
    Two subtrees of one shape below one node may change places without a trace. In a DAG none are
    looked for. Without ranks the classes are the subtrees at one depth, which may be large and
    small together. Judge it beside HIER003: separation is easily bought with the loss of everything
    below.

    References:
    - Nickel & Kiela 2017: https://arxiv.org/abs/1705.08039
    - Rousseeuw 1987, silhouettes, distances between and within groups:
      https://doi.org/10.1016/0377-0427(87)90125-7
    """
    if exchanges is not None and exchanges.found:
        return _exchanged(exchanges)
    score = needed(scores.separation, "the separation of classes")
    finding = against_nulls(
        {"separation": score},
        "pairs",
        impact="Classes overlap: they lie no farther apart than in a table that learnt nothing.",
        fix="train with more negatives from other classes",
        unit=f"; classes: {scores.clade_level}" if scores.clade_level else "",
    )
    if finding.found and strong(scores) and _beyond(score, threshold["beyond"]):
        finding = replace(
            finding,
            found=False,
            message=f"{finding.message}: the classes are too few or too unlike for the interval to "
            "tell, and the ranking exceeds its nulls",
            count=0,
            samples=(),
        )
    return _also(finding, {"as the incident's successors compute it": scores.separation_successors})


def _beyond(score: Score, factor: float) -> bool:
    """Whether the value is beyond every null, whatever its interval says."""
    return all(score.value >= factor * null.value for null in score.nulls.values())


def _exchanged(exchanges: Exchanges) -> Finding:
    first, defect = exchanges.found[0], exchanges.defect
    more = f", and {plural(n, 'further pair')}" if (n := len(exchanges.found) - 1) else ""
    return Finding(
        found=True,
        message=f"{' and '.join(first.names)} have each other's rows, {first.rows:,} of "
        f"them{more}: MAP of both {figure(first.map)}, with the rows put back "
        f"{figure(first.mended)}",
        count=defect.count,
        total=defect.total,
        observed={
            "exchanged": {" and ".join(one.names): one.rows for one in exchanges.found},
            "MAP": first.map,
            "MAP, rows put back": first.mended,
        },
        samples=defect.samples,
        impact=f"{plural(defect.count, 'node')} have the neighbours of another clade.",
        fix="see how the table was written: rows of one clade stand where those of another belong",
    )


@rule(
    "HIER009", "warn", about="hierarchy", caused_by=SCORE_CAUSES, pictures=("distances", "scores")
)
def siblings_not_near(scores: HierarchyScores) -> Finding:
    """Siblings are no nearer to each other than random nodes of the same depth.

    The probability that a sibling is nearer than a random node of its depth (area under the curve;
    one half is chance). It passes when the lower bound of the paired bootstrap exceeds every null.

    Why it matters:
    Siblings share all of their ancestors, so a table that holds the hierarchy has them side by
    side. Negatives drawn from the same depth without looking at ancestry push exactly them apart,
    and pairs that are mostly deeper than 5 never pull them together: both were so in the incident.

    How to fix:
    Leave relatives out of the negatives (PAIR013), and balance the draws over depths (PAIR009):

        [dataset]
        sampler = "balanced"

    Known exceptions:
    Where most nodes are only children there are few siblings to judge by; the message says how
    many. A hierarchy of two levels has siblings only.

    References:
    - Robinson et al. 2021, hard negative samples: https://arxiv.org/abs/2010.04592
    - Hanley & McNeil 1982, the area under the curve: https://doi.org/10.1148/radiology.143.1.7063747
    """
    score = needed(scores.siblings, "the nearness of siblings")
    return _also(
        against_nulls(
            {"siblings before others": score},
            "nodes",
            impact="Siblings lie as far from each other as strangers of the same depth.",
            fix="leave relatives out of the negatives (PAIR013) and balance the draws: ``[dataset] "
            'sampler = "balanced"`` once the sampler does so',
        ),
        {f"median distance, {name}": band[2] for name, band in scores.distance_bands.items()},
    )


def _also(finding: Finding, values: Mapping[str, float | None]) -> Finding:
    """The finding with further observed values; what was not computed is left out."""
    known = {name: value for name, value in values.items() if value is not None}
    return replace(finding, observed={**finding.observed, **known})


def _told(clade: CladeSpread) -> str:
    return (
        f"{clade.label} ({plural(clade.size, 'node')}), spread {figure(clade.spread)} against "
        f"{figure(clade.expected)}, {never_trained(clade.never_trained)}"
    )


def _sample(clade: CladeSpread) -> Sample:
    return Sample(
        {
            "clade": clade.label,
            "nodes": clade.size,
            "depth": clade.depth,
            "spread": clade.spread,
            "expected": clade.expected,
            "z": clade.z,
            "never trained": clade.never_trained,
        },
        node=clade.idx,
    )
