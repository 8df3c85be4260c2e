"""A byte stream as Arrow reads it, which knows how far it has come."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np


class Lines:
    """Counts the lines of a stream, the last one with or without an end."""

    def __init__(self) -> None:
        self.ends = 0
        self.ended = True  # whether the last byte was a line end

    def add(self, data: bytes) -> None:
        """Count those of the next bytes."""
        if data:
            self.ends += int(np.count_nonzero(np.frombuffer(data, np.uint8) == ord("\n")))
            self.ended = data.endswith(b"\n")

    @property
    def total(self) -> int:
        """Lines so far."""
        return self.ends + (not self.ended)


class Stream:
    """A byte stream as Arrow reads it, which knows how far it has come.

    It ends after ``length`` bytes, where that is said; ``lines`` counts what was read.
    """

    def __init__(
        self,
        stream: BinaryIO,
        *,
        lines: Lines | None = None,
        length: int | None = None,
    ) -> None:
        self._stream, self._left = stream, length
        self.closed = False
        self.position = 0
        self.lines = lines
        self.ended = True  # whether the last byte was a line end
        self.tail = b""  # the last block that was read

    def read(self, size: int = -1) -> bytes:
        """The next bytes, all that are left where ``size`` is negative; none at the end."""
        if self._left is not None:
            size = self._left if size < 0 else min(size, self._left)
        data: bytes = self._stream.read(size)
        self.position += len(data)
        if self._left is not None:
            self._left -= len(data)
        if data:
            self.ended = data.endswith(b"\n")
            self.tail = data
        if self.lines is not None:
            self.lines.add(data)
        return data

    def close(self) -> None:
        """Arrow closes what it has read; the file itself stays open."""
        self.closed = True
