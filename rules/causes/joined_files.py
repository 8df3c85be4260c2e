"""Causes in which files of two datasets were put one after the other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray, distinct, within
from taxcheck.model.cause import Explanation, Mend, cause
from taxcheck.model.places import SaidRow
from taxcheck.model.room import Room, Unasked
from taxcheck.model.vocabulary import plural
from taxcheck.statistics.hierarchy.edges import tree_edges
from taxcheck.statistics.joins import UNKNOWN, Joins
from taxcheck.statistics.spool import KeptPairs
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.values import MappingStatistics

from .builds import left_behind
from .exchanged import depths_of
from .renumbering import FEWEST

# What the pairs of another dataset do among those of this one.
_SEEN_BY = (
    "taxid_disagreement",
    "index_out_of_range",
    "false_ancestor_pair",
    "reversed_pair",
    "disagrees_with_taxonomy",
    "several_parents",
    "cycle",
    "self_pair",
)
_TRIED = 4  # places at which an order may break off
_PAIRS_A_TREE = 10  # at least, in a dataset
_MOST = 20_000_000  # rows that are looked at together
_ROW_BYTES = 150  # that each of them takes while its closure is proved
_WHICH = (
    "the pairs of this mapping alone, since nothing says which of the two they are, or identifiers "
    "beside their idx (ancestor_taxid, descendant_taxid), or `taxonomy`"
)


@cause()
def restarted_idx(
    mapping: MappingStatistics,
    used: IntArray,
    symptoms: Symptoms,
    joins: Mapping[str, Joins],
    said_row: SaidRow,
) -> Explanation | None:
    """Two mappings stand one after the other in one file, and idx start again at the second.

    From some row on every row has an idx that an earlier row has given to another identifier, from
    the first idx on and without a gap. Where the pairs number as many nodes as the file has rows,
    their idx went on, and those of the second part are out of range for that reason.

    Why it matters:
    Two taxa share each of these idx, and so one vector; pairs of both datasets that are numbered by
    it are mixed up.

    How to fix:
    Give the second mapping idx of its own before both are put together, and number its pairs with
    them:

        second["idx"] += len(first)

    Known exceptions:
    A file that lists every taxon once for each of its synonyms repeats idx in groups, not from a
    row on.

    References:
    - pandas.concat, ignore_index: https://pandas.pydata.org/docs/reference/api/pandas.concat.html
    """
    symptom = symptoms.get("duplicate_idx")
    if symptom is None or symptom.rows is None:
        return None
    idx = symptom.nodes[0]
    again = np.ones(len(idx), dtype=bool)
    again[np.unique(idx, return_index=True)[1]] = False
    at = np.flatnonzero(again)
    rows, second = symptom.rows[at], idx[at]
    if len(at) < FEWEST or rows[-1] - rows[0] + 1 != len(rows):
        return None
    first = int(np.flatnonzero(mapping.mapped)[0])
    distinct_ = np.unique(second)
    if distinct_[0] != first or distinct_[-1] - distinct_[0] + 1 != len(distinct_):
        return None
    explains: dict[str, BoolArray | bool] = {
        "duplicate_idx": np.ones(len(symptom), dtype=bool),
    }
    once = bool((np.diff(second) > 0).all())
    if once and len(used) == mapping.rows == used[-1] + 1:
        explains |= left_behind(symptoms)
        if outside := symptoms.get("index_out_of_range"):
            explains["index_out_of_range"] = np.ones(len(outside), dtype=bool)
    if "taxid_disagreement" in joins:
        explains["taxid_disagreement"] = np.logical_and.reduce(
            [
                end.holds(end.idx) | ((end.meant == UNKNOWN) & (end.idx <= distinct_[-1]))
                for end in joins["taxid_disagreement"].ends
            ]
        )
    return Explanation(
        message=f"two mappings stand in one file: from {said_row('mapping', int(rows[0]))} of the "
        f"mapping on, idx start again at {first}",
        explains=explains,
        parameters={"row": int(rows[0]), "idx given twice": len(distinct_)},
        free=1,
        why_not="nothing but identifiers beside them says which of the two an idx of the pairs "
        "means; give each dataset's mapping with its own pairs",
    )


@cause()
def appended_file(
    kept: KeptPairs,
    symptoms: Symptoms,
    mapping: MappingStatistics,
    said_row: SaidRow,
    room: Room,
) -> Explanation | None:
    """The pairs of another dataset, with idx of its own, were appended to these.

    From some row on to the end the pairs are a closure of their own, in which the same idx are
    other nodes: they contradict the rows before, disagree with the mapping or leave its range.

    Why it matters:
    Two taxa share each idx that both datasets use, and the model is taught that each descends from
    the ancestors of both.

    How to fix:
    Number the second dataset with idx of its own, in mapping and pairs, before both are put
    together:

        second[["ancestor_idx", "descendant_idx"]] += len(first_mapping)

    ``taxcheck fix`` leaves its rows out where identifiers or a taxonomy deny them, or where the
    rows before have all nodes of the mapping and they have few.

    Known exceptions:
    Of two datasets of one size nothing else says which is the mapping's. Rows with idx of their own
    that the mapping lacks contradict nothing: the mapping may have been cut.
    Rows at random are no closure, and the same rows once more are repetitions: neither is another
    dataset.

    References:
    - pandas.concat: https://pandas.pydata.org/docs/reference/api/pandas.concat.html
    """
    if not any(name in symptoms for name in _SEEN_BY):
        return None
    start = next((int(batch.rows[0]) for batch in kept.batches()), None)
    too_many: Unasked | None = None
    for first in _places(kept, symptoms, len(mapping.mapped)):
        if start is None or first <= start:  # nothing stands before it
            continue
        try:
            tail = rows_between(first, np.inf, kept, symptoms, room)
        except Unasked as why:
            too_many = why
            continue
        rows = tail[0]
        if not len(rows) >= FEWEST or _repeated(rows, symptoms):
            continue
        if not any(
            all(is_closure(part, len(mapping.mapped)) for part in parts)
            for parts in ([tail], _parts(tail))
        ):
            continue
        before, after = _nodes_before(first, kept, mapping), distinct(tail[1:])
        if not within(before, after).any():
            continue  # numbered through: nothing says that the mapping should lack its nodes
        foreign = _foreign(first, symptoms)
        if foreign is False:
            tail = rows_between(0, first - 1, kept, symptoms, room)
            if not is_closure(tail, len(mapping.mapped)):
                continue
        shared = np.count_nonzero(within(before, after))
        proved = foreign is not None or len(before) == mapping.nodes > 2 * int(shared)
        ends = foreign is not False
        return _another(first, tail, symptoms, said_row, ends=ends, proved=proved)
    if too_many is not None:
        raise too_many
    return None


def _another(
    first: int,
    foreign: IntArray,
    symptoms: Symptoms,
    said_row: SaidRow,
    *,
    ends: bool,
    proved: bool,
) -> Explanation:
    """The rows of another dataset, (3, k), which meets this one at row ``first``.

    ``ends``: they are the last ones. Where nothing proves which of the two it is, both are named.
    """
    count = plural(foreign.shape[1], "row")
    begin = said_row("pairs", first)
    where = f"from {begin} to the end" if ends else f"up to {said_row('pairs', first - 1)}"
    return Explanation(
        message=f"the pairs {where}, {count}, are of another dataset, whose idx are other nodes"
        if proved
        else f"the pairs before {begin} and the {count} from there on are of two datasets, "
        "in which the same idx are other nodes",
        parameters={"row": first, "rows": foreign.shape[1]},
        free=1,
        explains=depths_of(symptoms, foreign[1:]),
        mend=Mend(
            what=f"leave out the pairs of another dataset, {where}",
            why="they are a closure of their own that contradicts the other rows",
            rows=foreign[0],
            dropped=True,
        ),
        guess=not proved,
        why_not=None if proved else _WHICH,
    )


def _nodes_before(first: int, kept: KeptPairs, mapping: MappingStatistics) -> IntArray:
    """Distinct idx that the rows before one use, ascending."""
    used = np.zeros(len(mapping.mapped), dtype=bool)
    for batch in kept.batches():
        early = batch.rows < first
        used[batch.ancestor[early]] = used[batch.descendant[early]] = True
    return np.flatnonzero(used)


def _foreign(first: int, symptoms: Symptoms) -> bool | None:
    """Whether identifiers or a taxonomy deny the rows from one on; False where those before it.

    None where they deny neither.
    """
    for name in ("taxid_disagreement", "disagrees_with_taxonomy"):
        symptom = symptoms.get(name)
        if symptom is not None and symptom.rows is not None and len(symptom):
            return bool(2 * np.count_nonzero(symptom.rows >= first) > len(symptom))
    return None


def _places(kept: KeptPairs, symptoms: Symptoms, n: int) -> list[int]:
    """Source rows at which a second file may begin, the likeliest first.

    There an order breaks off, a descendant comes again, or something is wrong.
    """
    falls: tuple[list[int], list[int]] = ([], [])
    again: list[int] = []
    seen, last = np.zeros(n, dtype=bool), (-1, -1)
    for batch in kept.batches():
        keys = batch.descendant, batch.ancestor
        for found, key, before in zip(falls, keys, last, strict=True):
            here = np.flatnonzero(np.diff(key, prepend=before) < 0)
            found += batch.rows[here[: _TRIED + 1 - len(found)]].tolist()
        if not again:
            again = _again(batch.rows, batch.descendant, last[0], seen)
        last = int(keys[0][-1]), int(keys[1][-1])
    wrong = [
        int(symptom.rows[0])
        for name in _SEEN_BY
        if (symptom := symptoms.get(name)) is not None and symptom.rows is not None
    ]
    breaks = [row for found in falls if len(found) <= _TRIED for row in found]
    breaks += [row for found in falls for row in found[:1]]
    return list(dict.fromkeys([*breaks, *again, *wrong]))[: 2 * _TRIED]


def _again(rows: IntArray, descendant: IntArray, last: int, seen: BoolArray) -> list[int]:
    """The first row at which a descendant comes again after others did; ``seen`` is filled."""
    starts = np.flatnonzero(np.diff(descendant, prepend=last) != 0)
    groups = descendant[starts]
    known = seen[groups]
    first = np.zeros(len(groups), dtype=bool)
    first[np.unique(groups, return_index=True)[1]] = True
    known |= ~first
    seen[groups] = True
    return [int(rows[starts[at]]) for at in np.flatnonzero(known)[:1]]


def rows_between(
    first: int, last: float, kept: KeptPairs, symptoms: Symptoms, room: Room
) -> IntArray:
    """Source row, ancestor and descendant of the rows first..last, in their order, (3, k).

    Unasked where they are too many to be held.
    """
    parts: list[tuple[IntArray, ...]] = [(np.empty(0, dtype=np.int64),) * 3]
    count = 0

    def take(columns: tuple[IntArray, ...]) -> None:
        here = (columns[0] >= first) & (columns[0] <= last)
        parts.append(columns if here.all() else tuple(column[here] for column in columns))

    for batch in kept.batches():
        if batch.rows[-1] < first or batch.rows[0] > last:
            continue
        take((batch.rows, batch.ancestor, batch.descendant))
        count += len(parts[-1][0])
        room.look(count, _ROW_BYTES, _MOST)
    for name in ("index_out_of_range", "self_pair"):
        symptom = symptoms.get(name)
        if symptom is not None and symptom.rows is not None:
            take((symptom.rows, *symptom.nodes))
    found = np.stack([np.concatenate(columns) for columns in zip(*parts, strict=True)])
    if (found[0, 1:] >= found[0, :-1]).all():
        return found
    order = np.argsort(found[0], kind="stable")
    return np.stack([column[order] for column in found])


def _repeated(rows: IntArray, symptoms: Symptoms) -> bool:
    """Whether most rows only repeat earlier ones."""
    repeated = symptoms.get("duplicate_pair")
    if repeated is None or repeated.rows is None:
        return False
    return bool(2 * np.count_nonzero(within(repeated.rows, rows)) > len(rows))


def _parts(tail: IntArray) -> list[IntArray]:
    """The rows of each of the files that were appended, where their order tells them apart."""
    for key in (tail[2], tail[1]):
        falls = 1 + np.flatnonzero(np.diff(key) < 0)
        if len(falls) <= _TRIED:
            return np.split(tail, falls, axis=1)
    return [tail]


def is_closure(tail: IntArray, n: int) -> bool:
    """Whether some rows are the whole closure of a few trees."""
    _, ancestor, descendant = tail
    size = max(n, int(max(ancestor.max(), descendant.max())) + 1)
    if size > 16 * tail.shape[1] + 1024 + n:
        return False
    present = np.zeros(size, dtype=bool)
    present[ancestor] = present[descendant] = True
    edges = tree_edges(ancestor, descendant, present)
    if edges is None:
        return False
    # pairs drawn at random are a closure too, of as many trees as pairs
    roots = np.count_nonzero(present) - len(edges[1])
    return bool(_PAIRS_A_TREE * roots <= tail.shape[1])
