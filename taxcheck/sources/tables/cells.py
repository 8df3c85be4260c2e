"""Cells of any Arrow type become exact 64-bit integers, or are named as what they are not.

Exact means: a text of digits is never read through a float, and a float counts only within the
range in which every whole number has its own float.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import IntEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import Int32Array, IntArray

CodeArray = npt.NDArray[np.uint8]

# Outside every range that a schema allows, so that a row with a problem can never pass one.
SENTINEL = int(np.iinfo(np.int64).min)
BYTE_ORDER_MARK = "\ufeff"
EMPTY_WORDS = ("", "nan", "na", "n/a", "null", "none", "nil", "<na>", "#n/a")
# A whole number as NumPy's savetxt and R write it: 9.606000000000000000e+03, 1e+05. No code is so.
POWERS = r"^-?[0-9](\.[0-9]+)?e\+[0-9]{2}$"
# A thousand with a separator, or a number with three decimals: no cell alone can tell.
THOUSANDS = r"^[1-9][0-9]{0,2}((\.[0-9]{3})+|(,[0-9]{3})+)$"
_UINT32, _INT64, _UINT64 = pa.uint32(), pa.int64(), pa.uint64()
_EXACT_FLOATS = {16: 2**11, 32: 2**24, 64: 2**53}


class Problem(IntEnum):
    """Why a cell is no integer; the label completes a sentence that begins with its column."""

    NONE = 0
    EMPTY = 1
    NOT_WHOLE = 2
    INEXACT = 3
    TOO_LARGE = 4
    SEPARATED = 5

    @property
    def label(self) -> str:
        """For people: "idx is empty"."""
        return _LABELS[self]


_LABELS = {
    Problem.NONE: "is sound",
    Problem.EMPTY: "is empty",
    Problem.NOT_WHOLE: "is no whole number",
    Problem.INEXACT: "is a float too large to be exact",
    Problem.TOO_LARGE: "does not fit 64 bits",
    Problem.SEPARATED: "is a thousand with a separator, or has three decimals",
}


@dataclass(frozen=True, slots=True)
class Whole:
    """Integers, and the Problem of each row; ``problems`` None means that there is none."""

    values: IntArray  # (n,), SENTINEL where there is a problem
    problems: CodeArray | None  # (n,)

    @property
    def mostly_words(self) -> bool:
        """Whether more than half of the cells are something else than a whole number."""
        words = 0 if self.problems is None else np.count_nonzero(self.problems == Problem.NOT_WHOLE)
        return bool(2 * words > len(self.values))


def whole_numbers(array: pa.Array) -> Whole:
    """Coerce (n,) cells to int64 exactly; whatever is no whole number gets its Problem."""
    kind = array.type
    if pa.types.is_uint64(kind):
        return _from_uint64(array)
    if pa.types.is_integer(kind):
        return _with_nulls(array.cast(pa.int64()))
    if pa.types.is_floating(kind):
        return _from_floats(array)
    if pa.types.is_string(kind):
        return _from_text(array)
    if pa.types.is_decimal(kind):
        return _from_decimals(array)
    problem = Problem.NOT_WHOLE if pa.types.is_boolean(kind) else Problem.EMPTY
    codes = np.full(len(array), problem, dtype=np.uint8)
    if array.null_count:
        codes[np.asarray(array.is_null())] = Problem.EMPTY
    return _found(np.full(len(array), SENTINEL), codes)


def short_numbers(array: pa.Array) -> Int32Array | None:
    """Cells (n,) as int32, if they have a type that 32 bits hold, and none is null; else None."""
    kind = array.type
    if array.null_count or not pa.types.is_integer(kind) or kind in (_UINT32, _INT64, _UINT64):
        return None
    found: Int32Array = array.to_numpy().astype(np.int32, copy=False)
    return found


def _with_nulls(array: pa.Array) -> Whole:
    if not array.null_count:
        return Whole(array.to_numpy(), None)
    null = array.is_null().to_numpy(zero_copy_only=False)
    return Whole(array.fill_null(SENTINEL).to_numpy(), null.astype(np.uint8) * Problem.EMPTY)


def _found(values: IntArray, problems: CodeArray) -> Whole:
    return Whole(values, problems if problems.any() else None)


def _from_uint64(array: pa.Array) -> Whole:
    largest = pc.max(array).as_py()
    if largest is None or largest < 2**63:
        return _with_nulls(array.cast(pa.int64()))
    raw = array.fill_null(0).to_numpy()
    problems = np.where(raw >= 2**63, Problem.TOO_LARGE, Problem.NONE).astype(np.uint8)
    problems[array.is_null().to_numpy(zero_copy_only=False)] = Problem.EMPTY
    return Whole(np.where(problems == 0, raw.astype(np.int64), SENTINEL), problems)


def _from_floats(array: pa.Array) -> Whole:
    exact = _EXACT_FLOATS[array.type.bit_width]
    raw = array.cast(pa.float64()).to_numpy(zero_copy_only=False)  # null becomes NaN
    problems = np.zeros(len(raw), dtype=np.uint8)
    with np.errstate(invalid="ignore"):
        problems[np.abs(raw) > exact] = Problem.INEXACT
        problems[~np.isfinite(raw) | (np.floor(raw) != raw)] = Problem.NOT_WHOLE
    problems[np.isnan(raw)] = Problem.EMPTY
    if not problems.any():
        return Whole(raw.astype(np.int64), None)
    values = np.where(problems == 0, raw, 0.0).astype(np.int64)
    values[problems != 0] = SENTINEL
    return Whole(values, problems)


def _from_decimals(array: pa.Array) -> Whole:
    try:
        return _with_nulls(array.cast(pa.int64()))
    except pa.ArrowInvalid:
        return _from_text(array.cast(pa.string()))


def _from_text(array: pa.Array) -> Whole:
    if not _has_hexadecimal(array):
        try:
            return _with_nulls(array.cast(pa.int64()))
        except pa.ArrowInvalid:
            pass
    text = pc.utf8_trim_whitespace(pc.utf8_trim(pc.utf8_trim_whitespace(array), '"'))
    text = pc.fill_null(text, "")
    # Up to 18 digits always fit; a fraction of zeros is cut off as text, never rounded.
    simple = pc.match_substring_regex(text, r"^[+-]?[0-9]{1,18}(\.0*)?$")
    digits = pc.replace_substring_regex(pc.if_else(simple, text, "0"), r"^\+|\.0*$", "")
    values = digits.cast(pa.int64()).to_numpy().copy()
    problems = np.zeros(len(array), dtype=np.uint8)
    empty = pc.is_in(pc.utf8_lower(text), pa.array(EMPTY_WORDS))
    numeric = pc.match_substring_regex(text, r"^[+-]?[0-9.][0-9.eE+-]*$")
    problems[~numeric.to_numpy(zero_copy_only=False)] = Problem.NOT_WHOLE
    problems[empty.to_numpy(zero_copy_only=False)] = Problem.EMPTY
    separated = pc.match_substring_regex(text, THOUSANDS)
    problems[separated.to_numpy(zero_copy_only=False)] = Problem.SEPARATED
    values[problems != 0] = SENTINEL
    others = pc.and_not(numeric, pc.or_(simple, separated))
    others = np.flatnonzero(others.to_numpy(zero_copy_only=False))
    if len(others):
        distinct = text.take(pa.array(others)).dictionary_encode()
        judged = [_judge(word) for word in distinct.dictionary.to_pylist()]
        where = distinct.indices.to_numpy()
        values[others] = np.array([value for value, _ in judged], dtype=np.int64)[where]
        problems[others] = np.array([problem for _, problem in judged], dtype=np.uint8)[where]
    return _found(values, problems)


def _has_hexadecimal(array: pa.Array) -> bool:
    # Arrow reads "0x1f" as 31; a table of idx that holds one is damaged.
    offsets, data = array.buffers()[1:]
    if data is None or not len(array):
        return False
    bounds = np.frombuffer(offsets, dtype=np.int32)[array.offset : array.offset + len(array) + 1]
    used = np.frombuffer(data, dtype=np.uint8)[bounds[0] : bounds[-1]]
    return bool(((used | 32) == ord("x")).any())


def _judge(word: str) -> tuple[int, Problem]:
    """One text of digits and dots: 1e+05, as R writes 100000, is exact; 1.5 is not whole."""
    try:
        number = Decimal(word)
    except InvalidOperation:
        return SENTINEL, Problem.NOT_WHOLE
    if number and number.adjusted() > 18:  # before int(): 1e999999999 must not be written out
        return SENTINEL, Problem.TOO_LARGE
    if number and number.adjusted() < 0:
        return SENTINEL, Problem.NOT_WHOLE
    whole = int(number)
    if whole != number:
        return SENTINEL, Problem.NOT_WHOLE
    return (whole, Problem.NONE) if -(2**63) < whole < 2**63 else (SENTINEL, Problem.TOO_LARGE)


def plain_integers(texts: pa.Array) -> pa.Array | None:
    """Texts as int64 where all of them are integers as they are printed ("7", not "07")."""
    try:
        integers = texts.cast(pa.int64())
    except pa.ArrowInvalid:
        return None
    values = integers.drop_null().to_numpy()
    if len(values) and values.min() < 0:
        return integers if integers.cast(pa.string()).equals(texts) else None
    # As many characters as digits: no sign, no leading zero, no 0x.
    digits, power, largest = len(values), 10, int(values.max(initial=0))
    while power <= largest:
        digits += int(np.count_nonzero(values >= power))
        power *= 10
    return integers if (pc.sum(pc.binary_length(texts)).as_py() or 0) == digits else None


def integers_of(texts: pa.Array) -> pa.Array:
    """(n,) identifiers as int64, null for a text that is no integer as it is printed.

    "9606.0", as pandas writes an integer of a column with gaps, is 9606, and so is "9.606e+03", as
    NumPy's savetxt and R do; "09606" is none, and "9.606" may be a thousand.
    """
    if (plain := plain_integers(texts)) is not None:
        return plain
    powers = pc.fill_null(pc.match_substring_regex(texts, POWERS), False)
    if pc.any(powers).as_py():
        whole = _from_text(texts.filter(powers))
        bad = None if whole.problems is None else whole.problems != 0
        written = pa.array(whole.values, mask=bad).cast(pa.string())
        texts = pc.replace_with_mask(texts, powers, written)
    printed = pc.match_substring_regex(texts, r"^(0|-?[1-9][0-9]{0,17})(\.00?)?$")
    whole = pc.if_else(printed, texts, pa.scalar(None, pa.string()))
    return pc.replace_substring_regex(whole, r"\..*$", "").cast(pa.int64())


def identifiers(array: pa.Array) -> tuple[pa.Array, CodeArray | None]:
    """(n,) identifiers as int64 where the column is numeric, else as stripped text.

    A cell with a Problem, an empty text among them, is null in the result.
    """
    if not pa.types.is_string(array.type) and not pa.types.is_null(array.type):
        whole = whole_numbers(array)
        if whole.problems is None:
            return pa.array(whole.values), None
        return pa.array(whole.values, mask=whole.problems != 0), whole.problems
    text = pc.utf8_trim_whitespace(array.cast(pa.string()))
    if pc.any(pc.starts_with(text, BYTE_ORDER_MARK)).as_py():  # of a file behind another
        text = pc.utf8_ltrim(text, BYTE_ORDER_MARK)
    # Looking at lengths alone is ten times cheaper than comparing texts.
    empty = pc.fill_null(pc.equal(pc.binary_length(text), 0), True)
    if not pc.any(empty).as_py():
        return text, None
    text = pc.if_else(empty, pa.scalar(None, pa.string()), text)
    return text, empty.to_numpy(zero_copy_only=False).astype(np.uint8) * np.uint8(Problem.EMPTY)
