"""A table of edges or of nodes with their parents: one row names a child and its parent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.errors import InputError
from taxcheck.model.vocabulary import plural
from taxcheck.sources.taxonomies.absent import is_absent
from taxcheck.sources.taxonomies.columns import NUMBERS_FOR_NONE, Chosen, choose_columns
from taxcheck.sources.taxonomies.hierarchy import (
    SHOWN,
    Dropped,
    Hierarchy,
    Origin,
    Retired,
    distinct_edges,
)
from taxcheck.sources.taxonomies.labels import Coded, read_labels

_NOT_ACCEPTED = r"synonym|unaccepted|not accepted|invalid|misapplied|superseded|not valid"
_MOST_STEPS = 32  # of synonyms that lead on to each other


@dataclass(slots=True)
class _Rows:
    """Children and parents, (rows,), -1 for none, while rows are sorted out and counted."""

    child: IntArray
    parent: IntArray
    labels: pa.Array
    dropped: list[Dropped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    guesses: list[str] = field(default_factory=list)

    def keep(self, kept: BoolArray) -> None:
        self.child, self.parent = self.child[kept], self.parent[kept]

    def shown(self, nodes: Iterable[int]) -> tuple[str, ...]:
        at = pa.array(sorted({int(node) for node in nodes})[:SHOWN], pa.int64())
        return tuple(map(str, self.labels.take(at).to_pylist()))


def read_edges(path: str, columns: str | None) -> Hierarchy:
    """Children and parents by the columns' names, or by cells and position, which is told.

    A node without a parent, or with itself as one, is a root. Where children repeat and the table
    has a distance, only rows at distance 1 are edges. Synonyms are no nodes. Labels are in order.
    """
    chosen = choose_columns(path, columns)
    ends = {role: chosen.roles[role] for role in ("child", "parent", "accepted")
            if role in chosen.roles}  # fmt: skip
    others = {role: name for role, name in chosen.roles.items() if role not in ends}
    coded = read_labels(chosen.table, ends, others)
    return hierarchy_of(chosen, coded)


def hierarchy_of(chosen: Chosen, coded: Coded) -> Hierarchy:
    """The hierarchy that rows state."""
    table = chosen.table
    rows = _Rows(coded.codes["child"], coded.codes["parent"].copy(), coded.labels)
    kept = _no_distances(rows, coded)
    retired = _without_synonyms(rows, coded, kept)
    _without_parent(rows, chosen, coded.words, kept)
    nodes = np.zeros(len(coded.labels), dtype=bool)
    beside = {role: _by_node(rows.child[kept], coded.texts[role].filter(pa.array(kept)), len(nodes))
              for role in ("name", "rank") if role in coded.texts}  # fmt: skip
    for role, (_, several) in beside.items():
        if several:
            rows.notes.append(
                f"{plural(several, 'node')} {'has' if several == 1 else 'have'} several {role}s in "
                "its rows; the first in order is kept"
            )
    rows.keep(kept)
    nodes[rows.child] = True
    nodes[rows.parent[rows.parent >= 0]] = True
    edge = (rows.parent >= 0) & (rows.parent != rows.child)
    if nodes.any() and not edge.any():
        raise _no_parents(rows, chosen)
    parents, children = distinct_edges(rows.parent[edge], rows.child[edge], max(len(nodes), 1))
    if repeated := int(np.count_nonzero(edge)) - len(parents):
        rows.dropped.append(Dropped("rows", repeated, "they repeat an edge"))
    if chosen.of_nodes:
        _told_without_row(rows, edge)
    whole = Hierarchy(
        Origin("edge list", table.path, None, table.bytes, table.fingerprint()),
        coded.labels,
        parents,
        children,
        names=beside.get("name", (None, 0))[0],
        ranks=beside.get("rank", (None, 0))[0],
        retired=retired.get,
        dropped=tuple(rows.dropped),
        notes=(*table.notes, *chosen.notes, *coded.notes, *rows.notes),
        guesses=(*table.guesses, *chosen.guesses, *coded.guesses, *rows.guesses),
        ends=chosen.ends,
    )
    return whole.select(nodes)


def _no_parents(rows: _Rows, chosen: Chosen) -> InputError:
    """The refusal of a table of which no row states a parent."""
    why = "; ".join((*rows.guesses, *rows.notes, *(f"left out: {one.why}" for one in rows.dropped)))
    return InputError(
        f"{chosen.table.path}: {chosen.roles['parent']!r} names no parent of any in "
        f"{chosen.roles['child']!r} ({why or 'each names itself'}); name the columns that are "
        "meant with `columns` child=COLUMN,parent=COLUMN"
    )


def _no_distances(rows: _Rows, coded: Coded) -> BoolArray:
    """Which rows are at distance 1, where the table has distances."""
    if "distance" not in coded.texts:
        return np.ones(len(rows.child), dtype=bool)
    one = pc.match_substring_regex(coded.texts["distance"], r"^1(\.0*)?$")
    near: BoolArray = pc.fill_null(one, False).to_numpy(zero_copy_only=False)
    if deeper := int(np.count_nonzero(~near)):
        rows.dropped.append(
            Dropped("rows", deeper, "their distance is not 1, so they are no edges")
        )
    return near.copy()


def _without_synonyms(rows: _Rows, coded: Coded, kept: BoolArray) -> dict[str, Retired]:
    """Leave out rows of names that are not accepted; parents among them lead on to the accepted."""
    n = len(coded.labels)
    onward = np.arange(n)
    synonym = np.zeros(len(rows.child), dtype=bool)
    if "status" in coded.texts:
        said = pc.match_substring_regex(pc.utf8_lower(coded.texts["status"]), _NOT_ACCEPTED)
        synonym |= pc.fill_null(said, False).to_numpy(zero_copy_only=False)
    if "accepted" in coded.codes:
        accepted = coded.codes["accepted"]
        told = (accepted >= 0) & (accepted != rows.child) & (rows.child >= 0)
        zero = _codes_of(coded.labels, NUMBERS_FOR_NONE)
        told &= ~np.isin(accepted, zero) & ~_absent_codes(coded.labels)[accepted]
        synonym |= told
        onward[rows.child[told]] = accepted[told]
    if not (synonym & kept).any():
        return {}
    names = np.unique(rows.child[synonym])
    for _ in range(_MOST_STEPS):
        onward = onward[onward]
    led = (rows.parent >= 0) & ~synonym & (onward[np.maximum(rows.parent, 0)] != rows.parent)
    rows.parent[led] = onward[rows.parent[led]]
    kept &= ~synonym
    left_out, shown = int(np.count_nonzero(synonym)), rows.shown(names[:SHOWN])
    rows.dropped.append(Dropped("rows", left_out, "synonyms, which are no nodes", shown))
    if led.any():
        rows.notes.append(
            f"{int(np.count_nonzero(led)):,} rows have a synonym as parent, and were led on to the "
            "accepted name"
        )
    old, new = (
        map(str, coded.labels.take(pa.array(at)).to_pylist()) for at in (names, onward[names])
    )
    return {o: Retired(a, "is a synonym of") for o, a in zip(old, new, strict=True) if o != a}


def _without_parent(rows: _Rows, chosen: Chosen, known: Sequence[str], kept: BoolArray) -> None:
    """Parents that are words for nothing become none, and roots are counted with their words."""
    missing = kept & (rows.child < 0)
    half = missing & (rows.parent != -1)
    if half.any():
        above = [*rows.shown(rows.parent[half & (rows.parent >= 0)][:1]), *known][0]
        raise InputError(
            f"{chosen.table.path}: {int(np.count_nonzero(half)):,} rows name a parent and no child "
            f"(one the parent {above!r}); mend or remove them"
        )
    if missing.any():
        blank = int(np.count_nonzero(missing))
        rows.dropped.append(Dropped("rows", blank, "neither child nor parent stands there"))
        kept &= ~missing
    is_child = np.zeros(len(rows.labels) + 1, dtype=bool)
    is_child[rows.child[kept]] = True
    word = np.append(_absent_codes(rows.labels), False)
    zero_too = chosen.of_nodes or _zero_is_apart(rows, kept, is_child)
    word[_codes_of(rows.labels, NUMBERS_FOR_NONE if zero_too else NUMBERS_FOR_NONE[1:])] = True
    word &= ~is_child
    none = kept & word[np.maximum(rows.parent, -1)]
    none |= kept & (rows.parent < -1)
    words, counts = np.unique(rows.parent[none], return_counts=True)
    empty = int(np.count_nonzero(kept & (rows.parent == -1)))
    rows.parent[none] = -1
    own = int(np.count_nonzero(kept & (rows.parent == rows.child)))
    said = [f"{empty:,} {'has' if empty == 1 else 'have'} an empty cell"] if empty else []
    called = [known[-2 - w] if w < 0 else rows.labels[int(w)].as_py() for w in words]
    for shown, count in sorted(zip(map(str, called), counts, strict=True))[:SHOWN]:
        said.append(f"{count:,} say{'s' if count == 1 else ''} {shown!r}")
    said += [f"{own:,} {'names itself' if own == 1 else 'name themselves'}"] if own else []
    if said:
        (rows.guesses if len(words) else rows.notes).append(
            f"rows without a parent, whose nodes are roots: {', '.join(said)}"
        )


def _zero_is_apart(rows: _Rows, kept: BoolArray, is_child: BoolArray) -> bool:
    """Whether 0 is the one parent that is no child, among identifiers that do not count from 0."""
    zero = _codes_of(rows.labels, NUMBERS_FOR_NONE[:1])
    parents = np.unique(rows.parent[kept & (rows.parent >= 0)])
    if not len(zero) or (is_child[parents] == (parents == zero[0])).any():
        return False
    counting = pa.array(np.arange(1, len(rows.labels))).cast(rows.labels.type)
    return 2 * int(pc.sum(pc.is_in(rows.labels, counting)).as_py() or 0) < len(counting)


def _told_without_row(rows: _Rows, edge: BoolArray) -> None:
    """Tell parents that have no row of their own, where roots have one."""
    has_row = np.zeros(len(rows.labels), dtype=bool)
    has_row[rows.child] = True
    lone = np.unique(rows.parent[edge][~has_row[rows.parent[edge]]])
    if len(lone) and not edge.all():
        rows.notes.append(
            f"{plural(len(lone), 'parent')} without a row of {'its' if len(lone) == 1 else 'their'}"
            f" own {'is a root' if len(lone) == 1 else 'are roots'}: {', '.join(rows.shown(lone))}"
        )


def _absent_codes(labels: pa.Array) -> BoolArray:
    """Which labels, (n,), are words for nothing; a number is none."""
    if pa.types.is_integer(labels.type):
        return np.zeros(len(labels), dtype=bool)
    found: BoolArray = is_absent(labels).to_numpy(zero_copy_only=False).copy()
    return found


def _codes_of(labels: pa.Array, words: Sequence[str]) -> IntArray:
    places = pc.index_in(pa.array(words), labels.cast(pa.string())).drop_null()
    found: IntArray = places.to_numpy().astype(np.int64)
    return found


def _by_node(child: IntArray, texts: pa.Array, n: int) -> tuple[pa.Array, int]:
    """What rows say of their child, by its code, (n,), and of how many they say several things.

    Of several words the first in order counts.
    """
    table = pa.table({"node": child, "said": texts})
    table = table.filter(pc.invert(is_absent(texts)))
    order = pc.sort_indices(table, [("node", "ascending"), ("said", "ascending")])
    table = table.take(order).combine_chunks()
    nodes, first = np.unique(table["node"].to_numpy(), return_index=True)
    place = np.full(n, -1, dtype=np.int64)
    place[nodes] = first
    said = table["said"].combine_chunks()
    if isinstance(said, pa.ChunkedArray):
        said = pa.concat_arrays(said.chunks) if said.num_chunks else pa.array([], pa.string())
    distinct = table.group_by(["node", "said"], use_threads=False).aggregate([])
    counts = np.bincount(distinct["node"].to_numpy(), minlength=n)
    return said.take(pa.array(place, mask=place < 0)), int(np.count_nonzero(counts > 1))
