"""Labels of nodes from columns of a table: coded, those that print alike as one, whole numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.sources.tables.cells import identifiers, integers_of
from taxcheck.sources.tables.forms import forms_of
from taxcheck.sources.tables.table import Table
from taxcheck.sources.taxonomies.absent import is_absent
from taxcheck.sources.taxonomies.hierarchy import SHOWN
from taxcheck.sources.taxonomies.rows import sound_batches

# Blanks of Unicode, and characters that print as nothing.
_BLANKS = "[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\t]"
_NOTHING = "[\u00ad\u200b-\u200d\u2060\ufeff]"


_FEWEST = 5  # numbers beside which a single word is none of them


@dataclass(frozen=True, slots=True)
class Coded:
    """Columns of labels by role as codes (rows,), -1 for no label, and the labels of the codes.

    ``labels`` are distinct, in order, int64 where all of them are whole numbers but for words for
    nothing: those are then no labels, and word k has the code -2 - k.
    """

    codes: Mapping[str, IntArray]
    labels: pa.Array
    words: tuple[str, ...]
    texts: Mapping[str, pa.Array]  # columns of further roles, trimmed
    notes: tuple[str, ...]
    guesses: tuple[str, ...]


def read_labels(table: Table, ends: Mapping[str, str], others: Mapping[str, str]) -> Coded:
    """Read columns, by role, whole; InputError where a line cannot be taken apart."""
    columns = {f"{role}_taxid": name for role, name in (*ends.items(), *others.items())}
    chunks: list[pa.Array] = []
    sizes: list[int] = []
    texts: dict[str, list[pa.Array]] = {role: [] for role in others}
    trimmed = 0
    for batch in sound_batches(table, columns):
        cells = [batch.columns[f"{role}_taxid"] for role in ends]
        trimmed += sum(forms_of(column).trimmed for column in cells)
        cleaned = [identifiers(column)[0].cast(pa.string()) for column in cells]
        chunks.append(pa.concat_arrays(cleaned).dictionary_encode())
        sizes.append(batch.rows)
        for role in others:
            column = batch.columns[f"{role}_taxid"].cast(pa.string())
            texts[role].append(pc.utf8_trim_whitespace(column))
    whole = pa.chunked_array(chunks).unify_dictionaries()
    dictionary = whole.chunk(0).dictionary
    codes: dict[str, list[IntArray]] = {role: [] for role in ends}
    for chunk, size in zip(whole.chunks, sizes, strict=True):
        parts = chunk.indices.fill_null(-1).to_numpy().astype(np.int64).reshape(len(ends), size)
        for role, part in zip(ends, parts, strict=True):
            codes[role].append(part)
    labels, place, words, guesses = _settled(dictionary, _above_only(codes, len(dictionary)))
    notes = [f"{trimmed:,} labels had blanks at their ends, which were left out"] if trimmed else []
    place = np.append(place, -1)  # of no label
    return Coded(
        {role: place[np.concatenate(parts)] for role, parts in codes.items()},
        labels,
        words,
        {role: pa.concat_arrays(parts) for role, parts in texts.items()},
        tuple(notes),
        tuple(guesses),
    )


def _above_only(codes: Mapping[str, Sequence[IntArray]], n: int) -> BoolArray:
    """Which of n labels stand as a parent and never as a child."""
    found = np.zeros(n + 1, dtype=bool)
    for parts, there in ((codes.get("parent", ()), True), (codes.get("child", ()), False)):
        for part in parts:
            found[part] = there
    return found[:n]


def _settled(
    dictionary: pa.Array, above_only: BoolArray
) -> tuple[pa.Array, IntArray, tuple[str, ...], list[str]]:
    """Distinct labels in order, the codes of the dictionary, words for nothing, and guesses.

    Among numbers one word that is only a parent says that there is none, such as "root".
    """
    nothing = is_absent(dictionary)
    filled = dictionary.filter(pc.invert(nothing))
    whole = integers_of(filled)
    if whole.null_count == 1 and len(whole) > _FEWEST:
        word = filled.filter(whole.is_null())[0]
        if above_only[pc.index(dictionary, word).as_py()]:
            nothing = pc.or_(nothing, pc.equal(dictionary, word))
            filled, whole = dictionary.filter(pc.invert(nothing)), whole.drop_null()
    guesses = []
    if len(whole) and not whole.null_count:
        labels, place = np.unique(whole.to_numpy(), return_inverse=True)
        mask = nothing.to_numpy(zero_copy_only=False)
        codes = np.empty(len(dictionary), dtype=np.int64)
        codes[~mask], codes[mask] = place, -2 - np.arange(np.count_nonzero(mask))
        if pc.any(pc.match_substring_regex(filled, r"[.e]")).as_py():
            guesses.append("identifiers written as floats are read as whole numbers, 2.0 as 2")
        return pa.array(labels), codes, tuple(dictionary.filter(nothing).to_pylist()), guesses
    merged, told = one_of_lookalikes(dictionary)
    labels = pc.unique(merged)
    labels = labels.take(pc.array_sort_indices(labels))
    return labels, pc.index_in(merged, labels).to_numpy().astype(np.int64), (), told


def one_of_lookalikes(labels: pa.Array) -> tuple[pa.Array, list[str]]:
    """Distinct labels, (n,), those that print alike as the plainest of them; and what was told."""
    if not len(labels) or pc.all(pc.string_is_ascii(labels)).as_py():
        return labels, []
    plain = pc.utf8_normalize(labels, form="NFC")
    plain = pc.replace_substring_regex(plain, _NOTHING, "")
    plain = pc.replace_substring_regex(plain, _BLANKS, " ")
    plain = pc.utf8_trim_whitespace(pc.replace_substring_regex(plain, "  +", " "))
    coded = plain.dictionary_encode()
    group = coded.indices.to_numpy()
    alike = np.bincount(group)[group] > 1
    if not alike.any():
        return labels, []
    mask = pa.array(alike)
    changed = np.flatnonzero(alike & pc.not_equal(labels, plain).to_numpy(False))
    shown = ", ".join(map(repr, sorted(set(plain.take(pa.array(changed)).to_pylist()))[:SHOWN]))
    return pc.if_else(mask, plain, labels), [
        f"{len(changed):,} labels differ from another only by blanks or by their Unicode form, and "
        f"are taken for it: {shown}"
    ]
