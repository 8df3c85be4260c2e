"""Text parsed block by block, several blocks at once: whole lines of bytes, columns of integers.

A block whose cells are what they should be costs one pass in a thread of its own. Any other, with a
word, a decimal point, an empty cell or a field too many, comes back unparsed, and the caller reads
it with care. Nothing is decided here.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
from pyarrow import csv

_AHEAD = 2  # blocks under way for each thread
_THREADS = min(os.cpu_count() or 1, 4)


class ByteStream(Protocol):
    """What gives bytes."""

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes, none at the end."""


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
    stream: ByteStream, layout: Layout, size: int, *, skip_line: bool
) -> Iterator[Block]:
    """Blocks in the order of the stream; ``skip_line`` leaves its first line, a header, out.

    LineTooLongError where a line is longer than ``size`` bytes.
    """
    pending: deque[Future[Block]] = deque()
    first_line = 1 + int(skip_line)
    with ThreadPoolExecutor(_THREADS) as pool:
        for data in _whole_lines(stream, size, skip_line):
            pending.append(pool.submit(_parse, data, layout, first_line))
            first_line += data.count(b"\n")
            if len(pending) > _AHEAD * _THREADS:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _whole_lines(stream: ByteStream, size: int, skip_line: bool) -> Iterator[bytes]:
    rest, begin = b"", 0
    while data := stream.read(size):
        if skip_line:
            data, rest = rest + data, b""
            begin = data.find(b"\n") + 1
            skip_line = not begin
        end = 0 if skip_line else data.rfind(b"\n") + 1
        if end > begin:
            yield rest + data[begin:end]
        rest = data[end:] if end else rest + data
        begin = 0
        if len(rest) > size:
            raise LineTooLongError("straddling")
    if rest and not skip_line:
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
