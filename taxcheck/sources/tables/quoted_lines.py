"""Quoted cells that hold line ends: rows are counted, and a quote that was left open is found out.

Arrow reads such cells, and reads all that follows a quote left open as one of them as well. So what
is in quotes is followed beside it, as Arrow does: a quote opens a cell at its start alone, a
doubled one within stands for itself, and behind the closing one the cell goes on without quotes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from taxcheck.model.arrays import IntArray
from taxcheck.sources.tables.text_stream import Lines

_LONGEST = 1 << 24  # bytes of a row
_CHUNK = 1 << 22
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class OpenQuote:
    """Where rows may have been read as part of a cell, and by which sign."""

    line: int  # of the file, from 1: the first of the row
    why: str  # "is never closed"


class QuotedLines(Lines):
    """Counts the rows of a text in which cells may be quoted, lines before the table as rows.

    ``several`` is the number of rows of several lines, ``first`` the line of the first one, and
    ``doubt`` says that a quote may have been left open: one that is closed never or in the middle
    of a cell, and a row of which each line has as many delimiters as a whole row.
    """

    def __init__(self, delimiter: str, width: int, skip: int) -> None:
        super().__init__()
        self._needed, self._skip = width - 1, skip
        self._delimiter = delimiter.encode()
        near = b'\n\r"' + self._delimiter
        opening = rb"(?:(?<=[\n\r" + re.escape(self._delimiter) + rb'])|\A)"'
        self._cell = re.compile(opening + rb'[^"]*+(?:""[^"]*+)*+("|\Z)')
        self._near = np.frombuffer(near, np.uint8)  # what stands at the ends of a cell
        self._rest = b""  # of a row that is not over
        self._lines = 0  # of the file, that are over
        self.several = self.first = 0
        self.doubt: OpenQuote | None = None

    def add(self, data: bytes) -> None:
        """Count those of the next bytes."""
        self.ended = data.endswith(b"\n") if data else self.ended
        data = self._rest + data
        while self._skip and (end := data.find(b"\n") + 1):
            self._skip, data = self._skip - 1, data[end:]
            self.ends, self._lines = self.ends + 1, self._lines + 1
        self._rest = data
        if not self._skip:
            self._rest = data[self._rows(data) if b'"' in data else self._plain(data) :]
        if len(self._rest) > _LONGEST:
            self._doubt(self._lines, "is never closed")
            self._rest = b""

    def finish(self) -> None:
        """The text ends here."""
        if b'"' in self._rest and self._rows(self._rest + b"\n") <= len(self._rest):
            self._doubt(self._lines, "is never closed")
        elif b'"' in self._rest:
            self.ends -= 1  # which is counted as the line that has not ended

    def _plain(self, data: bytes) -> int:
        lines = data.count(b"\n")
        self.ends, self._lines = self.ends + lines, self._lines + lines
        return data.rfind(b"\n") + 1

    def _rows(self, data: bytes) -> int:
        """Count the rows of bytes that begin with one; gives where the last one ends."""
        array = np.frombuffer(data, np.uint8)
        quotes, lines = self._quotes(data, array), np.flatnonzero(array == ord("\n"))
        over = _over(quotes, lines)
        if not len(over):
            return 0
        if over[-1] >= len(over):
            self._look(array, quotes, lines[: over[-1] + 1], over)
        self.ends, self._lines = self.ends + len(over), self._lines + int(over[-1]) + 1
        return int(lines[over[-1]]) + 1

    def _look(self, array: Bytes, quotes: IntArray, lines: IntArray, over: IntArray) -> None:
        """Doubt rows of several lines whose quotes close within a cell, or whose lines are rows."""
        first = np.concatenate([[0], over[:-1] + 1])  # the first line of each row
        several = over > first
        self.several += int(np.count_nonzero(several))
        self.first = self.first or self._lines + int(first[several][0]) + 1
        pairs = len(quotes[quotes < lines[-1]]) // 2
        begin, end = quotes[0 : 2 * pairs : 2], quotes[1 : 2 * pairs : 2]
        holds = np.searchsorted(lines, end) > np.searchsorted(lines, begin)
        behind = end[holds] + 1
        bad = behind[~np.isin(array[behind], self._near)]
        if len(bad):
            line = int(np.searchsorted(lines, bad[0]))
            row = int(np.searchsorted(over, line))
            self._doubt(self._lines + int(first[row]), "is closed in the middle of a cell")
        places = np.flatnonzero(array[: lines[-1]] == self._delimiter[0])
        delimiters = np.diff(np.searchsorted(places, lines), prepend=0)
        alike = np.logical_and.reduceat(delimiters == self._needed, first)
        if (several & alike).any():
            at = int(first[several & alike][0])
            self._doubt(self._lines + at, "takes in lines that are rows as they stand")

    def ending(self, data: bytes) -> IntArray:
        """The lines, from 0, with which the rows of bytes end that begin with one."""
        array = np.frombuffer(data, np.uint8)
        return _over(self._quotes(data, array), np.flatnonzero(array == ord("\n")))

    def _quotes(self, data: bytes, array: Bytes) -> IntArray:
        """The quotes that open and close cells, in turn; a doubled one may close and open."""
        quotes: IntArray = np.flatnonzero(array == ord('"'))
        before = array[np.maximum(quotes[::2] - 1, 0)]
        if np.isin(before[quotes[::2] > 0], self._near).all():
            return quotes
        found: list[int] = []  # some stand in the middle of cells, and mean themselves
        for cell in self._cell.finditer(data):
            found += [cell.start(), cell.end() - 1] if cell[1] else [cell.start()]
        return np.array(found, dtype=np.int64)

    def _doubt(self, lines_before: int, why: str) -> None:
        self.doubt = self.doubt or OpenQuote(lines_before + 1, why)


def _over(quotes: IntArray, lines: IntArray) -> IntArray:
    """The lines whose ends are in no quotes, (k,)."""
    over: IntArray = np.flatnonzero(np.searchsorted(quotes, lines) % 2 == 0)
    return over


def rows_end(lines: Sequence[bytes], delimiter: str) -> list[int]:
    """How many lines there are up to the end of each row that is whole."""
    data = b"".join(line + b"\n" for line in lines)
    ends: list[int] = (QuotedLines(delimiter, 1, 0).ending(data) + 1).tolist()
    return ends


def count_rows(stream: BinaryIO, delimiter: str, skip: int) -> int:
    """All rows of a stream, those before the table as the lines that they are."""
    rows = QuotedLines(delimiter, 1, skip)
    while data := stream.read(_CHUNK):
        rows.add(data)
    rows.finish()
    return rows.total
