"""Idx or identifiers of the mapping, or identifiers of the pairs, that went through a format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import BoolArray, IntArray, within
from taxcheck.model.cause import Explanation, Mend
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.joins import Joins
from taxcheck.statistics.strangers import Strangers
from taxcheck.statistics.symptoms import Symptom, Symptoms
from taxcheck.statistics.values import MappingStatistics

from .encodings import Encoding
from .merged import merged_nodes
from .respelled import replaced

_FEWEST = 20
_REACHED = 0.98  # of the largest number that a format holds is there
_SHARE = 0.99
_NAMED = (  # what is asked of nodes by their identifiers
    "duplicate_taxid",
    "unknown_taxid",
    "not_ancestor_closed",
    "rank_inversion",
    "disagrees_with_taxonomy",
    "disagrees_with_taxonomy.missing",
)
_NOT_A_NUMBER = -(2**61)


def _parameters(encoding: Encoding) -> dict[str, int | str]:
    return {"format": encoding.name, "exact up to": encoding.held}


def _integers(cells: pa.Array) -> IntArray:
    """Cells as whole numbers, (k,), where they are some."""
    if not pa.types.is_integer(cells.type):
        texts = cells.cast(pa.string())
        whole = pc.match_substring_regex(
            texts, r"^-?[0-9]{1,15}$|^[0-9](\.[0-9]+)?[eE]\+?[0-9]{1,2}$"
        )
        cells = pc.round(pc.if_else(whole, texts, None).cast(pa.float64())).cast(pa.int64())
    numbers = cells.cast(pa.int64()).fill_null(_NOT_A_NUMBER)
    return np.asarray(numbers.to_numpy(zero_copy_only=False), dtype=np.int64)


def _below_zero(symptoms: Symptoms, column: str, reason: str) -> tuple[BoolArray, IntArray] | None:
    """Rows of the mapping left out for a number below zero: (which of the invalid, numbers)."""
    invalid = symptoms.get("invalid_mapping_row")
    if invalid is None or (cells := invalid.column(column)) is None:
        return None
    chosen = invalid.because(reason)
    return chosen, _integers(pa.array(cells[chosen], from_pandas=True))


def _without_rows(symptoms: Symptoms) -> dict[str, BoolArray | bool]:
    """What follows where rows of nodes are left out: they say whose children the others are."""
    names = ("coverage_gap", "missing_parent", "missing_ancestor_pair", "not_ancestor_closed")
    explains: dict[str, BoolArray | bool] = {
        name: np.ones(len(symptoms[name]), dtype=bool)
        for name in (*names, "false_ancestor_pair.unproven")
        if name in symptoms
    }
    return explains | {"index_hole": True, "table_too_small": True}


def of_mapped_idx(
    encodings: Sequence[Encoding],
    mapping: MappingStatistics,
    symptoms: Symptoms,
    graph: Graph,
    strangers: Strangers | None,
) -> Explanation | None:
    """The idx of the mapping: as often there as the format leaves 0, 1, 2 ... of all rows."""
    twice = symptoms.get("duplicate_idx")
    below = _below_zero(symptoms, "idx", "idx is negative")
    if twice is None and below is None:
        return None  # what a format cannot hold it merges, or turns below zero
    negative = np.empty(0, np.int64) if below is None else below[1]
    total = int(np.count_nonzero(mapping.mapped)) + len(negative)
    counts = mapping.mapped.astype(np.int64)
    if twice is not None:
        counts = np.maximum(counts, np.bincount(twice.nodes[0], minlength=mapping.n_nodes))
        total = int(counts.sum()) + len(negative)
    for encoding in encodings:
        if encoding.held >= total - 1:
            continue
        encoded = encoding.encode(np.arange(total))
        expected = np.bincount(encoded[encoded >= 0], minlength=len(counts))
        if len(expected) != len(counts) or not np.array_equal(expected, counts):
            continue
        if not np.array_equal(np.sort(encoded[encoded < 0]), np.sort(negative)):
            continue
        merged = counts > 1
        explains = merged_nodes(symptoms, graph, merged, np.zeros(len(counts), dtype=bool))
        explains |= _without_rows(symptoms)
        if twice is not None:
            explains["duplicate_idx"] = np.ones(len(twice), dtype=bool)
        if below is not None:
            explains["invalid_mapping_row"] = below[0]
        beyond = total
        if strangers is not None and len(strangers.labels) <= total - np.count_nonzero(counts):
            beyond = len(counts) + len(strangers.labels)  # no more labels than identifiers are lost
        for name in ("index_out_of_range", "taxid_disagreement"):
            if name in symptoms:
                explains[name] = _touched(symptoms[name], merged | (counts == 0), beyond)
        return Explanation(
            message=f"idx of the mapping went through {encoding.name}: {encoding.effect}",
            explains=explains,
            parameters=_parameters(encoding),
            why_not="the mapping is given; number its rows again from 0, in the order in which the "
            "pairs were numbered",
        )
    return None


def _touched(symptom: Symptom, merged: BoolArray, beyond: int) -> BoolArray:
    """Rows with an idx that has several rows of the mapping, or that the mapping lost."""
    n, found = len(merged), np.zeros(len(symptom), dtype=bool)
    for column in symptom.nodes:
        inside = (column >= 0) & (column < n)
        found |= inside & merged[np.where(inside, column, 0)]
        found |= (column >= n) & (column < beyond)
    return found


def beside_idx(
    encodings: Sequence[Encoding],
    mapping: MappingStatistics,
    symptoms: Symptoms,
    joins: Mapping[str, Joins],
) -> Explanation | None:
    """Identifiers beside idx, of which one side is what the format makes of the other."""
    part, symptom = joins.get("taxid_disagreement"), symptoms.get("taxid_disagreement")
    own = mapping.identifiers.integers
    if part is None or symptom is None or own is None or symptom.rows is None:
        return None
    ends = []
    for end, role in zip(part.ends, ("ancestor_taxid", "descendant_taxid"), strict=True):
        cells = symptom.column(role)
        stands = None if cells is None else _integers(pa.array(cells, from_pandas=True))
        ends.append((end.wrong, own[end.idx], stands))
    wrong = sum(
        int(np.count_nonzero(w & (mine != stands)))
        for w, mine, stands in ends
        if stands is not None
    )
    tried = []
    for whose in ("pairs", "mapping"):
        for encoding in encodings:
            holds = [_became(encoding, *end, whose == "mapping") for end in ends]
            changed = sum(
                int(np.count_nonzero(h & w & (mine != stands)))
                for h, (w, mine, stands) in zip(holds, ends, strict=True)
                if stands is not None
            )
            tried.append((changed, -encoding.held, whose, encoding, holds[0] & holds[1]))
    changed, _, whose, encoding, rows = max(tried, key=lambda one: one[:2])
    if 2 * changed < wrong or (changed < _FEWEST and changed < wrong) or not changed:
        return None  # neighbours may become one another by chance
    return Explanation(
        message=f"identifiers of the {whose} went through {encoding.name}: {encoding.effect}",
        explains={"taxid_disagreement": rows},
        parameters=_parameters(encoding),
        mend=Mend(
            what="take the identifiers beside the idx for those of the mapping",
            why=f"what {encoding.name} makes of the one is the other",
            agreeing=symptom.rows[rows],
        ),
    )


def _became(
    encoding: Encoding, wrong: BoolArray, own: IntArray, stands: IntArray | None, other: bool
) -> BoolArray:
    """Ends that are right, or whose identifier became that of the other side, (k,)."""
    if stands is None:
        return np.ones(len(own), dtype=bool)
    before, after = (stands, own) if other else (own, stands)
    return np.asarray(~wrong | (encoding.encode(np.maximum(before, 0)) == after))


def of_labels(
    encodings: Sequence[Encoding],
    mapping: MappingStatistics,
    symptoms: Symptoms,
    graph: Graph,
    strangers: Strangers,
    used: BoolArray,
) -> Explanation | None:
    """Labels of the pairs that are what the format makes of identifiers of the mapping."""
    own = mapping.identifiers.integers
    if own is None:
        return None
    nodes = np.flatnonzero(own >= 0)
    identifiers, labels = own[nodes], _integers(strangers.labels)
    highest = max(int(identifiers[used[nodes]].max(initial=0)), int(labels.max(initial=0)))
    for encoding in encodings:
        if (highest > encoding.held and not encoding.sharp) or encoding.held >= identifiers.max():
            continue
        encoded = encoding.encode(identifiers)
        order = np.argsort(encoded, kind="stable")
        ordered = encoded[order]
        found = within(ordered, labels)
        if np.count_nonzero(found) < max(_SHARE * len(labels), 1):
            continue
        first = np.searchsorted(ordered, labels[found])
        single = np.searchsorted(ordered, labels[found], side="right") - first == 1
        places = np.bincount(np.searchsorted(ordered, encoded), minlength=len(ordered))
        merged = np.zeros(len(own), dtype=bool)
        merged[nodes] = places[np.searchsorted(ordered, encoded)] > 1
        lost = np.zeros(len(own), dtype=bool)
        lost[nodes] = encoded != identifiers
        message = f"labels of the pairs went through {encoding.name}: {encoding.effect}"
        if single.all() and not merged.any():
            old, new = strangers.idx[found], nodes[order[first]]
            mend = Mend(
                what=f"take {len(old):,} labels for the identifiers that they were before",
                why=f"no two identifiers of the mapping become the same in {encoding.name}",
                renumbered=replaced(old, new),
            )
            return Explanation(message=message, parameters=_parameters(encoding), mend=mend)
        explains = merged_nodes(symptoms, graph, merged & ~lost, lost)
        explains |= _without_rows(symptoms)
        beyond = strangers.idx[found]
        if (outside := symptoms.get("index_out_of_range")) is not None:
            ends = [(end < len(own)) | within(beyond, end) for end in outside.nodes]
            explains["index_out_of_range"] = ends[0] & ends[1]
        return Explanation(
            message=message,
            explains=explains,
            parameters=_parameters(encoding),
            why_not="several identifiers became one label; the pairs as they were before tell them "
            "apart",
        )
    return None


def of_mapped_identifiers(
    encodings: Sequence[Encoding],
    mapping: MappingStatistics,
    symptoms: Symptoms,
    strangers: Strangers | None,
) -> Explanation | None:
    """The identifiers of the mapping: multiples, below zero, or as often twice as by chance."""
    own = mapping.identifiers.integers
    if own is None:
        return None
    below = _below_zero(symptoms, "taxid", "taxid is negative")
    negative = np.empty(0, np.int64) if below is None else below[1]
    values = own if own.min(initial=0) >= 0 else own[own >= 0]
    twice = symptoms.get("duplicate_taxid")
    for encoding in encodings:
        if not _shows(encoding, values, negative, 0 if twice is None else len(twice)):
            continue
        explains: dict[str, BoolArray | bool] = {
            name: np.ones(len(symptoms[name]), dtype=bool) for name in _NAMED if name in symptoms
        }
        if below is not None:
            explains["invalid_mapping_row"] = below[0]
        if strangers is not None or len(negative):
            explains |= _without_rows(symptoms)
        if (outside := symptoms.get("index_out_of_range")) is not None:
            explains["index_out_of_range"] = _lacking(outside, mapping, strangers, encoding)
        return Explanation(
            message=f"identifiers of the mapping went through {encoding.name}: {encoding.effect}",
            explains=explains,
            parameters=_parameters(encoding),
            why_not="nothing tells which identifiers they were; the mapping as it was before does",
        )
    return None


def _lacking(
    outside: Symptom, mapping: MappingStatistics, strangers: Strangers | None, encoding: Encoding
) -> BoolArray:
    """Rows whose ends are mapped, were left out of the mapping, or are another one in it."""
    n, own = mapping.n_nodes, mapping.identifiers.integers
    size = mapping.rows if strangers is None else n + len(strangers.labels)
    known = np.ones(max(size, n), dtype=bool)
    if strangers is not None and own is not None:
        labels = _integers(strangers.labels)
        encoded = encoding.encode(np.maximum(labels, 0))
        known[strangers.idx] = (labels >= 0) & (within(np.sort(own), encoded) | (encoded < 0))
    last = len(known) - 1
    ends = [known[np.clip(end, 0, last)] & (end <= last) for end in outside.nodes]
    return np.asarray(ends[0] & ends[1])


def _shows(encoding: Encoding, values: IntArray, negative: IntArray, twice: int) -> bool:
    if encoding.sharp:
        beyond = int(np.count_nonzero(values > encoding.held))
        return beyond >= _FEWEST and encoding.leaves(values)
    highest = int(values.max(initial=0))
    if highest > encoding.held or highest < _REACHED * encoding.held:
        return False
    if encoding.encode(np.array([encoding.held + 1]))[0] < 0:
        return len(negative) >= _FEWEST and int(negative.min()) >= -encoding.held - 1
    chance = len(values) ** 2 / (encoding.held + 1)  # rows that share a number at random
    return twice >= _FEWEST and 0.5 * chance <= twice <= 2 * chance
