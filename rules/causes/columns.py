"""Causes in which columns were taken for each other: what a rule finds is what happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from taxcheck.model.arrays import BoolArray
from taxcheck.model.cause import Explanation, Mend, cause
from taxcheck.model.result import RuleResult
from taxcheck.policy.model import Dataset
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.truth import Truth
from taxcheck.statistics.values import HierarchyStatistics, MappingStatistics

from .lost import follows, lost_pairs
from .orders import in_file_order
from .renumbering import by_table

_NEARLY = 0.99  # of the idx outside the mapping are taxids
_EITHER_WAY = (
    "`taxonomy`, or pairs with exchanged columns if they are wrong, or a waiver if they are not"
)
_DENSE = 0.9  # of 0..max are taxids: then any number is one

# What a hierarchy shows once nodes are gone whole: no pair says any more whose children they had.
WITHOUT_NODES = (
    "missing_parent",
    "several_roots",
    "false_ancestor_pair.unproven",
    "missing_ancestor_pair",
)


def lost_nodes(symptoms: Symptoms, lost: BoolArray) -> dict[str, BoolArray | bool]:
    """What follows where all pairs of some nodes are gone; ``lost`` is a mask of the uncovered.

    Each of them can take the parent of any number of nodes away, so that all gaps in the hierarchy
    follow; a pair that a whole chain contradicts does not.
    """
    follows = {
        name: np.ones(len(symptoms[name]), dtype=bool) for name in WITHOUT_NODES if name in symptoms
    }
    return {"coverage_gap": lost, **follows}


@cause(found_by="PAIR014")
def index_range_as_taxids(
    found: Mapping[str, RuleResult],
    mapping: MappingStatistics,
    symptoms: Symptoms,
    truth: Truth | None = None,
) -> Explanation | None:
    r"""Idx values were used as the set of valid taxids when the pairs were built.

    Nearly all nodes with a taxid below n_nodes are in pairs, and nearly none above: membership was
    tested against the idx column of the mapping instead of its taxids.

    Why it matters:
    Every taxon whose taxid is at least n_nodes is thrown away, with all of its pairs, and nothing
    in the rows that remain is wrong. Chains from root to leaf lose their inner nodes; repairs
    downstream, such as a larger table, treat a symptom.

    How to fix:
    A headerless mapping file holds taxid, then idx. Change the line of the loader that names its
    columns the other way round, and test against the taxids:

        mapping = pd.read_csv(path, sep="\t", names=["taxid", "idx"])
        valid = set(mapping["taxid"])

    then build the pairs again, or have ``taxcheck fix ... --taxonomy taxdump/`` build them.

    Known exceptions:
    Identifiers that are text, and mappings with few taxids on one side of the cut, cannot show it.

    References:
    - NCBI taxonomy dump: taxids are stable and sparse, so they are no indices:
      https://ftp.ncbi.nlm.nih.gov/pub/taxonomy/taxdump_readme.txt
    """
    result = found.get("index_range_as_taxids")
    taxids = mapping.identifiers.integers
    if result is None or taxids is None or "coverage_gap" not in symptoms:
        return None
    above = taxids >= mapping.n_nodes
    explains = lost_nodes(symptoms, above[symptoms["coverage_gap"].nodes[0]])
    if truth is not None and (ends := lost_pairs(symptoms)) is not None:
        explains |= follows(truth, symptoms, above[ends[0]] | above[ends[1]])
    return Explanation(
        message=result.message,
        explains={"index_range_as_taxids": True, "table_too_small": True, **explains},
        parameters={"cut at taxid": mapping.n_nodes},
        free=0,
        impact=result.impact,
        fix=result.fix,
    )


@cause(found_by="PAIR015")
def swapped_pair_columns(
    found: Mapping[str, RuleResult],
    tree: HierarchyStatistics,
    dataset: Dataset,
    truth: Truth | None = None,
) -> Explanation | None:
    """The columns of ancestors and descendants were exchanged in all pairs.

    Read as they are named, nearly every node has many parents and few have children; read the
    other way round the same pairs are a forest.

    Why it matters:
    The model learns the hierarchy upside down: leaves go to the centre and the root to the rim.

    How to fix:
    Exchange the columns where the pairs are written:

        pairs = pairs.rename(columns={"ancestor_idx": "descendant_idx",
                                      "descendant_idx": "ancestor_idx"})

    or have ``taxcheck fix`` exchange them.

    Known exceptions:
    Chains without branches are the same hierarchy from both ends, and cannot show it. In a DAG
    nodes may have many parents and few children by nature, as in a pedigree: there it is likely at
    most, and ``taxcheck fix`` refuses.

    References:
    - Nickel & Kiela 2017, the direction of the relation: https://arxiv.org/abs/1705.08039
    """
    result = found.get("swapped_pair_columns")
    if result is None or not (tree.reversed_is_tree or tree.roots.count > tree.leaves):
        return None  # nothing but the depth columns says so, and they may be what was exchanged
    proved = truth is not None or (tree.reversed_is_tree and dataset.kind != "dag")
    return Explanation(
        message=result.message,
        guess=not proved,
        why_not=None if proved else _EITHER_WAY,
        # depths that did not go along belong to the other end, and agree once idx are back
        explains={"swapped_pair_columns": True, "inconsistent_depth": True},
        free=0,
        impact=result.impact,
        fix=result.fix,
        mend=Mend(
            what="exchange the pairs' columns",
            why="the other way round the pairs are a forest"
            if tree.reversed_is_tree
            else "what is left then the taxonomy judges",
            exchanged=True,
        ),
    )


@cause(found_by="MAP005")
def swapped_columns(
    found: Mapping[str, RuleResult], mapping: MappingStatistics
) -> Explanation | None:
    r"""The mapping's two columns were exchanged: its taxids were read as idx.

    The column that is read as taxid is the numbering 0..n-1, and the one that is read as idx is
    not.

    Why it matters:
    The table is sized by the largest taxid, and no pair's idx is one that the mapping gives.

    How to fix:
    Name the columns in the order that the file has:

        mapping = pd.read_csv(path, sep="\t", names=["idx", "taxid"])

    or give ``--mapping-columns idx,taxid``; ``taxcheck fix`` writes the file the right way round.

    Known exceptions:
    Where both columns are dense from 0 nothing tells them apart.

    References:
    - pandas.read_csv, the argument names:
      https://pandas.pydata.org/docs/reference/api/pandas.read_csv.html
    """
    result = found.get("swapped_columns")
    if result is None:
        return None
    follow = (
        "index_hole",
        "taxid_as_index",
        "table_too_small",
        "unknown_taxid",
        "not_ancestor_closed",
    )
    return Explanation(
        message=result.message,
        explains=dict.fromkeys(("swapped_columns", *follow), True),
        free=0,
        impact=result.impact,
        fix=result.fix,
        mend=replace(_by_identifier(mapping), only_tried=True, mapping_exchanged=True),
    )


@cause(found_by="MAP007")
def taxid_as_index(
    found: Mapping[str, RuleResult], mapping: MappingStatistics, symptoms: Symptoms
) -> Explanation | None:
    """Taxids stand where idx belong, in the mapping, in the pairs, or in both.

    Why it matters:
    A table gets a row for every number up to the largest taxid, nearly all of which are never
    trained; where only one of the two files has taxids, no pair finds its node.

    How to fix:
    Number the taxids from 0 and build the pairs with that number:

        mapping = pd.DataFrame({"taxid": taxids, "idx": range(len(taxids))})
        index_of = dict(zip(mapping["taxid"], mapping["idx"]))

    ``taxcheck fix`` numbers mapping and pairs again.

    Known exceptions:
    Identifiers that are themselves 0..n-1 may equal their idx.

    References:
    - torch.nn.Embedding allocates num_embeddings rows:
      https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html
    """
    if "swapped_columns" in found:
        return None
    result = found.get("taxid_as_index")
    if result is None:
        return _taxids_in_the_pairs(mapping, symptoms)
    explains = dict.fromkeys(("taxid_as_index", "index_hole", "table_too_small"), True)
    if "index_out_of_range" not in symptoms:
        return Explanation(result.message, explains, free=0, impact=result.impact, fix=result.fix)
    return Explanation(
        message=f"{result.message}, and the pairs have others",
        explains=explains,
        free=0,
        impact=result.impact,
        mend=Mend(
            what="take the rows of the mapping for the idx of the pairs",
            why="all idx of the pairs are then in the mapping",
            renumbered=by_table(np.arange(mapping.nodes), in_file_order(mapping)),
            only_tried=True,
        ),
        why_not="the mapping holds no idx, so nothing says which taxon an idx of the pairs means; "
        "give the mapping with which the pairs were built, or `taxonomy`",
    )


def _taxids_in_the_pairs(mapping: MappingStatistics, symptoms: Symptoms) -> Explanation | None:
    """Where the mapping is sound and the pairs have its taxids for idx."""
    taxids = mapping.identifiers.integers
    if taxids is None or "index_out_of_range" not in symptoms:
        return None
    if mapping.identifier_density > _DENSE:
        return None
    outside = np.concatenate(symptoms["index_out_of_range"].nodes)
    if np.count_nonzero(np.isin(outside, taxids)) < _NEARLY * len(outside):
        return None
    return Explanation(
        message="the pairs hold taxids in place of idx",
        free=0,
        impact="No pair finds its node, or the table gets a row for every number up to the "
        "largest taxid.",
        fix='``pairs["ancestor_idx"] = pairs["ancestor_idx"].map(dict(zip(mapping["taxid"], '
        'mapping["idx"])))``, and likewise descendant_idx; ``taxcheck fix`` does that',
        mend=_by_identifier(mapping),
    )


def _by_identifier(mapping: MappingStatistics) -> Mend:
    """Take what stands in the pairs for identifiers of the mapping."""
    taxids = mapping.identifiers.integers
    assert taxids is not None
    idx = np.flatnonzero(mapping.mapped)
    return Mend(
        what="take the idx of the pairs for taxids, and number them as the mapping does",
        why="all of them are taxids of the mapping",
        renumbered=by_table(taxids[idx], idx),
    )
