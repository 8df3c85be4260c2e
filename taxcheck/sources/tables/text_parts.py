"""Where a text can be cut: blocks of whole lines, each with the number of lines before it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from taxcheck.sources.tables.parts import Part
from taxcheck.sources.tables.text_stream import Lines

_CHUNK = 1 << 22
_LEAST = 1 << 20  # bytes of a part: a smaller one costs more to begin than to read
_BYTES_A_ROW = 8  # of a short pair: so many rows are hardly in fewer bytes


def count_lines(stream: BinaryIO) -> int:
    """All lines of a stream."""
    lines = Lines()
    while data := stream.read(_CHUNK):
        lines.add(data)
    return lines.total


def cut(stream: BinaryIO, rows: int, delimiter: str) -> tuple[Part, ...]:
    """Parts of about so many rows.

    The last one holds a line without an empty cell: empty lines before it are rows, and those at
    the end of the file are none.
    """
    size = max(rows * _BYTES_A_ROW, _LEAST)
    filled = re.compile(rf"(?m)^[^{re.escape(delimiter)}\n]+({re.escape(delimiter)}[^\n]*)?$")
    parts: list[Part] = []
    for begin, end, before, lines, sample in _blocks(stream, size):
        if parts and not any(_full(m[0], delimiter) for m in filled.finditer(sample)):
            kept = parts.pop()
            assert kept.blocks is not None
            begin, before, lines = kept.blocks[0], kept.before, kept.numbers + lines
        parts.append(Part(before, lines, (begin, end), last=False))
    if not parts:
        return (Part(0, 0),)
    final = parts.pop()
    return (*parts, Part(final.before, final.numbers, final.blocks))


def _full(line: str, delimiter: str) -> bool:
    return all(cell.strip() for cell in line.split(delimiter))


def _blocks(stream: BinaryIO, size: int) -> Iterator[tuple[int, int, int, int, str]]:
    """First byte, end, lines before, lines, and the first lines of each block of whole lines."""
    begin = position = before = 0
    lines, sample = Lines(), b""
    while data := stream.read(_CHUNK):
        sample = sample if len(sample) > _CHUNK // 64 else sample + data[: _CHUNK // 64]
        cut_at = data.rfind(b"\n") + 1
        if position + cut_at - begin >= size and cut_at:
            lines.add(data[:cut_at])
            end = position + cut_at
            yield begin, end, before, lines.total, sample.decode("utf-8", "replace")
            begin, before, lines = end, before + lines.total, Lines()
            sample = data[cut_at : cut_at + _CHUNK // 64]
            lines.add(data[cut_at:])
        else:
            lines.add(data)
        position += len(data)
    if position > begin:
        yield begin, position, before, lines.total, sample.decode("utf-8", "replace")
