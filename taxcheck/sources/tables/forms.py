"""In which forms the cells of a column are written: counted, and nothing is changed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import BoolArray
from taxcheck.model.reading import Forms
from taxcheck.sources.tables.cells import POWERS, THOUSANDS

POINT_ZERO = rf"^[+-]?[0-9]+\.0+$|{POWERS}"
_ZERO, _NINE = ord("0"), ord("9")
_SIGNS = tuple(b"+-.")
# A cell may have a blank at an end only where it begins or ends so: ASCII's, or the first or last
# byte of another one of Unicode's.
_FIRST = (*range(9, 14), *range(28, 33), 0xC2, 0xE1, 0xE2, 0xE3)
_LAST = (*range(9, 14), *range(28, 33), *range(0x80, 0x8B), 0xA0, 0xA8, 0xA9, 0xAF, 0x9F)


def forms_of(cells: pa.Array) -> Forms:
    """The forms of (n,) cells of any Arrow type."""
    kind, filled = cells.type, len(cells) - cells.null_count
    if pa.types.is_string(kind):
        return _of_texts(cells.drop_null() if cells.null_count else cells)
    if pa.types.is_integer(kind) and filled:
        ends = pc.min_max(cells).as_py()
        return Forms(filled, plain=filled, digits=len(str(max(map(abs, ends.values())))))
    if pa.types.is_floating(kind):
        wide = cells.cast(pa.float64())  # there is no floor of half precision
        whole = pc.sum(pc.equal(pc.floor(wide), wide)).as_py() or 0
        return Forms(filled - (pc.sum(pc.is_nan(cells)).as_py() or 0), point_zero=whole)
    return Forms(0 if pa.types.is_null(kind) else filled)


def _of_texts(cells: pa.Array) -> Forms:
    """Plain digits, which most cells are, are told by their bytes; only the others are read."""
    begin, end, data = _bytes(cells)
    filled = end > begin
    begin, end = begin[filled], end[filled]
    if not len(begin):
        return Forms()
    used = data[begin[0] : end[-1]]
    first = data[begin]
    if used.min() >= _ZERO and used.max() <= _NINE:
        length = end - begin
        padded = (first == _ZERO) & (length > 1)
        count, zeros = len(begin), int(np.count_nonzero(padded))
        digits = int(length.max(where=~padded, initial=0))
        return Forms(count, plain=count - zeros, zero_padded=zeros, digits=digits)
    numeric = _among(first, (*range(_ZERO, _NINE + 1), *_SIGNS))
    blank = _among(first, _FIRST) | _among(data[end - 1], _LAST)
    odd = np.flatnonzero(numeric | blank)
    if not len(odd):
        return Forms(len(begin))
    texts = cells.filter(pa.array(filled)).take(pa.array(odd))
    return _of_odd(texts, len(begin))


def _of_odd(texts: pa.Array, cells: int) -> Forms:
    """Texts among ``cells`` that may have blanks around them, or may be numbers."""
    bare = pc.utf8_trim_whitespace(texts)
    trimmed = int(pc.sum(pc.not_equal(pc.binary_length(bare), pc.binary_length(texts))).as_py())
    empty = pc.sum(pc.equal(pc.binary_length(bare), 0)).as_py()
    decimal = pc.ascii_is_decimal(bare)
    digits = bare.filter(decimal)
    padded = pc.and_(pc.starts_with(digits, "0"), pc.greater(pc.binary_length(digits), 1))
    zeros = pc.sum(padded).as_py() or 0
    longest = pc.max(pc.binary_length(digits.filter(pc.invert(padded)))).as_py() or 0
    others = bare.filter(pc.invert(decimal))
    thousands = pc.match_substring_regex(others, THOUSANDS)
    point_zero = pc.and_not(pc.match_substring_regex(others, POINT_ZERO), thousands)
    return Forms(
        cells - empty,
        trimmed - empty,
        len(digits) - zeros,
        zeros,
        pc.sum(point_zero).as_py() or 0,
        pc.sum(thousands).as_py() or 0,
        longest,
    )


def _among(found: npt.NDArray[np.uint8], values: tuple[int, ...]) -> BoolArray:
    table = np.zeros(256, dtype=np.bool_)
    table[list(values)] = True
    return table[found]


def _bytes(
    cells: pa.Array,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Where each text begins and ends, (n,), and the bytes that they are in."""
    _, offsets, data = cells.buffers()
    if offsets is None or data is None:
        nothing = np.empty(0, dtype=np.int32)
        return nothing, nothing, np.empty(0, dtype=np.uint8)
    bounds = np.frombuffer(offsets, dtype=np.int32)[cells.offset : cells.offset + len(cells) + 1]
    return bounds[:-1], bounds[1:], np.frombuffer(data, dtype=np.uint8)
