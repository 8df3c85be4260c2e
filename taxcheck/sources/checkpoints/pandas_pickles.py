"""Frames of pandas in a pickle: blocks of values and two axes, put together without pandas."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from taxcheck.sources.checkpoints.contents import Contents, Inert, PickledArray, Stored
from taxcheck.sources.checkpoints.frame import contents_of, frames_together
from taxcheck.sources.checkpoints.pieces import stacked
from taxcheck.sources.safe_pickle import RefusedError, Sealed

_MOST = 1 << 20  # columns
_Offsets = np.dtype[np.signedinteger[Any]]
_OFFSETS: dict[str, _Offsets] = {
    "string": np.dtype("<i4"),
    "large_string": np.dtype("<i8"),
}


class Block(tuple[Any, ...]):
    """Values (columns, rows) and where they stand among the columns."""

    __slots__ = ()


class Backed(Sealed):
    """An array that pandas keeps in one of NumPy's: the codes of categories, if it is that."""

    __slots__ = ("codes", "kind")

    def __init__(self) -> None:
        self.codes: object = None
        self.kind: object = None

    def __setstate__(self, state: object) -> None:
        parts = state if isinstance(state, tuple) else ()
        for part in parts:
            if isinstance(part, PickledArray):
                self.codes = part
            elif isinstance(part, Inert):
                self.kind = part

    @property
    def values(self) -> list[object] | None:
        """The category of each row; None where it is no array of categories."""
        codes = self.codes.stored if isinstance(self.codes, PickledArray) else None
        axis = self.kind.state.get("categories") if isinstance(self.kind, Inert) else None
        if not isinstance(codes, Stored) or codes.dtype[0] != "i" or axis is None:
            return None
        names = list(_axis(axis))
        return [
            names[code] if 0 <= code < len(names) else None
            for code in codes.array().reshape(-1).tolist()
        ]


def backed(*_: object) -> Backed:
    """What ``__pyx_unpickle_NDArrayBacked`` makes."""
    return Backed()


class Slice(tuple[Any, ...]):
    """Start, stop and step."""

    __slots__ = ()


def block(values: object = None, placement: object = None, *_: object) -> Block:
    """What ``_unpickle_block`` is given."""
    return Block((values, placement))


def cut(*parts: object) -> Slice:
    """What ``slice`` is given."""
    return Slice(parts)


def index(_: object = None, parts: object = None) -> dict[object, object]:
    """What ``_new_Index`` is given: data, or start, stop and step."""
    if not isinstance(parts, dict):
        raise RefusedError("holds a damaged index")
    return {"index": parts}


def raw_bytes(value: object = b"", *_: object) -> bytes:
    """The bytes of a buffer."""
    if isinstance(value, str):
        return value.encode("latin1", "replace")
    return bytes(value) if isinstance(value, bytes | bytearray) else b""


def alias(name: object = "", *_: object) -> str:
    """The name of a type of Arrow."""
    return name if isinstance(name, str) else ""


def restored(parts: object = None, *_: object) -> list[str | None] | None:
    """Texts from Arrow's buffers; None for an array of anything else."""
    if not isinstance(parts, tuple) or len(parts) < 5:
        raise RefusedError("holds a damaged array of Arrow")
    kind, length, _nulls, offset, buffers = parts[:5]
    if not isinstance(kind, str) or kind not in _OFFSETS:
        return None
    counted = type(length) is int and type(offset) is int and length >= 0 and offset >= 0
    if not counted or not isinstance(buffers, tuple | list) or len(buffers) != 3:
        raise RefusedError("holds a damaged array of Arrow")
    validity, offsets, data = (b if isinstance(b, bytes) else b"" for b in buffers)
    width = _OFFSETS[kind].itemsize
    if (offset + length + 1) * width > len(offsets):
        raise RefusedError("holds a damaged array of Arrow")
    starts = np.frombuffer(offsets, _OFFSETS[kind], length + 1, offset * width)
    if (np.diff(starts) < 0).any() or starts[0] < 0 or starts[-1] > len(data):
        raise RefusedError("holds a damaged array of Arrow")
    places, there = starts.tolist(), _valid(validity, offset, length)
    return [
        data[a:b].decode("utf-8", "replace") if known else None
        for a, b, known in zip(places, places[1:], there, strict=False)
    ]


def _valid(validity: bytes, offset: int, length: int) -> list[bool]:
    """Which of ``length`` values are there, by Arrow's bits; all without bits."""
    if not validity:
        return [True] * length
    bits = np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little")
    if len(bits) < offset + length:
        raise RefusedError("holds a damaged array of Arrow")
    return [bool(bit) for bit in bits[offset : offset + length]]


def chunks(parts: object = None, *_: object) -> list[object]:
    """The chunks of an array, one after the other."""
    found: list[object] = []
    for part in parts if isinstance(parts, list | tuple) else ():
        found += part if isinstance(part, list) else []
    return found


NAMES: Mapping[tuple[str, str], Callable[..., object]] = {
    ("pandas._libs.internals", "_unpickle_block"): block,
    ("pandas.core.internals.blocks", "new_block"): block,
    ("pandas.core.indexes.base", "_new_Index"): index,
    ("pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked"): backed,
    ("pyarrow.lib", "_restore_array"): restored,
    ("pyarrow.lib", "type_for_alias"): alias,
    ("pyarrow.lib", "py_buffer"): raw_bytes,
    ("pyarrow.lib", "chunked_array"): chunks,
    ("builtins", "slice"): cut,
    ("__builtin__", "slice"): cut,
    ("builtins", "bytearray"): raw_bytes,
    ("__builtin__", "bytearray"): raw_bytes,
}


def is_frame(value: object) -> bool:
    """Whether an object of a pickle is a DataFrame."""
    return isinstance(value, Inert) and bool(re.fullmatch(r"pandas\..*Frame", value.name))


def of_frames(tree: object, shown: str) -> Contents | None:
    """The tables of a DataFrame, or of those in a dict; None where there is none.

    RefusedError where the blocks of one are not those of a frame.
    """
    if isinstance(tree, Inert) and is_frame(tree):
        return contents_of(_frame(tree), "pandas pickle", shown)
    if not isinstance(tree, dict):
        return None
    frames = {
        str(name): _frame(value)
        for name, value in tree.items()
        if isinstance(value, Inert) and is_frame(value)
    }
    if not frames:
        return None
    rest = {name: value for name, value in tree.items() if str(name) not in frames}
    return frames_together(frames, rest, "pandas pickle", shown)


def _frame(frame: Inert) -> pa.Table:
    """A DataFrame as a table of Arrow."""
    manager = frame.state.get("_mgr") or frame.state.get("_data")
    if not isinstance(manager, Inert):
        raise RefusedError("holds a frame of a pandas that is not known here")
    axes, blocks = _parts(manager)
    names = [str(name) for name in _axis(axes[0])[:_MOST]]
    rows = _axis(axes[1])
    columns: dict[str, pa.Array] = {}
    for values, places in blocks:
        for place, column in zip(places, values, strict=False):
            if not 0 <= place < len(names):
                raise RefusedError("holds a damaged frame")
            columns[names[place]] = column
    ordered = {name: columns[name] for name in names if name in columns}
    if any(len(column) != len(rows) for column in ordered.values()):
        raise RefusedError("holds a damaged frame")
    label = "index" if "index" not in ordered else "index of rows"
    return pa.table({**ordered, label: pa.array(list(rows))} if len(rows) else ordered)


def _parts(manager: Inert) -> tuple[list[Any], list[tuple[list[pa.Array], list[int]]]]:
    """The axes of a frame, and its blocks as columns with their places."""
    old = manager.state.get("0.14.1")
    if isinstance(old, dict):
        axes, listed = old.get("axes"), old.get("blocks")
        blocks = [
            Block((one.get("values"), one.get("mgr_locs")))
            for one in (listed if isinstance(listed, list) else [])
            if isinstance(one, dict)
        ]
    elif len(manager.args) >= 2 and isinstance(manager.args[0], tuple):
        blocks, axes = [b for b in manager.args[0] if isinstance(b, Block)], manager.args[1]
    else:
        raise RefusedError("holds a frame of a pandas that is not known here")
    if not isinstance(axes, list | tuple) or len(axes) != 2:
        raise RefusedError("holds a damaged frame")
    return list(axes), [(list(_columns(b[0])), list(_places(b[1]))) for b in blocks]


def _columns(values: object) -> Iterator[pa.Array]:
    values = values.stored if isinstance(values, PickledArray) else values
    if isinstance(values, Stored) and len(values.shape) == 2 and values.dtype[0] in "iuf":
        for column in values.array():
            yield pa.array(np.ascontiguousarray(column))
    elif isinstance(values, Inert) and isinstance(values.state.get("_pa_array"), list):
        yield pa.array(values.state["_pa_array"], pa.string())
    elif isinstance(values, list) and values and all(isinstance(v, list) for v in values):
        for cells in values:  # an array of objects, row by row of the block
            yield _of_objects(cells)
    elif isinstance(values, Backed) and values.values is not None:
        yield pa.array(values.values)


def _of_objects(cells: list[Any]) -> pa.Array:
    """Texts, numbers, or a vector in each cell; nothing of anything else."""
    kinds = set(map(type, cells)) - {type(None)}
    if kinds in ({str}, {int}):
        return pa.array(cells)
    if kinds and (vectors := stacked(cells)) is not None:
        flat = pa.array(np.ascontiguousarray(vectors).reshape(-1))
        return pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
    return pa.nulls(len(cells))


def _places(placement: object) -> Iterator[int]:
    placement = placement.stored if isinstance(placement, PickledArray) else placement
    if isinstance(placement, Slice) and len(placement) == 3:
        start, stop, step = placement
        if type(start) is int and type(stop) is int and type(step or 1) is int and step != 0:
            yield from range(start, stop, step or 1)[:_MOST]
    elif isinstance(placement, Stored) and placement.dtype[0] in "iu":
        yield from placement.array().reshape(-1).tolist()


def _axis(axis: object) -> Sequence[Any]:
    parts = axis.get("index") if isinstance(axis, dict) else None
    if not isinstance(parts, dict):
        raise RefusedError("holds an index of a kind that is not known here")
    if "stop" in parts:
        numbers = [parts.get(name) for name in ("start", "stop", "step")]
        if not all(type(n) is int for n in numbers) or numbers[2] == 0:
            raise RefusedError("holds a damaged index")
        return range(*numbers)  # type: ignore[arg-type]
    data: Any = parts.get("data")
    data = data.stored if isinstance(data, PickledArray) else data
    if isinstance(data, Inert):
        data = data.state.get("_pa_array")
    if isinstance(data, Stored):
        values: npt.NDArray[np.generic] = data.array()
        data = values.reshape(-1).tolist()
    if not isinstance(data, list):
        raise RefusedError("holds an index of a kind that is not known here")
    return data
