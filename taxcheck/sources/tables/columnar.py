"""Parquet and Arrow IPC files, as bounded batches of the columns that are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.parquet as pq

from taxcheck.model.errors import InputError
from taxcheck.sources.files import InputFile, reading
from taxcheck.sources.tables.batches import BATCH_ROWS, RawBatch

_BUFFER = 1 << 22  # bytes read at once of a column: bounds memory where a row group is huge


def plain(array: pa.Array, column: str, shown: str) -> pa.Array:
    """Numbers and texts as they are, dictionaries decoded; InputError for what holds neither.

    Arrow believes a file's offsets, indices and texts; ArrowInvalid where they are not sound.
    """
    array.validate(full=True)
    kind = array.type
    if pa.types.is_dictionary(kind):
        return plain(array.dictionary_decode(), column, shown)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return array.cast(pa.string())
    if pa.types.is_string(kind) or pa.types.is_null(kind) or pa.types.is_boolean(kind):
        return array
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return array
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        try:
            return array.cast(pa.string())
        except pa.ArrowInvalid as error:
            raise InputError(
                f"{shown}: column {column!r} holds bytes that are not UTF-8 text; write it as text"
            ) from error
    raise InputError(
        f"{shown}: column {column!r} is of type {kind}; write it as integers or as text"
    )


def _raw(batch: pa.RecordBatch, row: int, columns: Mapping[str, str], shown: str) -> RawBatch:
    cells = {role: plain(batch.column(name), name, shown) for role, name in columns.items()}
    return RawBatch(row, cells)


class ParquetReader:
    """A Parquet file."""

    format = "parquet"
    header = True
    notes: tuple[str, ...] = ()
    first_row = 1

    def __init__(self, file: InputFile) -> None:
        self._file = file
        with reading(file.shown, "Parquet"), file.open() as stream:
            opened = pq.ParquetFile(stream)
            self.column_names = tuple(opened.schema_arrow.names)
            self.total_rows = opened.metadata.num_rows

    def batches(self, columns: Mapping[str, str]) -> Iterator[tuple[RawBatch, float]]:
        """Batches and the share of the file that is read, 0 to 1."""
        shown, row = self._file.shown, 1
        with reading(shown, "Parquet"), self._file.open() as stream:
            # Without pre_buffer, pages are streamed: a single huge row group stays bounded.
            opened = pq.ParquetFile(stream, pre_buffer=False, buffer_size=_BUFFER)
            names = list(dict.fromkeys(columns.values()))
            for batch in opened.iter_batches(BATCH_ROWS, columns=names, use_threads=True):
                yield (
                    _raw(batch, row, columns, shown),
                    (row - 1 + len(batch)) / max(self.total_rows, 1),
                )
                row += len(batch)


class ArrowReader:
    """An Arrow IPC file (Feather V2), or an IPC stream."""

    header = True
    notes: tuple[str, ...] = ()

    def __init__(self, file: InputFile, *, stream: bool) -> None:
        self._file, self._is_stream = file, stream
        self.format = "arrow stream" if stream else "feather"
        with reading(file.shown, self.format), file.open() as handle:
            self.column_names = tuple(self._open(handle).schema.names)

    def _open(self, handle: object) -> pa.RecordBatchStreamReader | pa.RecordBatchFileReader:
        return pa.ipc.open_stream(handle) if self._is_stream else pa.ipc.open_file(handle)

    def _record_batches(self, handle: object) -> Iterator[pa.RecordBatch]:
        opened = self._open(handle)
        if self._is_stream:
            yield from opened
        else:
            for number in range(opened.num_record_batches):
                yield opened.get_batch(number)

    def batches(self, columns: Mapping[str, str]) -> Iterator[tuple[RawBatch, float]]:
        """Batches and the share of the file that is read, 0 to 1."""
        shown, row = self._file.shown, 1
        with reading(shown, self.format), self._file.open() as handle:
            for whole in self._record_batches(handle):
                for start in range(0, len(whole), BATCH_ROWS):
                    batch = whole.slice(start, BATCH_ROWS)
                    share = min(handle.tell() / self._file.bytes, 1.0)
                    yield _raw(batch, row, columns, shown), share
                    row += len(batch)
