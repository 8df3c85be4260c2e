"""What a file holds before anybody says what it means: arrays, containers, plain values.

Arrays are described at once and read when asked for; objects are stood for by something inert.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from taxcheck.model.errors import InputError, one_line
from taxcheck.model.finding import Scalar
from taxcheck.sources.files import InputFile
from taxcheck.sources.safe_pickle import InertDtype, RefusedError, Sealed

NUMPY_NAMES = {
    **{f"float{bits}": f"f{bits // 8}" for bits in (16, 32, 64)},
    **{f"int{bits}": f"i{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"u{bits // 8}" for bits in (8, 16, 32, 64)},
    "bool": "b1",
    "bfloat16": "u2",
    "complex64": "c8",
    "complex128": "c16",
}
FLOATS = ("float16", "float32", "float64", "bfloat16")
_SMALL = 1 << 26  # bytes that a view may unfold to whatever its storage holds


class Stored(Sealed):
    """One array in a file. ``read`` gives it in its own dtype; bfloat16 arrives as its bits."""

    __slots__ = ("_read", "bytes", "dtype", "shape")

    def __init__(
        self,
        shape: Sequence[int],
        dtype: str,
        size: int,
        read: Callable[[], npt.NDArray[np.generic]],
    ) -> None:
        self.shape, self.dtype, self.bytes, self._read = tuple(shape), dtype, size, read

    def array(self) -> npt.NDArray[np.generic]:
        """The values, memory-mapped where the format allows; bfloat16 is widened to float32.

        Raises InputError where the file is truncated or unpacks to too much.
        """
        values = self._read()
        if self.dtype != "bfloat16":
            return values
        return (values.astype(np.uint32) << np.uint32(16)).view(np.float32)

    @property
    def is_table(self) -> bool:
        """Whether it could be an embedding table."""
        return len(self.shape) == 2 and self.dtype in FLOATS and min(self.shape) > 0


def in_memory(values: npt.NDArray[np.generic]) -> Stored:
    """An array that is read already."""
    name = values.dtype.name if values.dtype.kind in "fiubc" else values.dtype.str.lstrip("<>|=")
    return Stored(values.shape, name, values.nbytes, lambda: values)


def view(
    raw: Callable[[], npt.NDArray[np.uint8]],
    available: int,
    dtype: str,
    shape: Sequence[int],
    strides: Sequence[int],
    offset: int,
    order: str = "<",
) -> Stored:
    """A strided view of ``available`` bytes; strides and offset count elements.

    Raises ValueError where it reaches beyond the bytes, or unfolds to far more than they are.
    """
    size = math.prod(shape)
    kind = np.dtype(order + NUMPY_NAMES[dtype])
    if len(shape) != len(strides) or len(shape) > 32 or offset < 0:
        raise ValueError("a tensor with a damaged shape")
    if any(n < 0 for n in (*shape, *strides)):
        raise ValueError("a tensor with a negative shape or stride")
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if size and (last + 1) * kind.itemsize > available:
        raise ValueError(f"a tensor of shape {tuple(shape)} that its storage is too small for")
    if size * kind.itemsize > max(available, _SMALL):
        raise ValueError(f"a tensor of shape {tuple(shape)} that repeats a far smaller storage")
    steps = [step * kind.itemsize for step in strides]

    def read() -> npt.NDArray[np.generic]:
        if not size:
            return np.empty(tuple(shape), kind)
        return np.ndarray(tuple(shape), kind, raw(), offset * kind.itemsize, steps)

    return Stored(shape, dtype, size * kind.itemsize, read)


class PickledArray:
    """A NumPy array inside of a pickle, known once its state has arrived."""

    __slots__ = ("stored",)

    def __init__(self) -> None:
        self.stored: Stored | list[Any] | None = None

    def __setstate__(self, state: object) -> None:
        if self.stored is not None or not isinstance(state, tuple) or len(state) != 5:
            raise RefusedError("holds a damaged NumPy array")
        _, shape, kind, fortran, raw = state
        if isinstance(kind, InertDtype) and kind.objects and isinstance(raw, list):
            self.stored = _nested(raw, shape)
            return
        self.stored = from_raw(raw, kind, shape, "F" if fortran else "C")


def _nested(values: list[Any], shape: object) -> list[Any]:
    """Objects of an array of one or two dimensions, as a list of them or of its rows."""
    if not isinstance(shape, tuple) or len(shape) != 2:
        return values
    rows, width = shape
    if type(rows) is not int or type(width) is not int or rows * width != len(values):
        raise RefusedError("holds a damaged NumPy array")
    return [values[row * width : (row + 1) * width] for row in range(rows)]


def from_raw(raw: object, kind: object, shape: object, order: object = "C") -> Stored:
    """An array whose bytes lie in a pickle; RefusedError where its parts do not fit together."""
    if isinstance(raw, str):  # how Python 2 wrote bytes
        raw = raw.encode("latin1")
    if (
        not isinstance(raw, bytes | bytearray)
        or not isinstance(kind, InertDtype)
        or not isinstance(shape, tuple)
        or len(shape) > 32
        or not all(isinstance(n, int) and 0 <= n < 1 << 48 for n in shape)
        or math.prod(shape) * kind.dtype.itemsize != len(raw)
    ):
        raise RefusedError("holds a damaged NumPy array")
    values = np.frombuffer(bytes(raw), kind.dtype)
    return in_memory(values.reshape(shape, order="F" if order == "F" else "C"))


def too_large(shown: str, what: str, size: int, limit: int, remedy: str) -> InputError:
    """The refusal of something that would not fit."""
    return InputError(
        f"{shown}: {what} unpacks to {size / 2**30:.1f} GiB, beyond the limit of "
        f"{limit / 2**30:.1f} GiB for compressed data; {remedy}"
    )


_NAME_LIMIT, _TEXT_LIMIT = 200, 400
_ITEMS_LIMIT = 10_000
_DEPTH_LIMIT = 32
_SCALARS_LIMIT = 1_000  # arrays without dimensions, which are values to whoever saved them


UNORDERED = "a set, which has no order"


class Unreadable(Sealed):
    """An array whose layout taxcheck does not read: sparse, quantised and the like."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind


class Inert:
    """Stands for an object of some known class: what the pickle says of it, and nothing it does."""

    __slots__ = ("args", "state")
    name = ""

    def __new__(cls, *args: object) -> Inert:  # noqa: D102
        made = object.__new__(cls)
        made.args, made.state = args, {}
        return made

    args: tuple[object, ...]
    state: dict[object, object]

    def __setstate__(self, state: object) -> None:
        parts = state if isinstance(state, tuple) else (state,)
        for part in parts:
            if isinstance(part, dict):
                self.state.update(part)
        if not isinstance(state, dict | tuple) and state is not None:
            self.state["state"] = state

    def __setitem__(self, key: object, value: object) -> None:
        """An item of what is a dict of some kind where it was made."""
        self.state[key] = value

    def append(self, value: object) -> None:
        """An item of what is a list of some kind where it was made."""
        items = self.state.setdefault("items", [])
        if isinstance(items, list):
            items.append(value)

    @property
    def points(self) -> object | None:
        """The tensor of points that it is, as HypLL and geoopt have it; None where it is none."""
        if self.name.rsplit(".", 1)[-1] in _POINTS and "tensor" in self.state:
            return self.state["tensor"]
        return None


_POINTS = ("ManifoldTensor", "ManifoldParameter", "TangentTensor")


class Placed(Inert):
    """A tensor with the manifold that it lies on."""

    __slots__ = ()

    @property
    def points(self) -> object | None:
        """The tensor."""
        return self.state.get("tensor")


def stand_in(name: str) -> type[Inert]:
    """A class of its own for every name, so that nothing is shared between two files."""
    return type("Inert", (Inert,), {"__slots__": (), "name": name})


@dataclass(slots=True)
class Flat:
    """A tree of containers, taken apart; keys are paths joined by dots."""

    arrays: dict[str, Stored] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    values: dict[str, Scalar] = field(default_factory=dict)
    lists: dict[str, Sequence[Scalar]] = field(default_factory=dict)
    maps: dict[str, Mapping[object, object]] = field(default_factory=dict)  # large plain dicts
    records: dict[str, list[Mapping[str, Scalar]]] = field(default_factory=dict)
    classes: dict[str, Inert] = field(default_factory=dict)


_PLAIN = {str, int, float, bool, type(None)}


def flatten(tree: object) -> Flat:
    """What hangs in a tree; shared and cyclic containers are entered once."""
    flat, seen = Flat(), set[int]()
    pending: list[tuple[int, str, object]] = [(0, "", tree)]
    while pending:
        depth, path, value = pending.pop()
        if isinstance(value, PickledArray):
            value = value.stored
        if isinstance(value, Stored):
            flat.arrays[_unused(flat.arrays, path or "array")] = value
        elif isinstance(value, set | frozenset):
            flat.unreadable[path] = UNORDERED
        elif isinstance(value, Unreadable):
            flat.unreadable[path or "array"] = value.kind
        elif type(value) in _PLAIN:
            flat.values[path] = _plain(value)
        elif id(value) not in seen and depth < _DEPTH_LIMIT:
            seen.add(id(value))
            children = [(depth + 1, *child) for child in _children(path, value, flat)]
            pending.extend(reversed(children))
    for path, array in list(flat.arrays.items())[:_SCALARS_LIMIT]:
        if not array.shape and array.dtype[0] in "fiubU" and array.dtype != "bfloat16":
            flat.values.setdefault(path, _plain(array.array().item()))
    return flat


def _children(path: str, value: object, flat: Flat) -> Iterator[tuple[str, object]]:
    if isinstance(value, Inert) and value.points is not None:
        if isinstance(manifold := value.state.get("manifold"), Inert):
            flat.classes[path] = manifold
        yield path, value.points
        return
    if isinstance(value, Inert):
        flat.classes[path] = value
        value = value.state or {str(k): item for k, item in enumerate(value.args)}
    items: Iterator[tuple[object, object]] = iter(())
    if isinstance(value, dict):
        items = _of_dict(path, value, flat)
    elif isinstance(value, list | tuple):
        items = _of_list(path, value, flat)
    for key, item in islice(items, _ITEMS_LIMIT):
        yield (f"{path}.{_name(key)}" if path else _name(key)), item


def _of_dict(path: str, value: dict[object, object], flat: Flat) -> Iterator[tuple[object, object]]:
    kinds = set(map(type, value.values()))
    large = len(value) > _ITEMS_LIMIT and kinds <= _PLAIN
    if large or (value and kinds <= {int, str}):
        flat.maps[path] = value
    return iter(() if large else value.items())


def _of_list(path: str, value: Sequence[Any], flat: Flat) -> Iterator[tuple[object, object]]:
    kinds = set(map(type, value))
    if kinds <= _PLAIN:
        flat.lists[path] = value
        return iter(())
    if kinds == {dict} and len(value) <= 1_000_000:
        flat.records[path] = [
            {_name(k): _plain(v) for k, v in row.items() if type(v) in _PLAIN} for row in value
        ]
    return enumerate(value)


def _name(key: object) -> str:
    if type(key) is int and key.bit_length() < 64:
        return str(key)
    return one_line(key, _NAME_LIMIT) if isinstance(key, str) else type(key).__name__


def _plain(value: object) -> Scalar:
    """A value that any report can show."""
    if type(value) is int and value.bit_length() > 63:
        return f"an integer of {value.bit_length():,} bits"
    return one_line(value, _TEXT_LIMIT) if isinstance(value, str) else value  # type: ignore[return-value]


def _unused(taken: Mapping[str, object], key: str) -> str:
    number, unused = 2, key
    while unused in taken:
        number, unused = number + 1, f"{key} ({number})"
    return unused


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds before anybody says what it means."""

    format: str
    tree: object
    keys: tuple[str, ...] = ()  # where the table is, first choice first
    notes: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()  # what could have been read otherwise, a sentence each
    # Beside the table, one entry for each row: columns, words, what stands in a file of its own.
    columns: Mapping[str, pa.Array] = field(default_factory=dict)
    files: tuple[tuple[str, InputFile], ...] = ()  # beside the one that was given, by name
    torch: bool = False  # whether torch.save wrote it, and
    legacy: bool = False  # whether as it did before 1.6
