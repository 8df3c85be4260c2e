"""A table in pieces: a dict from label to vector, a list of vectors, records with a vector each."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from taxcheck.sources.checkpoints.contents import (
    FLOATS,
    Contents,
    Inert,
    PickledArray,
    Stored,
    in_memory,
)
from taxcheck.sources.checkpoints.frame import contents_of, is_dimension
from taxcheck.sources.checkpoints.row_names import as_labels

_FEWEST = 2  # vectors
_DEPTH = 4
_LAST_NUMBER = re.compile(r"\d{1,6}$")
VECTORS, LABELS = "vectors", "labels"


def put_together(contents: Contents, shown: str) -> Contents:
    """The same with the vectors as one table, where the file has them one by one."""
    if (columns := _columns(contents.tree)) is not None:
        framed = contents_of(columns, contents.format, shown)
        return replace(
            framed, notes=(*contents.notes, *framed.notes), torch=contents.torch,
            legacy=contents.legacy, files=contents.files,
        )  # fmt: skip
    found = list(_tables(contents.tree, "", 0))
    if not found:
        return contents
    whole = _beside(contents.tree, [place for place, *_ in found])
    beside: dict[str, pa.Array] = {}
    notes = list(contents.notes)
    for place, table, labels, columns in found:
        prefix = f"{place}." if place else ""
        beside |= {f"{prefix}{name}": column for name, column in columns.items()}
        if labels is not None:
            beside[f"{prefix}{LABELS}"] = labels
        whole[f"{prefix}{VECTORS}"] = in_memory(table)
        size = f"{len(table):,} of {table.shape[1]:,} numbers"
        notes.append(f"The vectors are {size}, one by one in the file.")
    return replace(
        contents,
        tree=whole,
        keys=(),
        notes=tuple(notes),
        columns={**contents.columns, **beside},
    )


_Found = tuple[str, npt.NDArray[np.generic], pa.Array | None, dict[str, pa.Array]]


def _tables(tree: object, path: str, depth: int) -> Iterator[_Found]:
    tree = _plain(tree)
    if isinstance(tree, dict):
        if (rows := stacked(list(tree.values()))) is not None:
            yield path, rows, as_labels(list(tree)), {}
            return
        items: list[tuple[object, object]] = list(tree.items())
    elif isinstance(tree, list | tuple):
        if (rows := stacked(tree)) is not None:
            yield path, rows, None, {}
            return
        if (records := _records(tree)) is not None:
            yield path, *records
            return
        items = []
    else:
        return
    if depth < _DEPTH:
        for key, value in items[:1_000]:
            if isinstance(key, str):
                yield from _tables(value, f"{path}.{key}" if path else key, depth + 1)


def _columns(tree: object) -> pa.Table | None:
    """A dict of columns of one length, some of which are the dimensions by their numbered names."""
    tree = _plain(tree)
    if not isinstance(tree, dict) or not all(isinstance(key, str) for key in tree):
        return None
    names = [key for key in tree if is_dimension(key, list(tree))]
    if not _count_from_the_start(names):
        return None
    columns = {key: column for key, value in tree.items() if (column := _column(value)) is not None}
    lengths = {len(columns[name]) for name in names if name in columns}
    rows = next(iter(lengths), 0)
    if len(lengths) != 1 or rows <= len(names):
        return None
    return pa.table({key: column for key, column in columns.items() if len(column) == rows})


def _count_from_the_start(names: Sequence[str]) -> bool:
    """Whether names end with 0, 1, 2 ... or 1, 2, 3 ...; labels count from anywhere."""
    numbers = sorted(int(found[0]) for name in names if (found := _LAST_NUMBER.search(name)))
    if len(names) < _FEWEST or numbers[0] > 1:
        return False
    return numbers == list(range(numbers[0], numbers[0] + len(names)))


def _column(value: object) -> pa.Array | None:
    plain = _plain(value)
    if isinstance(plain, Stored) and len(plain.shape) == 1 and plain.dtype[0] in "iuf":
        return pa.array(plain.array())
    if isinstance(plain, list) and plain and isinstance(plain[0], int | float | str):
        with contextlib.suppress(pa.ArrowException, OverflowError):
            return pa.array(plain)
    return None


def _plain(value: object) -> object:
    if isinstance(value, PickledArray):
        return value.stored
    return value.state if isinstance(value, Inert) else value


def stacked(values: Sequence[object]) -> npt.NDArray[np.generic] | None:
    """Vectors of one length as rows, (rows, width); None where these are none."""
    if len(values) < _FEWEST:
        return None
    first = _plain(values[0])
    if isinstance(first, Stored):
        return _arrays(first, [_plain(value) for value in values])
    if isinstance(first, list | tuple) and first and float in map(type, first):
        rows = [row for row in values if isinstance(row, list | tuple) and len(row) == len(first)]
        if len(rows) == len(values) and {type(x) for row in rows for x in row} <= {int, float}:
            with contextlib.suppress(OverflowError):  # a whole number beyond any float
                return np.array(rows, dtype=np.float64)
    return None


def _arrays(first: Stored, values: Sequence[object]) -> npt.NDArray[np.generic] | None:
    """The same of arrays of floats: one dimension, or one row."""
    shape = first.shape
    if first.dtype not in FLOATS or not shape or math.prod(shape) != shape[-1] or not shape[-1]:
        return None
    rows = [
        value.array().reshape(-1)
        for value in values
        if isinstance(value, Stored) and value.shape == shape and value.dtype == first.dtype
    ]
    return np.stack(rows) if len(rows) == len(values) else None


def _records(
    values: Sequence[object],
) -> tuple[npt.NDArray[np.generic], pa.Array | None, dict[str, pa.Array]] | None:
    """Records that have one vector each, and values beside it."""
    first = values[0] if values else None
    if not isinstance(first, dict) or not all(type(one) is type(first) for one in values):
        return None
    rows: list[dict[object, object]] = [one for one in values if isinstance(one, dict)]
    for key in first:
        vectors = stacked([row.get(key) for row in rows])
        if vectors is None:
            continue
        columns = {}
        for other in first:
            column = as_labels([row.get(other) for row in rows]) if other != key else None
            if column is not None:
                columns[str(other)] = column
        return vectors, None, columns
    return None


def _beside(tree: object, places: Sequence[str]) -> dict[object, object]:
    """What the tree holds beside the vectors."""
    tree = _plain(tree)
    if "" in places or not isinstance(tree, Mapping):
        return {}
    taken = {place.split(".")[0] for place in places}
    return {key: value for key, value in tree.items() if key not in taken}
