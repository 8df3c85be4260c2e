"""The ancestors of the nodes with several parents as sorted lists, with shortest distances."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from taxcheck.model.arrays import BoolArray, IntArray, bounded, distinct, places, ranges
from taxcheck.statistics.hierarchy.stems import Stems

BYTES = 9  # that an ancestor takes
_WAYS = 1 << 22  # ways up that are sorted at once

Small = npt.NDArray[np.integer[Any]]


class Lists:
    """Rows of ancestors; ``places`` of a row number them, by ascending idx.

    Rows are closed one level after the other from those above them. Where they would hold more than
    ``most`` ancestors, the rest, from row ``closed`` on, have their parents alone.
    """

    path = "the sorted ancestors of every node with several parents"

    def __init__(self, stems: Stems, most: int) -> None:
        self._stems, self._n = stems, max(len(stems.row_of), 1)
        self._keys = np.empty(0, np.int64)  # row * n + ancestor
        self._steps: Small = np.empty(0, np.uint8)
        self._starts = np.zeros(len(stems.nodes) + 1, dtype=np.int64)
        self._held = 0
        shortcuts: list[IntArray] = []
        self.closed = 0
        for start, end in pairwise(stems.levels.tolist()):
            if self._held > most:
                break
            rows = np.arange(start, end)
            for part in bounded(self._ways(rows), _WAYS):
                if self._held > most:
                    break
                shortcuts.append(self._close(rows[part]))
                self.closed = int(rows[part][-1]) + 1
        rest = np.arange(self.closed, len(stems.nodes))
        if len(rest):
            position, parent = stems.parents.expand(rest)
            keys = distinct(rest[position] * self._n + parent)
            self._add(rest, keys, np.ones(len(keys), dtype=np.int64))
        self._keys.resize(self._held, refcheck=False)
        self._steps.resize(self._held, refcheck=False)
        # edges to a parent of whom another parent descends: row * n + parent
        self.shortcuts = np.concatenate([np.empty(0, np.int64), *shortcuts])
        self.counts = self.widths = np.diff(self._starts)

    def _ways(self, rows: IntArray) -> IntArray:
        """How many ways up are followed to close each row."""
        position, x = self._stems.parents.expand(rows)
        row = self._stems.row_of[x]
        more = self._starts[np.maximum(row, 0) + 1] - self._starts[np.maximum(row, 0)]
        ways = 1 + self._stems.forest.depth[x] + np.where(row < 0, 0, more)
        return np.bincount(position, weights=ways, minlength=len(rows)).astype(np.int64, copy=False)

    def _close(self, rows: IntArray) -> IntArray:
        """Add the lists of rows; gives the keys of edges that are shortcuts."""
        forest, n = self._stems.forest, self._n
        position, x = self._stems.parents.expand(rows)
        keys, steps = [], []
        at, step = np.arange(len(x)), 1
        while len(at):  # up the tree of each parent
            keys.append(position[at] * n + x[at])
            steps.append(np.full(len(at), step))
            above = forest.parent[x[at]].astype(np.int64)
            at, above = at[above >= 0], above[above >= 0]
            x = x.copy() if step == 1 else x
            x[at], step = above, step + 1
        position, x = self._stems.parents.expand(rows)
        row = self._stems.row_of[x]
        inner = np.flatnonzero(row >= 0)  # and what is above that tree
        row = row[inner].astype(np.int64)
        lengths = self._starts[row + 1] - self._starts[row]
        taken = ranges(self._starts[row], lengths)
        keys.append(np.repeat(position[inner], lengths) * n + self._keys[taken] % n)
        steps.append(self._steps[taken] + np.repeat(1 + forest.depth[x[inner]], lengths))
        key, step_of, fewest = _nearest(np.concatenate(keys), np.concatenate(steps))
        key += int(rows[0]) * n
        self._add(rows, key, step_of)
        return np.asarray(key[fewest])

    def _add(self, rows: IntArray, keys: IntArray, steps: IntArray) -> None:
        """Append the lists of consecutive rows; the arrays grow in place."""
        if len(steps) and steps.max() > np.iinfo(self._steps.dtype).max:
            self._steps = self._steps.astype(np.int32)
        start, end = self._held, self._held + len(keys)
        if end > len(self._keys):
            room = max(end, len(self._keys) + len(self._keys) // 4)
            self._keys.resize(room, refcheck=False)
            self._steps.resize(room, refcheck=False)
        self._keys[start:end], self._steps[start:end] = keys, steps
        self._held = end
        counts = np.bincount(keys // self._n - rows[0], minlength=len(rows))
        self._starts[rows + 1] = start + np.cumsum(counts)

    def find(self, row: IntArray, ancestor: IntArray) -> tuple[IntArray, IntArray]:
        """(place in the row, distance) of ancestors, (k,) each; both -1 where it has none."""
        if not len(self._keys):
            nothing = np.full(len(row), -1, dtype=np.int64)
            return nothing, nothing.copy()
        keys = row * self._n + ancestor
        at = np.minimum(places(self._keys, keys), len(self._keys) - 1)
        held = self._keys[at] == keys
        place = np.where(held, at - self._starts[row], -1)
        return place, np.where(held, self._steps[at].astype(np.int64), -1)

    def entries(self, row: IntArray, place: IntArray) -> tuple[IntArray, IntArray]:
        """(ancestor, distance) at places of rows, (k,) each; the distance is 0 where none is."""
        at = self._starts[row] + place
        return self._keys[at] % self._n, self._steps[at].astype(np.int64)

    def histogram(self) -> tuple[IntArray, IntArray, IntArray]:
        """(row, distance, how many ancestors), (k,) each."""
        width = int(self._steps.max(initial=0)) + 1
        rows = len(self._stems.nodes)
        if rows * width <= 4 * len(self._keys) + 1_000:
            table = np.zeros(rows * width, dtype=np.int64)
            for start in range(0, len(self._keys), _WAYS):
                part = slice(start, start + _WAYS)
                keys = self._keys[part] // self._n * width + self._steps[part]
                table += np.bincount(keys, minlength=rows * width)
            found = np.flatnonzero(table)
            row, distance = np.divmod(found, width)
            return row, distance, table[found]
        found, counts = np.unique(self._keys // self._n * width + self._steps, return_counts=True)
        row, distance = np.divmod(found, width)
        return row, distance, counts


def _nearest(keys: IntArray, steps: IntArray) -> tuple[IntArray, IntArray, BoolArray]:
    """Distinct keys, ascending, the fewest steps of each, and which have longer ways beside one."""
    bits = max(int(steps.max(initial=0)).bit_length(), 1)
    if int(keys.max(initial=0)) < 1 << (63 - bits):
        joined = np.sort(np.left_shift(keys, bits) | steps)
        keys, steps = np.right_shift(joined, bits), joined & ((1 << bits) - 1)
    else:
        order = np.lexsort((steps, keys))
        keys, steps = keys[order], steps[order]
    starts = np.flatnonzero(np.r_[len(keys) > 0, keys[1:] != keys[:-1]])
    several = np.diff(np.r_[starts, len(keys)]) > 1
    return keys[starts], steps[starts], several & (steps[starts] == 1)
