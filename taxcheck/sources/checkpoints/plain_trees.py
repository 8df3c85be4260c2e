"""Trees of plain values from JSON and from flax's msgpack: maps, lists, arrays."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np

from taxcheck.model.errors import InputError, one_line
from taxcheck.sources.checkpoints.contents import (
    NUMPY_NAMES,
    Contents,
    Stored,
    Unreadable,
    in_memory,
    view,
)
from taxcheck.sources.files import InputFile, damaged

LIMIT = 2 << 30  # bytes; the whole file is held


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


def _small(file: InputFile) -> None:
    if file.bytes > LIMIT:
        raise InputError(
            f"{file.shown}: is of {file.bytes / 2**30:.1f} GiB, and would be held whole; save the "
            "table as .npy or Parquet"
        )
