"""Blocks of whole lines, parsed several at once where every cell is what it should be."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import csv

from taxcheck.sources.tables.text_stream import Stream

_AHEAD = 2  # blocks under way for each thread
_THREADS = min(os.cpu_count() or 1, 4)


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines, and their columns where every cell was as expected."""

    first_line: int  # from 1, the header counted
    data: bytes
    parsed: pa.RecordBatch | None


@dataclass(frozen=True, slots=True)
class Layout:
    """How lines are to be taken apart."""

    delimiter: str
    names: Sequence[str]
    types: dict[str, pa.DataType]  # of the columns that are wanted


class LineTooLongError(Exception):
    """A line is longer than a block."""


def parse_blocks(
    stream: Stream, layout: Layout, size: int, before: int = 0, *, skip: int
) -> Iterator[Block]:
    """Blocks in the order of the stream; the first ``skip`` lines, a header's, are left out.

    ``before`` lines of the file are before the stream. LineTooLongError where a line is longer than
    ``size`` bytes.
    """
    pending: deque[Future[Block]] = deque()
    first_line = 1 + before + skip
    with ThreadPoolExecutor(_THREADS) as pool:
        for data in _whole_lines(stream, size, skip):
            pending.append(pool.submit(_parse, data, layout, first_line))
            first_line += data.count(b"\n")
            if len(pending) > _AHEAD * _THREADS:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _whole_lines(stream: Stream, size: int, skip: int) -> Iterator[bytes]:
    rest, begin = b"", 0
    while data := stream.read(size):
        if skip:
            data, rest = rest + data, b""
        while skip and (found := data.find(b"\n", begin) + 1):
            begin, skip = found, skip - 1
        end = 0 if skip else data.rfind(b"\n") + 1
        if skip:
            data, begin = data[begin:], 0
        if end > begin:
            yield rest + data[begin:end]
        rest = data[end:] if end else rest + data
        begin = 0
        if len(rest) > size:
            raise LineTooLongError
    if rest and not skip:
        yield rest


def _parse(data: bytes, layout: Layout, first_line: int) -> Block:
    # Arrow would take 0x1f for the integer 31. One letter is sought faster than two.
    if (b"x" in data and b"0x" in data) or (b"X" in data and b"0X" in data):
        return Block(first_line, data, None)
    try:
        table = csv.read_csv(
            pa.BufferReader(data),
            read_options=csv.ReadOptions(
                use_threads=False, block_size=len(data) + 1, column_names=list(layout.names)
            ),
            parse_options=csv.ParseOptions(
                delimiter=layout.delimiter, quote_char=False, ignore_empty_lines=False
            ),
            convert_options=csv.ConvertOptions(
                column_types=layout.types, include_columns=list(layout.types), null_values=[]
            ),
        )
    except pa.ArrowInvalid:
        return Block(first_line, data, None)
    batches = table.combine_chunks().to_batches()
    return Block(first_line, data, batches[0] if len(batches) == 1 else None)
