"""Embeddings in Parquet or Feather: a column of lists, or one numeric column per dimension."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from taxcheck.model.errors import InputError
from taxcheck.sources.checkpoints.contents import Contents, in_memory, too_large
from taxcheck.sources.files import InputFile, reading

_IDENTIFIERS = (
    "taxid", "tax_id", "label", "id", "name", "entity", "node", "object", "word", "key", "index",
    "__index_level_0__",
)  # fmt: skip
_FLOOR, _RATIO = 1 << 30, 200  # bytes; what packs better than that is no embedding
_ROW_NUMBERS = ("idx", "row", "node_idx")


def read_table(file: InputFile, *, parquet: bool) -> Contents:
    """The table's vectors, its identifiers, and the metadata of its schema.

    Raises InputError where no column, or no run of columns, holds the vectors.
    """
    name = "parquet" if parquet else "feather"
    with reading(file.shown, name):  # names and metadata may be damaged as well as values
        table = _parquet(file) if parquet else _feather(file)
        table.validate(full=True)  # Arrow believes a file's offsets and texts
        table = table.combine_chunks()
        return _contents(table, name, file)


def _contents(table: pa.Table, name: str, file: InputFile) -> Contents:
    lists = [f.name for f in table.schema if _is_list(f.type)]
    floats = [f.name for f in table.schema if pa.types.is_floating(f.type)]
    if not len(table):
        raise InputError(f"{file.shown}: holds no rows; there is nothing to judge")
    _check_order(table, file.shown)
    tree: dict[object, object] = {}
    keys: tuple[str, ...] = ()
    for column in lists:
        tree[column] = in_memory(_from_lists(table[column], column, file.shown))
    if not lists and floats:
        parts = [table[column].to_numpy() for column in floats]
        common = np.result_type(*parts)
        tree["columns"] = in_memory(np.column_stack([part.astype(common) for part in parts]))
        keys = ("columns",)
    metadata = {k.decode(): v.decode() for k, v in (table.schema.metadata or {}).items()}
    tree["metadata"] = {k: v for k, v in metadata.items() if k not in ("pandas", "ARROW:schema")}
    notes = (f"The vectors are the columns {_run(floats)}.",) if keys else ()
    return Contents(name, tree, keys, notes, _identifiers(table))


def _check_order(table: pa.Table, shown: str) -> None:
    numbers = next((name for name in _ROW_NUMBERS if name in table.column_names), None)
    if numbers and not np.array_equal(table[numbers].to_numpy(), np.arange(len(table))):
        raise InputError(
            f"{shown}: its rows are not in the order of their idx; sort the table by idx"
        )


def _wanted(schema: pa.Schema, shown: str) -> list[str]:
    if len(set(schema.names)) < len(schema.names):
        raise InputError(f"{shown}: two columns have one name; rename them")
    return [f.name for f in schema if _is_list(f.type) or pa.types.is_floating(f.type)] + [
        f.name for f in schema if _is_identifier(f.type)
    ]


def _parquet(file: InputFile) -> pa.Table:
    with pq.ParquetFile(file.path, memory_map=True) as opened:
        columns = _wanted(opened.schema_arrow, file.shown)
        size = opened.metadata.num_rows * len(columns) * 8
        limit = max(_FLOOR, _RATIO * file.bytes)
        if size > limit:
            raise too_large(file.shown, "the table", size, limit, "write it uncompressed")
        return opened.read(columns)


def _feather(file: InputFile) -> pa.Table:
    with pa.memory_map(str(file.path)) as source:
        table = pa.ipc.open_file(source).read_all()
        return table.select(_wanted(table.schema, file.shown))


def _is_identifier(kind: pa.DataType) -> bool:
    tests = (pa.types.is_integer, pa.types.is_string, pa.types.is_large_string)
    return any(test(kind) for test in tests)


def _is_list(kind: pa.DataType) -> bool:
    lists = (pa.types.is_fixed_size_list, pa.types.is_list, pa.types.is_large_list)
    return any(test(kind) for test in lists) and bool(pa.types.is_floating(kind.value_type))


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


def _identifiers(table: pa.Table) -> pa.Array | None:
    kinds = {f.name: f.type for f in table.schema}
    usable = [name for name, kind in kinds.items() if _is_identifier(kind)]
    known = [name for wanted in _IDENTIFIERS for name in usable if name.lower() == wanted]
    others = [name for name in usable if name.lower() not in _ROW_NUMBERS]
    chosen = known or (others if len(others) == 1 else [])
    if not chosen or table[chosen[0]].null_count:
        return None
    column = table[chosen[0]]
    kind = pa.int64() if pa.types.is_integer(column.type) else pa.string()
    return pa.concat_arrays(column.cast(kind).chunks)


def _run(names: list[str]) -> str:
    if len(names) > 2 and all(re.search(r"\d+$", name) for name in names):
        return f"{names[0]} to {names[-1]}"
    return ", ".join(names[:8]) + (" ..." if len(names) > 8 else "")
