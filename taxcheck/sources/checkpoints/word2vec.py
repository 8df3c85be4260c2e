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

from taxcheck.model.errors import InputError, one_line
from taxcheck.sources.checkpoints.archive import map_bytes
from taxcheck.sources.checkpoints.contents import Contents, in_memory
from taxcheck.sources.files import InputFile, reading

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
        return _rows(blocks, rows, width, name, file.shown)


def _short(file: InputFile, rows: int, width: int) -> InputError:
    return InputError(
        f"{file.shown}: the header says {rows:,} rows of {width:,} numbers, which "
        f"{file.bytes:,} bytes cannot hold; the file is truncated or damaged"
    )


def _blocks(stream: IO[bytes], shown: str) -> Iterator[bytes]:
    """Whole lines, a bounded number of bytes at once."""
    tail, total = b"", 0
    while block := stream.read(_CHUNK):
        total += len(block)
        whole, end, tail = (tail + block).rpartition(b"\n")
        if len(tail) > _CHUNK or total > _TEXT_LIMIT:
            raise InputError(f"{shown}: unpacks to far more than an embedding table is")
        yield whole + end
    yield tail


def _rows(blocks: Iterator[bytes], rows: int, width: int, name: str, shown: str) -> Contents:
    values: list[npt.NDArray[np.float64]] = []
    labels: list[pa.Array] = []
    done = 0
    for block in blocks:
        if not block.strip():
            continue
        try:
            names, numbers = _parsed(block, width)
        except (ValueError, pa.ArrowException):
            names, numbers = _parsed_line_by_line(block, width, done, shown)
        done += len(names)
        if done > rows:
            raise InputError(f"{shown}: has more rows than the {rows:,} of its header")
        labels.append(names)
        values.append(numbers)
    if done != rows:
        raise InputError(
            f"{shown}: has {done:,} rows, its header says {rows:,}; the file is truncated"
        )
    tree: dict[object, object] = {"vectors": in_memory(np.concatenate(values))}
    return Contents(name, tree, ("vectors",), columns={"words": pa.concat_arrays(labels)})


def _parsed(block: bytes, width: int) -> tuple[pa.Array, npt.NDArray[np.float64]]:
    """Labels and numbers (rows, width) of lines that single spaces take apart."""
    kinds = {"f0": pa.string(), **{f"f{n}": pa.float64() for n in range(1, width + 1)}}
    table = csv.read_csv(
        io.BytesIO(block),
        read_options=csv.ReadOptions(autogenerate_column_names=True, block_size=len(block) + 1),
        parse_options=csv.ParseOptions(delimiter=" ", quote_char=False),
        convert_options=csv.ConvertOptions(column_types=kinds, null_values=[]),
    )
    if table.num_columns != width + 1:
        raise ValueError("a line with too many numbers")
    first, *rest = table.columns
    return first.combine_chunks(), np.column_stack([column.to_numpy() for column in rest])


def _parsed_line_by_line(
    block: bytes, width: int, done: int, shown: str
) -> tuple[pa.Array, npt.NDArray[np.float64]]:
    """The same where labels hold spaces or lines end with some; names the bad row."""
    lines = [line for line in map(bytes.rstrip, block.split(b"\n")) if line]
    parts = [line.rsplit(maxsplit=width) for line in lines]
    for row, part in enumerate(parts, done + 1):
        if len(part) != width + 1:
            raise InputError(
                f"{shown}: row {row:,} has {len(part) - 1} numbers of {width}; the file is "
                "damaged, or its header is"
            )
    try:
        names = pa.array([part[0].decode("utf-8") for part in parts], pa.string())
        plain = b"".join(b"_ " + b" ".join(part[1:]) + b"\n" for part in parts)
        return names, _parsed(plain, width)[1]
    except (ValueError, pa.ArrowException) as error:
        raise InputError(
            f"{shown}: rows {done + 1:,} to {done + len(parts):,} hold something that is no number "
            f"or no UTF-8 text ({one_line(error, 80)})"
        ) from error


def read_binary(file: InputFile, rows: int, width: int) -> Contents:
    """A label, a space and float32 values for every row."""
    mapped = map_bytes(file)
    if rows * (4 * width + 2) > file.bytes:
        raise _short(file, rows, width)
    whole = mapped.data
    head = HEADER.match(mapped[:_LABEL_LIMIT].tobytes())
    if head is None:
        raise InputError(
            f"{file.shown}: its first line of rows and width is not where it should be"
        )
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
    tree = {"vectors": in_memory(vectors)}
    words = {"words": pa.array(labels, pa.string())}
    return Contents("word2vec binary", tree, ("vectors",), columns=words)


def looks_binary(head: bytes) -> bool:
    """Whether the rows after a word2vec header are binary."""
    body = head[: 1 << 12].split(b"\n", 1)[-1]
    return any(byte < 9 or 13 < byte < 32 for byte in itertools.islice(body, 4096))
