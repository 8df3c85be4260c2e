"""Files of arrays: npy, npz and safetensors, memory-mapped where their bytes lie plain."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from taxcheck.model.errors import InputError, one_line
from taxcheck.sources.checkpoints.archive import Archive, map_bytes
from taxcheck.sources.checkpoints.contents import (
    NUMPY_NAMES,
    Contents,
    PickledArray,
    Stored,
    Unreadable,
    in_memory,
    view,
)
from taxcheck.sources.checkpoints.inert import objects_in
from taxcheck.sources.files import InputFile

NPY_MAGIC = b"\x93NUMPY"
_HEADER_LIMIT = 1 << 16  # bytes; a plain array's header takes 128
_SAFE_HEADER_LIMIT = 100_000_000  # bytes; as the safetensors library has it
_DESCR = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248]|f16|c8|c16|c32|[US]\d{1,6})")
_SAFE_TYPES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64",
    "I32": "int32", "I16": "int16", "I8": "int8", "U64": "uint64", "U32": "uint32",
    "U16": "uint16", "U8": "uint8", "BOOL": "bool",
}  # fmt: skip
_SAFE_NAMES = {NUMPY_NAMES[name]: code for code, name in _SAFE_TYPES.items() if code != "BF16"}

Bytes = npt.NDArray[np.uint8]


def _npy(head: bytes, size: int, raw: Callable[[], Bytes], shown: str) -> object:
    """The array of ``size`` bytes in all whose file begins with ``head``.

    The header is a Python literal; it is parsed as one, within a limit, and never evaluated.
    """
    if not head.startswith(NPY_MAGIC) or len(head) < 12:
        raise InputError(f"{shown}: is no NumPy array; save it again with numpy.save")
    wide = head[6] > 1
    length = int.from_bytes(head[8:12] if wide else head[8:10], "little")
    begin = (12 if wide else 10) + length
    if length > _HEADER_LIMIT or begin > size:
        raise InputError(f"{shown}: has a damaged header; save it again with numpy.save")
    try:
        header = ast.literal_eval(head[begin - length : begin].decode("latin1").strip())
        shape, descr, fortran = header["shape"], header["descr"], header["fortran_order"]
        assert isinstance(shape, tuple)
        assert all(type(n) is int and 0 <= n < 1 << 62 for n in shape)
    except (
        ValueError,
        SyntaxError,
        KeyError,
        TypeError,
        AssertionError,
        RecursionError,
        MemoryError,
    ) as error:
        raise InputError(f"{shown}: has a damaged header; save it again with numpy.save") from error
    if descr == "|O":
        return _objects(raw, begin, shape)
    if isinstance(descr, list):
        return _records(descr, shape, size - begin, lambda: raw()[begin:], shown)
    if not isinstance(descr, str) or not _DESCR.fullmatch(descr):
        kind = ""
        return Unreadable(f"an array of {kind or one_line(repr(descr), 40)}")
    dtype = np.dtype(descr)
    needed = math.prod(shape) * dtype.itemsize
    if needed != size - begin:
        raise InputError(
            f"{shown}: shape {shape} needs {_count(needed)} bytes, {size - begin:,} are there; "
            "the file is truncated or damaged: save or copy it again"
        )
    name = dtype.name if dtype.kind in "iufbc" else dtype.str.lstrip("<>|=")

    def read() -> npt.NDArray[np.generic]:
        if not needed:
            return np.empty(shape, dtype)
        return np.ndarray(shape, dtype, raw(), begin, order="F" if fortran else "C")

    return Stored(shape, name, needed, read)


def _is_field(field: object) -> bool:
    """Whether a field of records is numbers or texts, one or some of them."""
    if not isinstance(field, tuple) or len(field) not in (2, 3):
        return False
    name, code, *shape = field
    sizes = shape[0] if shape else ()
    known = isinstance(name, str) and isinstance(code, str) and _DESCR.fullmatch(code)
    counted = isinstance(sizes, tuple) and len(sizes) < 3
    return bool(known) and counted and all(type(n) is int and 0 < n < 1 << 20 for n in sizes)


def _records(
    descr: list[Any], shape: tuple[int, ...], size: int, raw: Callable[[], Bytes], shown: str
) -> object:
    """An array of records as its fields: one array each, a field of vectors as a table."""
    plain = all(map(_is_field, descr))
    if not plain or len(shape) != 1 or len({field[0] for field in descr}) < len(descr):
        return Unreadable("an array of records")
    dtype = np.dtype(descr)
    if shape[0] * dtype.itemsize != size:
        raise InputError(f"{shown}: the file is truncated or damaged: save or copy it again")
    records = np.ndarray(shape, dtype, raw())
    return {field[0]: in_memory(np.ascontiguousarray(records[field[0]])) for field in descr}


def _objects(raw: Callable[[], Bytes], begin: int, shape: tuple[int, ...]) -> object:
    """Python objects, a pickle: the one of an array without dimensions, or a list of them."""
    try:
        found = objects_in(raw()[begin:].tobytes())
    except InputError:
        return Unreadable("an array of Python objects")
    values = found.stored if isinstance(found, PickledArray) else found
    if not isinstance(values, list):
        return Unreadable("an array of Python objects")
    return values[0] if shape == () and len(values) == 1 else values


def read_npy(file: InputFile) -> Contents:
    """One array, memory-mapped. Raises InputError where its shape and size disagree."""
    mapped = map_bytes(file)
    head = mapped[: _HEADER_LIMIT + 12].tobytes()
    return Contents("npy", _npy(head, file.bytes, lambda: mapped, file.shown))


def read_npz(file: InputFile, archive: Archive) -> Contents:
    """The arrays of an npz, each read when it is asked for; members that hold objects are not."""
    tree: dict[object, object] = {}
    for name in archive.names:
        if not name.endswith(".npy"):
            continue
        head = archive.raw(name, _HEADER_LIMIT + 12).tobytes()
        shown = f"{file.shown}: member {one_line(repr(name), 80)}"

        def raw(name: str = name) -> Bytes:
            return archive.unpacked(name)

        tree[name.removesuffix(".npy")] = _npy(head, archive.size(name), raw, shown)
    return Contents("npz", tree)


def _count(number: int) -> str:
    return f"{number:,}" if number < 1 << 62 else "far more"


def _value(text: str) -> object:
    """What a text of safetensors' metadata was made from: a number, a truth value, an object."""
    if text.startswith("{"):
        with suppress(ValueError, RecursionError):
            return json.loads(text)
    if re.fullmatch(r"[+-]?\d{1,15}", text):
        return int(text)
    if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?", text[:40], re.I):
        return float(text)
    return {"true": True, "false": False}.get(text.lower(), text)


def safetensors_header(
    arrays: Mapping[str, npt.NDArray[Any]], metadata: Mapping[str, str]
) -> bytes:
    """What stands before the bytes of these arrays, which follow in this order without a gap.

    A length and a JSON header, with spaces up to a whole number of words; see
    https://github.com/huggingface/safetensors#format.
    """
    header: dict[str, object] = {"__metadata__": metadata}
    end = 0
    for name, array in arrays.items():
        begin, end = end, end + array.nbytes
        dtype = _SAFE_NAMES[f"{array.dtype.kind}{array.dtype.itemsize}"]
        header[name] = {"dtype": dtype, "shape": array.shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def read_safetensors(file: InputFile) -> Contents:
    """The tensors of a safetensors file, memory-mapped; its metadata are texts.

    The format is a length, a JSON header and the bytes, so its own library is not needed.
    """
    mapped = map_bytes(file)
    length = int.from_bytes(mapped[:8].tobytes(), "little")
    start = 8 + length
    if length > _SAFE_HEADER_LIMIT or start > file.bytes:
        raise InputError(f"{file.shown}: has a damaged safetensors header; save or copy it again")
    tree: dict[object, object] = {}
    try:
        header = json.loads(mapped[8:start].tobytes())
        for name, entry in header.items():
            if name == "__metadata__":
                tree["metadata"] = {str(k): _value(str(v)) for k, v in entry.items()}
                continue
            begin, end = entry["data_offsets"]
            dtype = _SAFE_TYPES.get(entry["dtype"])
            shape = tuple(entry["shape"])
            if dtype is None:
                tree[name] = Unreadable(f"a tensor of {one_line(entry['dtype'], 20)}")
                continue
            if not all(type(n) is int and 0 <= n < 1 << 62 for n in (*shape, begin, end)):
                raise ValueError("a size that is none")
            needed = math.prod(shape) * np.dtype(NUMPY_NAMES[dtype]).itemsize
            if not 0 <= begin <= end <= file.bytes - start or end - begin != needed:
                raise InputError(
                    f"{file.shown}: tensor {one_line(repr(name), 80)} is not all there; the file "
                    "is truncated or damaged: save or copy it again"
                )
            strides = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
            part = mapped[start + begin : start + end]

            def raw(part: Bytes = part) -> Bytes:
                return part

            tree[name] = view(raw, needed, dtype, shape, strides, 0)
    except InputError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{file.shown}: has a damaged safetensors header ({one_line(error, 80)}); save or copy "
            "it again"
        ) from error
    return Contents("safetensors", tree)
