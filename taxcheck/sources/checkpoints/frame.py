"""A table of columns as a table of vectors: which columns are its dimensions, and what the rest is.

Dimensions are a column of lists, or one column each: a run that one prefix and consecutive numbers
name. A norm or a loss beside them is no dimension.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from taxcheck.model.errors import InputError, one_line
from taxcheck.sources.checkpoints.contents import Contents, in_memory
from taxcheck.sources.checkpoints.row_names import is_measured, names_rows

COLUMNS = "columns"  # the key of dimensions that no prefix names
_NUMBERED = re.compile(r"(.{0,200}?)(\d{1,6})", re.S)
_SHOWN = 8


def contents_of(table: pa.Table, name: str, shown: str) -> Contents:
    """The vectors of a table, what stands beside them, and the metadata of its schema.

    Raises InputError where no column, or no run of columns, holds the vectors.
    """
    table = table.combine_chunks()
    if len(set(table.column_names)) < len(table.column_names):
        raise InputError(f"{shown}: two columns have one name; rename them")
    if not len(table):
        raise InputError(f"{shown}: holds no rows; there is nothing to judge")
    kinds: Mapping[str, pa.DataType] = {field.name: field.type for field in table.schema}
    tree: dict[object, object] = {}
    runs: dict[str, list[str]] = {}
    lists = [column for column, kind in kinds.items() if is_vector(kind)]
    for column in lists:
        tree[column] = in_memory(_from_lists(table[column], column, shown))
    if not lists:
        runs = _runs(kinds, shown)
        for key, columns in runs.items():
            tree[key] = in_memory(_side_by_side(table, columns))
    used = {*lists, *(column for columns in runs.values() for column in columns)}
    beside = {
        column: table[column].combine_chunks()
        for column, kind in kinds.items()
        if column not in used and is_beside(kind)
    }
    metadata = {
        k.decode(): v.decode()
        for k, v in (table.schema.metadata or {}).items()
        if k not in (b"pandas", b"ARROW:schema")
    }
    tree["metadata"] = metadata
    notes = tuple(_notes(runs, beside, kinds))
    guesses = notes[:1] if any(not _are_numbered(columns) for columns in runs.values()) else ()
    return Contents(name, tree, (), notes[len(guesses) :], guesses, columns=beside)


def frames_together(
    frames: Mapping[str, pa.Table], rest: Mapping[object, object], name: str, shown: str
) -> Contents:
    """What several tables of columns hold, each under its own key, beside the ``rest``."""
    tree, notes, guesses = dict(rest), list[str](), list[str]()
    columns: dict[str, pa.Array] = {}
    for key, frame in frames.items():
        contents = contents_of(frame, name, f"{shown}: {one_line(key, 60)}")
        assert isinstance(contents.tree, dict)
        tree |= {f"{key}.{place}": value for place, value in contents.tree.items()}
        columns |= {f"{key}.{place}": value for place, value in contents.columns.items()}
        notes += contents.notes
        guesses += contents.guesses
    return Contents(name, tree, (), tuple(notes), tuple(guesses), columns=columns)


def is_dimension(name: str, names: Sequence[str]) -> bool:
    """Whether a column is one of a run of two and more that one prefix and numbers name."""
    match = _NUMBERED.fullmatch(name)
    if match is None:
        return False
    prefix, number = match[1], int(match[2])
    return any(f"{prefix}{other}" in names for other in (number - 1, number + 1))


def is_vector(kind: pa.DataType) -> bool:
    """Whether a column holds lists of floats."""
    lists = (pa.types.is_fixed_size_list, pa.types.is_list, pa.types.is_large_list)
    return any(test(kind) for test in lists) and bool(pa.types.is_floating(kind.value_type))


def is_beside(kind: pa.DataType) -> bool:
    """Whether a column may be a dimension, or say whose its rows are."""
    tests = (
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_dictionary,
    )
    return any(test(kind) for test in tests)


def _runs(kinds: Mapping[str, pa.DataType], shown: str) -> dict[str, list[str]]:
    """Columns that are dimensions, by their prefix; each run in the order of its numbers."""
    floats = [c for c, kind in kinds.items() if pa.types.is_floating(kind)]
    runs = {}
    for prefix, numbered in _numbered(kinds).items():
        if len(numbered) < 2 or not any(column in floats for column in numbered.values()):
            continue
        numbers = sorted(numbered)
        lacking = sorted(set(range(numbers[0], numbers[-1] + 1)) - set(numbers))
        columns = [numbered[k] for k in numbers]
        if lacking and len(lacking) < len(numbers):
            raise InputError(
                f"{shown}: its columns {_run(columns)} lack number {lacking[0]}; add the "
                "dimension, or rename the columns"
            )
        if not lacking:
            key = prefix.rstrip("_-. ") or COLUMNS
            runs[key if key not in kinds else prefix] = columns
    if runs:
        return runs
    plain = [c for c in floats if not (is_measured(c) or names_rows(c))]
    return {COLUMNS: plain} if plain else {}


def _numbered(kinds: Mapping[str, pa.DataType]) -> dict[str, dict[int, str]]:
    """Columns of numbers whose names end with one, by what stands before it."""
    found: dict[str, dict[int, str]] = {}
    for column, kind in kinds.items():
        match = _NUMBERED.fullmatch(column)
        if match and (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
            found.setdefault(match[1], {})[int(match[2])] = column
    return found


def _side_by_side(table: pa.Table, columns: Sequence[str]) -> npt.NDArray[np.generic]:
    parts = [table[column].to_numpy() for column in columns]
    floats = [part.dtype for part in parts if part.dtype.kind == "f"]
    common = np.result_type(*floats)
    return np.column_stack([part.astype(common) for part in parts])


def _from_lists(column: pa.ChunkedArray, name: str, shown: str) -> npt.NDArray[np.generic]:
    array = column.combine_chunks()
    if array.null_count:
        raise InputError(f"{shown}: column {name!r} lacks {array.null_count:,} vectors")
    values = array.flatten()
    width = len(values) // len(array)
    lengths = pa.compute.list_value_length(array)
    if pa.compute.min_max(lengths).as_py() != {"min": width, "max": width} or not width:
        raise InputError(f"{shown}: the vectors in column {name!r} differ in length")
    plain: npt.NDArray[np.generic] = values.to_numpy(zero_copy_only=False)
    return plain.reshape(len(array), width)


def _notes(
    runs: Mapping[str, Sequence[str]],
    beside: Mapping[str, pa.Array],
    kinds: Mapping[str, pa.DataType],
) -> list[str]:
    notes = [f"The vectors are the columns {_run(columns)}." for columns in runs.values()]
    left = [c for c in beside if pa.types.is_floating(kinds[c]) and not names_rows(c)]
    if left:
        notes.append(f"No dimensions of the vectors: {', '.join(left[:_SHOWN])}.")
    return notes


def _are_numbered(names: Sequence[str]) -> bool:
    return all(re.search(r"\d$", name) for name in names)


def _run(names: Sequence[str]) -> str:
    shown = [one_line(name, 60) for name in names]
    if len(names) > 2 and _are_numbered(names):
        return f"{shown[0]} to {shown[-1]}"
    return ", ".join(shown[:_SHOWN]) + (" ..." if len(names) > _SHOWN else "")
