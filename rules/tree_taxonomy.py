"""TREE006, TREE008 and TREE009: what files and taxonomies state of depth, rank and ancestry."""

from __future__ import annotations

from pathlib import Path

from taxcheck.model.finding import Finding, Skip
from taxcheck.model.rule import Repair, rule
from taxcheck.model.vocabulary import plural
from taxcheck.policy.model import Dataset
from taxcheck.statistics.values import DepthStatistics, TaxonomyStatistics

from .tree_closure import BROKEN_CHAINS, MISREAD
from .wording import be, first, have, judged, part


@rule(
    "TREE006",
    "fail",
    about="tree",
    caused_by=("MAP003", "PAIR015", "PAIR007"),
    repair=(Repair.DEPTHS,),
)
def inconsistent_depth(depth: DepthStatistics) -> Finding:
    """One node is given two depths in the file.

    A node's depth is compared over all rows in which it occurs, as ancestor and as descendant.

    Why it matters:
    Depth sets target radii, levels of negatives and weights. A node with two depths is asked to be
    at two radii, and whichever row was read last decides. It is a sign that two builds, or two
    releases of the taxonomy, were joined in one file.

    How to fix:
    Compute depth once per node and join it to both ends:

        depth_of = dict(zip(nodes["idx"], nodes["depth"]))
        pairs["ancestor_depth"] = pairs["ancestor_idx"].map(depth_of)
        pairs["descendant_depth"] = pairs["descendant_idx"].map(depth_of)

    Known exceptions:
    None: in a DAG too a node has one depth, its shortest distance from a root. A column that holds
    the length of each row's own path is a distance and belongs in depth_diff.

    References:
    - Nickel & Kiela 2018, hierarchy and distance from the root: https://arxiv.org/abs/1806.03417
    """
    bad = depth.inconsistent
    if bad is None:
        raise Skip("the pairs have neither ancestor_depth nor descendant_depth")
    return judged(
        bad,
        f"{part(bad.count, bad.total, 'nodes')} {have(bad.count)} more than one depth"
        f"{first(bad.samples)}",
        f"each of {bad.total:,} nodes has one depth",
        impact=f"{part(bad.count, bad.total, 'nodes')} {be(bad.count)} asked to be at two radii.",
        fix='``pairs["descendant_depth"] = pairs["descendant_idx"].map(depth_of)``, and likewise '
        'ancestor_depth, from one table: ``depth_of = dict(zip(nodes["idx"], nodes["depth"]))``; '
        "``taxcheck fix ... --out fixed/`` does so",
    )


@rule(
    "TREE008",
    "warn",
    about="tree",
    caused_by=("MAP005", "PAIR015", "MAP003", "PAIR007"),
    beyond_repair=(
        "the taxonomy itself has the finer rank above",
        "another dump, if it is the dump that is wrong",
    ),
)
def rank_inversion(taxonomy: TaxonomyStatistics) -> Finding:
    """A parent has a finer rank than its child, such as a genus above a family.

    Judged are edges between taxa that both have a rank with a place in the order; 'no rank' and
    'clade' are passed over.

    Why it matters:
    Ranks are what curators agreed on, so an inverted edge is nearly always one that was built the
    wrong way round, or between the wrong taxa. Evaluation by class or family then draws its labels
    from below the group that it means.

    How to fix:
    Check the direction of the pairs (PAIR015) and the mapping's columns (MAP005) first; then look
    the listed edges up in the dump, and correct those that it does not hold.

    Known exceptions:
    Ranks do not order a taxonomy strictly: an unranked clade may stand anywhere, and curators move
    faster than ranks. Edges that the dump itself holds so are told all the same.

    References:
    - Schoch et al. 2020, NCBI Taxonomy, on ranks: https://doi.org/10.1093/database/baaa062
    """
    bad = taxonomy.rank_inversion
    if bad is None:
        raise Skip("the taxonomy has no ranks")
    return judged(
        bad,
        f"{part(bad.count, bad.total, 'edges between ranked taxa')} {have(bad.count)} the finer "
        f"rank above{first(bad.samples)}",
        f"ranks descend along all {bad.total:,} edges between ranked taxa",
        observed={"taxonomy": taxonomy.source, "version": taxonomy.version},
        fix="look the listed edges up in ``nodes.dmp``; where it holds them the other way round "
        "exchange the two columns of the pairs, where it lacks them build the pairs again from it",
    )


@rule(
    "TREE009",
    "fail",
    about="tree",
    caused_by=(*MISREAD, "PAIR010", *BROKEN_CHAINS, "TREE004", "TREE005"),
    repair=(Repair.TAXONOMY,),
)
def disagrees_with_taxonomy(taxonomy: TaxonomyStatistics, dataset: Dataset) -> Finding:
    """The pairs and the given taxonomy disagree on who descends from whom.

    Counted are pairs whose ancestry the taxonomy does not hold and, where a closure is meant, pairs
    that it holds among the mapped nodes and the file lacks. Ancestry alone is compared, never
    distances, so a taxonomy with more levels in between agrees.

    Why it matters:
    Only this rule proves the data against something outside it: a file can be consistent in itself
    and wrong throughout, or complete above its broken chains and empty elsewhere. Pairs that the
    taxonomy lacks teach a false lineage; those that the file lacks are drawn as negatives.

    How to fix:
    Compare the date of the dump with that of the data first, and give the dump of the same day. If
    they agree, build the pairs again from that dump, one walk from every mapped node to its root.
    ``taxcheck run ... --failures out/`` lists the rows that disagree.

    Known exceptions:
    NCBI revises lineages daily, so another day's dump disagrees on a few clades. With
    ``pairs = "edges"``, ``"sampled"`` or ``"depth<=k"`` missing pairs are told and not judged.

    References:
    - Schoch et al. 2020, NCBI Taxonomy: https://doi.org/10.1093/database/baaa062
    - NCBI taxonomy dump, nodes.dmp: https://ftp.ncbi.nlm.nih.gov/pub/taxonomy/taxdump_readme.txt
    """
    bad = taxonomy.disagreement
    if bad is None:
        raise Skip("there are no pairs to hold against the taxonomy")
    lacking = taxonomy.missing if dataset.pairs == "closure" else 0
    count, total = bad.count + lacking, bad.total + lacking
    dump = f"{Path(taxonomy.source).name} ({taxonomy.version})"
    told = []
    if bad.count:
        told.append(
            f"{part(bad.count, bad.total, 'pairs')} {be(bad.count)} no ancestry in {dump}"
            f"{first(bad.samples)}"
        )
    if lacking:
        told.append(
            f"{plural(lacking, 'pair')} that {'it' if told else dump} holds among the mapped nodes "
            f"{be(lacking)} missing"
        )
    found = count > 0
    return Finding(
        found=found,
        message="; ".join(told) if found else f"all {bad.total:,} pairs agree with {dump}",
        count=count,
        total=total,
        observed={
            "taxonomy": taxonomy.source,
            "version": taxonomy.version,
            "pairs that the taxonomy lacks": bad.count,
            "pairs that the file lacks": taxonomy.missing,
        },
        samples=bad.samples,
        impact=f"{part(count, total, 'pairs')} of the file or the taxonomy "
        f"{be(count)} not in both.",
        fix="give ``--taxonomy`` the dump of the day on which the data was built; if it is that "
        "one, ``taxcheck fix ... --taxonomy taxdump/ --out fixed/`` builds the pairs again, "
        "one walk from every mapped node to its root",
    )
