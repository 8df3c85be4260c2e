"""Causes in which all idx of the pairs differ from those of the mapping by one number."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from taxcheck.model.arrays import IntArray, within
from taxcheck.model.cause import Explanation, Mend, cause
from taxcheck.model.result import RuleResult
from taxcheck.statistics.numbering import Numbering
from taxcheck.statistics.values import MappingStatistics, TaxonomyStatistics

from .idx_runs import runs_of, side
from .renumbering import FEWEST, NEARLY, told_by, what_decides

_COVERED = 0.9  # of the mapped idx are used, where only their range tells
_IN_RANGE = "then all idx of the pairs are in the mapping, and all of the mapping in the pairs"


def by_range(used: IntArray, mapping: MappingStatistics) -> int:
    """By how much all idx that are used are higher than those that are mapped; 0 for not at all.

    The first and the last of both, and nearly all between them, have to be the same up to that
    number.
    """
    mapped = np.flatnonzero(mapping.mapped)
    if not _COVERED * len(mapped) <= len(used) <= len(mapped) or len(used) < FEWEST:
        return 0
    higher = int(used[0] - mapped[0])
    same = used[-1] - mapped[-1] == higher and within(mapped, used - higher).all()
    return higher if same else 0


def _shift(
    numbering: Numbering | None, used: IntArray, mapping: MappingStatistics
) -> tuple[int, str]:
    """(how much higher all idx of the pairs are, 0 for not; what tells so)."""
    if not len(used):
        return 0, ""
    if numbering is None:
        return by_range(used, mapping), _IN_RANGE
    runs = runs_of(numbering, used, mapping)
    return (runs[0].higher if len(runs) == 1 else 0), told_by(numbering)


def _from_one(shift: int, used: IntArray, mapping: MappingStatistics) -> bool:
    """Whether one side counts from 0 and the other from 1, up to its number of nodes."""
    if not len(used):
        return False
    first = int(np.argmax(mapping.mapped))
    if shift == 1:
        return first == 0 and int(used[-1]) == mapping.n_nodes
    return shift == -1 and first == 1 and int(used[0]) == 0


def _moved(shift: int, why: str) -> Mend:
    return Mend(
        what=f"move the idx of the pairs {'down' if shift > 0 else 'up'} by {abs(shift):,}",
        why=why,
        renumbered=lambda old: np.maximum(old - shift, -1),
    )


@cause()
def shifted_idx(
    used: IntArray,
    mapping: MappingStatistics,
    numbering: Numbering | None = None,
    taxonomy: TaxonomyStatistics | None = None,
) -> Explanation | None:
    """All idx of the pairs differ from those of the mapping by one number.

    Identifiers beside the idx tell it, or a taxonomy in which the pairs are true only once the
    number is taken away, or the range of the idx: those that are used are those that are mapped, up
    to one number.

    Why it matters:
    Every vector is trained under the name of its neighbour in the file. The geometry is right, so
    that the loss falls and nothing is seen until somebody looks a taxon up.

    How to fix:
    Number the pairs by the identifiers that stand beside them, or take the difference away:

        pairs["ancestor_idx"] -= 1
        pairs["descendant_idx"] -= 1

    ``taxcheck fix`` does that. Mostly a header was counted, or a padding row was put first on one
    side alone.

    Known exceptions:
    Without identifiers in the pairs and without a taxonomy a shift shows only where it leaves the
    range of the mapping.

    References:
    - pandas.Series.map: https://pandas.pydata.org/docs/reference/api/pandas.Series.map.html
    """
    shift, why = _shift(numbering, used, mapping)
    if not shift or not len(used) or _from_one(shift, used, mapping):
        return None
    undecided = what_decides(numbering, taxonomy)
    return Explanation(
        message=f"idx in the pairs are {side(shift)} than in the mapping",
        parameters={"shift": shift},
        free=1,
        mend=_moved(shift, why),
        guess=undecided is not None,
        why_not=undecided,
    )


@cause()
def one_based_idx(
    used: IntArray,
    mapping: MappingStatistics,
    found: Mapping[str, RuleResult],
    numbering: Numbering | None = None,
    taxonomy: TaxonomyStatistics | None = None,
) -> Explanation | None:
    """Idx were counted from 1 in the pairs, in the mapping, or in both.

    An embedding table of n rows has the rows 0 to n - 1. Counted from 1, the last idx is n and no
    node has 0.

    Why it matters:
    Where only one side counts from 1, every vector is trained under its neighbour's name, and the
    last idx is in no table. Where both do, row 0 of the table stands for no taxon.

    How to fix:
    Take 1 away where the numbers are made; R, Julia, MATLAB and SQL's row_number() count from 1:

        pairs[["ancestor_idx", "descendant_idx"]] -= 1

    ``taxcheck fix`` does that.

    Known exceptions:
    A row that is kept for padding on purpose is the first of its table and belongs in the mapping.

    References:
    - torch.nn.Embedding, rows 0 to num_embeddings - 1:
      https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html
    """
    shift, why = _shift(numbering, used, mapping)
    if shift:
        if not _from_one(shift, used, mapping):
            return None
        one, other = ("pairs", "mapping") if shift > 0 else ("mapping", "pairs")
        undecided = what_decides(numbering, taxonomy)
        return Explanation(
            message=f"idx count from 1 in the {one} and from 0 in the {other}",
            explains={"index_hole": True} if shift < 0 and mapping.holes == 1 else {},
            parameters={"counted from 1": one},
            free=0,
            mend=_moved(shift, why),
            guess=undecided is not None,
            why_not=undecided,
        )
    both = "index_hole" in found and mapping.holes == 1 and not mapping.mapped[0]
    both = both and "invalid_mapping_row" not in found  # a row that is not read may have idx 0
    if not both or numbering is not None or not len(used) or used[0] < 1:
        return None
    return Explanation(
        message=f"idx count from 1 in mapping and pairs: 1 to {mapping.nodes:,}",
        explains={"index_hole": True},
        parameters={"counted from 1": "mapping and pairs"},
        free=0,
        fix="``taxcheck fix ... --out fixed/`` numbers mapping and pairs from 0",
    )


def rotation(numbering: Numbering, used: IntArray, mapping: MappingStatistics) -> int:
    """By how much all idx are higher modulo the number of nodes; 0 where they are not."""
    n = mapping.n_nodes
    idx, higher = numbering.differences()
    if len(idx) < FEWEST or not numbering.moved.any():
        return 0
    by, counts = np.unique(higher % n, return_counts=True)
    shift = int(by[np.argmax(counts)])
    around = len(np.unique(higher[higher % n == shift]))
    whole = len(used) == n and used[0] == 0 and used[-1] == n - 1
    return shift if counts.max() >= NEARLY * len(idx) and (around == 2 or whole) else 0


@cause()
def rotated_idx(
    numbering: Numbering, used: IntArray, mapping: MappingStatistics
) -> Explanation | None:
    """All idx of the pairs are shifted around the end: by one number, modulo the number of nodes.

    Why it matters:
    Every vector is trained under another taxon's name. All idx are in range and all nodes are
    covered, so that nothing but identifiers or a taxonomy shows it.

    How to fix:
    Undo the rotation, where the numbers were made by ``np.roll`` or by ``% n``:

        pairs["ancestor_idx"] = (pairs["ancestor_idx"] - shift) % n
        pairs["descendant_idx"] = (pairs["descendant_idx"] - shift) % n

    ``taxcheck fix ... --taxonomy taxdump/`` does that.

    Known exceptions:
    Without identifiers in the pairs and without a taxonomy nothing shows it. Identifiers alone do
    not say which was turned, the idx or they themselves, looked up in a table that is rows off.

    References:
    - numpy.roll: https://numpy.org/doc/stable/reference/generated/numpy.roll.html
    """
    n, shift = mapping.n_nodes, rotation(numbering, used, mapping)
    if not shift:
        return None
    near = shift if 2 * shift <= n else shift - n
    return Explanation(
        message=f"idx in the pairs are {side(near)} than in the mapping, and go around at {n:,}",
        parameters={"shift": near, "modulo": n},
        free=1,
        mend=Mend(
            what=f"turn the idx of the pairs {'back' if near > 0 else 'on'} by {abs(near):,} "
            f"modulo {n:,}",
            why=told_by(numbering),
            renumbered=lambda old: np.where(old >= 0, (old - shift) % n, old),
        ),
    )
