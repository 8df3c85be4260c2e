"""The distances of all ancestors of the nodes with several parents, where nearly all are related.

A byte for each pair in which the ancestor comes first, by stripes of ancestors: a DAG of 20,000
nodes, however dense, takes 200 MB. Rows follow from those of the parents, a level at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from taxcheck.model.arrays import IntArray, distinct
from taxcheck.statistics.hierarchy.graph import Graph, Neighbours
from taxcheck.statistics.hierarchy.stems import Stems

NONE = np.uint8(255)
_WIDTH = 2_048  # ancestors in a stripe
_REACHED = 4_096  # ancestors in a stripe of bits
_LABELS = 32  # of the estimate
LABEL_BYTES = 8 * _LABELS  # a node, in making it
_GATHERED = 1 << 23  # bytes of rows that are compared at once: of thirty parents 512 KB each time
_CACHED = 1 << 19  # bytes that stay near the processor
_MOST_LEVELS = 20_000  # of more, walking them would take longer than all else

Bytes = npt.NDArray[np.uint8]
Values = npt.NDArray[Any]


@dataclass(frozen=True)
class Core:
    """The nodes with several parents and all above them, each after those above it."""

    nodes: IntArray  # (core,) in that order
    position: IntArray  # (n,) where each is among them; -1 elsewhere
    parents: Neighbours  # as positions
    levels: IntArray  # (levels + 1,) nodes before each level

    @classmethod
    def of(cls, graph: Graph, stems: Stems) -> Core | None:
        """The core of a graph without cycles; None where it is a chain rather than a DAG."""
        inside = np.zeros(graph.n, dtype=bool)
        level = stems.nodes
        for _ in range(_MOST_LEVELS):
            if not len(level):
                break
            inside[level] = True
            above = graph.parents_of.expand(level)[1]
            level = distinct(above[~inside[above]])
        if len(level):
            return None
        kept = inside[graph.children]
        parents, children = graph.parents[kept], graph.children[kept]
        below = Neighbours.build(parents, children, graph.n)
        waiting = np.bincount(children, minlength=graph.n)
        level = np.flatnonzero(inside & (waiting == 0))
        order, sizes = [level[:0]], [0]
        while len(level):
            if len(order) > _MOST_LEVELS:
                return None
            order.append(level)
            sizes.append(len(level))
            reached = below.expand(level)[1]
            np.subtract.at(waiting, reached, 1)
            level = distinct(reached[waiting[reached] == 0])
        nodes = np.concatenate(order)
        position = np.full(graph.n, -1, dtype=np.int64)
        position[nodes] = np.arange(len(nodes))
        above_of = Neighbours.build(position[children], position[parents], len(nodes))
        return cls(nodes, position, above_of, np.cumsum(sizes))

    def size(self) -> int:
        """How many bytes a matrix of it would take."""
        n = len(self.nodes)
        firsts = np.arange(0, n, _WIDTH)
        return int(((n - firsts) * np.minimum(_WIDTH, n - firsts)).sum())

    def waves(self, first: int, width: int) -> Iterator[tuple[IntArray, IntArray, IntArray]]:
        """Level by level, who follows from whom, for rows of ``width`` bytes.

        Gives (positions of parents, of their children, where each child's parents start), without
        what stands before ``first``. The parents of a wave are in earlier ones.
        """
        for start, end in pairwise(self.levels.tolist()):
            start = max(start, first)
            most = int(np.diff(self.parents.starts[start : end + 1]).max(initial=1))
            step = max(_GATHERED // (width * most), 1)
            for low in range(start, end, step):
                high = min(low + step, end)
                edges = slice(int(self.parents.starts[low]), int(self.parents.starts[high]))
                above = self.parents.targets[edges]
                counts = np.diff(self.parents.starts[low : high + 1])
                child = np.repeat(np.arange(low, high), counts)
                if not (kept := above >= first).all():
                    above, child = above[kept], child[kept]
                if len(above):
                    yield above, child, np.flatnonzero(np.r_[True, child[1:] != child[:-1]])

    def reach(self) -> tuple[IntArray, IntArray, IntArray]:
        """Who is above whom, and no more: in an eighth of the time that distances take.

        Gives the shortcuts, positions (k,) of child and of parent, and (core,) how many ancestors
        each node has.
        """
        n = len(self.nodes)
        found, counts = [np.empty((2, 0), np.int64)], np.zeros(n, dtype=np.int64)
        for first in range(0, n, _REACHED):
            bits = np.zeros((n - first, -(-min(_REACHED, n - first) // 8)), dtype=np.uint8)
            for above, child, starts in self.waves(first, bits.shape[1]):
                rows = _joined(np.bitwise_or, bits, above - first, starts)
                direct = above < first + _REACHED
                column, of = above[direct] - first, child[direct]
                place, byte = np.searchsorted(child[starts], of), column >> 3
                bit = np.left_shift(1, column & 7).astype(np.uint8)
                longer = (rows[place, byte] & bit) > 0
                found.append(np.stack([of[longer], above[direct][longer]]))
                np.bitwise_or.at(rows, (place, byte), bit)
                bits[child[starts] - first] = rows
            for low in range(0, len(bits), _REACHED):
                part = np.bitwise_count(bits[low : low + _REACHED])
                counts[first + low : first + low + len(part)] += part.sum(axis=1, dtype=np.int64)
        child, parent = np.concatenate(found, axis=1)
        return child, parent, counts

    def estimate(self, rows: IntArray) -> float:
        """About how many ancestors some of the nodes have together, by their positions.

        The least of many random numbers says how many there are (Cohen 1997,
        doi:10.1006/jcss.1997.1534): with 32 of them each count is off by a fifth, and the sum of
        many by far less. It decides only how the ancestors are held.
        """
        rng = np.random.default_rng(0)
        n = len(self.nodes)
        own = rng.standard_exponential((n + 1, _LABELS), dtype=np.float32)
        least = np.full((n + 1, _LABELS), np.inf, dtype=np.float32)
        for start, end in pairwise(self.levels[1:].tolist()):
            above = self.parents.targets[self.parents.starts[start] : self.parents.starts[end]]
            starts = self.parents.starts[start:end] - self.parents.starts[start]
            least[start:end] = np.minimum(
                *(_joined(np.minimum, labels, above, starts) for labels in (own, least))
            )
        return float(((_LABELS - 1) / least[rows].sum(axis=1, dtype=np.float64)).sum())


class Matrix:
    """Rows of ancestors; ``places`` of a row number all nodes before it, above it or not."""

    path = "the distances of all nodes above those with several parents, a byte each"

    def __init__(self, core: Core, stems: Stems) -> None:
        self._core, self._rows = core, core.position[stems.nodes]
        self.closed = len(stems.nodes)
        n = len(core.nodes)
        self._firsts = np.arange(0, n, _WIDTH)
        sizes = (n - self._firsts) * np.minimum(_WIDTH, n - self._firsts)
        self._offsets = np.r_[0, np.cumsum(sizes)]
        self._bytes = np.full(int(self._offsets[-1]), NONE, dtype=np.uint8)
        shortcuts = [self._close(k) for k in range(len(self._firsts))]
        row_at = np.full(n, -1, dtype=np.int64)
        row_at[self._rows] = np.arange(len(self._rows))
        child, parent = np.concatenate([np.empty((2, 0), np.int64), *shortcuts], axis=1)
        self.shortcuts = np.sort(row_at[child] * len(core.position) + core.nodes[parent])
        self.widths = self._rows
        self._table = self._histogram()
        self.counts = self._table.sum(axis=1)

    def _stripe(self, k: int) -> Bytes:
        """Stripe k: (nodes from its first ancestor on, its ancestors)."""
        first = int(self._firsts[k])
        part = self._bytes[self._offsets[k] : self._offsets[k + 1]]
        return part.reshape(len(self._core.nodes) - first, -1)

    def _close(self, k: int) -> npt.NDArray[np.int64]:
        """Fill a stripe; gives the shortcuts to its ancestors, positions (child, parent), (2, k).

        OverflowError where a distance does not fit.
        """
        first, stripe = int(self._firsts[k]), self._stripe(k)
        width, found = stripe.shape[1], [np.empty((2, 0), np.int64)]
        for above, child, starts in self._core.waves(first, width):
            rows = _joined(np.minimum, stripe, above - first, starts)
            rows += rows < NONE
            if (rows == NONE - 1).any():
                raise OverflowError
            direct = above < first + width
            column, of = above[direct] - first, child[direct]
            place = np.searchsorted(child[starts], of)
            longer = rows[place, column] < NONE
            found.append(np.stack([of[longer], above[direct][longer]]))
            rows[place, column] = 1
            stripe[child[starts] - first] = rows
        return np.concatenate(found, axis=1)

    def find(self, row: IntArray, ancestor: IntArray) -> tuple[IntArray, IntArray]:
        """(place in the row, distance) of ancestors, (k,) each; both -1 where it has none."""
        place, own = self._core.position[ancestor], self._rows[row]
        before = (place >= 0) & (place < own)
        place = np.where(before, place, 0)
        distance = self._at(np.where(before, own, 0), place)
        held = before & (distance > 0)
        return np.where(held, place, -1), np.where(held, distance, -1)

    def _at(self, position: IntArray, place: IntArray) -> IntArray:
        """The distances of places before positions, (k,); 0 where they are not above."""
        if not len(self._firsts):
            return np.zeros(len(position), dtype=np.int64)
        k = place // _WIDTH
        first = self._firsts[k]
        width = np.minimum(_WIDTH, len(self._core.nodes) - first)
        steps = self._bytes[self._offsets[k] + (position - first) * width + place - first]
        return np.where(steps == NONE, 0, steps).astype(np.int64)

    def entries(self, row: IntArray, place: IntArray) -> tuple[IntArray, IntArray]:
        """(ancestor, distance) at places of rows, (k,) each; the distance is 0 where none is."""
        return self._core.nodes[place], self._at(self._rows[row], place)

    def histogram(self) -> tuple[IntArray, IntArray, IntArray]:
        """(row, distance, how many ancestors), (k,) each."""
        row, distance = np.nonzero(self._table)
        return row, distance, self._table[row, distance]

    def _histogram(self) -> IntArray:
        """(rows, 255) how many ancestors each row has at each distance."""
        table = np.zeros((len(self._core.nodes), int(NONE)), dtype=np.int64)
        for k, first in enumerate(self._firsts.tolist()):
            stripe = self._stripe(k)
            height = max(_CACHED // stripe.shape[1], 1)
            for low in range(0, len(stripe), height):
                part = stripe[low : low + height]
                counts = table[first + low : first + low + len(part)]
                distance, left = 0, int(np.count_nonzero(part != NONE))
                while left:
                    distance += 1
                    bits = np.bitwise_count(np.packbits(part == distance, axis=1))
                    here = bits.sum(axis=1, dtype=np.uint16)
                    counts[:, distance] += here
                    left -= int(here.sum(dtype=np.int64))
        return table[self._rows]


def _joined(ufunc: np.ufunc, table: Values, rows: IntArray, starts: IntArray) -> Values:
    """Rows of a table joined by ``ufunc``, column by column: of ``rows`` those from each start on.

    All first rows are taken, then each is joined with its second one, and so on: ``reduceat`` along
    columns takes forty times as long.
    """
    counts = np.diff(np.append(starts, len(rows)))
    order = np.argsort(-counts, kind="stable")
    counts, starts = counts[order], starts[order]
    joined = table.take(rows[starts], axis=0)
    taken = np.empty_like(joined)
    for k in range(1, int(counts.max(initial=0))):
        some = int(np.searchsorted(-counts, -k, side="left"))  # that have more than k rows
        # with "raise" the rows would be taken to yet another place first
        table.take(rows[starts[:some] + k], axis=0, out=taken[:some], mode="clip")
        ufunc(joined[:some], taken[:some], out=joined[:some])
    taken[order] = joined
    return taken
