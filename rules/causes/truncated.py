"""The cause in which a block of rows was lost: the end of the file, its beginning, or between."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.cause import Explanation, cause
from taxcheck.model.room import Room
from taxcheck.model.vocabulary import plural
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.spool import KeptPairs
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.truth import Truth
from taxcheck.statistics.values import MappingStatistics, PairStatistics

from .blocks import explained_by, lost_block
from .called import called
from .lost import FROM_TAXONOMY, MISSING, NO_REPAIR, everything, follows, lost_pairs
from .ordered import Ordered

_FEWEST = 20  # lost pairs, below which a pattern of positions may be chance
_SHARE = 0.99
_ROUND = 10_000  # numbers of rows that somebody chose are multiples of it
_ROUNDED = 1_000  # or of this one: of files that chance made one in a thousand is as well


def _limit(rows: int) -> bool:
    """Whether tools stop at a number of rows: a spreadsheet, a buffer, a row group, a round one."""
    spreadsheet = rows + 1 in (1 << 16, 1 << 20)  # its first row is the header
    return (
        spreadsheet
        or (rows >= 1 << 10 and (rows & (rows - 1) == 0 or rows % _ROUND == 0))
        or (rows >= 1 << 16 and rows % (1 << 16) == 0)
    )


@cause(loss=True)
def truncated_rows(
    kept: KeptPairs,
    totals: PairState,
    symptoms: Symptoms,
    mapping: MappingStatistics,
    pairs: PairStatistics,
    room: Room,
    truth: Truth | None = None,
) -> Explanation | None:
    """The file of pairs was cut: what comes after a row, before one, or between two is missing.

    The rows of each node stand together. Up to the last node all of them are there, of the last
    node some, and of all others none; or nodes one after the other, in the order of the rows, are
    descendants in none; or the file ends at a number of rows at which tools stop.

    Why it matters:
    What was cut off is whatever came last: by order of identifier the youngest taxa, by order of
    depth the most distant pairs. Nothing in the rows that are left is wrong, so that a loss curve
    shows nothing.

    How to fix:
    Write the file again and compare the number of rows on both sides. Spreadsheets end at row
    65,536 or 1,048,576; a copy that is interrupted, a full disk or a missing last row group cut
    anywhere.

    Known exceptions:
    Where rows are shuffled, only a number of rows at which tools stop can tell a cut from rows
    that were lost at random; where it is no more than a round one, a cut is likely at most. Rows
    of labels without a mapping lack nobody, whatever was cut off.

    References:
    - Excel specifications and limits: https://support.microsoft.com/en-us/office/excel-specifications-and-limits-1672b34d-7043-467e-8e27-269d656771c3
    """
    if not (MISSING in symptoms or {"coverage_gap", "missing_ancestor_pair"} & {*symptoms}):
        return None
    rows = totals.rows
    at_limit, round_ = _limit(rows), rows % _ROUNDED == 0
    ordered = Ordered.of(kept, totals, symptoms, room)
    if ordered is None:
        return None
    found: list[tuple[str, Mapping[str, BoolArray | bool]]] = []
    said = f"the file of pairs was cut after {plural(rows, 'row')}"
    if (cut := _cut(ordered, symptoms, pairs, mapping, truth)) is not None:
        some = f": of {cut[0]} some rows are there, of what comes after it none"
        found.append((said + some, cut[1]))
    if (block := lost_block(ordered, pairs, mapping, truth)) is not None:
        explains = explained_by(block, symptoms, kept, truth)
        if explains is not None:
            found.append((f"the file of pairs {block.where}", explains))
    guess = not found and not at_limit
    if not found and (at_limit or round_):
        every = (
            everything(symptoms)
            if truth is None or MISSING not in symptoms
            else follows(truth, symptoms, np.ones(len(symptoms[MISSING]), dtype=bool))
        )
        found.append((f"{said}, a number at which tools stop", every))
    if not found:
        return None
    said, explains = max(found, key=lambda one: sum(int(np.sum(mask)) for mask in one[1].values()))
    return Explanation(
        message=said,
        explains=explains,
        parameters={"rows": rows},
        guess=guess,
        why_not=NO_REPAIR if truth is None else FROM_TAXONOMY,
    )


def _cut(
    ordered: Ordered,
    symptoms: Symptoms,
    pairs: PairStatistics,
    mapping: MappingStatistics,
    truth: Truth | None,
) -> tuple[str, dict[str, BoolArray | bool]] | None:
    """(the last group, what follows), where the last of all groups is cut."""
    deep = _cut_by_distance(ordered, symptoms, truth)
    if deep is not None or ordered.groups is None:
        return deep
    end, rank = ordered.groups
    column = ordered.descendant if end == "descendant" else ordered.ancestor
    last = int(column[-1])
    place = ("ancestor", "descendant").index(end)
    said = f"{called(mapping, last)}, the last {end},"
    if truth is not None and (found := lost_pairs(symptoms)) is not None:
        head = found[place]
        after = (rank[head] < 0) | (head == last)
        partial = bool((head == last).any())
        beyond = _beyond(ordered, column)
        if not partial or np.count_nonzero(after) < _FEWEST:
            return None
        if beyond is not None:
            after &= beyond[head] | (head == last)
        elif np.count_nonzero(after) < _SHARE * len(after):
            return None  # in no order that can be followed, nodes may be gone from anywhere
        return said, follows(truth, symptoms, after)
    explains = _cut_by_itself(ordered, symptoms, pairs, column, end)
    return None if explains is None else (said, explains)


def _cut_by_distance(
    ordered: Ordered, symptoms: Symptoms, truth: Truth | None
) -> tuple[str, dict[str, BoolArray | bool]] | None:
    """The same where the rows stand by their distance, and the last one is not complete."""
    stated = ordered.distance
    if stated is None or stated[0] == stated[-1] or (np.diff(stated) < 0).any():
        return None
    last = int(stated[-1])
    if truth is not None and (found := lost_pairs(symptoms)) is not None:
        distance = truth.depth[found[1]] - truth.depth[found[0]]
    elif "missing_ancestor_pair" in symptoms:
        column = symptoms["missing_ancestor_pair"].column("distance")
        if column is None:
            return None
        distance = column.astype(np.int64)
    else:
        return None
    after = distance >= last
    if not (distance == last).any() or np.count_nonzero(after) < _FEWEST:
        return None
    said = f"the pairs at distance {last}"
    if truth is not None and MISSING in symptoms:
        return said, follows(truth, symptoms, after)
    return said, {"missing_ancestor_pair": after}


def _beyond(ordered: Ordered, column: IntArray) -> BoolArray | None:
    """Nodes that come after the last one, (n,), where the groups are in the order of the idx."""
    steps = np.diff(column)
    nodes, last = np.arange(ordered.n), column[-1]
    if (steps >= 0).all():
        return np.asarray(nodes > last)
    return np.asarray(nodes < last) if (steps <= 0).all() else None


def _cut_by_itself(
    ordered: Ordered,
    symptoms: Symptoms,
    pairs: PairStatistics,
    column: IntArray,
    end: str,
) -> dict[str, BoolArray | bool] | None:
    """The same without a taxonomy: groups in the order of the idx, none after the last."""
    beyond, last = _beyond(ordered, column), int(column[-1])
    if beyond is None:
        return None
    place = ("ancestor", "descendant").index(end)
    counts = pairs.as_descendant if end == "descendant" else pairs.as_ancestor
    counts = counts[: ordered.n]
    before = ~beyond
    share = float(np.count_nonzero(counts[before])) / max(int(np.count_nonzero(before)), 1)
    after = int(np.count_nonzero(beyond))
    if share * after < _FEWEST:  # nodes that ought to have rows after the last one
        return None
    cut = False
    for name, at in (("missing_ancestor_pair", place), ("missing_parent", 0)):
        if name in symptoms:
            cut |= bool((symptoms[name].nodes[at] == last).any())
    if not cut and end == "descendant":
        return None
    explains = everything(symptoms)
    if "missing_ancestor_pair" in symptoms:
        heads = symptoms["missing_ancestor_pair"].nodes[place]
        after_it = beyond[heads] | (heads == last)
        if np.count_nonzero(~after_it) > (1 - _SHARE) * len(column):
            return None  # many are missing before it as well
        explains["missing_ancestor_pair"] = after_it
    if "coverage_gap" in symptoms:
        nodes = symptoms["coverage_gap"].nodes[0]
        gap = beyond[nodes] | (end == "ancestor")
        # a root all of whose children come later has no pair left
        explains["coverage_gap"] = gap | (np.count_nonzero(~gap) <= 1)
    return explains
