"""What hangs in a checkpoint: containers, plain values, arrays, and stand-ins for objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from taxcheck.rule import Scalar
from taxcheck.sources.checkpoints.stored import PickledArray, Stored
from taxcheck.sources.files import one_line
from taxcheck.sources.safe_pickle import RefusedError

_NAME_LIMIT, _TEXT_LIMIT = 200, 400
_ITEMS_LIMIT = 10_000
_DEPTH_LIMIT = 32
_SCALARS_LIMIT = 1_000  # arrays without dimensions, which are values to whoever saved them


class Unreadable:
    """An array whose layout taxcheck does not read: sparse, quantised and the like."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __setstate__(self, state: object) -> None:
        raise RefusedError("would change an array")


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


class Placed(Inert):
    """A tensor with the manifold that it lies on."""

    __slots__ = ()


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
    if isinstance(value, Placed):
        if isinstance(manifold := value.state.get("manifold"), Inert):
            flat.classes[path] = manifold
        yield path, value.state.get("tensor")
        return
    if isinstance(value, Inert):
        flat.classes[path] = value
        value = value.state
    if isinstance(value, dict):
        if len(value) > _ITEMS_LIMIT and set(map(type, value.values())) <= _PLAIN:
            flat.maps[path] = value
            return
        if value and set(map(type, value.values())) <= {int, str}:
            flat.maps[path] = value
        items = ((_name(key), item) for key, item in value.items())
    elif isinstance(value, list | tuple):
        kinds = set(map(type, value))
        if kinds <= _PLAIN:
            flat.lists[path] = value
            return
        if kinds == {dict} and len(value) <= 1_000_000:
            flat.records[path] = [
                {_name(k): _plain(v) for k, v in row.items() if type(v) in _PLAIN} for row in value
            ]
        items = ((str(number), item) for number, item in enumerate(value))
    else:
        return
    for number, (name, item) in enumerate(items):
        if number >= _ITEMS_LIMIT:
            return
        yield (f"{path}.{name}" if path else name), item


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
    labels: pa.Array | None = None  # where the format itself has a place for them
