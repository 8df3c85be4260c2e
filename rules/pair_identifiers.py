"""PAIR010 and PAIR014: taxids and idx that were joined wrongly when the pairs were built."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from taxcheck.model.finding import Finding, Sample, Skip
from taxcheck.model.rule import Repair, Threshold, rule
from taxcheck.statistics.values import MappingStatistics, PairStatistics

from .mapping_rows import needs_mapping
from .pair_coverage import covered
from .wording import first, judged, part

_SAMPLES = 20


@rule("PAIR010", "fail", about="pairs", caused_by=("MAP005", "MAP007"), repair=(Repair.LABELS,))
def taxid_disagreement(mapping: MappingStatistics, pairs: PairStatistics) -> Finding:
    """A pair's taxid and idx are not joined by the mapping.

    Judged row by row and for both ends, where the pairs carry taxid columns beside the idx.

    Why it matters:
    The pairs were numbered with another mapping than the one given, so each vector will be read
    under a stranger's name. Training itself looks healthy: the geometry is right and the labels
    are not.

    How to fix:
    Number the pairs again from the mapping that will be shipped with the embedding:

        index_of = dict(zip(mapping["taxid"], mapping["idx"]))
        pairs["ancestor_idx"] = pairs["ancestor_taxid"].map(index_of)
        pairs["descendant_idx"] = pairs["descendant_taxid"].map(index_of)

    Known exceptions:
    A count of 0 does not prove that the pairs are complete: in the incident of PAIR014 every row
    agreed, because the same loader read the columns rightly in its second half.

    References:
    - pandas.Series.map: https://pandas.pydata.org/docs/reference/api/pandas.Series.map.html
    """
    needs_mapping(mapping)
    bad = pairs.taxid_disagreement
    if bad is None:
        raise Skip(
            "the pairs have no taxid columns: nothing here says that their idx mean the taxids "
            "that the mapping gives to them"
        )
    return judged(
        bad,
        f"{part(bad.count, bad.total, 'rows')} {'joins' if bad.count == 1 else 'join'} a taxid to "
        f"an idx that the mapping gives to another{first(bad.samples)}",
        f"taxid and idx agree with the mapping in all {bad.total:,} rows",
        impact=f"{part(bad.count, bad.total, 'pairs')} will train the row of another taxon.",
        fix='``pairs["descendant_idx"] = pairs["descendant_taxid"].map('
        'dict(zip(mapping["taxid"], mapping["idx"])))``, and likewise ancestor_idx',
    )


@rule(
    "PAIR014",
    "fail",
    about="pairs",
    thresholds={
        "covered_below": Threshold(
            0.99,
            "least share of the nodes with taxid < n_nodes that are in a pair",
            "the incident, rebuilt from NCBI 2024-09-07: 81,868 of 81,868",
        ),
        "covered_above": Threshold(
            0.01,
            "largest share of the nodes with taxid >= n_nodes that are in a pair",
            "the incident, rebuilt from NCBI 2024-09-07: 0 of 28,610",
        ),
        "group": Threshold(
            100,
            "least number of nodes on either side of the cut",
            "Mammalia: 805 of its 14,190 taxids lie below 14,190; Cnidaria: 80 of 15,716",
        ),
    },
    pictures=("taxid_axis",),
    judges="taxid_axis",
    repair=(Repair.CUT_NODES,),
)
def index_range_as_taxids(
    mapping: MappingStatistics, pairs: PairStatistics, threshold: Mapping[str, float]
) -> Finding:
    r"""Idx values were used as the set of valid taxids: the mapping was read in the wrong order.

    Nodes are divided by their taxid at n_nodes. If nearly all below are in pairs and nearly none
    above, then membership was tested against idx values: no property of organisms follows a number
    that happens to be the size of the table. No taxid columns are needed in the pairs.

    Why it matters:
    Every taxon whose taxid is at least n_nodes is thrown away, with all its pairs, and nothing in
    the rows that remain is wrong: taxids agree with idx, no pair is false, the loss falls. Yet a
    quarter of the nodes is never trained, chains from root to leaf lose their inner nodes, and
    repairs downstream, such as a larger table, treat a symptom. In the incident 81,868 of 81,868
    nodes below the cut were covered and 0 of 28,610 above.

    How to fix:
    A headerless mapping file holds taxid, then idx. Where the loader names its columns the other
    way round, or unpacks them so, change that line and test against the taxids:

        mapping = pd.read_csv(path, sep="\t", names=["taxid", "idx"])
        valid = set(mapping["taxid"])

    then build the pairs again. Adding rows or self pairs to what is there repairs nothing.

    Known exceptions:
    Identifiers that are text, and mappings with few taxids on one side of the cut, cannot show the
    pattern; the rule is then skipped. A data set that is meant to leave out every taxid from
    n_nodes on has not been seen.

    References:
    - pandas.read_csv, the argument names:
      https://pandas.pydata.org/docs/reference/api/pandas.read_csv.html
    - NCBI taxonomy dump: taxids are stable and sparse, so they are no indices:
      https://ftp.ncbi.nlm.nih.gov/pub/taxonomy/taxdump_readme.txt
    """
    needs_mapping(mapping)
    taxids = mapping.identifiers.integers
    if taxids is None:
        raise Skip("the identifiers are text, so they cannot have been taken for idx")
    inside = covered(mapping, pairs)
    cut = mapping.n_nodes
    low, high = mapping.mapped & (taxids < cut), mapping.mapped & (taxids >= cut)
    below, above = int(np.count_nonzero(low)), int(np.count_nonzero(high))
    covered_below = int(np.count_nonzero(low & inside))
    covered_above = int(np.count_nonzero(high & inside))
    lost = mapping.nodes - covered_below - covered_above
    if lost and min(below, above) < threshold["group"]:
        raise Skip(
            f"{below:,} mapped taxids lie below n_nodes = {cut:,} and {above:,} above: too few "
            "on one side to show a cut"
        )
    found = (
        lost > 0
        and covered_below >= threshold["covered_below"] * below
        and covered_above <= threshold["covered_above"] * above
    )
    evidence = (
        f"{covered_below:,} of {below:,} nodes with taxid below {cut:,} are in a pair, "
        f"{covered_above:,} of {above:,} above"
    )
    missed = np.flatnonzero(high & ~inside)[:_SAMPLES] if found else np.empty(0, np.int64)
    return Finding(
        found=found,
        message="idx values were used as the set of valid taxids: the mapping's columns were read "
        f"in the wrong order when the pairs were built: {evidence}"
        if found
        else evidence,
        count=above - covered_above if found else 0,
        total=mapping.nodes,
        observed={
            "cut at taxid": cut,
            "nodes below": below,
            "covered below": covered_below,
            "nodes above": above,
            "covered above": covered_above,
        },
        samples=tuple(
            Sample(
                {"idx": int(k), "taxid": int(taxids[k])},
                row=int(mapping.row_of[k]),
                node=int(k),
                taxid=int(taxids[k]),
                table="mapping",
            )
            for k in missed
        ),
        impact=f"{part(lost, mapping.nodes, 'nodes')} will never be trained.",
        fix='read the mapping with ``pd.read_csv(path, sep="\\t", names=["taxid", "idx"])``, test '
        'against ``valid = set(mapping["taxid"])``, then build the pairs again; or have '
        "``taxcheck fix ... --taxonomy taxdump/ --out fixed/`` build them, and idx stay",
    )
