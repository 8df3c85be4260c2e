"""The cause in which negative samples stand among the pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import IntArray, distinct, ranges, within
from taxcheck.model.cause import Explanation, Mend, cause
from taxcheck.model.places import SaidRow
from taxcheck.model.reading import Reading
from taxcheck.model.room import Room
from taxcheck.model.vocabulary import percent, plural
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.spool import KeptPairs
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.truth import Truth

from .closed import closedness
from .depth_columns import stated_by
from .joined_files import is_closure, rows_between
from .lost import MISSING

Cells = Iterator[tuple[int, pa.Array]]  # the row of the first, and the cells
_SHARE = 0.99
_FEWEST = 20  # rows that are contradicted
_LEAST = 0.05  # of the rows: whoever adds negatives adds many
_KNOWN = 0.1  # of the negatives, that something contradicts
_LOOKED_AT = 100_000  # rows that tell a period
_LONGEST = 33  # rows in which one is positive
_MOST = 5_000_000  # pairs whose closure upwards is looked at
_ROW_BYTES = 250  # that each of them takes meanwhile
_CONTRADICTED = (
    "disagrees_with_taxonomy",
    "false_ancestor_pair",
    "cycle",
    "reversed_pair",
)
# What draws among all nodes bring about.
_DRAWN = (
    "self_pair",
    "duplicate_pair",
    "reversed_pair",
    "cycle",
    "several_parents",
    "missing_ancestor_pair",
    "false_ancestor_pair",
    "false_ancestor_pair.unproven",
    "depth_mismatch",
    "inconsistent_depth",
)
_AT_RANDOM = 0.2  # of the rows that are looked at relate nodes at random
# as many rows as are closed with nothing may be closed in part; and where those are many
_IN_PART, _MANY = (0.25, 0.32), 4
_NO = ["0", "0.0", "-1", "-1.0", "false", "f", "no", "n", "neg", "negative"]
_YES = ["1", "1.0", "true", "t", "yes", "y", "pos", "positive"]
_NO_SAID = "0 or no"


@cause()
def negatives_mixed_in(
    symptoms: Symptoms,
    kept: KeptPairs,
    totals: PairState,
    graph: Graph,
    pair_reading: Reading,
    column: Callable[[str], Cells],
    room: Room,
    truth: Truth | None = None,
    *,
    said_row: SaidRow,
) -> Explanation | None:
    """Negative samples stand among the pairs.

    Rows that relate nodes at random are there in a regular way: in one block, or in turn with the
    true ones; or a column that nobody reads says which they are; or a taxonomy denies them and
    misses none. Where nothing else tells, it is likely if a fifth of the rows or more relates
    nodes whose ancestors have nothing in common, and the rest is whole.

    Why it matters:
    Every negative is trained as an ancestor: unrelated clades are pulled together as strongly as
    related ones, and evaluation rewards it.

    How to fix:
    Keep the positive rows alone; whoever trains draws negatives anew:

        pairs = pairs[pairs["label"] == 1]

    ``taxcheck fix`` leaves them out where it is known which they are.

    Known exceptions:
    False pairs that took the place of true ones, or are few, are false_ancestor_pair without a
    cause.

    References:
    - Nickel & Kiela 2017, negatives are drawn while training: https://arxiv.org/abs/1705.08039
    """
    if not {*_CONTRADICTED} & {*symptoms}:
        return None
    found = _by_column(pair_reading, column)
    if found is None and (false := _false_rows(symptoms, kept, graph, room)) is not None:
        header = bool(pair_reading.header and pair_reading.first_row)
        found = _regular(false, totals.rows + header, said_row)
        if found is not None and found[1].startswith("from"):
            found = _to_the_end(found[0], kept, said_row)
        if found is not None and _of_a_dataset(found[0], kept, symptoms, totals.origin.n, room):
            return None
        if found is None and truth is not None:
            found = _denied_alone(false, symptoms, kept, totals, truth, room)
    if found is None:
        return _at_random(symptoms, kept, totals, room)
    if 2 * len(found[0]) < _LEAST * totals.rows:
        return None
    chosen, how = found
    return Explanation(
        message=f"negative samples stand among the pairs: {plural(len(chosen), 'row')} "
        f"({percent(len(chosen) / totals.rows)}), {how}",
        explains=stated_by(symptoms, chosen),
        parameters={"rows": len(chosen)},
        free=2,
        mend=Mend(
            what=f"leave out the negatives, {how}",
            why="without them nothing contradicts the pairs",
            rows=chosen,
            dropped=True,
        ),
    )


def _denied_alone(
    false: IntArray,
    symptoms: Symptoms,
    kept: KeptPairs,
    totals: PairState,
    truth: Truth,
    room: Room,
) -> tuple[IntArray, str] | None:
    """Rows in no order that a taxonomy denies, while all pairs that it holds are there.

    With them go what a draw among all nodes makes as well: pairs of a node with itself, and true
    ones that stand there once more, or at another distance.
    """
    if "disagrees_with_taxonomy" not in symptoms or len(false) < _LEAST * totals.rows:
        return None
    missing = symptoms.get(MISSING)
    if missing is not None and len(missing) > (1 - _SHARE) * (totals.rows - len(false)):
        return None
    room.ask(len(kept) * _ROW_BYTES, f"looking at {len(kept):,} pairs together")
    part = rows_between(int(false[0]), int(false[-1]), kept, symptoms, room)
    if is_closure(part[:, within(false, part[0])], totals.origin.n):
        return None  # another dataset
    drawn = [false, _drawn_as_well(false, kept, truth)]
    own = symptoms.get("self_pair")
    if own is not None and own.rows is not None and len(own) < len(false):
        drawn.append(own.rows)
    return distinct(np.concatenate(drawn)), "which the taxonomy denies, and it lacks none"


def _drawn_as_well(false: IntArray, kept: KeptPairs, truth: Truth) -> IntArray:
    """Rows of true pairs at another distance than nearly all others, or that stand there again."""
    depth, n = truth.depth, len(truth.position)
    found = []
    for batch in kept.batches():
        rest = ~within(false, batch.rows)
        wrong = np.zeros(len(batch.rows), dtype=bool)
        if batch.depth_diff is not None:
            apart = depth[batch.descendant] - depth[batch.ancestor]
            wrong = rest & truth.holds(batch.ancestor, batch.descendant)
            wrong &= batch.depth_diff != apart
        found.append((batch.rows[rest], (batch.descendant * n + batch.ancestor)[rest], wrong[rest]))
    rows, keys, off = (np.concatenate(part) for part in zip(*found, strict=True))
    if 2 * np.count_nonzero(off) > len(false):
        off[:] = False  # distances are counted otherwise
    order = np.lexsort((rows, off, keys))
    again = np.zeros(len(rows), dtype=bool)
    again[order[1:]] = keys[order[1:]] == keys[order[:-1]]
    return np.sort(rows[again | off])


def _at_random(
    symptoms: Symptoms, kept: KeptPairs, totals: PairState, room: Room
) -> Explanation | None:
    """Without a taxonomy: rows that are closed with nothing above them, and hardly any in part.

    How many they are is known, and not which: near the roots nothing tells.
    """
    found = closedness(kept, totals.origin.n, room)
    if found is None:
        return None
    known = sum(found)
    most = _IN_PART[found.none >= _MANY * found.all]
    if found.none < max(_AT_RANDOM * known, _FEWEST) or found.part > most * found.none:
        return None
    if found.all < _LEAST * known:
        return None  # no hierarchy is left that others might stand in
    every = {name: np.ones(len(symptoms[name]), dtype=bool) for name in _DRAWN if name in symptoms}
    share = percent(found.none / known)
    return Explanation(
        message="negative samples stand among the pairs, in no order: of "
        f"{plural(known, 'row')} that were looked at {share} relate nodes at random, and nearly "
        "all others are whole",
        explains=every,
        parameters={"looked at": known, "at random": found.none},
        free=2,
        chance=totals.rows * _LEAST / 10,  # a few false rows are no negatives
        guess=True,
        why_not="the rows before negatives were added, a column that tells them (label), or "
        "`taxonomy`",
    )


def _of_a_dataset(block: IntArray, kept: KeptPairs, symptoms: Symptoms, n: int, room: Room) -> bool:
    """Whether rows without a gap are a closure of their own, as negatives are not."""
    first, last = int(block[0]), int(block[-1])
    if last - first + 1 != len(block) or len(block) > _MOST:
        return False
    return is_closure(rows_between(first, last, kept, symptoms, room), n)


def _by_column(reading: Reading, column: Callable[[str], Cells]) -> tuple[IntArray, str] | None:
    """The rows in which a column that nobody reads, with two values, says no."""
    for name in reading.unread:
        rows = _denied(column(name))
        if rows is not None and len(rows):
            return rows, f"those with {_NO_SAID} in the column '{name}', which nobody reads"
    return None


def _denied(batches: Cells) -> IntArray | None:
    """Rows with the one of two values that means no; None where there are others."""
    found = []
    for first_row, column in batches:
        cells = pc.utf8_lower(pc.utf8_trim_whitespace(column.cast(pa.string())))
        no = pc.is_in(cells, pa.array(_NO))
        yes = pc.is_in(cells, pa.array(_YES))
        if not pc.all(pc.or_(no, yes)).as_py():
            return None
        here = np.flatnonzero(no.to_numpy(zero_copy_only=False))
        found.append(here + first_row)
    return np.concatenate([np.empty(0, np.int64), *found])


def _false_rows(symptoms: Symptoms, kept: KeptPairs, graph: Graph, room: Room) -> IntArray | None:
    """Rows that the taxonomy contradicts, or that are not closed upwards, (k,) ascending."""
    symptom = symptoms.get("disagrees_with_taxonomy")
    if symptom is not None and symptom.rows is not None:
        return symptom.rows if len(symptom) >= _FEWEST else None
    if not kept.has_depth or len(kept) <= _FEWEST:
        return None
    room.look(len(kept), _ROW_BYTES, _MOST)
    n, up = graph.n, graph.parents_of
    batches = [*kept.batches()]
    keys = np.sort(np.concatenate([b.descendant * n + b.ancestor for b in batches]))
    hits, asked = np.zeros((2, len(up.targets)), dtype=np.int64)
    steps = []
    for batch in batches:
        position, parent = up.expand(batch.ancestor)
        edge = ranges(up.starts[batch.ancestor], up.counts[batch.ancestor])
        above = within(keys, batch.descendant[position] * n + parent)
        asked += np.bincount(edge, minlength=len(asked))
        hits += np.bincount(edge[above], minlength=len(hits))
        steps.append((batch.rows, position, edge, above))
    sound = 2 * hits > asked  # a parent that is one of most descendants, too
    false = []
    for rows, position, edge, above in steps:
        told, closed = np.zeros((2, len(rows)), dtype=bool)
        told[position[sound[edge]]] = True
        closed[position[sound[edge] & above]] = True
        false.append(rows[told & ~closed])
    found = np.concatenate(false)
    return found if len(found) >= _FEWEST else None


def _to_the_end(block: IntArray, kept: KeptPairs, said_row: SaidRow) -> tuple[IntArray, str]:
    """A block up to the last row begins where the order of the rows before it breaks."""
    first = int(block[0])
    for batch in kept.batches():
        at = int(np.searchsorted(batch.rows, first))
        if at < len(batch.rows):
            for column in (batch.descendant, batch.ancestor):
                falls = np.flatnonzero(np.diff(column[: at + 1]) < 0)
                if len(falls) == 1 or (len(falls) and at - falls[0] < _FEWEST):
                    first = int(batch.rows[falls[0] + 1])
                    break
            break
    return np.arange(first, block[-1] + 1), f"from {said_row('pairs', first)} to the end"


def _regular(false: IntArray, rows: int, said_row: SaidRow) -> tuple[IntArray, str] | None:
    """The rows at which negatives must stand, and where that is, by those that are known to be.

    ``rows`` is the number of the last one. Some are true by chance, or nothing shows that they are
    not.
    """
    first, last = int(false[0]), int(false[-1])
    lowest, highest = np.quantile(false, [0.001, 0.999]).astype(np.int64)
    span = int(highest - lowest) + 1
    if len(false) >= _KNOWN * span and span < 0.95 * rows:
        if last >= rows - 20:
            return np.arange(first, rows + 1), f"from {said_row('pairs', first)} to the end"
        if first <= 20:
            return np.arange(1, last + 1), f"up to {said_row('pairs', last)}"
        begin, end = said_row("pairs", first), said_row("pairs", last).removeprefix("row ")
        return np.arange(first, last + 1), f"{begin.replace('row', 'rows', 1)} to {end}"
    some = false[:_LOOKED_AT]
    upto = rows if len(some) == len(false) else int(some[-1])
    for period in range(2, _LONGEST):
        places = np.bincount(some % period, minlength=period)
        full = places >= _KNOWN * upto / period
        if full.any() and not full.all() and places[~full].sum() <= 0.01 * len(some):
            every = np.arange(1, rows + 1)
            return every[full[every % period]], f"{int(full.sum())} of every {period} rows"
    return None
