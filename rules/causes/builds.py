"""Causes in which pairs, mapping and taxonomy are each of another day."""

from __future__ import annotations

from collections.abc import Mapping, Set

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray, within
from taxcheck.model.cause import Explanation, Mend, cause
from taxcheck.model.result import RuleResult
from taxcheck.model.vocabulary import plural
from taxcheck.statistics.joins import Joins
from taxcheck.statistics.numbering import Numbering
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.taxonomy import Successors
from taxcheck.statistics.truth import Truth
from taxcheck.statistics.values import MappingStatistics, PairStatistics

from .idx_runs import runs_of
from .idx_shifts import rotation
from .orders import in_an_order
from .renumbering import FEWEST, by_table, told_by

_OUTLIERS = 0.01  # of the rows' ends may say something else than the rest
# What pairs that are complete in themselves do not have.
_UNSOUND = frozenset((
    "missing_ancestor_pair",
    "missing_parent",
    "false_ancestor_pair",
    "reversed_pair",
    "cycle",
    "invalid_pair_row",
    "duplicate_taxid",
    "duplicate_idx",
))  # fmt: skip
# Nor do those of one build, also where some are left out; the pairs of two have them.
_TWICE_OVER = frozenset(("several_parents", "cycle", "reversed_pair"))
_DENIED = ("disagrees_with_taxonomy", "disagrees_with_taxonomy.missing", "rank_inversion")
_WHY_NOT = (
    "the mapping that the pairs were built with, since nothing else says which taxon an idx means, "
    "or identifiers beside their idx, or `taxonomy`"
)


@cause()
def other_build(
    used: IntArray,
    mapping: MappingStatistics,
    pairs: PairStatistics,
    symptoms: Symptoms,
    found: Mapping[str, RuleResult],
    joins: Mapping[str, Joins],
    totals: PairState,
    numbering: Numbering | None = None,
    truth: Truth | None = None,
) -> Explanation | None:
    """Pairs and mapping are of different builds.

    With identifiers beside the idx: throughout the pairs an idx has one identifier, but for many it
    is another one than in the mapping, which also lacks some of them, or has others that no pair
    names. Without: the pairs number their nodes 0 to m - 1 without a gap, the mapping 0 to n - 1,
    and m is not n.

    Why it matters:
    An idx means one taxon to the pairs and another to whoever reads the trained table with this
    mapping. Leaving out what is out of range hides it: the rest is in range and false.

    How to fix:
    Give the mapping that was written together with the pairs, or build both anew. To keep this
    mapping, number the pairs by identifier:

        index_of = dict(zip(mapping["taxid"], mapping["idx"]))
        pairs["ancestor_idx"] = pairs["ancestor_taxid"].map(index_of)

    Known exceptions:
    A mapping that lost its last rows looks the same as an older one, and without a taxonomy the
    cause is likely at most. A few nodes more in the mapping may be new, or their pairs lost: that
    is left open. A filter that loses exactly the nodes with the last idx, with all of their pairs,
    looks the same where neither identifiers nor a taxonomy tell.

    References:
    - NCBI taxonomy dump, which changes every day:
      https://ftp.ncbi.nlm.nih.gov/pub/taxonomy/taxdump_readme.txt
    """
    shown = numbering is not None and bool(numbering.moved.any())
    if numbering is not None and shown:
        if runs_of(numbering, used, mapping) or rotation(numbering, used, mapping):
            return None  # a place or a number says it all
        if in_an_order(numbering, mapping):
            return None
        if numbering.told_by == "identifiers":
            return _by_identifiers(numbering, mapping, symptoms, joins)
    if pairs.labels is not None or not len(used):
        return None
    if truth is not None and "disagrees_with_taxonomy" not in {*symptoms, *symptoms.overfull}:
        return None  # every idx that is in both is the taxon that the pairs mean
    if totals.has_taxids and "taxid_disagreement" not in {*symptoms, *symptoms.overfull}:
        return None  # so the identifiers say
    return _by_range(used, mapping, symptoms, found, shown)


def _by_range(
    used: IntArray,
    mapping: MappingStatistics,
    symptoms: Symptoms,
    found: Mapping[str, RuleResult],
    shown: bool,
) -> Explanation | None:
    """What the numbers of nodes tell; ``shown``: a taxonomy shows that idx are other taxa."""
    m, n = len(used), mapping.nodes
    if n != mapping.n_nodes or m == n or m < FEWEST or used[0] != 0 or used[-1] != m - 1:
        return None
    if m == mapping.rows or not _whole(m, n, found.keys(), shown):
        return None  # with as many rows as they, a mapping gives some nodes the idx of others
    explains: dict[str, BoolArray | bool] = {"table_too_small": True, **left_behind(symptoms)}
    for name in ("index_out_of_range", "coverage_gap"):
        if name in symptoms:
            explains[name] = np.ones(len(symptoms[name]), dtype=bool)
    if shown:
        for name in _DENIED:
            if name in symptoms:
                explains[name] = np.ones(len(symptoms[name]), dtype=bool)
    cut = ", or the mapping was cut" if m > n and not shown else ""
    return Explanation(
        message=f"pairs and mapping are of different builds{cut}: the pairs number {m:,} nodes, "
        f"0 to {m - 1:,}, and the mapping {n:,}",
        explains=explains,
        parameters={"nodes in the pairs": m, "nodes in the mapping": n},
        free=1,
        impact="Which rows of the mapping differ is not known: any idx may stand for another taxon "
        "than the pairs mean.",
        guess=bool(cut),
        why_not=_WHY_NOT,
    )


def _whole(m: int, n: int, found: Set[str], shown: bool) -> bool:
    """Whether the pairs, of m nodes to the mapping's n, may be sound in themselves."""
    if m > n:
        return not _TWICE_OVER & found
    return n >= m + FEWEST and not _UNSOUND & found and (shown or "unknown_taxid" not in found)


def _by_identifiers(
    numbering: Numbering,
    mapping: MappingStatistics,
    symptoms: Symptoms,
    joins: Mapping[str, Joins],
) -> Explanation | None:
    known, moved = numbering.known, numbering.moved
    meant = numbering.meant[known]
    lacking = int(np.count_nonzero(~known))
    unnamed = mapping.nodes - len(np.unique(meant))
    if np.count_nonzero(moved) < FEWEST or numbering.outliers > _OUTLIERS:
        return None
    one_to_one = len(np.unique(meant)) >= (1 - _OUTLIERS) * len(meant)
    in_order = bool((np.diff(meant) > 0).all())
    if not one_to_one or not (lacking or unnamed or in_order):
        return None  # the same taxa in no order: nothing tells that from chance
    mend = None
    if not lacking:
        mend = Mend(
            what="number the pairs by the identifiers beside their idx",
            why=told_by(numbering),
            renumbered=by_table(numbering.idx, numbering.meant, otherwise=None),
        )
    of = f"{np.count_nonzero(moved):,} of {len(numbering.idx):,} idx"
    return Explanation(
        message=f"pairs and mapping are of different builds: {of} have another identifier in the "
        f"pairs, {plural(lacking, 'identifier')} of the pairs {_are(lacking)} not in the mapping, "
        f"and {(lacking and 'of the mapping ') or ''}{unnamed:,} {_are(unnamed)} not in the pairs",
        explains={} if mend else _consistent(numbering, symptoms, joins),
        parameters={
            "idx that differ": int(np.count_nonzero(moved)),
            "identifiers that the mapping lacks": lacking,
            "identifiers in no pair": unnamed,
        },
        free=int(np.count_nonzero(moved)),
        mend=mend,
        why_not=None if mend else _WHY_NOT,
    )


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _consistent(
    numbering: Numbering, symptoms: Symptoms, joins: Mapping[str, Joins]
) -> dict[str, BoolArray | bool]:
    """Rows whose idx has the identifier that it has in all others, and what they bring along."""
    explains: dict[str, BoolArray | bool] = {"table_too_small": True, **left_behind(symptoms)}
    for name in ("taxid_disagreement", "index_out_of_range"):
        if name not in joins:
            continue
        same = np.ones(len(symptoms[name]), dtype=bool)
        for end in joins[name].ends:
            at = np.minimum(np.searchsorted(numbering.idx, end.idx), len(numbering.idx) - 1)
            same &= end.holds(numbering.meant[at]) & (numbering.idx[at] == end.idx)
        explains[name] = same
    if "coverage_gap" in symptoms:
        explains["coverage_gap"] = np.ones(len(symptoms["coverage_gap"]), dtype=bool)
    return explains


def left_behind(symptoms: Symptoms) -> dict[str, BoolArray | bool]:
    """What follows where rows are left out for an idx that the mapping lacks.

    A node lacks its parent where the row that names it is one of them.
    """
    explains: dict[str, BoolArray | bool] = {}
    outside = symptoms.get("index_out_of_range")
    if outside is None:
        return explains
    below = np.unique(outside.nodes[1])
    for name in ("missing_parent", "several_roots"):
        if name in symptoms:
            explains[name] = within(below, symptoms[name].nodes[0])
    orphans = explains.get("missing_parent")
    if isinstance(orphans, np.ndarray) and orphans.all():
        unproven = "false_ancestor_pair.unproven"
        if unproven in symptoms:
            explains[unproven] = np.ones(len(symptoms[unproven]), dtype=bool)
    return explains


@cause()
def merged_identifiers(
    mapping: MappingStatistics, successors: Successors, symptoms: Symptoms
) -> Explanation | None:
    """Identifiers were merged into others between the mapping and the given taxonomy.

    The taxonomy lists each with its successor: in the mapping stands the old one, or in the pairs
    the new one and in the mapping the old, or the other way round.

    Why it matters:
    A node under an old identifier has no name, rank or lineage in the taxonomy, so that its pairs
    are not checked against it; and a join by identifier loses its rows.

    How to fix:
    Replace old identifiers by their successors:

        merged = pd.read_csv("merged.dmp", sep="|", header=None, usecols=[0, 1]).astype(int)
        mapping["taxid"] = mapping["taxid"].replace(dict(merged.values))

    ``taxcheck fix ... --taxonomy taxdump/`` does that, or give the dump of the mapping's day.

    Known exceptions:
    Two identifiers that were merged into one are one node from then on: one of them keeps its idx.

    References:
    - NCBI taxonomy dump, merged.dmp:
      https://ftp.ncbi.nlm.nih.gov/pub/taxonomy/taxdump_readme.txt
    """
    taxids = mapping.identifiers.integers
    if taxids is None or not successors:
        return None
    explains: dict[str, BoolArray | bool] = {}
    count = 0
    if "unknown_taxid" in symptoms:
        explains["unknown_taxid"] = successors.has(taxids[symptoms["unknown_taxid"].nodes[0]])
        count = int(np.count_nonzero(explains["unknown_taxid"]))
    if "taxid_disagreement" in symptoms:
        renamed, nodes = _renamed(symptoms, taxids, successors)
        explains["taxid_disagreement"] = renamed
        count = max(count, nodes)
    if not count:
        return None
    return Explanation(
        message=f"{plural(count, 'identifier')} of the mapping or the pairs {_are(count)} merged "
        f"into {'another' if count == 1 else 'others'} in the taxonomy ({successors.version})",
        explains=explains,
        parameters={"identifiers": count},
        free=0,
    )


def _renamed(symptoms: Symptoms, taxids: IntArray, successors: Successors) -> tuple[BoolArray, int]:
    """Rows of which each end that disagrees has the old or new name of its node; and the nodes."""
    symptom = symptoms["taxid_disagreement"]
    explained = np.ones(len(symptom), dtype=bool)
    nodes: list[IntArray] = []
    for idx, role in zip(symptom.nodes, ("ancestor_taxid", "descendant_taxid"), strict=True):
        cells = symptom.column(role)
        if cells is None or cells.dtype == object:
            if cells is not None:
                return np.zeros(len(symptom), dtype=bool), 0
            continue
        own, other = taxids[idx], cells.astype(np.int64)
        differs = own != other
        same = successors.of(own) == successors.of(other)
        explained &= ~differs | same
        nodes.append(idx[differs & same])
    return explained, len(np.unique(np.concatenate(nodes))) if nodes else 0
