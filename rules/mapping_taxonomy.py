"""MAP006, MAP008 and MAP009: the mapped taxa held against a given taxonomy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from taxcheck.model.finding import Finding, Skip
from taxcheck.model.rule import Repair, Threshold, rule
from taxcheck.model.vocabulary import percent, plural
from taxcheck.policy.model import Dataset
from taxcheck.statistics.values import TaxonomyStatistics

from .wording import be, first, have, judged, part, reasons


@rule("MAP006", "warn", about="mapping", caused_by=("MAP005",), repair=(Repair.SUCCESSORS,))
def unknown_taxid(taxonomy: TaxonomyStatistics) -> Finding:
    """Mapped identifiers are not in the given taxonomy.

    Three kinds are told apart: merged (the taxonomy names a successor), deleted, and absent, which
    it has never heard of.

    Why it matters:
    What is not in the taxonomy has no name, no rank and no lineage there, so the pairs of such a
    node cannot be checked against it. A few merged taxids say that the mapping is older than the
    dump; many absent ones say that the column read as identifiers is not one, or that the wrong
    taxonomy was given.

    How to fix:
    Give the dump from which the mapping was made, or carry the mapping forward: replace merged
    taxids by their successors in ``merged.dmp``, drop deleted ones, and build the pairs again.

        merged = pd.read_csv("merged.dmp", sep="|", header=None, usecols=[0, 1]).astype(int)
        mapping["taxid"] = mapping["taxid"].replace(dict(merged.values))

    Known exceptions:
    A mapping that adds nodes of its own, such as a synthetic root, has identifiers that no dump
    knows. NCBI updates the taxonomy daily, so a mapping from another day may differ by a handful.

    References:
    - NCBI taxonomy dump, merged.dmp and delnodes.dmp:
      https://ftp.ncbi.nlm.nih.gov/pub/taxonomy/taxdump_readme.txt
    - Schoch et al. 2020, NCBI Taxonomy: https://doi.org/10.1093/database/baaa062
    """
    bad = taxonomy.unknown
    dump = f"{Path(taxonomy.source).name} ({taxonomy.version})"
    return judged(
        bad,
        f"{part(bad.count, bad.total, 'mapped identifiers')} {be(bad.count)} not in {dump}"
        f"{reasons(bad.detail)}{first(bad.samples)}",
        f"all {bad.total:,} mapped identifiers are in {dump}",
        observed={"taxonomy": taxonomy.source, "version": taxonomy.version, "taxa": taxonomy.taxa},
        fix="give the dump of the mapping's day (``--taxonomy``), or replace merged taxids by "
        'their successors, ``mapping["taxid"] = mapping["taxid"].replace(dict(merged.values))`` '
        "with the first two columns of ``merged.dmp``, drop deleted ones, and build the pairs "
        "again",
    )


@rule(
    "MAP008",
    "info",
    about="mapping",
    thresholds={
        "share": Threshold(
            0.10,
            "told from this share of the mapped nodes",
            "share of such names: Mammalia 31 %, Mollusca 46 %, Echinodermata 54 %, Cnidaria 61 %",
            bounds="share",
        )
    },
    caused_by=("MAP005",),
)
def noise_taxon(taxonomy: TaxonomyStatistics, threshold: Mapping[str, float]) -> Finding:
    r"""Many mapped taxa have no settled identity: 'sp.', 'cf.', environmental, unclassified.

    Names are read for the marks that curators use: open nomenclature ('sp.', 'cf.', 'aff.'),
    environmental, uncultured and unidentified organisms, and containers called 'unclassified'.

    Why it matters:
    Such a node hangs where it was deposited rather than where it belongs: 'Ophiuroidea sp.' is a
    child of its class, beside the orders, and an 'unclassified' container groups what its members
    do not share. They are nearly all leaves, so they take a large part of the pairs and of the
    evaluation, and a model that places them well has learned nothing about the groups.

    How to fix:
    Decide whether they belong to the question. To leave them out, drop them before numbering:

        noise = r"\b(?:sp|cf|aff)\.|environmental|uncultured|unidentified|unclassified"
        names = names[~names["name"].str.contains(noise)]

    then build mapping and pairs from what is left, and compare both on the same evaluation.

    Known exceptions:
    Sequence classification needs them: a barcode is often filed under such a name. This is half of
    the NCBI taxonomy and no error, so it is shown and never colours the verdict.

    References:
    - Schoch et al. 2020, NCBI Taxonomy, on unclassified and informal names:
      https://doi.org/10.1093/database/baaa062
    - Sigovini et al. 2016, Open nomenclature in the biodiversity era:
      https://doi.org/10.1111/2041-210X.12594
    """
    noise = taxonomy.noise
    if noise is None:
        raise Skip("the taxonomy has no names")
    found = noise.count > 0 and noise.share >= threshold["share"]
    return Finding(
        found=found,
        message=f"{part(noise.count, noise.total, 'mapped nodes')} {have(noise.count)} no settled "
        f"identity by {'its name' if noise.count == 1 else 'their names'}{reasons(noise.detail)}",
        count=noise.count,
        total=noise.total,
        observed={"share": noise.share, "by kind": dict(noise.detail)},
        samples=noise.samples,
        fix="if the question does not need them, drop them before numbering: "
        '``names = names[~names["name"].str.contains(noise)]`` with '
        r'``noise = r"\b(?:sp|cf|aff)\.|environmental|uncultured|unidentified|unclassified"``',
    )


@rule(
    "MAP009",
    "warn",
    about="mapping",
    caused_by=("MAP005", "PAIR014", "MAP003"),
    repair=(Repair.ANCESTORS,),
)
def not_ancestor_closed(taxonomy: TaxonomyStatistics, dataset: Dataset) -> Finding:
    """Mapped nodes have a parent, in the taxonomy, that is not mapped.

    The mapping of a whole clade has exactly one such node, the clade's root; with declared roots
    it may have as many as those.

    Why it matters:
    Where a parent is missing the chain from root to leaf is cut. Everything below hangs in the air
    as a tree of its own, its distance to the rest is arbitrary, and pairs across the gap either
    vanish or skip a level. In a training set cut from the first 100,000 edges in taxid order,
    2,193 nodes had lost their parent; adding 1,427 nodes would have closed it.

    How to fix:
    Close the set of taxids upwards before numbering it, then build the pairs:

        while missing := {parent[t] for t in taxids} - taxids:
            taxids |= missing

    or choose the nodes as whole clades. Where several roots are meant, name them in the policy:
    ``[dataset] roots = [7586, 6073]``.

    Known exceptions:
    A mapping that leaves out ranks on purpose (for example only the seven main ranks) is not
    closed in the full taxonomy; give the reduced taxonomy instead.

    References:
    - NCBI taxonomy dump, nodes.dmp: https://ftp.ncbi.nlm.nih.gov/pub/taxonomy/taxdump_readme.txt
    """
    outside = taxonomy.parent_outside
    allowed = max(1, len(dataset.roots))
    found = outside.count > allowed
    lost = part(outside.count, outside.total, "mapped nodes")
    roots = "the root" if allowed == 1 else f"{allowed:,} declared roots"
    return Finding(
        found=found,
        message=f"{lost} {have(outside.count)} a parent outside the mapping; closing it upwards "
        f"adds {plural(taxonomy.closing_adds, 'node')}{first(outside.samples)}"
        if found
        else f"the mapping holds the parent of every node but {roots}",
        count=outside.count if found else 0,
        total=outside.total,
        observed={
            "parents outside": outside.count,
            "roots allowed": allowed,
            "nodes that closing adds": taxonomy.closing_adds,
            "cut off": percent(outside.share),
        },
        samples=outside.samples,
        fix="``taxcheck fix ... --taxonomy taxdump/ --out fixed/`` adds them at the end, "
        "and no old idx changes; or close the set of taxids upwards before numbering it: "
        "``while missing := {parent[t] for t in taxids} - taxids: taxids |= missing``",
    )
