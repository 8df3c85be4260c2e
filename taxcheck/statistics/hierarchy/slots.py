"""Which slots of a closure occur: a mark for each slot, or the slots themselves where few do.

Small sets mark a byte a slot, which is quickest; larger ones a bit. Of ``np.zeros`` only the pages
that are written to take memory. Where even bits would take more than the pairs that are to be
marked, the slots are kept, sorted.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from taxcheck.model.arrays import BoolArray, IntArray, distinct, within
from taxcheck.statistics.state import refuse_unless

_BYTES = 1 << 26  # up to so many slots a byte each is no matter
_LEAST = 1 << 28  # bytes that bits may take, however few rows there are
_ROW = 8  # bytes that a slot takes which is kept itself
_WINDOW = 1 << 22
_SPAN = 8  # marks this close together, on average, are packed from a mask

Bits = npt.NDArray[np.uint8]


class SlotSet:
    """Slots 0 .. size - 1 that occur; ``rows`` is how many are added at most, if that is known."""

    def __init__(self, size: int, rows: int | None = None) -> None:
        self.size = size
        self._marks: BoolArray | None = None
        self._bits: Bits | None = None  # the slot's lowest bits count from the lowest one
        self._parts: list[IntArray] = []
        self._lock = threading.Lock()
        packed = -(-size // 64) * 8
        if size <= _BYTES:
            self._marks = np.zeros(size, dtype=bool)
        elif rows is None or packed <= max(_LEAST, _ROW * rows):
            self._bits = np.zeros(packed, dtype=np.uint8)

    @classmethod
    def empty(cls, size: int, rows: int | None = None) -> SlotSet:
        """No slot yet."""
        return cls(size, rows)

    def add(self, slots: IntArray) -> None:
        """Mark slots, (k,). Threads may do so at once."""
        if self._marks is not None:
            self._marks[slots] = True  # all threads write the same value
        elif self._bits is None:
            self._parts.append(distinct(slots))
        elif len(slots):
            self._mark_bits(self._bits, slots)

    def _mark_bits(self, bits: Bits, slots: IntArray) -> None:
        first, last = int(slots.min()) & ~7, int(slots.max())
        if last - first < _SPAN * len(slots):
            mask = np.zeros(last - first + 1, dtype=bool)
            mask[slots - first] = True
            packed = np.packbits(mask, bitorder="little")
            with self._lock:
                bits[first >> 3 : (first >> 3) + len(packed)] |= packed
            return
        ordered = np.sort(slots)
        place = ordered >> 3
        starts = np.flatnonzero(np.concatenate([[True], place[1:] != place[:-1]]))
        values = np.bitwise_or.reduceat(np.left_shift(1, ordered & 7).astype(np.uint8), starts)
        with self._lock:
            bits[place[starts]] |= values

    @property
    def _sorted(self) -> IntArray:
        if len(self._parts) != 1:
            joined = np.concatenate(self._parts) if self._parts else np.empty(0, np.int64)
            self._parts = [distinct(joined)]
        return self._parts[0]

    def __len__(self) -> int:
        if self._marks is not None:
            return int(np.count_nonzero(self._marks))
        if self._bits is not None:
            return sum(int(np.bitwise_count(part).sum()) for part in self._chunks(self._bits))
        return len(self._sorted)

    @staticmethod
    def _chunks(bits: Bits) -> Iterator[npt.NDArray[np.uint64]]:
        words = bits.view("<u8")
        return (words[at : at + _WINDOW] for at in range(0, len(words), _WINDOW))

    def contains(self, slots: IntArray) -> BoolArray:
        """Which slots occur; -1 never does."""
        if not self.size:
            return slots >= 0
        if self._marks is not None:
            return (slots >= 0) & self._marks[slots]
        if self._bits is not None:
            found = np.right_shift(self._bits[slots >> 3], (slots & 7).astype(np.uint8)) & 1
            return np.asarray((slots >= 0) & found.astype(bool))
        return within(self._sorted, slots)

    def present_windows(self) -> Iterator[IntArray]:
        """The slots that occur, ascending, in bounded arrays."""
        if self._marks is None and self._bits is None:
            for start in range(0, len(self._sorted), _WINDOW):
                yield self._sorted[start : start + _WINDOW]
            return
        for start, mask in self._windows():
            if mask.any():
                yield start + np.flatnonzero(mask)

    def absent_windows(self, width: int | None = None) -> Iterator[IntArray]:
        """The slots that do not occur, ascending, of ``width`` at a time: a multiple of 8."""
        if self._marks is None and self._bits is None:
            width = width or _WINDOW
            for start in range(0, self.size, width):
                window = np.arange(start, min(start + width, self.size))
                if len(window := window[~self.contains(window)]):
                    yield window
            return
        for start, mask in self._windows(width):
            if not mask.all():
                yield start + np.flatnonzero(~mask)

    def _windows(self, width: int | None = None) -> Iterator[tuple[int, BoolArray]]:
        """Where a window begins, and which of its slots occur."""
        width = width or _WINDOW
        for start in range(0, self.size, width):
            end = min(start + width, self.size)
            if self._marks is not None:
                yield start, self._marks[start:end]
            elif self._bits is not None:
                packed = self._bits[start >> 3 : -(-end // 8)]
                yield start, np.unpackbits(packed, count=end - start, bitorder="little").view(bool)

    def present(self) -> IntArray:
        """The slots that occur, ascending."""
        return np.concatenate([np.empty(0, np.int64), *self.present_windows()])

    def counts(self, first: IntArray, size: IntArray) -> IntArray:
        """How many of the slots ``first`` .. ``first + size - 1`` occur, of each stretch (k,)."""
        if self._marks is None and self._bits is None:
            ends = np.searchsorted(self._sorted, np.stack([first, first + size]))
            return np.asarray(ends[1] - ends[0], dtype=np.int64)
        words = self._words()
        below = np.zeros(len(words) + 1, dtype=np.int64)
        np.cumsum(np.bitwise_count(words), out=below[1:], dtype=np.int64)

        def before(slots: IntArray) -> Any:
            word = slots >> 6
            part = np.left_shift(np.uint64(1), (slots & 63).astype(np.uint64)) - np.uint64(1)
            part &= words[np.minimum(word, len(words) - 1)]
            return below[word] + np.bitwise_count(part)

        return np.asarray(before(first + size) - before(first))

    def _words(self) -> npt.NDArray[np.uint64]:
        """The marks as bits, 64 in a word, at least one word."""
        packed = self._bits
        if packed is None:
            packed = np.packbits(np.asarray(self._marks), bitorder="little")
            packed = np.concatenate([packed, np.zeros(-len(packed) % 8 or 8, np.uint8)])
        return packed.view("<u8")

    def merge(self, other: SlotSet) -> SlotSet:
        """Give the slots of both; BrokenError where they are slots of two closures."""
        refuse_unless(
            self.size == other.size, f"one has {self.size:,} slots, the other {other.size:,}"
        )
        if self is other:  # threads of one process mark one set
            return self
        few = other._marks is None and other._bits is None
        wider, other = (self, other) if few else (other, self)
        merged = SlotSet(self.size, 0)
        merged._marks = merged._bits = None
        if wider._marks is not None:
            merged._marks = wider._marks.copy()
        elif wider._bits is not None:
            merged._bits = wider._bits.copy()
        else:
            merged._parts = [wider._sorted]
        if merged._marks is not None and other._marks is not None:
            merged._marks |= other._marks
        elif merged._bits is not None and other._bits is not None:
            merged._bits |= other._bits
        else:
            for window in other.present_windows():
                merged.add(window)
        return merged

    def __getstate__(self) -> dict[str, Any]:
        """What is shipped: a bit a slot."""
        marks = None if self._marks is None else np.packbits(self._marks)
        return {"size": self.size, "_marks": marks, "_bits": self._bits, "_parts": self._parts}

    def __setstate__(self, shipped: dict[str, Any]) -> None:
        self.__dict__ |= shipped
        self._lock = threading.Lock()
        if (packed := shipped["_marks"]) is not None:
            self._marks = np.unpackbits(packed, count=self.size).astype(bool)
