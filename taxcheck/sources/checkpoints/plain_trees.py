"""Trees of plain values from JSON, flax's msgpack and MATLAB's files: arrays, lists, maps."""

from __future__ import annotations

import io
import json
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from taxcheck.model.errors import InputError, one_line
from taxcheck.sources.checkpoints.contents import (
    NUMPY_NAMES,
    Contents,
    Stored,
    Unreadable,
    in_memory,
    too_large,
    view,
)
from taxcheck.sources.files import InputFile, damaged

LIMIT = 2 << 30  # bytes; the whole file is held
_FLOOR = 1 << 30


def read_json(file: InputFile) -> Contents:
    """Objects and lists; JSON Lines as a list of its lines."""
    _small(file)
    data = file.path.read_bytes()
    try:
        tree = json.loads(data)
    except ValueError:
        try:
            tree = [json.loads(line) for line in data.splitlines() if line.strip()]
        except (ValueError, RecursionError) as error:
            raise damaged(file.shown, "JSON", error) from error
    except RecursionError as error:
        raise damaged(file.shown, "JSON", error) from error
    return Contents("JSON", tree)


def read_msgpack(file: InputFile) -> Contents:
    """What flax.serialization.to_bytes writes: maps, with arrays as extensions."""
    _small(file)
    try:
        tree = msgspec.msgpack.decode(file.path.read_bytes(), ext_hook=_extension)
    except (ValueError, TypeError, RecursionError, msgspec.MsgspecError) as error:
        raise damaged(file.shown, "flax's msgpack", error) from error
    return Contents("flax msgpack", _unchunked(tree))


def _extension(code: int, data: memoryview) -> object:
    if code not in (1, 3):  # an array, and a NumPy scalar, which is one without dimensions
        return Unreadable(f"an extension of msgpack, code {code}")
    shape, dtype, raw = msgspec.msgpack.decode(data)
    name = dtype.decode() if isinstance(dtype, bytes) else str(dtype)
    if name == "V2":
        name = "bfloat16"
    if name not in NUMPY_NAMES or not all(type(n) is int and 0 <= n < 1 << 48 for n in shape):
        return Unreadable(f"an array of {one_line(name, 40)}")
    whole = np.frombuffer(raw, np.uint8)
    steps = [int(np.prod(shape[axis + 1 :], dtype=np.int64)) for axis in range(len(shape))]
    return view(lambda: whole, len(whole), name, shape, steps, 0)


def _unchunked(tree: Any) -> Any:
    """Arrays that flax cut into chunks, put together."""
    if not isinstance(tree, dict):
        return tree
    if "__msgpack_chunked_array__" in tree:
        parts = [part for part in dict(tree.get("chunks", {})).values() if isinstance(part, Stored)]
        shape = tuple(dict(tree.get("shape", {})).values())
        if not parts or not all(type(n) is int for n in shape):
            return Unreadable("an array in chunks")
        flat = np.concatenate([part.array().reshape(-1) for part in parts])
        return (
            in_memory(flat.reshape(shape)) if flat.size == np.prod(shape) else Unreadable("damaged")
        )
    return {key: _unchunked(value) for key, value in tree.items()}


def read_matlab(file: InputFile) -> Contents:
    """The variables of a MATLAB file up to version 7: arrays, and cells of texts as lists."""
    from scipy.io import loadmat, whosmat  # type: ignore[import-untyped,unused-ignore]

    _small(file)
    data: Any = io.BytesIO(file.path.read_bytes())  # scipy's types know paths alone
    try:
        listed = whosmat(data)
        data.seek(0)
        size = sum(8 * int(np.prod(shape, dtype=np.float64)) for _, shape, _ in listed)
        limit = max(_FLOOR, 200 * file.bytes)
        if size > limit:
            raise too_large(file.shown, "its variables", size, limit, "save it with numpy.save")
        found = loadmat(data, struct_as_record=True, squeeze_me=False)
    except InputError:
        raise
    except Exception as error:  # scipy raises almost anything for a damaged file
        raise damaged(file.shown, "a MATLAB file", error) from error
    tree = {name: _of_matlab(value) for name, value in found.items() if not name.startswith("__")}
    return Contents("MATLAB", tree)


def _of_matlab(value: Any) -> object:
    if not isinstance(value, np.ndarray):
        return Unreadable(f"an object of MATLAB, {type(value).__name__}")
    if value.dtype.kind in "fiub":
        column: npt.NDArray[np.generic] = value
        flat = column.reshape(-1) if 1 in column.shape and column.ndim == 2 else column
        return in_memory(np.ascontiguousarray(flat if flat.size > 1 else column))
    if value.dtype.kind == "U":
        return [str(text).rstrip() for text in value.reshape(-1)]
    if value.dtype.names is not None and value.size == 1:  # a struct
        return {name: _of_matlab(value[name].reshape(-1)[0]) for name in value.dtype.names}
    if value.dtype.kind == "O":
        cells = [cell.reshape(-1) for cell in value.reshape(-1) if isinstance(cell, np.ndarray)]
        if len(cells) == value.size and all(len(cell) == 1 for cell in cells):
            return [cell[0].item() if hasattr(cell[0], "item") else str(cell[0]) for cell in cells]
    return Unreadable("a cell array of MATLAB")


def _small(file: InputFile) -> None:
    if file.bytes > LIMIT:
        raise InputError(
            f"{file.shown}: is of {file.bytes / 2**30:.1f} GiB, and would be held whole; save the "
            "table as .npy or Parquet"
        )
