"""Identifiers that are equal in another form: which forms it takes, and which then are the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import IntArray
from taxcheck.statistics.values import Identifiers

_SAMPLED = 400  # labels among which prefixes are looked for
_PREFIXES = 12  # different ones: as many as there are ranks
_LONGEST = 60  # characters of one
_MATCHING, _COMMON = 0.5, 0.02  # of the sampled labels have a prefix; have one and the same


@dataclass(frozen=True, slots=True)
class Form:
    """A way in which a label may be written otherwise, and the label without it."""

    name: str
    apply: Callable[[pa.Array], pa.Array]  # (k,) string to (k,) string


@dataclass(frozen=True, slots=True)
class Same:
    """Labels that are others once both are brought into a form."""

    forms: tuple[str, ...]
    label: IntArray  # (k,) places among the labels, ascending
    other: IntArray  # (k,) places among the others


def regex(pattern: str, by: str) -> Callable[[pa.Array], pa.Array]:
    """Replace a pattern in every label."""
    return lambda labels: pc.replace_substring_regex(labels, pattern, by)


def fewest(forms: Sequence[Form], count: Callable[[Sequence[Form]], int]) -> list[Form]:
    """As few of some forms as do what all of them do together, the mildest first."""
    needed, whole = list(forms), count(forms)
    for form in forms[::-1]:
        fewer = [f for f in needed if f is not form]
        if count(fewer) >= whole:
            needed = fewer
    return needed


def same(labels: pa.Array, others: pa.Array, forms: Sequence[Form]) -> Same | None:
    """The labels that one of the others is in as few forms as it takes; None where none is.

    A form in which two of the others are one decides nothing about them.
    """
    needed = fewest(forms, lambda some: len(_same(labels, others, some).label))
    found = _same(labels, others, needed)
    return found if len(found.label) else None


def _same(labels: pa.Array, others: pa.Array, forms: Sequence[Form]) -> Same:
    for form in forms:
        labels, others = form.apply(labels), form.apply(others)
    coded = others.dictionary_encode()
    counts = np.bincount(coded.indices.to_numpy(), minlength=len(coded.dictionary))
    first = np.empty(len(coded.dictionary), dtype=np.int64)
    first[coded.indices.to_numpy()] = np.arange(len(others))
    place = pc.index_in(labels, coded.dictionary).fill_null(-1).to_numpy()
    found = np.flatnonzero(place >= 0)
    found = found[counts[place[found]] == 1]
    return Same(tuple(form.name for form in forms), found, first[place[found]])


def texts(identifiers: Identifiers) -> tuple[pa.Array, IntArray]:
    """(identifiers as text, their idx), (k,) each."""
    if identifiers.integers is not None:
        idx = np.flatnonzero(identifiers.integers >= 0)
        return pa.array(identifiers.integers[idx]).cast(pa.string()), idx
    assert identifiers.strings is not None
    idx = np.flatnonzero(np.array([text is not None for text in identifiers.strings]))
    return pa.array(identifiers.strings[idx], pa.string()), idx


def prefixes(labels: pa.Array, others: pa.Array) -> list[str]:
    """What stands before others in the labels, the commonest first; few, or none."""
    sampled = _sample(labels)
    common = {
        prefix: count
        for prefix, count in _before(sampled, others).most_common()
        if count >= _COMMON * len(sampled)
    }
    return _if_few(common, len(sampled))


def lost_prefixes(labels: pa.Array, others: pa.Array) -> list[str]:
    """What the labels lack before them to be others, the commonest first; few, or none."""
    sampled = _sample(labels)
    found = {
        prefix: pc.sum(pc.is_in(pc.binary_join_element_wise(prefix, sampled, ""), others)).as_py()
        for prefix, _ in _before(_sample(others), labels).most_common(_PREFIXES)
    }
    return _if_few({p: c for p, c in found.items() if c >= _COMMON * len(sampled)}, len(sampled))


def _sample(labels: pa.Array) -> pa.Array:
    return labels.take(pa.array(np.arange(0, len(labels), max(len(labels) // _SAMPLED, 1))))


def _before(labels: pa.Array, others: pa.Array) -> Counter[str]:
    """How often what stands before others in some labels."""
    known = set(others.to_pylist())
    found: Counter[str] = Counter()
    for label in labels.to_pylist():
        ends = range(1, min(len(label), _LONGEST))
        cut = next((k for k in ends if label[k:] in known and _ends(label, k)), None)
        if cut is not None:
            found[label[:cut]] += 1
    return found


def _if_few(found: dict[str, int], sampled: int) -> list[str]:
    few = len(found) <= _PREFIXES and sum(found.values()) >= max(_MATCHING * sampled, 1)
    return [*found] if few else []


def _ends(label: str, at: int) -> bool:
    """Whether a prefix may end there: at a sign, or between letters and a number."""
    before, after = label[at - 1], label[at]
    return not before.isalnum() or (before.isalpha() and after.isdigit() and label[:at].isalpha())


def without(found: Sequence[str]) -> Callable[[pa.Array], pa.Array]:
    """Take one of some prefixes away."""

    def apply(labels: pa.Array) -> pa.Array:
        bare = labels
        for prefix in found:
            starts = pc.starts_with(labels, prefix)
            bare = pc.if_else(starts, pc.utf8_slice_codeunits(labels, len(prefix)), bare)
        return bare

    return apply


def united(labels: pa.Array, forms: Sequence[Form], rows: IntArray) -> tuple[IntArray, IntArray]:
    """(labels that are others, those that they are), (k,) each, as places among the labels."""
    for form in forms:
        labels = form.apply(labels)
    codes = labels.dictionary_encode().indices.to_numpy()
    order = np.lexsort((np.arange(len(codes)), -rows, codes))
    first = np.r_[True, codes[order][1:] != codes[order][:-1]]
    main = order[np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))]
    later = ~first
    old = order[later]
    by_place = np.argsort(old)
    return old[by_place], main[later][by_place]
