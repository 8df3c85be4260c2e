"""All offending rows as Parquet files, one per defect, written as they are found."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from taxcheck.errors import OutputError


class FailureWriter:
    """A sink of offending rows: ``<folder>/<defect>.parquet``, renamed when complete."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{folder}: cannot be made a folder: {error.strerror}") from None

    def __call__(self, defect: str, columns: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Append rows of one defect; columns of equal length."""
        if not len(next(iter(columns.values()))):
            return
        arrays = {name: _arrow(column) for name, column in columns.items()}
        with self._lock:
            try:
                writer = self._writers.get(defect)
                if writer is None:
                    schema = pa.schema([(name, array.type) for name, array in arrays.items()])
                    writer = pq.ParquetWriter(self._partial(defect), schema, compression="zstd")
                    self._writers[defect] = writer
                table = pa.table({n: arrays[n] for n in writer.schema.names if n in arrays})
                writer.write_table(table.cast(writer.schema))
            except OSError as error:
                raise OutputError(
                    f"{self._folder}: the failing rows cannot be written: {error}"
                ) from None

    def _partial(self, defect: str) -> Path:
        return self._folder / f".{defect}.parquet.{os.getpid()}"

    def __enter__(self) -> FailureWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for defect, writer in self._writers.items():
            writer.close()
            partial = self._partial(defect)
            if kind is None:
                partial.replace(self._folder / f"{defect}.parquet")
            else:
                partial.unlink(missing_ok=True)


def _arrow(column: npt.NDArray[np.generic]) -> pa.Array:
    return pa.array(column, pa.string()) if column.dtype.kind in "OU" else pa.array(column)
