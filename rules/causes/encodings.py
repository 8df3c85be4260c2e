"""Number formats that cannot hold every idx: what they make of each, and what shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray, distinct
from taxcheck.statistics.joins import End, Joins
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.symptoms import Symptoms

NOWHERE = -(2**62)  # in place of a number that the format has no place for
_FEWEST = 20  # that show a format; of fewer, all have to
_FILLED = 0.9  # of the numbers that a format has for the mapping are in use
_REACHED = 0.98  # of the largest number that it holds is in use
_BLOCK = 1 << 20  # numbers that are looked at together
_TWICE = 1.3  # times as many rows has an idx of several nodes as one of a single node
_CONTRADICTING = (
    "self_pair",
    "duplicate_pair",
    "reversed_pair",
    "inconsistent_depth",
    "false_ancestor_pair",
    "cycle",
    "disagrees_with_taxonomy",
)


@dataclass(frozen=True, slots=True)
class Encoding:
    """A format, and what becomes of a whole number in it."""

    name: str  # "uint16"
    held: int  # whole numbers up to this one stay as they are
    encode: Callable[[IntArray], IntArray]  # (k,) to (k,)
    effect: str  # completes "idx went through uint16: ..."
    sharp: bool = False  # whether the numbers that it leaves show it by themselves

    def leaves(self, numbers: IntArray) -> bool:
        """Whether all of some numbers of 0 or more are such as it makes; stops where one is not."""
        for at in range(0, len(numbers), _BLOCK):
            beyond = numbers[at : at + _BLOCK]
            beyond = beyond[beyond > self.held]
            if len(beyond) and not (self.sharp and (self.encode(beyond) == beyond).all()):
                return False
        return True


def _unsigned(bits: int, name: str) -> Encoding:
    end = 1 << bits
    effect = f"{end:,} is 0 again, {end + 1:,} is 1 ..."
    return Encoding(name, end - 1, lambda values: values & (end - 1), effect)


def _signed(bits: int) -> Encoding:
    half = 1 << (bits - 1)

    def encode(values: IntArray) -> IntArray:
        return ((values + half) & (2 * half - 1)) - half

    effect = f"{half:,} is {-half:,}, {half + 1:,} is {1 - half:,} ..."
    return Encoding(f"int{bits}", half - 1, encode, effect)


def _cut_off(name: str, top: int) -> Encoding:
    effect = f"all above {top:,} are {top:,}"
    return Encoding(f"{name}, cut off at its end", top, lambda v: np.minimum(v, top), effect)


def _float(name: str, bits: int, largest: int) -> Encoding:
    """To the nearest number of so many significant bits, and of two the even one (IEEE 754)."""

    def encode(values: IntArray) -> IntArray:
        exponent = np.frexp(values.astype(np.float64))[1].astype(np.int64)
        step = np.int64(1) << np.maximum(exponent - bits, 0)
        rounded = (np.rint(values / step) * step).astype(np.int64)
        return np.where(rounded > largest, NOWHERE, rounded)

    effect = (
        f"above {2**bits:,} every second number is left, above {2 ** (bits + 1):,} every fourth ..."
    )
    return Encoding(name, 2**bits, encode, effect, sharp=True)


def _six_digits(values: IntArray) -> IntArray:
    step = 10 ** np.maximum(np.floor(np.log10(np.maximum(values, 1))).astype(np.int64) - 5, 0)
    return np.asarray(np.rint(values / step).astype(np.int64) * step)


WRAPS: tuple[Encoding, ...] = (
    *(_unsigned(bits, f"uint{bits}") for bits in (8, 16, 32)),
    *(_signed(bits) for bits in (8, 16, 32)),
    *(_unsigned(bits, f"{bits} bits") for bits in (15, 31)),
    *(_cut_off(f"int{bits}", (1 << (bits - 1)) - 1) for bits in (8, 16)),
    *(_cut_off(f"uint{bits}", (1 << bits) - 1) for bits in (8, 16)),
)
FLOATS: tuple[Encoding, ...] = (
    _float("bfloat16", 8, 2**62),
    _float("float16", 11, 65_504),
    _float("float32", 24, 2**62),
    Encoding(
        "six digits", 999_999, _six_digits, "above 999,999 every tenth number is left ...", True
    ),
)


@dataclass(frozen=True, slots=True)
class Fit:
    """How an encoding fits the idx in use: what it merged, and which nodes it left without one."""

    encoding: Encoding
    doubtful: BoolArray  # (n,) idx that stand for several nodes in the pairs
    lost: BoolArray  # (n,) nodes whose idx is that of another one, or none
    beyond: IntArray  # ascending: what became of some that is no idx of the mapping, but above 0
    ends: str
    back: tuple[IntArray, IntArray] | None  # where nothing is merged: (encoded, idx), ascending

    def undone(self, old: IntArray) -> IntArray:
        """The idx that each stands for, (k,); only where nothing was merged."""
        assert self.back is not None
        encoded, idx = self.back
        at = np.minimum(np.searchsorted(encoded, old), len(encoded) - 1)
        return np.where(encoded[at] == old, idx[at], old)


def fits(
    encodings: Sequence[Encoding], mapped: BoolArray, totals: PairState, negative: IntArray
) -> Iterator[Fit]:
    """Encodings that the idx of the pairs may have gone through.

    ``negative`` are the numbers below zero that stand in the file in place of idx.
    """
    above, below = totals.as_ancestor > 0, totals.as_descendant > 0
    for ends, used, other in (
        ("idx in the pairs", above | below, None),
        ("idx of ancestors", above, below),
        ("idx of descendants", below, above),
    ):
        idx = np.flatnonzero(used)
        for encoding in encodings:
            if encoding.held < len(mapped) - 1 and encoding.leaves(idx):
                fit = _fit(encoding, np.flatnonzero(mapped), used, other, negative)
                if fit is not None:
                    yield Fit(encoding, *fit[:3], ends, fit[3])


def _fit(
    encoding: Encoding,
    nodes: IntArray,
    used: BoolArray,
    other: BoolArray | None,
    negative: IntArray,
) -> tuple[BoolArray, BoolArray, IntArray, tuple[IntArray, IntArray] | None] | None:
    n, encoded = len(used), encoding.encode(nodes)
    counts = np.bincount(encoded[(encoded >= 0) & (encoded < n)], minlength=n)
    image, below_zero = counts > 0, encoded[(encoded < 0) & (encoded != NOWHERE)]
    if (used & ~image).any() or bool(len(negative)) != bool(len(below_zero)):
        return None
    if len(negative) and not np.isin(negative, below_zero).all():
        return None
    if other is None and np.count_nonzero(used) < _FILLED * np.count_nonzero(image):
        return None
    if not _reached(encoding, used, len(negative) > 0):
        return None
    if other is not None and not (len(negative) or (other & ~image).any()):
        return None
    lost = np.zeros(n, dtype=bool)
    lost[nodes] = ~image[nodes]
    back = None
    if len(distinct(encoded)) == len(encoded):
        order = np.argsort(encoded)
        back = encoded[order], nodes[order]
    return counts > 1, lost, distinct(encoded[encoded >= n]), back


def _reached(encoding: Encoding, used: BoolArray, negative: bool) -> bool:
    """Whether the idx in use go as far as the format does."""
    if encoding.sharp:
        return bool(np.count_nonzero(used[encoding.held + 1 :]) >= _FEWEST)
    last = int(np.flatnonzero(used)[-1]) if used.any() else 0
    return negative or last >= _REACHED * encoding.held


def merging_shows(fit: Fit, totals: PairState, symptoms: Symptoms) -> bool:
    """Whether idx of several nodes have more rows than others, or contradict most often."""
    rows = totals.as_ancestor + totals.as_descendant
    doubtful, single = fit.doubtful & (rows > 0), ~fit.doubtful & (rows > 0)
    if not doubtful.any():
        return False
    held = totals.as_descendant
    comparable = np.count_nonzero(single) >= _FEWEST and fit.ends == "idx in the pairs"
    if comparable and held[doubtful].mean() >= _TWICE * held[single].mean():
        return True
    touched = np.zeros(len(rows), dtype=bool)
    for name in _CONTRADICTING:
        if name in symptoms:
            touched |= symptoms[name].touched(len(rows))
    return bool(2 * np.count_nonzero(touched & doubtful) >= np.count_nonzero(doubtful))


@dataclass(frozen=True, slots=True)
class Told:
    """The encoding that makes of the idx which identifiers mean those that stand beside them."""

    encoding: Encoding
    rows: IntArray  # (k,) ascending: those that it changed
    given: tuple[IntArray, IntArray]  # (k,) each: the idx of their ends as they are meant


def told(
    encodings: Sequence[Encoding], parts: Sequence[tuple[IntArray, Joins]], highest: int
) -> Told | None:
    """By (rows, joins) of all rows that are in doubt; ``highest`` is the largest idx in use."""
    ends = [end for _, part in parts for end in part.ends]
    wrong = sum(int(np.count_nonzero(end.wrong & (end.meant >= 0))) for end in ends)
    found = [
        (sum(int(np.count_nonzero(_changed(end, e))) for end in ends), e)
        for e in encodings
        if highest <= e.held or e.sharp
    ]
    count, encoding = max(found, key=lambda one: (one[0], one[1].held), default=(0, None))
    if encoding is None or not count or (count < _FEWEST and count < wrong):
        return None
    chosen = [tuple(_changed(end, encoding) for end in part.ends) for _, part in parts]
    rows = np.concatenate([rows[a | d] for (rows, _), (a, d) in zip(parts, chosen, strict=True)])
    order = np.argsort(rows)
    given = tuple(
        np.concatenate(
            [
                np.where(masks[place], part.ends[place].meant, part.ends[place].idx)[
                    masks[0] | masks[1]
                ]
                for (_, part), masks in zip(parts, chosen, strict=True)
            ]
        )[order]
        for place in (0, 1)
    )
    return Told(encoding, rows[order], (given[0], given[1]))


def _changed(end: End, encoding: Encoding) -> BoolArray:
    wrong = end.wrong & (end.meant >= 0)
    return np.asarray(wrong & (encoding.encode(np.maximum(end.meant, 0)) == end.idx))
