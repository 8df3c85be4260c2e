"""Pairs that hold identifiers: a dictionary of all of them, and the pairs as idx into it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import IntArray
from taxcheck.model.vocabulary import plural
from taxcheck.sources.tables.batches import RawBatch, Reasons
from taxcheck.sources.tables.cells import EMPTY_WORDS, identifiers, integers_of, plain_integers
from taxcheck.sources.tables.columns import MALFORMED, header_words
from taxcheck.sources.tables.source import TableSource
from taxcheck.sources.taxonomies.absent import is_absent

LABEL_ROLES = ("ancestor_taxid", "descendant_taxid")
_SEEN_LIMIT = 1 << 26  # a bitmap is not sized by a wrong label
_COMPACT = 1 << 21  # labels of single batches that may pile up before they are merged


class LabelledPairs:
    """Pairs of identifiers as batches of idx; it can be read as often as needed.

    ``identifiers`` are int64 where every label is a plain integer, else strings. Where they were
    made from the pairs, they stand in the order of first appearance, the ancestor of a row before
    its descendant, and the idx is the position. ``unknown`` holds the labels that a given mapping
    lacks, as strings: label k has idx ``n_nodes + k``, beyond the mapping, and stands first in row
    ``unknown_rows[k]``.
    """

    def __init__(self, source: TableSource, known: pa.Array, idx: IntArray) -> None:
        self.source, self.identifiers = source, known
        self.n_nodes = int(idx.max()) + 1 if len(idx) else 0
        self.unknown, self.unknown_rows = pa.array([], pa.string()), np.empty(0, np.int64)
        self._lookup = Lookup(known, idx)

    def batches(self) -> Iterator[RawBatch]:
        """Batches with the roles "ancestor" and "descendant" as int64 idx, null for no label.

        Batches with unsound rows also hold the labels themselves ("ancestor_label" ...), so that
        those rows can be shown.
        """
        for raw, labels, reasons in _label_batches(self.source):
            ancestor, descendant = self._idx(labels, raw.first_row)
            columns = {"ancestor": ancestor, "descendant": descendant}
            columns |= {r: column for r, column in raw.columns.items() if r not in LABEL_ROLES}
            if reasons is not None:
                columns["ancestor_label"], columns["descendant_label"] = (
                    raw.columns[role] for role in LABEL_ROLES
                )
                columns[MALFORMED] = reasons
            yield self._without_absent(RawBatch(raw.first_row, columns), labels[0])

    def _without_absent(self, batch: RawBatch, ancestors: pa.Array) -> RawBatch:
        """A batch without the rows that say that their descendant has no parent."""
        absent = self.source.absent_ancestors
        if not absent or not pa.types.is_string(ancestors.type):
            return batch
        said = pc.fill_null(pc.is_in(ancestors, pa.array(absent)), False)
        if not pc.any(said).as_py():
            return batch
        kept = pc.invert(said)
        columns = {role: column.filter(kept) for role, column in batch.columns.items()}
        return RawBatch(
            batch.first_row, columns, batch.numbers[kept.to_numpy(zero_copy_only=False)]
        )

    def _idx(self, labels: tuple[pa.Array, pa.Array], first_row: int) -> list[pa.Array]:
        found = [self._lookup.find(column) for column in labels]
        nulls = [column.is_null().to_numpy(zero_copy_only=False) for column in labels]
        absent = [(idx < 0) & ~null for idx, null in zip(found, nulls, strict=True)]
        if any(mask.any() for mask in absent):
            unknown = [
                pc.if_else(pa.array(mask), column, pa.scalar(None, column.type)).cast(pa.string())
                for mask, column in zip(absent, labels, strict=True)
            ]
            self.unknown = pc.unique(pa.chunked_array([self.unknown, _first_seen(*unknown)]))
            new = len(self.unknown) - len(self.unknown_rows)
            rows = np.r_[self.unknown_rows, np.full(new, np.iinfo(np.int64).max)]
            for idx, mask, column in zip(found, absent, unknown, strict=True):
                place = pc.index_in(column.filter(pa.array(mask)), self.unknown).to_numpy()
                np.minimum.at(rows, place, first_row + np.flatnonzero(mask))
                idx[mask] = place + self.n_nodes
            self.unknown_rows = rows
        return [pa.array(idx, mask=null) for idx, null in zip(found, nulls, strict=True)]


def encode_labels(
    source: TableSource, known: tuple[pa.Array, IntArray] | None = None
) -> LabelledPairs:
    """Give the labels of pairs an idx: that of a known mapping, or one of their own.

    ``known`` are the identifiers of a mapping, int64 or string, and their idx. "9606" is the
    integer 9606; "09606" is not. Without ``known`` the label columns are read once here.
    """
    if known is not None:
        return LabelledPairs(source, *known)
    labels = _distinct(source)
    if pa.types.is_string(labels.type):
        labels = _without_words(source, labels)
    return LabelledPairs(source, labels, np.arange(len(labels), dtype=np.int64))


def _without_words(source: TableSource, labels: pa.Array) -> pa.Array:
    """The labels without words for nothing that are ancestors alone; all words are told.

    A row below such a word says that its descendant has no parent. Where no other row is left, the
    words stay labels.
    """
    words = labels.filter(is_absent(labels))
    if not len(words):
        return labels
    rows, above, below = 0, np.zeros(len(words), dtype=np.int64), set[str]()
    for raw, ends, _ in _label_batches(source, only_labels=True):
        ancestor, descendant = (end.cast(pa.string()) for end in ends)
        rows += raw.rows
        at = pc.index_in(ancestor, words).drop_null().to_numpy()
        above += np.bincount(at, minlength=len(words))
        below |= set(descendant.filter(pc.is_in(descendant, words)).unique().to_pylist())
    count = dict(zip(words.to_pylist(), above.tolist(), strict=True))
    absent = sorted(word for word in count if word not in below)
    left_out = sum(count[word] for word in absent)
    if left_out == rows:
        absent = []
    known = pc.is_in(pc.utf8_lower(words), pa.array(EMPTY_WORDS))
    kept = sorted(set(words.filter(known).to_pylist()) - set(absent))
    if kept:
        source.add_guess(
            f"{', '.join(map(repr, kept[:5]))} is read as a label, though it is a word "
            "for nothing: if it says that there is no ancestor, leave those rows out."
        )
    if not absent:
        return labels
    source.absent_ancestors = tuple(absent)
    source.add_guess(
        f"{plural(left_out, 'row')} with {', '.join(map(repr, absent[:5]))} as ancestor "
        f"{'says' if left_out == 1 else 'say'} that the descendant has no parent, and "
        f"{'is no pair' if left_out == 1 else 'are no pairs'}: it is a word for nothing, and no "
        "descendant; if a taxon is called so, give a mapping that has it."
    )
    return labels.filter(pc.invert(pc.is_in(labels, pa.array(absent))))


@dataclass(slots=True)
class Lookup:
    """From label to idx; the first of several idx of one identifier counts."""

    known: pa.Array
    idx: IntArray
    table: IntArray | None = None

    def __post_init__(self) -> None:
        if pa.types.is_integer(self.known.type) and len(self.known):
            integers = self.known.cast(pa.int64()).to_numpy()
            low, high = int(integers.min()), int(integers.max())
            if low >= 0 and high < 64 * len(integers) + (1 << 22):
                # A table of positions is ten times faster than hashing the labels of every batch.
                self.table = np.full(high + 2, -1, dtype=np.int64)
                self.table[integers[::-1]] = self.idx[::-1]

    def find(self, labels: pa.Array) -> IntArray:
        """(n,) idx, -1 where the label is null or unknown."""
        if not pa.types.is_integer(self.known.type):
            return self._hashed(labels.cast(pa.string()))
        if pa.types.is_string(labels.type):
            labels = integers_of(labels)  # texts among integers can only be unknown
        if self.table is None:
            return self._hashed(labels)
        integers = labels.fill_null(-1).to_numpy()
        last = len(self.table) - 1  # always -1
        inside = (integers >= 0) & (integers < last)
        return self.table[np.where(inside, integers, last)]

    def _hashed(self, labels: pa.Array) -> IntArray:
        place = pc.index_in(labels, value_set=self.known.cast(labels.type), skip_nulls=True)
        position = place.fill_null(-1).to_numpy()
        return np.where(position < 0, -1, self.idx[position]) if len(self.idx) else position * 1


def _label_batches(
    source: TableSource, *, only_labels: bool = False
) -> Iterator[tuple[RawBatch, tuple[pa.Array, pa.Array], pa.Array | None]]:
    """Batches with their labels, null in both where one is unsound, and the reasons of those."""
    for raw in source.batches(LABEL_ROLES if only_labels else None):
        pair = [raw.columns[role] for role in LABEL_ROLES]
        if MALFORMED not in raw.columns and all(pa.types.is_string(c.type) for c in pair):
            plain = [plain_integers(column) for column in pair]
            if all(column is not None and not column.null_count for column in plain):
                yield raw, (plain[0], plain[1]), None
                continue
        yield raw, *_sound(raw, pair)


def _sound(
    raw: RawBatch, pair: list[pa.Array]
) -> tuple[tuple[pa.Array, pa.Array], pa.Array | None]:
    cleaned = {role: identifiers(c) for role, c in zip(LABEL_ROLES, pair, strict=True)}
    labels = [column for column, _ in cleaned.values()]
    problems = {role: codes for role, (_, codes) in cleaned.items() if codes is not None}
    reasons = Reasons(raw, _headers(labels), problems)
    if pa.types.is_string(labels[0].type) != pa.types.is_string(labels[1].type):
        labels = [column.cast(pa.string()) for column in labels]
    if not reasons.refused.any():
        return (labels[0], labels[1]), None
    mask = pa.array(reasons.refused)
    nulled = [pc.if_else(mask, pa.scalar(None, column.type), column) for column in labels]
    plain = [plain_integers(c) for c in nulled if pa.types.is_string(c.type)]
    if len(plain) == 2 and plain[0] is not None and plain[1] is not None:
        nulled = plain
    return (nulled[0], nulled[1]), pa.array(reasons.of_rows, pa.string())


def _headers(labels: list[pa.Array]) -> npt.NDArray[np.bool_] | None:
    """Rows whose two labels are what headers call these columns."""
    if not all(pa.types.is_string(column.type) for column in labels):
        return None
    is_word = [
        pc.is_in(column, pa.array(header_words(role)))
        for role, column in zip(LABEL_ROLES, labels, strict=True)
    ]
    both = pc.and_(*is_word)
    return both.to_numpy(zero_copy_only=False) if pc.any(both).as_py() else None


def _distinct(source: TableSource) -> pa.Array:
    """All labels in the order of first appearance, int64 where every one is an integer."""
    chunks: list[pa.Array] = []
    integers, pending, seen = True, 0, _Seen()
    for _, pair, _ in _label_batches(source, only_labels=True):
        if integers and pa.types.is_string(pair[0].type) and (pair[0].null_count < len(pair[0])):
            integers = False
            chunks = [chunk.cast(pa.string()) for chunk in chunks]
        kind = pa.int64() if integers else pa.string()
        ancestor, descendant = pair[0].cast(kind), pair[1].cast(kind)
        if integers:
            new = pa.array(seen.news(ancestor, descendant))
            ancestor, descendant = ancestor.filter(new), descendant.filter(new)
        chunks.append(_first_seen(ancestor, descendant))
        pending += len(chunks[-1])
        if pending > max(_COMPACT, len(chunks[0])):
            chunks = [pc.unique(pa.chunked_array(chunks))]
            pending = 0
    labels = pc.unique(pa.chunked_array(chunks))
    if pa.types.is_string(labels.type):  # where all are floats of whole numbers, they are numbers
        whole = integers_of(labels)
        return labels if whole.null_count else pc.unique(whole)
    return labels


class _Seen:
    """Which small integers have been met: spares hashing what every batch repeats."""

    def __init__(self) -> None:
        self._met = np.zeros(1, dtype=np.bool_)

    def news(self, *columns: pa.Array) -> npt.NDArray[np.bool_]:
        """(n,) whether a row may hold a new label; all of them count as met from now on."""
        new = np.zeros(len(columns[0]), dtype=np.bool_)
        small = []
        for column in columns:
            values = column.to_numpy() if not column.null_count else column.fill_null(-1).to_numpy()
            inside = (values >= 0) & (values < _SEEN_LIMIT)
            self._grow(int(values.max(initial=0, where=inside)))
            new |= ~inside | ~self._met[np.where(inside, values, 0)]
            small.append(values[inside & new])
        for values in small:  # only now: a label may stand in both columns
            self._met[values] = True
        return new

    def _grow(self, largest: int) -> None:
        if largest >= len(self._met):
            grown = np.zeros(min(2 * largest + 1, _SEEN_LIMIT), dtype=np.bool_)
            grown[: len(self._met)] = self._met
            self._met = grown


def _first_seen(ancestor: pa.Array, descendant: pa.Array) -> pa.Array:
    """Distinct labels of a batch, row by row: (n,) and (n,) to (k,)."""
    coded = pa.concat_arrays([ancestor, descendant]).dictionary_encode()
    codes = coded.indices.fill_null(-1).to_numpy().reshape(2, -1).T.ravel()
    codes = codes[codes >= 0]
    first = np.empty(len(coded.dictionary), dtype=np.int64)
    # Of several writes to one place the last stays: backwards, that is the first appearance.
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return coded.dictionary.take(pa.array(np.argsort(first)))
