"""MATLAB's files of versions 5 to 7: arrays, texts, cells of texts and structs.

scipy reads them as well, and ends the process where one is damaged. The format is that of
https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf: elements of a type, a length and
bytes, some of them packed.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from taxcheck.model.errors import InputError
from taxcheck.sources.checkpoints.archive import map_bytes
from taxcheck.sources.checkpoints.contents import (
    Contents,
    Unreadable,
    in_memory,
    too_large,
)
from taxcheck.sources.files import InputFile, damaged

_HEADER, _MATRIX, _PACKED = 128, 14, 15
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8",
            13: "u8"}  # fmt: skip
_TEXTS = {16: "utf-8", 17: "utf-16", 18: "utf-32", 4: "utf-16", 2: "latin-1"}
_CELL, _STRUCT, _CHAR = 1, 2, 4
_DENSE = range(6, 16)
_COMPLEX = 0x0800
_DEPTH = 8
_RATIO, _FLOOR = 200, 64 << 20


class _DamagedError(Exception):
    """What is no element of such a file."""


def read_matlab(file: InputFile) -> Contents:
    """The variables of a file by their names; InputError where it is damaged."""
    data = map_bytes(file)
    order = "<" if data[126:128].tobytes() == b"IM" else ">"
    tree: dict[object, object] = {}
    left = max(_FLOOR, _RATIO * file.bytes)
    try:
        for kind, body in _elements(data.data[_HEADER:], order):
            if kind == _PACKED:
                unpacked = zlib.decompressobj().decompress(body, left + 1)
                left -= len(unpacked)
                if left < 0:
                    raise too_large(file.shown, "it", len(unpacked), len(unpacked), "save as .npy")
                inside = list(_elements(memoryview(unpacked), order))
            else:
                inside = [(kind, body)]
            for inner, content in inside:
                if inner == _MATRIX:
                    name, value = _matrix(content, order, 0)
                    tree[name] = value
    except InputError:
        raise
    except (_DamagedError, struct.error, zlib.error, ValueError, TypeError) as error:
        raise damaged(file.shown, "a MATLAB file", error) from error
    return Contents("MATLAB", tree)


def _elements(data: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    """Types and bodies; a body of four bytes and fewer may stand in its own tag."""
    at = 0
    while at + 8 <= len(data):
        kind, length = struct.unpack_from(f"{order}II", data, at)
        if kind >> 16:
            yield kind & 0xFFFF, data[at + 4 : at + 4 + min(kind >> 16, 4)]
            at += 8
            continue
        if at + 8 + length > len(data):
            raise _DamagedError("an element ends beyond the file")
        yield kind, data[at + 8 : at + 8 + length]
        at += 8 + length + (0 if kind == _PACKED else -length % 8)


def _matrix(data: memoryview, order: str, depth: int) -> tuple[str, object]:
    """The name of a variable and its value."""
    parts = list(_elements(data, order))
    if len(parts) < 3 or depth > _DEPTH:
        return "", Unreadable("an empty element of MATLAB")
    flags = struct.unpack_from(f"{order}I", parts[0][1])[0]
    kind, shape = flags & 0xFF, tuple(np.frombuffer(parts[1][1], f"{order}i4").tolist())
    name, rest = bytes(parts[2][1]).decode("latin-1"), parts[3:]
    if any(n < 0 for n in shape) or len(shape) > 32:
        raise _DamagedError("a shape that is none")
    if kind in _DENSE and not flags & _COMPLEX:
        return name, _numbers(rest, shape, order)
    if kind == _CHAR:
        return name, _text(rest, shape, order)
    if kind == _CELL:
        cells = [_matrix(body, order, depth + 1)[1] for inner, body in rest if inner == _MATRIX]
        return name, _of_cells(cells)
    if kind == _STRUCT and math.prod(shape) == 1 and len(rest) >= 2:
        return name, _struct(rest, order, depth)
    return name, Unreadable("a MATLAB variable that is neither numbers nor texts")


def _numbers(parts: list[tuple[int, memoryview]], shape: tuple[int, ...], order: str) -> object:
    if not parts:
        return Unreadable("an array of MATLAB without values")
    kind, body = parts[0]
    if kind not in _NUMBERS:
        raise _DamagedError("numbers of an unknown type")
    values = np.frombuffer(body, order + _NUMBERS[kind])
    if len(values) != math.prod(shape):
        raise _DamagedError("an array that is not all there")
    whole: npt.NDArray[np.generic] = values.reshape(shape, order="F")
    if len(shape) == 2 and 1 in shape and len(values) > 1:  # a vector, of names or of one dimension
        whole = values
    return in_memory(whole)


def _text(parts: list[tuple[int, memoryview]], shape: tuple[int, ...], order: str) -> object:
    """One text, or a list of those that the rows of a matrix of letters are."""
    kind, body = parts[0] if parts else (16, memoryview(b""))
    coding = _TEXTS.get(kind)
    if coding is None:
        raise _DamagedError("a text of an unknown type")
    wide = "" if coding in ("utf-8", "latin-1") else "-le" if order == "<" else "-be"
    letters = bytes(body).decode(coding + wide, "replace")
    if len(shape) == 2 and shape[0] > 1 and len(letters) == math.prod(shape):
        return [letters[row :: shape[0]].rstrip() for row in range(shape[0])]
    return letters


def _of_cells(cells: list[object]) -> object:
    if cells and all(isinstance(cell, str) for cell in cells):
        return cells
    return Unreadable("a cell array of MATLAB")


def _struct(parts: list[tuple[int, memoryview]], order: str, depth: int) -> dict[object, object]:
    width = struct.unpack_from(f"{order}i", parts[0][1])[0]
    if not 0 < width <= 256:
        raise _DamagedError("a struct whose names have no length")
    text = bytes(parts[1][1])
    names = [text[k : k + width].split(b"\0")[0] for k in range(0, len(text), width)]
    values = [_matrix(body, order, depth + 1)[1] for kind, body in parts[2:] if kind == _MATRIX]
    return {n.decode("latin-1"): value for n, value in zip(names, values, strict=False)}
