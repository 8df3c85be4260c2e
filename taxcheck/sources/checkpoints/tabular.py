"""Embeddings in Parquet or Feather; ``frame`` tells which of their columns are the vectors."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from taxcheck.model.errors import InputError
from taxcheck.sources.checkpoints.contents import Contents, too_large
from taxcheck.sources.checkpoints.frame import contents_of, is_beside, is_vector
from taxcheck.sources.files import InputFile, reading

_FLOOR, _RATIO = 1 << 30, 200  # bytes; what packs better than that is no embedding


def read_table(file: InputFile, *, parquet: bool) -> Contents:
    """The table's vectors, what stands beside them, and the metadata of its schema.

    Raises InputError where no column, or no run of columns, holds the vectors.
    """
    name = "parquet" if parquet else "feather"
    with reading(file.shown, name):  # names and metadata may be damaged as well as values
        table = _parquet(file) if parquet else _feather(file)
        table.validate(full=True)  # Arrow believes a file's offsets and texts
        return contents_of(table, name, file.shown)


def _wanted(schema: pa.Schema, shown: str) -> list[str]:
    if len(set(schema.names)) < len(schema.names):
        raise InputError(f"{shown}: two columns have one name; rename them")
    return [f.name for f in schema if is_vector(f.type) or is_beside(f.type)]


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
