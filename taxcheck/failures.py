"""All offending rows as Parquet files, one per defect, written as they are found."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from taxcheck.errors import OutputError
from taxcheck.sources.files import one_line


class FailureWriter:
    """A sink of offending rows: ``<folder>/<defect>.parquet``, renamed when complete."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._partials: dict[str, Path] = {}  # what is begun, whether or not it has a writer
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
                    self._partials[defect] = self._folder / f".{defect}.parquet.{os.getpid()}"
                    schema = pa.schema([(name, array.type) for name, array in arrays.items()])
                    writer = pq.ParquetWriter(
                        str(self._partials[defect]), schema, compression="zstd"
                    )
                    self._writers[defect] = writer
                table = pa.table({n: arrays[n] for n in writer.schema.names if n in arrays})
                writer.write_table(table.cast(writer.schema))
            except (OSError, UnicodeEncodeError) as error:  # Arrow wants names that are text
                raise self._unwritten(error) from None

    def _unwritten(self, error: Exception) -> OutputError:
        return OutputError(f"{self._folder}: the failing rows cannot be written: {one_line(error)}")

    def __enter__(self) -> FailureWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            with ExitStack() as files:  # each is closed, whatever becomes of another
                for writer in self._writers.values():
                    files.callback(writer.close)
            for defect, partial in self._partials.items() if kind is None else ():
                partial.replace(self._folder / f"{defect}.parquet")
        except OSError as failure:
            if kind is None:  # else the first failure is told
                raise self._unwritten(failure) from None
        finally:
            for partial in self._partials.values():
                partial.unlink(missing_ok=True)


def _arrow(column: npt.NDArray[np.generic]) -> pa.Array:
    array = pa.array(column)  # objects are texts or whole numbers, either with nulls
    return array.cast(pa.string()) if pa.types.is_null(array.type) else array
