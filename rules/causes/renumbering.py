"""Giving the idx of the pairs other numbers: how, by what it is told, and what would decide."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from taxcheck.model.arrays import IntArray
from taxcheck.statistics.numbering import Numbering
from taxcheck.statistics.values import TaxonomyStatistics

FEWEST = 5  # idx of which something is known, below which an order may be chance
NEARLY = 0.99  # of them have to follow it
Renumbered = Callable[[IntArray], IntArray]
_IDENTIFIERS = "identifiers beside the idx of the pairs (ancestor_taxid, descendant_taxid)"
_EITHER = (
    "`taxonomy`, or the mapping with which the pairs were built: the idx may be right, and the "
    "identifiers beside them looked up in a table whose rows were others"
)


def by_table(old: IntArray, new: IntArray, otherwise: int | None = -1) -> Renumbered:
    """What takes each of ``old`` to ``new``, (k,) both; other idx to ``otherwise``, or nowhere."""
    order = np.argsort(old)
    known, to = old[order], new[order]

    def renumbered(idx: IntArray) -> IntArray:
        at = np.minimum(np.searchsorted(known, idx), len(known) - 1)
        return np.where(known[at] == idx, to[at], idx if otherwise is None else otherwise)

    return renumbered


def told_by(numbering: Numbering) -> str:
    """What a renumbering rests on, in the plan of a repair."""
    if numbering.told_by == "taxonomy":
        return "then the pairs are those of the taxonomy"
    return "then the identifiers in the pairs stand beside the idx of the mapping"


def what_decides(numbering: Numbering | None, taxonomy: TaxonomyStatistics | None) -> str | None:
    """What would decide which of two numberings is the right one; None where it is known.

    Any numbering keeps a hierarchy whole: identifiers alone do not say which side was moved.
    """
    if numbering is None:
        return _only_range(taxonomy)
    return _EITHER if numbering.told_by == "identifiers" and taxonomy is None else None


def _only_range(taxonomy: TaxonomyStatistics | None) -> str:
    """What would decide, beside the taxonomy that may be given."""
    other = ", or a taxonomy" if taxonomy is None else ""
    return f"{_IDENTIFIERS}{other}: nothing but the range of the idx tells so"
