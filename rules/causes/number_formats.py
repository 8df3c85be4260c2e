"""Causes in which numbers went through a format that cannot hold them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from taxcheck.model.arrays import BoolArray, within
from taxcheck.model.cause import Explanation, Mend, cause
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.joins import Joins
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.strangers import Strangers
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.unread import Unread
from taxcheck.statistics.values import MappingStatistics

from .encodings import FLOATS, WRAPS, Encoding, Fit, Told, fits, merging_shows, told
from .merged import merged_nodes
from .narrow_mapping import beside_idx, of_labels, of_mapped_identifiers, of_mapped_idx

UNPROVEN = "false_ancestor_pair.unproven"


def _narrowed(
    encodings: Sequence[Encoding],
    mapping: MappingStatistics,
    totals: PairState,
    symptoms: Symptoms,
    graph: Graph,
    joins: Mapping[str, Joins],
    unread: Unread | None,
    strangers: Strangers | None,
) -> Explanation | None:
    """Idx or identifiers that went through one of some encodings, of the pairs or the mapping."""
    if mapping.derived:
        return None
    used = (totals.as_ancestor > 0) | (totals.as_descendant > 0)
    found = of_mapped_idx(encodings, mapping, symptoms, graph, strangers)
    if found is not None:
        return found
    found = of_mapped_identifiers(encodings, mapping, symptoms, strangers)
    if found is not None:
        beside = beside_idx(encodings, mapping, symptoms, joins)
        if beside is not None:
            return replace(beside, explains={**beside.explains, **found.explains})
        return found
    if strangers is not None:
        return of_labels(encodings, mapping, symptoms, graph, strangers, used)
    found = beside_idx(encodings, mapping, symptoms, joins)
    return found or _of_idx(encodings, mapping, totals, symptoms, graph, joins, unread)


def _of_idx(
    encodings: Sequence[Encoding],
    mapping: MappingStatistics,
    totals: PairState,
    symptoms: Symptoms,
    graph: Graph,
    joins: Mapping[str, Joins],
    unread: Unread | None,
) -> Explanation | None:
    """Idx of the pairs that went through one of some encodings."""
    parts = [(rows, part) for n, part in joins.items() if (rows := symptoms[n].rows) is not None]
    parts += [] if unread is None else [(unread.rows, unread.joins)]
    used = (totals.as_ancestor > 0) | (totals.as_descendant > 0)
    known = told(encodings, parts, int(np.flatnonzero(used).max(initial=0)))
    if known is not None:
        return _by_identifiers(known, mapping, symptoms)
    numbers = [] if unread is None else [end.idx for end in unread.joins.ends]
    negative = np.concatenate([np.empty(0, np.int64), *numbers])
    for fit in fits(encodings, mapping.mapped, totals, negative[negative < 0]):
        if fit.back is not None:
            return _by_order(fit, unread)
        if fit.encoding.sharp or merging_shows(fit, totals, symptoms):
            return _without_identifiers(fit, symptoms, graph, unread)
    return None


def _message(encoding: Encoding, whose: str = "idx in the pairs") -> str:
    return f"{whose} went through {encoding.name}: {encoding.effect}"


def _by_identifiers(known: Told, mapping: MappingStatistics, symptoms: Symptoms) -> Explanation:
    """The identifiers beside the idx say which one each was."""
    encoded = known.encoding.encode(np.flatnonzero(mapping.mapped))
    inside = encoded[(encoded >= 0) & (encoded < mapping.n_nodes)]
    merged = np.bincount(inside, minlength=mapping.n_nodes) > 1
    explains: dict[str, BoolArray | bool] = {}
    if "inconsistent_depth" in symptoms:
        explains["inconsistent_depth"] = merged[symptoms["inconsistent_depth"].nodes[0]]
    if mapping.n_nodes - 1 not in encoded:
        explains["table_too_small"] = True
    return Explanation(
        message=_message(known.encoding),
        explains=explains,
        parameters={"format": known.encoding.name, "exact up to": known.encoding.held},
        mend=Mend(
            what=f"give {len(known.rows):,} rows the idx of the identifiers that stand in them",
            why=f"what {known.encoding.name} makes of those idx is what stands there",
            given=(known.rows, *known.given),
        ),
    )


def _by_order(fit: Fit, unread: Unread | None) -> Explanation:
    """No two idx became one, so that each can be told from what it became."""
    given = None
    if unread is not None:
        ancestor, descendant = (fit.undone(end.idx) for end in unread.joins.ends)
        given = unread.rows, ancestor, descendant
    return Explanation(
        message=_message(fit.encoding, fit.ends),
        parameters={"format": fit.encoding.name, "exact up to": fit.encoding.held},
        mend=Mend(
            what=f"take {fit.encoding.name} back: add {2 ** _bits(fit.encoding):,} to what is "
            "negative",
            why="no two idx of the mapping become the same number in that format",
            renumbered=fit.undone,
            given=given,
        ),
    )


def _bits(encoding: Encoding) -> int:
    return (encoding.held + 1).bit_length()


def _without_identifiers(
    fit: Fit, symptoms: Symptoms, graph: Graph, unread: Unread | None
) -> Explanation:
    """Idx of several nodes are one, and nothing in a row tells which was meant."""
    explains = merged_nodes(symptoms, graph, fit.doubtful, fit.lost)
    if "index_out_of_range" in symptoms:
        n, ends = len(fit.lost), symptoms["index_out_of_range"].nodes
        explains["index_out_of_range"] = np.logical_and.reduce(
            [within(fit.beyond, end) | (end < n) for end in ends]
        )
    if unread is not None:
        explains["invalid_pair_row"] = unread.chosen
        for name in ("missing_parent", "several_roots", "missing_ancestor_pair", UNPROVEN):
            if name in symptoms:  # the rows that are left out may have said whose children they are
                explains[name] = np.ones(len(symptoms[name]), dtype=bool)
    nodes = np.count_nonzero(fit.lost)
    return Explanation(
        message=f"{_message(fit.encoding, fit.ends)} {nodes:,} nodes have the idx of another",
        explains=explains,
        parameters={"format": fit.encoding.name, "exact up to": fit.encoding.held},
        why_not="nothing in a row tells which of several nodes is meant; the pairs as they were "
        "before, identifiers beside their idx, or a taxonomy would",
    )


@cause()
def wrapped_integers(
    mapping: MappingStatistics,
    totals: PairState,
    symptoms: Symptoms,
    graph: Graph,
    joins: Mapping[str, Joins],
    unread: Unread | None = None,
    strangers: Strangers | None = None,
) -> Explanation | None:
    """Idx went through integers of too few bits, and began again from 0 or below it.

    Shown where identifiers stand beside the idx by what the format makes of the idx that they
    mean; else by idx in use that end where the format does, while those at its beginning have the
    rows of several nodes, or by negative ones.

    Why it matters:
    A node beyond the end of the format is never trained, and its pairs are given to another one:
    that row of the table is drawn towards two places, and every chain through it is false.

    How to fix:
    Write the idx as 32 or 64 bits. Mostly it is a line that saves memory:

        pairs["ancestor_idx"] = pairs["ancestor_idx"].astype("int32")    # not "int16", "uint16"

    and ``pd.to_numeric(..., downcast=...)`` has to see all idx of the mapping, not a part of them.
    ``taxcheck fix`` undoes it where identifiers stand beside the idx, or where no two idx became
    one.

    Known exceptions:
    A mapping that the format can hold is left as it is, and shows nothing.

    References:
    - NumPy, overflow of fixed-size integers:
      https://numpy.org/doc/stable/user/basics.types.html#overflow-errors
    """
    return _narrowed(WRAPS, mapping, totals, symptoms, graph, joins, unread, strangers)


@cause()
def rounded_floats(
    mapping: MappingStatistics,
    totals: PairState,
    symptoms: Symptoms,
    graph: Graph,
    joins: Mapping[str, Joins],
    unread: Unread | None = None,
    strangers: Strangers | None = None,
) -> Explanation | None:
    """Idx went through floats of too few digits, and were rounded.

    16-bit floats hold every whole number up to 2,048, bfloat16 up to 256, 32-bit floats up to
    16,777,216; beyond that only every second is left, then every fourth. It shows in the idx that
    are in use: above that number there are multiples alone.

    Why it matters:
    Neighbours in the file become one node: it has the pairs of two, four or more, and the others
    are never trained.

    How to fix:
    Keep idx as integers on their way, and tensors of them as ``torch.long``; half precision is for
    the vectors alone:

        idx = torch.as_tensor(pairs.to_numpy(), dtype=torch.long)

    ``taxcheck fix`` undoes it where identifiers stand beside the idx.

    Known exceptions:
    Fewer than 20 idx above the largest exact number do not show it.

    References:
    - IEEE 754, binary16 and binary32: https://doi.org/10.1109/IEEESTD.2019.8766229
    """
    return _narrowed(FLOATS, mapping, totals, symptoms, graph, joins, unread, strangers)
