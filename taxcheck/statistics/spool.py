"""The pairs that passed, kept compactly, so that the source itself is read only once.

A pair takes 8 bytes, 12 with its distance. Up to ``MEMORY_LIMIT`` bytes stay in memory; beyond
that they lie in an anonymous temporary file, and reading them back is bounded by one batch.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from taxcheck.errors import InputError
from taxcheck.statistics.values import IntArray

MEMORY_LIMIT = 16 << 20


@dataclass(frozen=True, slots=True)
class SpooledBatch:
    """Pairs as they come back: rows as in the source, ascending within a batch."""

    rows: IntArray  # (n,)
    ancestor: IntArray
    descendant: IntArray
    depth_diff: IntArray | None
    flags: npt.NDArray[np.uint8] | None  # marks given by the writer; None: all zero


@dataclass(frozen=True, slots=True)
class _Entry:
    first_row: int
    pairs: int
    offset: int
    has_rows: bool
    has_flags: bool


class PairSpool:
    """Written by several workers at once, then read back in the order of the source."""

    def __init__(self, has_depth: bool) -> None:
        self.has_depth = has_depth
        self._file = tempfile.SpooledTemporaryFile(max_size=MEMORY_LIMIT)  # noqa: SIM115
        self._entries: list[_Entry] = []
        self._end = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return sum(entry.pairs for entry in self._entries)

    def append(
        self,
        rows: IntArray,
        ancestor: IntArray,
        descendant: IntArray,
        depth_diff: IntArray | None,
        flags: npt.NDArray[np.uint8] | None = None,
    ) -> None:
        """Keep a batch; idx and distances are below 2**31. InputError where the disk is full."""
        if not len(rows):
            return
        contiguous = int(rows[-1]) - int(rows[0]) + 1 == len(rows)
        flagged = flags is not None and bool(flags.any())
        parts: list[npt.NDArray[np.generic]] = [
            ancestor.astype(np.int32),
            descendant.astype(np.int32),
        ]
        if depth_diff is not None:
            parts.append(depth_diff.astype(np.int32))
        if not contiguous:
            parts.append(rows)
        if flagged and flags is not None:
            parts.append(flags)
        with self._lock:
            entry = _Entry(int(rows[0]), len(rows), self._end, not contiguous, flagged)
            try:
                self._file.seek(self._end)
                for part in parts:
                    self._file.write(np.ascontiguousarray(part).data)
            except OSError as error:
                raise InputError(
                    f"no room for {len(self) + len(rows):,} pairs in {tempfile.gettempdir()}: "
                    f"{error.strerror}; set TMPDIR to a folder with more space"
                ) from None
            self._end = self._file.tell()
            self._entries.append(entry)

    def batches(self) -> Iterator[SpooledBatch]:
        """Read everything back, by ascending rows."""
        for entry in sorted(self._entries, key=lambda e: e.first_row):
            with self._lock:
                yield self._read(entry)

    def _read(self, entry: _Entry) -> SpooledBatch:
        self._file.seek(entry.offset)
        n = entry.pairs

        def take(dtype: type[np.generic]) -> npt.NDArray[np.generic]:
            return np.frombuffer(self._file.read(n * np.dtype(dtype).itemsize), dtype=dtype)

        ancestor = take(np.int32).astype(np.int64)
        descendant = take(np.int32).astype(np.int64)
        depth_diff = take(np.int32).astype(np.int64) if self.has_depth else None
        if entry.has_rows:
            rows: IntArray = take(np.int64).astype(np.int64)
        else:
            rows = np.arange(entry.first_row, entry.first_row + n)
        flags = take(np.uint8).astype(np.uint8) if entry.has_flags else None
        return SpooledBatch(rows, ancestor, descendant, depth_diff, flags)

    def close(self) -> None:
        """Give the memory or the temporary file back."""
        self._file.close()
