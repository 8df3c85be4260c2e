"""Parquet, ORC and Arrow IPC files, as bounded batches of the columns that are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import orc

from taxcheck.model.errors import InputError, one_line
from taxcheck.sources.files import InputFile, reading
from taxcheck.sources.readers import Guess
from taxcheck.sources.tables.batches import BATCH_ROWS, RawBatch
from taxcheck.sources.tables.parts import Part, grouped

# In the metadata of pairs that were built: what their source was guessed to say, as a JSON list.
GUESSED = b"taxcheck.guessed"
_MOST_GUESSES, _LONGEST_GUESS = 20, 600
_BUFFER = 1 << 22  # bytes read at once of a column: bounds memory where a row group is huge
_SHORT = 4  # bytes of a row, less than what the length of a text takes
_DECODED = 1 << 26  # bytes of text that a column's dictionary is written out to at once


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


def _raw(
    whole: pa.RecordBatch, row: int, columns: Mapping[str, str], shown: str
) -> Iterator[RawBatch]:
    """The columns that are asked for; in pieces, where a dictionary of long texts is short."""
    widest = max((_widest(whole.column(name)) for name in columns.values()), default=0)
    step = min(max(_DECODED // max(widest, 1), 1), max(len(whole), 1))
    for start in range(0, max(len(whole), 1), step):
        piece = whole.slice(start, step)
        cells = {role: plain(piece.column(name), name, shown) for role, name in columns.items()}
        yield RawBatch(row + start, cells)


def _widest(column: pa.Array) -> int:
    """Bytes of the longest text in a dictionary; 0 where the column has none."""
    if not pa.types.is_dictionary(column.type) or not pa.types.is_string(column.type.value_type):
        return 0
    return pc.max(pc.binary_length(column.dictionary)).as_py() or 0


def _repeated(metadata: pq.FileMetaData) -> frozenset[str]:
    """Columns of texts in which a few, however long, stand in many rows, so that they take little.

    Such a column is read as its dictionary; of texts that differ that takes four times as long.
    """
    bytes_of: Counter[str] = Counter()
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for column in map(group.column, range(group.num_columns)):
            if column.physical_type == "BYTE_ARRAY":
                bytes_of[column.path_in_schema] += column.total_uncompressed_size
    return frozenset(name for name, size in bytes_of.items() if size < _SHORT * metadata.num_rows)


def _guessed(schema: pa.Schema) -> tuple[str, ...]:
    """What was guessed when the file was built, so that it goes with the file."""
    try:
        said = msgspec.json.decode((schema.metadata or {}).get(GUESSED, b"[]"), type=list[str])
    except msgspec.MsgspecError:
        return ()
    return tuple(
        Guess(f"When this was built: {one_line(one, _LONGEST_GUESS)}.")
        for one in said[:_MOST_GUESSES]
    )


class ParquetReader:
    """A Parquet file."""

    format = "parquet"
    header = True
    first_row = 1

    def __init__(self, file: InputFile) -> None:
        self._file = file
        with reading(file.shown, "Parquet"), file.open() as stream:
            opened = pq.ParquetFile(stream)
            self.schema = opened.schema_arrow
            self.notes = _guessed(self.schema)
            self.column_names = tuple(self.schema.names)
            self.total_rows = opened.metadata.num_rows
            self._repeated = _repeated(opened.metadata)

    def parts(self, rows: int) -> tuple[Part, ...]:
        """Row groups, several where they are small."""
        with reading(self._file.shown, "Parquet"), self._file.open() as stream:
            metadata = pq.ParquetFile(stream).metadata
            sizes = [metadata.row_group(k).num_rows for k in range(metadata.num_row_groups)]
        return grouped(sizes, rows)

    def batches(
        self, columns: Mapping[str, str], part: Part | None = None
    ) -> Iterator[tuple[RawBatch, float]]:
        """Batches and the share of the file that is read, 0 to 1."""
        shown, row = self._file.shown, 1 + (part.before if part else 0)
        groups = range(*part.blocks) if part and part.blocks else None
        with reading(shown, "Parquet"), self._file.open() as stream:
            # Without pre_buffer, pages are streamed: a single huge row group stays bounded.
            names = list(dict.fromkeys(columns.values()))
            opened = pq.ParquetFile(
                stream,
                pre_buffer=False,
                buffer_size=_BUFFER,
                read_dictionary=[name for name in names if name in self._repeated],
            )
            for batch in opened.iter_batches(
                BATCH_ROWS, row_groups=groups, columns=names, use_threads=True
            ):
                share = (row - 1 + len(batch)) / max(self.total_rows, 1)
                yield from ((raw, share) for raw in _raw(batch, row, columns, shown))
                row += len(batch)


class ArrowReader:
    """An Arrow IPC file (Feather V2), or an IPC stream."""

    header = True
    notes: tuple[str, ...] = ()

    def __init__(self, file: InputFile, *, stream: bool) -> None:
        self._file, self._is_stream = file, stream
        self.format = "arrow stream" if stream else "feather"
        with reading(file.shown, self.format), file.open() as handle:
            self.schema = self._open(handle).schema
            self.column_names = tuple(self.schema.names)

    def _open(
        self, handle: object, options: pa.ipc.IpcReadOptions | None = None
    ) -> pa.RecordBatchStreamReader | pa.RecordBatchFileReader:
        opened = pa.ipc.open_stream if self._is_stream else pa.ipc.open_file
        return opened(handle, options=options)

    def _record_batches(
        self,
        handle: object,
        blocks: tuple[int, int] | None = None,
        options: pa.ipc.IpcReadOptions | None = None,
    ) -> Iterator[pa.RecordBatch]:
        opened = self._open(handle, options)
        if self._is_stream:
            yield from opened
        else:
            for number in range(*(blocks or (0, opened.num_record_batches))):
                yield opened.get_batch(number)

    def parts(self, rows: int) -> tuple[Part, ...]:
        """Record batches, several where they are small; of a stream the whole file."""
        narrow = pa.ipc.IpcReadOptions(included_fields=[0])  # their sizes stand in no one place
        with reading(self._file.shown, self.format), self._file.open() as handle:
            sizes = [len(batch) for batch in self._record_batches(handle, None, narrow)]
        return (Part(0, sum(sizes)),) if self._is_stream else grouped(sizes, rows)

    def batches(
        self, columns: Mapping[str, str], part: Part | None = None
    ) -> Iterator[tuple[RawBatch, float]]:
        """Batches and the share of the file that is read, 0 to 1."""
        shown, row = self._file.shown, 1 + (part.before if part else 0)
        blocks = part.blocks if part else None
        with reading(shown, self.format), self._file.open() as handle:
            for whole in self._record_batches(handle, blocks):
                for start in range(0, len(whole), BATCH_ROWS):
                    batch = whole.slice(start, BATCH_ROWS)
                    share = min(handle.tell() / self._file.bytes, 1.0)
                    yield from ((raw, share) for raw in _raw(batch, row, columns, shown))
                    row += len(batch)


class OrcReader:
    """An ORC file."""

    format = "orc"
    header = True
    notes: tuple[str, ...] = ()

    def __init__(self, file: InputFile) -> None:
        self._file = file
        with reading(file.shown, "ORC"), file.open() as stream:
            opened = orc.ORCFile(stream)
            self.schema = opened.schema
            self.column_names = tuple(self.schema.names)
            self.total_rows = opened.nrows

    def batches(self, columns: Mapping[str, str]) -> Iterator[tuple[RawBatch, float]]:
        """Batches and the share of the file that is read, 0 to 1."""
        shown, row = self._file.shown, 1
        with reading(shown, "ORC"), self._file.open() as stream:
            opened = orc.ORCFile(stream)
            names = list(dict.fromkeys(columns.values()))
            for stripe in range(opened.nstripes):
                whole = opened.read_stripe(stripe, columns=names)
                for start in range(0, len(whole), BATCH_ROWS):
                    batch = whole.slice(start, BATCH_ROWS)
                    share = row / max(self.total_rows, 1)
                    yield from ((raw, share) for raw in _raw(batch, row, columns, shown))
                    row += len(batch)
