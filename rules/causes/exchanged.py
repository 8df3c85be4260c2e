"""Causes in which the two ends of some rows were exchanged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from taxcheck.model.arrays import BoolArray, Int32Array, IntArray, Whole, within
from taxcheck.model.cause import Explanation, Mend, cause
from taxcheck.model.result import RuleResult
from taxcheck.model.room import Room
from taxcheck.model.vocabulary import plural
from taxcheck.statistics.counts import Counts
from taxcheck.statistics.joins import Joins
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.spool import KeptPairs
from taxcheck.statistics.symptoms import Symptoms

_NEARLY = 0.99
_ROUNDS = 3
_MOST = 0.5  # of the rows; where more are turned round, it is the columns
_ROW_BYTES = 100  # that a row takes which points upwards
_EDGES = 4  # times as many pairs follow from mere edges as there are, or more
_SEEN_BY = ("false_ancestor_pair", "reversed_pair", "cycle", "missing_parent", "several_parents")


@cause()
def exchanged_ends(
    kept: KeptPairs,
    symptoms: Symptoms,
    joins: Mapping[str, Joins],
    totals: PairState,
    found: Mapping[str, RuleResult],
    room: Room,
) -> Explanation | None:
    """In some rows ancestor and descendant, or the identifiers beside them, were exchanged.

    Where identifiers stand beside the idx, each end of such a row has the identifier of the other.
    Where the whole row is turned round, its ancestor has fewer descendants than its descendant.

    Why it matters:
    Such a row teaches that a taxon descends from its own child. Where only identifiers were
    exchanged the pairs are sound, and whoever joins by identifier reads them the wrong way round.

    How to fix:
    Find where those rows are written in another order of columns than the rest, and exchange them:

        ends = ["ancestor_idx", "descendant_idx"]
        pairs.loc[bad, ends] = pairs.loc[bad, ends[::-1]].to_numpy()

    ``taxcheck fix`` does that where the idx are exchanged.

    Known exceptions:
    Where all rows are turned round, the columns were exchanged. Of mere edges only identifiers
    tell: who has more rows need not have more descendants.

    References:
    - Nickel & Kiela 2017, the direction of the relation: https://arxiv.org/abs/1705.08039
    """
    if "taxid_disagreement" in joins:
        crossed = _crossed(symptoms, joins["taxid_disagreement"], totals)
        if crossed is not None:
            return crossed
    if not any(name in symptoms for name in _SEEN_BY) or _mere_edges(found, len(kept)):
        return None
    (rows, *ends), certain = _upwards(kept, totals.origin.n, room)
    both = symptoms.get("reversed_pair")
    if both is not None and both.rows is not None:  # the pair stands the right way round as well
        alone = ~within(both.rows, rows)
        rows, ends = rows[alone], [end[alone] for end in ends]
    if not len(rows) or len(rows) > _MOST * len(kept):
        return None
    explains = depths_of(symptoms, np.concatenate(ends))
    mismatch = symptoms.get("depth_mismatch")
    if mismatch is not None and mismatch.rows is not None:
        explains["depth_mismatch"] = within(rows, mismatch.rows)
    return Explanation(
        message=f"ancestor and descendant are exchanged in {plural(len(rows), 'row')}",
        explains=explains,
        parameters={"rows": len(rows), "first row": int(rows[0])},
        free=2,
        mend=Mend(
            what=f"exchange ancestor and descendant in {plural(len(rows), 'row')}",
            why="turned round they are those of the hierarchy that all others state",
            rows=rows,
            exchanged=True,
            only_tried=not certain,
        ),
        why_not=None
        if certain
        else "without the distances of a tree a node and its only child "
        "are not told apart; give depth_diff, or `taxonomy`",
    )


def _mere_edges(found: Mapping[str, RuleResult], rows: int) -> bool:
    """Whether most of what the pairs imply is not there."""
    missing = found.get("missing_ancestor_pair")
    return missing is not None and (missing.count or 0) > _EDGES * rows


def _upwards(kept: KeptPairs, n: int, room: Room) -> tuple[IntArray, bool]:
    """Row, ancestor and descendant of rows that point upwards, (3, k); and whether depth tells so.

    What all rows say of their nodes tells: an ancestor has more descendants and fewer ancestors
    than its descendant. In a tree with distances it is less deep as well, which tells apart a node
    and its only child. Rows that are found are turned round, and the nodes counted anew.
    """
    none = np.empty(0, np.int64)
    found = by_count = _pointing(kept, _Nodes.of(kept, none, n), False, room)
    for _ in range(_ROUNDS):
        now = _pointing(kept, _Nodes.of(kept, found[0], n), kept.has_depth, room)
        if now.shape[1] > 2 * by_count.shape[1]:
            return by_count, False  # in a DAG the largest distance says nothing
        if np.array_equal(now[0], found[0]):
            break
        found = now
    return found, kept.has_depth


@dataclass(frozen=True, slots=True)
class _Nodes:
    """What the rows say of every idx, (n,) each."""

    below: Whole  # pairs in which it is the ancestor
    above: Whole
    deep: Int32Array  # the largest distance to an ancestor

    @classmethod
    def of(cls, kept: KeptPairs, turned: IntArray, n: int) -> _Nodes:
        """From all rows, of which some are taken the other way round."""
        below, above, deep = Counts.empty(n), Counts.empty(n), np.zeros(n, dtype=np.int32)
        for batch in kept.batches():
            other = within(turned, batch.rows)
            a = np.where(other, batch.descendant, batch.ancestor)
            d = np.where(other, batch.ancestor, batch.descendant)
            below.add(a)
            above.add(d)
            if batch.depth_diff is not None:
                np.maximum.at(deep, d, batch.depth_diff.astype(np.int32))
        return cls(below.freeze(), above.freeze(), deep)


def _pointing(kept: KeptPairs, nodes: _Nodes, by_depth: bool, room: Room) -> IntArray:
    parts, count = [np.empty((3, 0), dtype=np.int64)], 0
    for batch in kept.batches():
        a, d = batch.ancestor, batch.descendant
        fewer, as_many = nodes.below[a] < nodes.below[d], nodes.below[a] == nodes.below[d]
        up = fewer | (as_many & (nodes.above[a] > nodes.above[d]))
        if by_depth:
            up &= nodes.deep[a] == nodes.deep[d]
            up |= nodes.deep[a] > nodes.deep[d]
        parts.append(np.stack([batch.rows, a, d])[:, up])
        count += parts[-1].shape[1]
        room.ask(count * _ROW_BYTES, f"looking at {count:,} pairs together")
    return np.concatenate(parts, axis=1)


def depths_of(symptoms: Symptoms, ends: IntArray) -> dict[str, BoolArray | bool]:
    """Nodes with two depths of which rows with these ends may state one."""
    depths = symptoms.get("inconsistent_depth")
    return {} if depths is None else {depths.defect: np.isin(depths.nodes[0], ends)}


def _crossed(symptoms: Symptoms, joins: Joins, totals: PairState) -> Explanation | None:
    """Rows each end of which has the identifier of the other."""
    a, d = joins.ancestor, joins.descendant
    crossed = (a.meant == d.idx) & (d.meant == a.idx)
    rows = symptoms["taxid_disagreement"].rows
    if rows is None or np.count_nonzero(crossed) < _NEARLY * len(crossed):
        return None
    count = int(np.count_nonzero(crossed))
    above = totals.as_ancestor
    if 2 * np.count_nonzero(above[a.idx[crossed]] > above[d.idx[crossed]]) > count:
        return Explanation(
            message=f"the identifiers of ancestor and descendant are exchanged in "
            f"{plural(count, 'row')}, and the idx are not",
            explains={"taxid_disagreement": crossed},
            parameters={"rows": count, "first row": int(rows[crossed][0])},
            free=1,
            fix="``pairs.loc[bad, ['ancestor_taxid', 'descendant_taxid']] = pairs.loc[bad, "
            "['descendant_taxid', 'ancestor_taxid']].to_numpy()``",
        )
    return Explanation(
        message=f"the idx of ancestor and descendant are exchanged in {plural(count, 'row')}, and "
        "the identifiers are not",
        explains={
            "taxid_disagreement": crossed,
            **depths_of(symptoms, np.concatenate([a.idx[crossed], d.idx[crossed]])),
        },
        parameters={"rows": count, "first row": int(rows[crossed][0])},
        free=1,
        mend=Mend(
            what=f"exchange the idx of ancestor and descendant in {plural(count, 'row')}",
            why="then the identifiers beside them are those of the mapping",
            given=(rows[crossed], d.idx[crossed], a.idx[crossed]),
        ),
    )
