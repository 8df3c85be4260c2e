"""A hierarchy from texts of whole lineages, level by level over all of them."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import IntArray
from taxcheck.sources.taxonomies.absent import is_absent
from taxcheck.sources.taxonomies.hierarchy import SHOWN, Hierarchy, Origin, distinct_edges
from taxcheck.sources.taxonomies.labels import one_of_lookalikes
from taxcheck.sources.taxonomies.ranks import rank_of

_PREFIXED = re.compile(r"([a-z]{1,2}|D_[0-9]{1,2})__(.*)")
_BARE = r"^([a-z]{1,2}|D_[0-9]{1,2})__$"
_CONFIDENCE = r"\([0-9.]+\)$"  # Bacteria(100)
_WHOLE = ";"  # between the taxa of a whole lineage
_UNKNOWN = (r"(?i)(^|__|[ _])(unidentified|uncultured|unclassified|unknown|incertae[ _]sedis|"
            r"ambiguous[ _]taxa|metagenome|environmental[ _]sample)s?($|[ _])")  # fmt: skip
_NOWHERE = Origin("lineages", "", None, 0, "")


def grow(texts: pa.Array, separator: str, ranks: pa.Array | None = None) -> Hierarchy:
    """The taxa of lineages, (rows,), highest first; ``ranks`` are those of each row's last taxon.

    A taxon is a name in one place: below each parent once. Where a name has several places, its
    nodes are called by their whole lineages. The origin is for the caller to say.
    """
    labels, row, level, counts = _parts(texts, separator)
    values, codes, alike = _coded(labels)
    depth = int(level.max(initial=-1)) + 1
    current = np.full(len(texts), -1, dtype=np.int64)  # the node at which each lineage has arrived
    parents: list[IntArray] = []
    of_label: list[IntArray] = []
    size, begin = 0, np.searchsorted(level, np.arange(depth + 1), side="left")
    for k in range(depth):
        at = slice(begin[k], begin[k + 1])
        keys = (current[row[at]] + 1) * max(len(values), 1) + codes[at]
        distinct, place = np.unique(keys, return_inverse=True)
        above, label = np.divmod(distinct, max(len(values), 1))
        parents.append(above - 1)
        of_label.append(label)
        current[row[at]] = size + place
        size += len(distinct)
    parent = np.concatenate(parents) if parents else np.empty(0, np.int64)
    label = np.concatenate(of_label) if of_label else np.empty(0, np.int64)
    identifiers, homonyms = _identifiers(parent, label, values, [len(p) for p in parents])
    child = np.flatnonzero(parent >= 0)
    found = [_PREFIXED.fullmatch(value) for value in values.to_pylist()]
    names = pa.array([m[2] if m else v for m, v in zip(found, values.to_pylist(), strict=True)])
    rank = pa.array([rank_of(m[1]) if m else None for m in found], pa.string())
    said = _said_ranks(current, ranks, size) if ranks is not None else rank.take(pa.array(label))
    return Hierarchy(
        _NOWHERE,
        identifiers,
        *distinct_edges(parent[child], child, max(size, 1)),
        names=names.cast(pa.string()).take(pa.array(label)),
        ranks=said if said.null_count < len(said) else None,
        notes=_told(counts, values, label, homonyms),
        guesses=tuple(alike),
    ).in_order()


def unknown(name: str) -> bool:
    """Whether a name says that the taxon is not known, as "uncultured bacterium" does."""
    return re.search(_UNKNOWN, name) is not None


def _parts(texts: pa.Array, separator: str) -> tuple[pa.Array, IntArray, IntArray, dict[str, int]]:
    """The taxa of all lineages, by level: their labels, rows, and levels; what was left out."""
    split = pc.split_pattern(pc.fill_null(texts, ""), separator.strip() or separator)
    row = pc.list_parent_indices(split).to_numpy().astype(np.int64)
    labels = pc.utf8_trim_whitespace(pc.list_flatten(split))
    sure = pc.match_substring_regex(labels, _CONFIDENCE)
    scored = 2 * int(pc.sum(sure).as_py() or 0) > len(labels) - len(texts)
    if scored:
        labels = pc.replace_substring_regex(labels, _CONFIDENCE, "")
    bare = pc.match_substring_regex(labels, _BARE)
    empty = pc.equal(pc.binary_length(labels), 0)
    absent = pc.and_not(is_absent(labels), empty)
    kept = pc.invert(pc.or_(pc.or_(bare, empty), absent)).to_numpy(zero_copy_only=False)
    row, labels = row[kept], labels.filter(pa.array(kept))
    first = np.searchsorted(row, row, side="left")
    level = np.arange(len(row)) - first
    order = np.argsort(level, kind="stable")
    return (
        labels.take(pa.array(order)),
        row[order],
        level[order],
        {
            "bare": int(pc.sum(bare).as_py() or 0),
            "scored": scored,
            "absent": int(pc.sum(absent).as_py() or 0),
        },
    )


def _coded(labels: pa.Array) -> tuple[pa.Array, IntArray, list[str]]:
    """Distinct labels in order, the code of each, and which print alike."""
    coded = labels.dictionary_encode()
    merged, alike = one_of_lookalikes(coded.dictionary)
    values = pc.unique(merged)
    values = values.take(pc.array_sort_indices(values))
    place = pc.index_in(merged, values).to_numpy().astype(np.int64)
    return values, place[coded.indices.to_numpy()] if len(labels) else place, alike


def _identifiers(
    parent: IntArray, label: IntArray, values: pa.Array, sizes: list[int]
) -> tuple[pa.Array, IntArray]:
    """The name of each node, or its whole lineage where the name has several places."""
    if not len(label):
        return pa.array([], pa.string()), label
    shared = np.bincount(label, minlength=len(values))[label] > 1
    own = values.take(pa.array(label))
    levels: list[pa.Array] = []
    begin = 0
    for size in sizes:
        names = own.slice(begin, size)
        if levels:
            above = pa.concat_arrays(levels).take(pa.array(parent[begin : begin + size]))
            names = pc.binary_join_element_wise(above, names, _WHOLE)
        levels.append(names)
        begin += size
    return pc.if_else(pa.array(shared), pa.concat_arrays(levels), own), np.unique(label[shared])


def _said_ranks(last: IntArray, ranks: pa.Array, size: int) -> pa.Array:
    """What rows say of their last taxon, by node, (size,); of several the first in order."""
    ranks = pc.utf8_trim_whitespace(ranks)
    known = pc.and_(pa.array(last >= 0), pc.invert(is_absent(ranks)))
    table = pa.table({"node": last, "rank": ranks}).filter(known)
    table = table.take(pc.sort_indices(table, [("node", "ascending"), ("rank", "ascending")]))
    nodes, first = np.unique(table["node"].to_numpy(), return_index=True)
    place = np.full(size, -1, dtype=np.int64)
    place[nodes] = first
    said = pa.array(table["rank"].to_pylist(), pa.string())
    return said.take(pa.array(place, mask=place < 0))


def _told(
    counts: dict[str, int], values: pa.Array, label: IntArray, homonyms: IntArray
) -> tuple[str, ...]:
    notes = []
    if counts["scored"]:
        notes.append("numbers in brackets behind the names, as of confidence, are left out")
    if counts["bare"]:
        notes.append(f"{counts['bare']:,} parts hold a rank's prefix alone: no taxon")
    if counts["absent"]:
        notes.append(f"{counts['absent']:,} parts are words for nothing: no taxon")
    unknown = pc.match_substring_regex(values, _UNKNOWN).to_numpy(zero_copy_only=False)
    if count := int(np.count_nonzero(unknown[label])):
        shown = ", ".join(values.filter(pa.array(unknown)).to_pylist()[:SHOWN])
        notes.append(
            f"{count:,} nodes are of no known taxon ({shown}); they are apart below each parent"
        )
    if len(homonyms):
        shown = ", ".join(values.take(pa.array(homonyms[:SHOWN])).to_pylist())
        notes.append(
            f"{len(homonyms):,} names stand in several places; those nodes are called by their "
            f"whole lineage ({shown})"
        )
    return tuple(notes)
