"""Causes in which one side was numbered in another order than the other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import IntArray
from taxcheck.model.cause import Explanation, Mend, cause
from taxcheck.model.result import RuleResult
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.numbering import Numbering, matched
from taxcheck.statistics.values import MappingStatistics

from .renumbering import FEWEST, NEARLY, by_table, told_by

_WIDEST = 0.9  # of the idx; of more no range was renumbered, but all of them


def in_file_order(mapping: MappingStatistics) -> IntArray:
    """The idx of the mapping in the order of its rows, (nodes,)."""
    idx = np.flatnonzero(mapping.mapped)
    return idx[np.argsort(mapping.row_of[idx], kind="stable")]


def in_text_order(mapping: MappingStatistics) -> IntArray:
    """The idx of the mapping in the order of their identifiers as text, (nodes,)."""
    idx = np.flatnonzero(mapping.mapped)
    own = mapping.identifiers
    if own.integers is not None:
        texts = pa.array(own.integers[idx]).cast(pa.string())
    else:
        assert own.strings is not None
        texts = pa.array(own.strings[idx], pa.string())
    return np.asarray(idx[pc.sort_indices(texts).to_numpy()])


def in_numeric_order(mapping: MappingStatistics) -> IntArray | None:
    """The idx of the mapping in the order of their identifiers as numbers, (nodes,)."""
    taxids = mapping.identifiers.integers
    if taxids is None:
        return None
    idx = np.flatnonzero(mapping.mapped)
    return idx[np.argsort(taxids[idx], kind="stable")]


def follows(numbering: Numbering, order: IntArray, first: int = 0) -> bool:
    """Whether the k-th idx of an order is called ``first`` + k in the pairs."""
    known = numbering.known
    idx, meant = numbering.idx[known] - first, numbering.meant[known]
    if len(idx) < FEWEST or not numbering.moved.any():
        return False
    inside = (idx >= 0) & (idx < len(order))
    at = np.where(inside, idx, 0)
    return bool(np.count_nonzero(inside & (order[at] == meant)) >= NEARLY * len(idx))


def in_an_order(numbering: Numbering, mapping: MappingStatistics) -> bool:
    """Whether the pairs number the identifiers in an order that has a name."""
    orders = [in_text_order(mapping), in_numeric_order(mapping), in_file_order(mapping)]
    return any(
        follows(numbering, order, first)
        for order in orders
        if order is not None
        for first in (0, 1)
    )


@cause()
def text_ordered_idx(numbering: Numbering, mapping: MappingStatistics) -> Explanation | None:
    """One side was numbered in the order of the identifiers as text, the other as numbers.

    As text 10090 comes before 9606. An idx of the pairs is the place of its identifier in the one
    order, and in the mapping it has the place in the other.

    Why it matters:
    Nearly every vector is trained under another taxon's name, and nothing in the geometry shows it.

    How to fix:
    Read identifiers as numbers on both sides before they are sorted, or better, never number twice:

        index_of = dict(zip(mapping["taxid"], mapping["idx"]))
        pairs["ancestor_idx"] = pairs["ancestor_taxid"].map(index_of)

    ``taxcheck fix ... --taxonomy taxdump/`` numbers the pairs as the mapping does.

    Known exceptions:
    Without identifiers in the pairs it takes a taxonomy to show it. Identifiers alone do not say
    whether the idx were given in another order, or they were looked up in one. Identifiers that all
    have the same number of digits have the same order both ways.

    References:
    - pandas.Series.sort_values: https://pandas.pydata.org/docs/reference/api/pandas.Series.sort_values.html
    """
    for order, message in (
        (in_text_order(mapping), "idx in the pairs number the identifiers in the order of text, "
         "those of the mapping do not"),
        (_other_than_text(mapping), "idx in the mapping number the identifiers in the order of "
         "text, those of the pairs in the order of numbers"),
    ):  # fmt: skip
        if order is not None and follows(numbering, order):
            return Explanation(
                message=message,
                free=0,
                mend=Mend(
                    what="number the pairs as the mapping does, not in the order of text",
                    why=told_by(numbering),
                    renumbered=by_table(np.arange(len(order)), order),
                ),
            )
    return None


def _other_than_text(mapping: MappingStatistics) -> IntArray | None:
    """The order of numbers, where the mapping has that of text."""
    text = in_text_order(mapping)
    return in_numeric_order(mapping) if (np.diff(text) > 0).all() else None


@cause()
def row_numbers_as_idx(
    mapping: MappingStatistics,
    used: IntArray,
    found: Mapping[str, RuleResult],
    numbering: Numbering | None = None,
) -> Explanation | None:
    """The pairs have the row of a taxon in the mapping's file where its idx belongs.

    The mapping's rows do not stand in the order of their idx. Where its rows were counted instead
    of its idx column read, the k-th row became idx k.

    Why it matters:
    Nearly every vector is trained under another taxon's name, and nothing in the geometry shows it.

    How to fix:
    Take the idx column, not the position of the row:

        index_of = dict(zip(mapping["taxid"], mapping["idx"]))

    in place of ``enumerate`` or of the frame's own index. ``taxcheck fix ... --taxonomy taxdump/``
    numbers the pairs as the mapping does.

    Known exceptions:
    Identifiers alone do not say whether rows were taken for idx, or idx for rows when they were
    looked up. Where rows stand in the order of their idx the two are the same. Without identifiers
    in the pairs or a taxonomy it shows only where the mapping's idx have holes.

    References:
    - pandas.DataFrame.index: https://pandas.pydata.org/docs/reference/api/pandas.DataFrame.index.html
    """
    order = in_file_order(mapping)
    if "swapped_columns" in found or "taxid_as_index" in found or (np.diff(order) == 1).all():
        return None
    for first in (0, 1):
        if numbering is not None:
            if follows(numbering, order, first):
                return _rows(order, first, told_by(numbering))
        elif "index_out_of_range" in found and _counts(used, first, len(order)):
            return _rows(order, first, "then all idx of the pairs are in the mapping", told=1)
    return None


def _counts(used: IntArray, first: int, nodes: int) -> bool:
    """Whether the pairs use the numbers of all rows, and no other."""
    return len(used) == nodes >= FEWEST and used[0] == first and used[-1] == first + nodes - 1


def _rows(order: IntArray, first: int, why: str, told: int = 0) -> Explanation:
    return Explanation(
        message="idx in the pairs are the numbers of the mapping's rows, counted "
        f"from {first}, and not its idx",
        parameters={"first row": first},
        free=first + told,
        mend=Mend(
            what="put the mapping's idx in place of the numbers of its rows",
            why=why,
            renumbered=by_table(first + np.arange(len(order)), order),
        ),
    )


@cause()
def permuted_range(
    numbering: Numbering,
    mapping: MappingStatistics,
    kin: IntArray | None = None,
    graph: Graph | None = None,
) -> Explanation | None:
    """The idx of a range were given to its taxa in another order.

    All taxa that stand at another idx in the pairs than in the mapping have theirs within one
    range, and together they have the same idx. Each taxon has one idx throughout.

    Why it matters:
    The vectors of the range are trained under each other's names, and nothing in the geometry shows
    it.

    How to fix:
    Number the pairs again by identifier:

        index_of = dict(zip(mapping["taxid"], mapping["idx"]))
        pairs["ancestor_idx"] = pairs["ancestor_taxid"].map(index_of)

    ``taxcheck fix ... --taxonomy taxdump/`` does that. A part of the mapping was probably sorted,
    or built again, alone.

    Known exceptions:
    Identifiers alone do not say which of the two was moved, they or the idx. Where all idx are
    permuted no range is, and nothing tells that from two builds. Siblings without children are told
    apart by identifiers only; their pairs are the same either way.

    References:
    - Aho, Hopcroft and Ullman 1974, The Design and Analysis of Computer Algorithms, on isomorphic
      trees
    """
    if numbering.told_by == "taxonomy":
        if graph is None or kin is None or graph.forest is None:
            return None
        old, new = matched(graph.forest, graph.present, kin, mapping.mapped, _WIDEST)
    else:
        moved = numbering.moved
        old, new = numbering.idx[moved], numbering.meant[moved]
    if len(old) < 3 or not np.array_equal(old, np.sort(new)):
        return None
    first, last = int(old[0]), int(old[-1])
    if last - first >= _WIDEST * mapping.n_nodes or 2 * len(old) < last - first:
        return None
    return Explanation(
        message=f"the idx {first:,} to {last:,} are given to their taxa in another order in the "
        "pairs than in the mapping",
        parameters={"first idx": first, "last idx": last, "moved": len(old)},
        free=len(old),
        mend=Mend(
            what=f"give the idx {first:,} to {last:,} of the pairs to the taxa of the mapping",
            why=told_by(numbering),
            renumbered=by_table(old, new, otherwise=None),
        ),
    )
