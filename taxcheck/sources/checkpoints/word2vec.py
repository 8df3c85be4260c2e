"""Vectors in word2vec's formats: text (also gzip), and binary."""

from __future__ import annotations

import gzip
import io
import itertools
import re
from collections.abc import Iterator
from typing import IO, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv

from taxcheck.errors import InputError
from taxcheck.sources.checkpoints.archive import map_bytes
from taxcheck.sources.checkpoints.stored import in_memory
from taxcheck.sources.checkpoints.tree import Contents
from taxcheck.sources.files import InputFile, one_line, reading

HEADER = re.compile(rb"\s*(\d{1,12})\s+(\d{1,7})\s*\n")
_CHUNK = 1 << 24  # bytes of text at once, and the longest line
_TEXT_LIMIT = 64 << 30
_LABEL_LIMIT = 4096


def header_of(head: bytes) -> tuple[int, int] | None:
    """Rows and width, where the first line is a word2vec header."""
    match = HEADER.match(head)
    if not match:
        return None
    rows, width = int(match[1]), int(match[2])
    return (rows, width) if rows and width else None


def read_text(file: InputFile, *, zipped: bool) -> Contents:
    """Label and values in every line after the header; labels may hold spaces.

    Values are float64: the text has no type, and rounding could put a row on another side of 1.
    """
    name = "word2vec text, gzip" if zipped else "word2vec text"
    with reading(file.shown, name), file.path.open("rb") as raw:
        stream = cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if zipped else raw
        blocks = _blocks(stream, file.shown)
        head = stream.readline(_LABEL_LIMIT)
        known = header_of(head)
        if known is None:
            raise InputError(
                f"{file.shown}: its first line is no word2vec header (rows and width); add one, or "
                "save the vectors as .npy"
            )
        rows, width = known
        # Every number takes two bytes at least; gzip packs a thousand to one at best.
        if rows * width * 2 > file.bytes * (1100 if zipped else 1):
            raise _short(file, rows, width)
        return _lines(blocks, rows, width, name, file.shown)


def _short(file: InputFile, rows: int, width: int) -> InputError:
    return InputError(
        f"{file.shown}: the header says {rows:,} rows of {width:,} numbers, which "
        f"{file.bytes:,} bytes cannot hold; the file is truncated or damaged"
    )


def _blocks(stream: IO[bytes], shown: str) -> Iterator[list[bytes]]:
    """Whole lines, a bounded number of bytes at once, empty ones left out."""
    tail, total = b"", 0
    while block := stream.read(_CHUNK):
        total += len(block)
        *lines, tail = (tail + block).split(b"\n")
        if len(tail) > _CHUNK or total > _TEXT_LIMIT:
            raise InputError(f"{shown}: unpacks to far more than an embedding table is")
        yield [line for line in map(bytes.rstrip, lines) if line]
    yield [tail] if tail.strip() else []


def _lines(blocks: Iterator[list[bytes]], rows: int, width: int, name: str, shown: str) -> Contents:
    values: list[npt.NDArray[np.float64]] = []
    labels: list[str] = []
    for lines in blocks:
        if len(labels) + len(lines) > rows:
            raise InputError(f"{shown}: has more rows than the {rows:,} of its header")
        start = len(labels)
        parts = [line.rsplit(maxsplit=width) for line in lines]
        for number, part in enumerate(parts, start):
            if len(part) != width + 1:
                raise InputError(
                    f"{shown}: row {number + 1:,} has {len(part) - 1} numbers of {width}; the "
                    "file is damaged, or its header is"
                )
        try:
            labels.extend(part[0].decode("utf-8") for part in parts)
            if parts:
                values.append(
                    _numbers(b"".join(b" ".join(part[1:]) + b"\n" for part in parts), width)
                )
        except (ValueError, pa.ArrowException) as error:
            raise InputError(
                f"{shown}: rows {start + 1:,} to {start + len(parts):,} hold something that is "
                f"no number or no UTF-8 text ({one_line(error, 80)})"
            ) from error
    if len(labels) != rows:
        raise InputError(
            f"{shown}: has {len(labels):,} rows, its header says {rows:,}; the file is truncated"
        )
    tree: dict[object, object] = {"vectors": in_memory(np.concatenate(values)), "labels": labels}
    return Contents(name, tree, ("vectors",))


def _numbers(joined: bytes, width: int) -> npt.NDArray[np.float64]:
    table = csv.read_csv(
        io.BytesIO(joined),
        read_options=csv.ReadOptions(autogenerate_column_names=True, block_size=1 << 26),
        parse_options=csv.ParseOptions(delimiter=" ", quote_char=False),
        convert_options=csv.ConvertOptions(
            column_types={f"f{n}": pa.float64() for n in range(width)}, null_values=[]
        ),
    )
    if table.num_columns != width:
        raise ValueError("a line with too many numbers")
    return np.column_stack([column.to_numpy() for column in table.columns])


def read_binary(file: InputFile, rows: int, width: int) -> Contents:
    """A label, a space and float32 values for every row."""
    mapped = map_bytes(file)
    if rows * (4 * width + 2) > file.bytes:
        raise _short(file, rows, width)
    whole = mapped.data
    head = HEADER.match(mapped[:64].tobytes())
    assert head is not None
    place, labels = head.end(), list[str]()
    vectors = np.empty((rows, width), np.float32)
    for row in range(rows):
        text = bytes(whole[place : place + _LABEL_LIMIT])
        end = text.find(b" ")
        begin = place + end + 1
        if end < 0 or begin + 4 * width > file.bytes:
            raise InputError(f"{file.shown}: row {row + 1:,} of {rows:,} is not all there")
        try:
            labels.append(text[:end].lstrip(b"\n").decode("utf-8"))
        except UnicodeDecodeError as error:
            raise InputError(
                f"{file.shown}: row {row + 1:,} has a label that is no text"
            ) from error
        vectors[row] = np.frombuffer(whole, "<f4", width, begin)
        place = begin + 4 * width
    tree = {"vectors": in_memory(vectors), "labels": labels}
    return Contents("word2vec binary", tree, ("vectors",))


def looks_binary(head: bytes) -> bool:
    """Whether the rows after a word2vec header are binary."""
    body = head[: 1 << 12].split(b"\n", 1)[-1]
    return any(byte < 9 or 13 < byte < 32 for byte in itertools.islice(body, 4096))
