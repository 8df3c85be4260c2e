"""The order of taxonomic ranks, and the edges that run against it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from taxcheck.model.arrays import IntArray
from taxcheck.model.finding import Defect, Sample
from taxcheck.sources.taxonomies.taxonomy import Taxonomy
from taxcheck.statistics.offenders import SAMPLES, Offenders, Sink

# Coarse to fine; ranks in one entry stand beside each other. From Schoch et al. 2020, table 1
# (doi:10.1093/database/baaa062), with the ranks that NCBI took up in 2025 (domain, realm, roots).
# Held against all 2.6 million edges of the NCBI taxonomy of 2024-09-07: none is inverted. The ranks
# below forma are names of isolates and types, nested as submitters have them, so they share one.
# 'no rank', 'clade' and any rank that is not listed stand anywhere and are no evidence.
ORDER: tuple[tuple[str, ...], ...] = (
    ("cellular root", "acellular root"),
    ("superkingdom", "domain", "realm"),
    ("subrealm",),
    ("kingdom",),
    ("subkingdom",),
    ("infrakingdom",),
    ("superphylum",),
    ("phylum", "division"),
    ("subphylum", "subdivision"),
    ("infraphylum",),
    ("superclass",),
    ("class",),
    ("subclass",),
    ("infraclass",),
    ("cohort",),
    ("subcohort",),
    ("superorder",),
    ("order",),
    ("suborder",),
    ("infraorder",),
    ("parvorder",),
    ("superfamily",),
    ("family",),
    ("subfamily",),
    ("supertribe",),
    ("tribe",),
    ("subtribe",),
    ("genus",),
    ("subgenus",),
    ("section",),
    ("subsection",),
    ("series",),
    ("subseries",),
    ("species group",),
    ("species subgroup",),
    ("species",),
    ("subspecies",),
    ("varietas", "variety"),
    ("subvariety", "subvarietas"),
    ("forma", "form"),
    (
        "biotype",
        "forma specialis",
        "genotype",
        "isolate",
        "morph",
        "pathogroup",
        "serogroup",
        "serotype",
        "strain",
    ),
)
_PLACE = {rank: place for place, ranks in enumerate(ORDER) for rank in ranks}


def places(rank_names: tuple[str, ...]) -> npt.NDArray[np.int16]:
    """Place of each rank in the order, coarse ranks first; -1 where a rank is no evidence."""
    return np.array([_PLACE.get(name.lower(), -1) for name in rank_names], dtype=np.int16)


def inversions(
    taxonomy: Taxonomy,
    position: IntArray,
    edges: tuple[IntArray, IntArray],
    sink: Sink | None = None,
) -> Defect | None:
    """Edges (parents, children), by idx, whose parent has the finer rank.

    ``position`` (n_nodes,) is the place in the taxonomy, -1 where unknown. The total are the edges
    between taxa of comparable rank. None where the taxonomy has no rank that could be compared.
    """
    place_of_rank = places(taxonomy.rank_names)
    if not np.any(place_of_rank >= 0):
        return None
    place = np.where(position >= 0, place_of_rank[taxonomy.ranks[position]], -1)
    parents, children = edges
    above, below = place[parents], place[children]
    judged = (above >= 0) & (below >= 0)
    inverted = np.flatnonzero(judged & (above > below))
    if sink:
        above, below = parents[inverted], children[inverted]
        columns = {"parent_idx": above, "child_idx": below}
        sink(Offenders("rank_inversion", columns, (above, below)))
    first = inverted[np.lexsort((parents[inverted], children[inverted]))][:SAMPLES]

    def rank(node: int) -> str:
        return taxonomy.rank_names[int(taxonomy.ranks[position[node]])]

    return Defect(
        count=len(inverted),
        total=int(np.count_nonzero(judged)),
        samples=tuple(
            Sample(
                values={
                    "parent_idx": parent,
                    "parent_rank": rank(parent),
                    "child_idx": child,
                    "child_rank": rank(child),
                },
                node=child,
            )
            for parent, child in zip(parents[first].tolist(), children[first].tolist(), strict=True)
        ),
    )
