"""All offenders as Parquet files, one per defect, written as they are found."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from taxcheck.files import unwritten, whole_file
from taxcheck.model.arrays import IntArray
from taxcheck.model.errors import OutputError
from taxcheck.model.places import Places
from taxcheck.statistics.offenders import Column, Offenders


class _UnwantedError(Exception):
    """The run failed, so its files go; of another's OSError each would make one of its own."""


class FailureWriter:
    """A sink of offenders: ``<folder>/<defect>.parquet``, which is there when it is complete."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.places = Places({})  # of several files each row has its file beside it
        self._files = ExitStack()
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{folder}: cannot be made a folder: {error.strerror}") from None

    def __call__(self, offenders: Offenders) -> None:
        """Append some: their rows, their cells and the reason, where there is one."""
        if not len(offenders):
            return
        arrays = {name: _arrow(column) for name, column in offenders.columns.items()}
        if offenders.rows is not None:
            arrays = {**self._placed(offenders.table, offenders.rows), **arrays}
        if offenders.reason is not None:
            arrays["reason"] = pa.array([offenders.reason] * len(offenders))
        path = self._folder / f"{offenders.defect}.parquet"
        with self._lock:
            try:
                writer = self._writers.get(offenders.defect) or self._begin(path, arrays)
                self._writers[offenders.defect] = writer
                table = pa.table({n: arrays[n] for n in writer.schema.names if n in arrays})
                writer.write_table(table.cast(writer.schema))
            except (OSError, UnicodeEncodeError) as error:  # Arrow wants names that are text
                raise unwritten(path, error) from None

    def _placed(self, table: str, rows: IntArray) -> dict[str, pa.Array]:
        """Where rows (k,) stand: file and row, or the row where the file is one."""
        files = self.places.tables.get(table)
        if files is None:
            return {"row": pa.array(rows)}
        at, own = files.among(rows)
        paths = pa.DictionaryArray.from_arrays(pa.array(at), pa.array(files.paths, pa.string()))
        return {"file": paths.cast(pa.string()), "row": pa.array(own)}

    def _begin(self, path: Path, arrays: dict[str, pa.Array]) -> pq.ParquetWriter:
        partial = self._files.enter_context(whole_file(path))
        schema = pa.schema([(name, array.type) for name, array in arrays.items()])
        return self._files.enter_context(pq.ParquetWriter(partial, schema, compression="zstd"))

    def __enter__(self) -> FailureWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            with self._files:
                if kind is not None:
                    raise _UnwantedError
        except (_UnwantedError, OutputError):
            if kind is None:  # else the first failure is told
                raise


def _arrow(column: Column) -> pa.Array:
    array = pa.array(column)  # objects are texts or whole numbers, either with nulls
    return array.cast(pa.string()) if pa.types.is_null(array.type) else array
