"""The pairs once more, with a cause undone: from what the run has kept, so that nothing is read.

Sound rows come from the spool, those that were left out from the symptoms. An identifier beside an
idx that the run did not object to is the one that the mapping gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pyarrow as pa

from taxcheck.model.arrays import BoolArray, IntArray, within
from taxcheck.model.cause import Mend
from taxcheck.run.gather import Gathered
from taxcheck.run.intake import Intake
from taxcheck.sources.tables.batches import PairBatch
from taxcheck.sources.tables.cells import SENTINEL, whole_numbers
from taxcheck.sources.tables.weights import Weights, read_weights
from taxcheck.statistics.depths import marks_of
from taxcheck.statistics.joins import UNSAID, Joins, Meaning
from taxcheck.statistics.offenders import Column, Offenders, Sink, of_pairs, select
from taxcheck.statistics.pairs import PairState, PairTable, SortedPairs
from taxcheck.statistics.spool import PairSpool
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.unread import Unread
from taxcheck.statistics.values import MappingStatistics

_LEFT_OUT = ("index_out_of_range", "self_pair")
PAIRWISE = (*_LEFT_OUT, "taxid_disagreement", "invalid_pair_row", "unusable_weight")
_UNREAD = ("invalid_pair_row", "unusable_weight")  # rows that a mend takes out, or reads
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Rows:
    """Pairs on their way, (k,) each; ``meant`` are the idx of the identifiers beside the idx."""

    rows: IntArray
    ancestor: IntArray
    descendant: IntArray
    ancestor_meant: IntArray  # UNSAID where no identifier stands there
    descendant_meant: IntArray
    depth_diff: IntArray | None
    weight: Weights | None

    def part(self, chosen: slice | IntArray) -> Rows:
        """Some of the rows."""
        columns: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        taken: dict[str, Any] = {n: None if c is None else c[chosen] for n, c in columns.items()}
        return Rows(**taken)

    def beside(self, other: Rows) -> Rows:
        """Both, in the order of their rows; a column that one of them lacks goes."""
        columns: dict[str, Any] = {}
        for f in fields(self):
            mine, its = getattr(self, f.name), getattr(other, f.name)
            columns[f.name] = None if mine is None or its is None else np.concatenate([mine, its])
        return Rows(**columns).part(np.argsort(columns["rows"], kind="stable"))


def undone(
    mend: Mend,
    intake: Intake,
    symptoms: Symptoms,
    joins: Mapping[str, Joins],
    sink: Sink,
    resources: ExitStack,
) -> Intake:
    """The intake as if the cause had not been; ``sink`` hears of what is wrong with single rows.

    The new spool is closed by ``resources``. Held-out pairs are taken as they are.
    """
    old = intake.training
    spool = PairSpool(old.spool.has_depth, old.spool.has_weights)
    resources.callback(spool.close)
    state = PairState.empty(old.state.origin)
    back = _restored(mend, intake, symptoms)
    for rows in replayed(intake, symptoms, joins, back):
        found = _sorted(mended(rows, mend), intake.mapping.mapped)
        for offenders in found.offenders:
            sink(offenders)
        state.update(found)
        sound = found.sound
        spool.append(
            sound.rows,
            sound.ancestor,
            sound.descendant,
            sound.depth_diff,
            found.marks,
            found.weights,
        )
    for offenders in _unread(mend, symptoms, back):
        sink(offenders)
        state.defects[offenders.defect].update(offenders)
        state.rows += len(offenders) if offenders.defect == _UNREAD[0] else 0
    state.has_taxids = old.state.has_taxids
    tables = [state] if intake.held_out is None else [state, intake.held_out.state]
    return replace(
        intake,
        mapping=_as_meant(mend, _still_named(intake.mapping, tables)),
        training=PairTable(state, spool, old.labels),
    )


def _still_named(mapping: MappingStatistics, tables: Sequence[PairState]) -> MappingStatistics:
    """A mapping that was made from the labels of the pairs has no others than those in use."""
    if not mapping.derived:
        return mapping
    used = np.logical_or.reduce([(t.as_ancestor > 0) | (t.as_descendant > 0) for t in tables])
    return replace(mapping, mapped=used, nodes=int(np.count_nonzero(used)))


def _as_meant(mend: Mend, mapping: MappingStatistics) -> MappingStatistics:
    """A mapping whose columns were exchanged has its identifiers where its idx are looked for."""
    if not mend.mapping_exchanged:
        return mapping
    integers = np.where(mapping.mapped, np.arange(mapping.n_nodes), -1)
    return replace(mapping, identifiers=replace(mapping.identifiers, integers=integers))


def redone(
    data: Gathered, mend: Mend, joins: Mapping[str, Joins], resources: ExitStack
) -> Gathered:
    """All that was gathered, as if the cause had not been; its pairs last as ``resources`` do."""
    assert data.intake is not None
    read = Symptoms(known=data.read, without=PAIRWISE)
    intake = undone(mend, data.intake, data.symptoms, joins, read, resources)
    return replace(data, intake=intake, read=read, _seen={})


def replayed(
    intake: Intake, symptoms: Symptoms, joins: Mapping[str, Joins], back: Rows | None = None
) -> Iterator[Rows]:
    """All pairs of the file but the unreadable ones, in its order; ``back`` are some of those."""
    extra, start = _left_out(symptoms, joins), 0
    if back is not None:
        extra = back if extra is None else extra.beside(back)
    for batch in intake.training.spool.batches():
        unsaid = np.full(len(batch.rows), UNSAID)
        told = intake.training.state.has_taxids
        plain = Rows(
            batch.rows,
            batch.ancestor,
            batch.descendant,
            batch.ancestor if told else unsaid,
            batch.descendant if told else unsaid,
            batch.depth_diff,
            batch.weight,
        )
        if "taxid_disagreement" in joins:
            plain = _doubted(plain, symptoms, joins["taxid_disagreement"])
        if extra is not None:
            end = int(np.searchsorted(extra.rows, batch.rows[-1]))
            plain, start = plain.beside(extra.part(slice(start, end))), end
        yield plain
    if extra is not None:
        for at in range(start, len(extra.rows), _BLOCK):
            yield extra.part(slice(at, min(at + _BLOCK, len(extra.rows))))


def _doubted(plain: Rows, symptoms: Symptoms, joins: Joins) -> Rows:
    """The same with what is meant where identifiers disagree."""
    rows = symptoms["taxid_disagreement"].rows
    assert rows is not None
    first, last = np.searchsorted(rows, [plain.rows[0], plain.rows[-1] + 1])
    at = np.searchsorted(plain.rows, rows[first:last])
    ancestor, descendant = plain.ancestor_meant.copy(), plain.descendant_meant.copy()
    ancestor[at] = joins.ancestor.meant[first:last]
    descendant[at] = joins.descendant.meant[first:last]
    return replace(plain, ancestor_meant=ancestor, descendant_meant=descendant)


def _left_out(symptoms: Symptoms, joins: Mapping[str, Joins]) -> Rows | None:
    """The rows that were left out though they hold two idx, in their order."""
    found: Rows | None = None
    for defect in _LEFT_OUT:
        symptom = symptoms.get(defect)
        if symptom is None or symptom.rows is None:
            continue
        own = joins.get(defect)
        unsaid = np.full(len(symptom), UNSAID)
        depth, weight = symptom.column("depth_diff"), symptom.column("weight")
        ancestor, descendant = symptom.nodes
        rows = Rows(
            symptom.rows,
            ancestor,
            descendant,
            unsaid if own is None else own.ancestor.meant,
            unsaid if own is None else own.descendant.meant,
            None if depth is None else depth.astype(np.int64),
            None if weight is None else weight.astype(np.float32),
        )
        found = rows if found is None else found.beside(rows)
    return found


def mended(rows: Rows, mend: Mend) -> Rows:
    """The same rows with a cause undone; rows of an idx that becomes none, -1, are taken out."""
    touched = np.ones(len(rows.rows), bool) if mend.rows is None else within(mend.rows, rows.rows)
    if not touched.any():
        return rows
    if mend.dropped:
        return rows.part(np.flatnonzero(~touched))
    a, d = rows.ancestor, rows.descendant
    nobody = nameless(mend, a, d) & touched
    if mend.renumbered is not None:
        a, d = (np.where(touched, mend.renumbered(end), end) for end in (a, d))
    if mend.given is not None:
        source, ancestor, descendant = mend.given
        here = np.flatnonzero(within(source, rows.rows))
        at = np.searchsorted(source, rows.rows[here])
        a, d = a.copy(), d.copy()
        a[here], d[here] = ancestor[at], descendant[at]
        nobody[here] |= (ancestor[at] < 0) | (descendant[at] < 0)
    meant_a, meant_d = rows.ancestor_meant, rows.descendant_meant
    if mend.agreeing is not None:
        right = within(mend.agreeing, rows.rows)
        meant_a, meant_d = np.where(right, a, meant_a), np.where(right, d, meant_d)
    if mend.exchanged:  # identifiers go with their idx
        a, d = np.where(touched, d, a), np.where(touched, a, d)
        meant_a, meant_d = np.where(touched, meant_d, meant_a), np.where(touched, meant_a, meant_d)
    depth = rows.depth_diff
    if depth is not None and mend.depth:
        depth = np.where(touched, depth + mend.depth, depth)
    if depth is not None and mend.distances is not None:
        source, distance = mend.distances
        here = np.flatnonzero(within(source, rows.rows))
        depth = depth.copy()
        depth[here] = distance[np.searchsorted(source, rows.rows[here])]
    changed = replace(
        rows,
        ancestor=a,
        descendant=d,
        ancestor_meant=meant_a,
        descendant_meant=meant_d,
        depth_diff=depth,
    )
    return changed.part(np.flatnonzero(~nobody)) if nobody.any() else changed


def nameless(mend: Mend, *ends: IntArray) -> BoolArray:
    """Which rows, (k,) each end, have an idx that a renumbering takes to nobody."""
    none = np.zeros(len(ends[0]), dtype=bool)
    if mend.renumbered is not None:
        for idx in ends:
            none |= (idx >= 0) & (mend.renumbered(idx) < 0)
    return none


def _sorted(rows: Rows, mapped: BoolArray) -> SortedPairs:
    """Sound pairs and the others, as ``Nodes.sort_out`` tells them apart."""
    a, d, last = rows.ancestor, rows.descendant, len(mapped) - 1
    outside = (a < 0) | (d < 0) | (a > last) | (d > last)
    outside |= ~mapped[np.clip(a, 0, last)] | ~mapped[np.clip(d, 0, last)]
    same = ~outside & (a == d)
    wrong = np.zeros(len(a), dtype=bool)
    for idx, meant in ((a, rows.ancestor_meant), (d, rows.descendant_meant)):
        wrong |= (meant != UNSAID) & (idx != meant)
    batch = PairBatch(rows.rows, a, d, rows.depth_diff)

    def offenders(defect: str, chosen: BoolArray) -> Offenders:
        beside: dict[str, Column] = {
            "ancestor_meant": rows.ancestor_meant,
            "descendant_meant": rows.descendant_meant,
        }
        if rows.weight is not None:
            beside["weight"] = rows.weight
        columns = {name: column[chosen] for name, column in beside.items()}
        return of_pairs(defect, batch, chosen, None, columns)

    found = (
        offenders("index_out_of_range", outside),
        offenders("self_pair", same),
        offenders("taxid_disagreement", wrong & ~outside & ~same),
    )
    sound = ~(outside | same)
    kept = select(batch, sound)
    weights = None if rows.weight is None else rows.weight[sound]
    return SortedPairs(len(a), kept, marks_of(kept), found, weights)


def _restored(mend: Mend, intake: Intake, symptoms: Symptoms) -> Rows | None:
    """Rows that could not be read, but of which the mend says which idx they mean."""
    symptom = symptoms.get("invalid_pair_row")
    if symptom is None or symptom.rows is None:
        return None
    at, *ends = _meant_by(mend, symptoms, symptom.rows)
    cells = {name: symptom.column(name) for name in ("depth_diff", "weight")}
    texts = {n: pa.array(c[at], pa.string()) for n, c in cells.items() if c is not None}
    depth = whole_numbers(texts["depth_diff"]).values if "depth_diff" in texts else None
    if depth is not None:
        legible = depth != SENTINEL
        at, depth, ends = at[legible], depth[legible], [end[legible] for end in ends]
        texts = {name: cells.filter(pa.array(legible)) for name, cells in texts.items()}
    if not len(at):
        return None
    meaning = Meaning(intake.mapping.identifiers)

    def meant(role: str) -> IntArray:
        cells = symptom.column(role)
        return np.full(len(at), UNSAID) if cells is None else meaning.of(cells[at])

    return Rows(
        symptom.rows[at],
        ends[0],
        ends[1],
        meant("ancestor_taxid"),
        meant("descendant_taxid"),
        depth,
        read_weights(texts["weight"]).values if "weight" in texts else None,
    )


def _meant_by(mend: Mend, symptoms: Symptoms, rows: IntArray) -> tuple[IntArray, ...]:
    """Places of the rows that a mend reads, and both numbers that stand there, (k,) each."""
    if mend.given is not None:
        at = np.flatnonzero(within(mend.given[0], rows))
        return at, np.full(len(at), -1), np.full(len(at), -1)
    unread = Unread.of(symptoms, None)
    if mend.renumbered is None or unread is None:
        return (np.empty(0, np.int64),) * 3
    ends = [end.idx for end in unread.joins.ends]
    read = np.logical_and.reduce([mend.renumbered(idx) >= 0 for idx in ends])
    if mend.rows is not None:
        read &= within(mend.rows, unread.rows)
    return np.flatnonzero(unread.chosen)[read], ends[0][read], ends[1][read]


def _unread(mend: Mend, symptoms: Symptoms, back: Rows | None) -> Iterator[Offenders]:
    """Rows that could not be read, but for those that the mend takes out, or reads."""
    for defect in _UNREAD:
        for part in symptoms[defect].parts if defect in symptoms else ():
            assert part.rows is not None
            stays = np.ones(len(part), dtype=bool)
            if mend.dropped and mend.rows is not None:
                stays = ~within(mend.rows, part.rows)
            if back is not None and defect == _UNREAD[0]:
                stays &= ~within(back.rows, part.rows)
            yield Offenders(
                defect,
                {name: column[stays] for name, column in part.columns.items()},
                tuple(column[stays] for column in part.nodes),
                part.rows[stays],
                part.reason,
            )
