"""How many candidates lie nearer to a source than each of its positives: all that ranking needs.

Every rank, hit and average precision follows from two exact counts per positive: candidates
strictly nearer, and candidates at the same distance. A matrix product gives what grows with the
distance, with a bound on its rounding; whoever falls within that bound of a positive is compared
again by ``Space.separation``, so the counts are those of the exact formula, ties included.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from taxcheck.audit.metrics.lists import Floats, IntArray, Lists, merge
from taxcheck.audit.metrics.products import Block, Keys, count_below, in_bands, rounded
from taxcheck.geometry.space import Space
from taxcheck.model.arrays import BoolArray, ranges
from taxcheck.statistics.passes import Executor, Shared


@dataclass(frozen=True, slots=True)
class Tiling:
    """How many candidates and sources are compared at once; no result depends on it."""

    candidates: int = 1 << 15  # at most; their float32 row stays in the second-level cache
    sources: int = 16  # share one product
    factors: int = 1 << 19  # of all candidates of a block, unless it would have few

    def block(self, dim: int) -> int:
        """Candidates of a block in a table of that dimension."""
        return min(self.candidates, max(self.factors // (dim + 2), 1 << 12))


DEFAULT = Tiling()
_SHARD = 4  # blocks that another process goes through at once


@dataclass(frozen=True, slots=True)
class Counts:
    """What lies before each positive. A candidate without a distance lies behind everything."""

    separation: Floats  # (edges,) grows with the distance; NaN: the pair has none
    less: IntArray  # (edges,) negatives strictly nearer
    equal: IntArray  # (edges,) negatives at exactly the same distance
    negatives: IntArray  # (s,) candidates of a source that are no positives

    def some(self, positives: Lists, positions: IntArray) -> Counts:
        """Those of ``positives.some(positions)``."""
        edges = ranges(positives.starts[positions], positives.lengths[positions])
        return self.at(edges, positions)

    def at(self, edges: IntArray, positions: IntArray) -> Counts:
        """Those of some edges and some sources."""
        return Counts(
            self.separation[edges],
            self.less[edges],
            self.equal[edges],
            self.negatives[positions],
        )


@dataclass(frozen=True, slots=True)
class Question:
    """What one ranking asks of a table.

    Candidates are all rows but the source (unless ``keep_self``) and those that ``left_out``, with
    the same sources, lists for it; negatives are the candidates that are no positives.
    """

    positives: Lists
    left_out: Lists | None = None
    keep_self: bool = False
    row_of: IntArray | None = None  # (n,) a permutation: the row of each node; None: its own

    def rows(self, nodes: IntArray) -> IntArray:
        """The rows of the table that stand for nodes (k,)."""
        return nodes if self.row_of is None else self.row_of[nodes]


@dataclass(frozen=True, slots=True)
class Answer:
    """The counts among all rows, and among those alone that were set apart."""

    whole: Counts
    apart: Counts | None


def count_nearer(
    space: Space,
    positives: Lists,
    left_out: Lists | None = None,
    *,
    keep_self: bool = False,
    workers: int | None = None,
    tiling: Tiling = DEFAULT,
    executor: Executor | None = None,
) -> Counts:
    """Count the negatives before every positive, exactly; see ``Question`` and ``answers``."""
    asked = Question(positives, left_out, keep_self)
    found = answers(space, [asked], workers=workers, tiling=tiling, executor=executor)
    return found[0].whole


def answers(
    space: Space,
    asked: Sequence[Question],
    apart: BoolArray | None = None,
    *,
    workers: int | None = None,
    tiling: Tiling = DEFAULT,
    executor: Executor | None = None,
) -> list[Answer]:
    """Count the negatives before every positive, exactly, for several rankings of one table.

    The rows are gone through once. With ``apart`` (n,) they are also counted as if the other rows
    were no candidates, at no cost: each candidate is counted once, on its side. A positive
    without a distance (NaN in either row) has every negative before it. Memory is bounded by
    ``workers`` (default: the cores) blocks beside a few numbers an edge and a row. An ``executor``
    of other processes is given shards of the candidates; counts of them add up.
    """
    task = _Task(space, asked, apart, tiling)
    if executor is not None and not executor.keeps:
        with executor.publish(task) as shared:
            for less, equal in executor.map(_Shard(shared), task.shards()):
                task.less += less
                task.equal += equal
        return task.answers()
    groups = range(0, len(task.sources), tiling.sources)
    cores = max(1, min(workers or os.cpu_count() or 1, len(groups)))
    with ThreadPoolExecutor(cores + 1) as pool:
        stretches = task.stretches()
        coming = pool.submit(next, stretches, None)
        while (stretch := coming.result()) is not None:
            coming = pool.submit(next, stretches, None)
            left = iter(groups)  # each is taken once, so no two threads write the same edges
            for part in [pool.submit(task.run, stretch, left) for _ in range(cores)]:
                part.result()
    return task.answers()


def not_negative(positives: Lists, left_out: Lists | None, keep_self: bool = False) -> Lists:
    """Everything that is not counted: positives, the source itself and what is left out."""
    parts = [positives.keys()]
    if not keep_self:
        parts.append(np.arange(len(positives.sources)) * positives.n + positives.sources)
    if left_out is not None:
        if not np.array_equal(left_out.sources, positives.sources):
            raise ValueError("what is left out must be listed for the sources of the positives")
        parts.append(left_out.keys())
    return merge(positives.n, positives.sources, parts)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A block of candidates, the side that it is on, and what is removed among it."""

    block: Block
    side: int
    at: IntArray  # place in the block of what is removed
    of: IntArray  # its source, ascending


@dataclass(frozen=True, slots=True)
class _Shard:
    """What some blocks of candidates add to the counts of a task, wherever that is found."""

    task: Shared[_Task]

    def __call__(self, blocks: range) -> tuple[IntArray, IntArray]:
        mine = copy.copy(self.task.value)
        mine.less, mine.equal = np.zeros_like(mine.less), np.zeros_like(mine.equal)
        for stretch in mine.stretches(blocks):
            mine.run(stretch, iter(range(0, len(mine.sources), mine.tiling.sources)))
        return mine.less, mine.equal


class _Task:
    """The sources of all questions, one after the other, and what was counted for each so far."""

    def __init__(
        self, space: Space, asked: Sequence[Question], apart: BoolArray | None, tiling: Tiling
    ) -> None:
        self.space, self.asked, self.apart, self.tiling = space, asked, apart, tiling
        lists = [question.positives for question in asked]
        self.lengths = np.concatenate([some.lengths for some in lists])  # (s,)
        # (s,) rows of the sources
        self.sources = np.concatenate([q.rows(q.positives.sources) for q in asked])
        owner = np.repeat(np.arange(len(self.lengths)), self.lengths)
        targets = np.concatenate([q.rows(q.positives.targets) for q in asked])
        self.separation = space.separation(self.sources[owner], targets)  # (edges,)
        # (edges,) positives of each source, nearest first, NaN last; and their separations
        self.by_distance = np.lexsort((self.separation, owner))
        self.thresholds = self.separation[self.by_distance]
        finite = np.bincount(owner[~np.isnan(self.separation)], minlength=len(self.lengths))
        self.first = (
            np.cumsum(self.lengths) - self.lengths
        )  # (s,) where a source's thresholds begin
        self.last = self.first + finite  # (s,) and where the finite ones end
        # (edges, sides), in the order of ``by_distance``; side 1 is what is set apart
        self.less = np.zeros((len(targets), 2), dtype=np.int64)
        self.equal = self.less.copy()
        self._remove()

    def _remove(self) -> None:
        """Cut the candidates into blocks by side and radius, and find what is removed in each."""
        n, size = self.space.n, self.tiling.block(self.space.coordinates.shape[1])
        apart = np.zeros(n, dtype=bool) if self.apart is None else self.apart
        sound = np.flatnonzero(self.space.sound)
        # Candidates with a distance, those that are set apart first, then by radius (equal radii
        # in any order): a block's rounding is that of its outermost.
        self.order = sound[np.lexsort((self.space.radii[sound], ~apart[sound]))]
        self.split = int(np.count_nonzero(apart[sound]))
        self.starts = np.r_[0 : self.split : size, self.split : len(self.order) : size]
        position = np.full(n, -1, dtype=np.int64)
        position[self.order] = np.arange(len(self.order))
        rows, of, base = [], [], 0
        for question in self.asked:
            removed = not_negative(question.positives, question.left_out, question.keep_self)
            rows.append(question.rows(removed.targets))
            of.append(removed.owner + base)
            base += len(removed.sources)
        removed_rows, removed_of = np.concatenate(rows), np.concatenate(of)
        inside = np.bincount(removed_of[apart[removed_rows]], minlength=base)
        every = np.bincount(removed_of, minlength=base)
        within = np.count_nonzero(apart)
        self.negatives = np.column_stack([n - within - (every - inside), within - inside])
        at = position[removed_rows]
        kept = np.flatnonzero(at >= 0)
        block = np.searchsorted(self.starts, at[kept], "right") - 1
        kept = kept[np.argsort(block, kind="stable")]  # by block, then by source
        self.removed_at, self.removed_of = at[kept], removed_of[kept]
        self.cuts = np.r_[0, np.cumsum(np.bincount(block, minlength=len(self.starts)))]

    def shards(self) -> list[range]:
        """Neighbouring blocks of candidates, by their numbers."""
        count = len(self.starts)
        return [range(k, min(k + _SHARD, count)) for k in range(0, count, _SHARD)]

    def stretches(self, blocks: range | None = None) -> Iterator[_Stretch]:
        """The candidates, block by block; of some blocks, if not of all."""
        ends = np.r_[self.starts[1:], len(self.order)]
        for k in range(len(self.starts)) if blocks is None else blocks:
            start, removed = self.starts[k], slice(self.cuts[k], self.cuts[k + 1])
            yield _Stretch(
                Block(self.space, self.order[start : ends[k]], self.tiling.sources),
                int(start < self.split),
                self.removed_at[removed] - start,
                self.removed_of[removed],
            )

    def run(self, stretch: _Stretch, groups: Iterator[int]) -> None:
        """Groups of sources against a block of candidates, as long as there are any."""
        block, step = stretch.block, self.tiling.sources
        room = block.room(step)
        for start in groups:
            group = slice(start, min(start + step, len(self.sources)))
            if (self.first[group] == self.last[group]).all():
                continue
            left = self.space.left(self.sources[group])
            keys = block.keys(left, room)
            lo, hi = np.searchsorted(stretch.of, (group.start, group.stop))
            keys[stretch.of[lo:hi] - start, stretch.at[lo:hi]] = np.nan
            self._count(stretch, keys, block.error(left), group)

    def _count(self, stretch: _Stretch, keys: Keys, error: Floats, group: slice) -> None:
        """Count the keys (k, b) of a group's sources; ``error`` (k,) bounds their rounding."""
        finite = self.last[group] - self.first[group]
        at = ranges(self.first[group], finite)  # (m,) thresholds of all of them
        owner = np.repeat(np.arange(len(finite)), finite)
        exact = self.thresholds[at]
        lo, hi = rounded(exact - error[owner]), rounded(exact + error[owner])
        with np.errstate(over="ignore"):  # to infinity, beyond which there is no key
            edges = np.concatenate([lo, np.nextafter(hi, np.float32(np.inf))])
        order = np.lexsort((edges, np.concatenate([owner, owner])))
        edges = edges[order]
        ends = np.cumsum(2 * finite)
        found = [
            count_below(row, edges[end - 2 * many : end])
            for row, many, end in zip(keys, finite, ends, strict=True)
        ]
        counts = np.empty(len(edges), dtype=np.int64)
        counts[order] = np.concatenate(found)
        below, upto = counts.reshape(2, -1)
        self.less[at, stretch.side] += below
        unsure = upto > below
        for k in np.unique(owner[unsure]):
            mine = owner == k
            bands = mine & unsure
            again = in_bands(keys[k], lo[bands], hi[bands])
            rows, many = stretch.block.runs(again)
            found_again = self.space.separation(self.sources[[group.start + k]], rows)
            true = np.sort(np.repeat(found_again, many))
            before = true.searchsorted(exact[mine], "left")
            near = np.sort(keys[k, again]).searchsorted(lo[mine], "left")
            self.less[at[mine], stretch.side] += before - near
            self.equal[at[mine], stretch.side] += true.searchsorted(exact[mine], "right") - before

    def answers(self) -> list[Answer]:
        """What was counted, question by question, edges in their own order."""
        less, equal = np.empty_like(self.less), np.empty_like(self.equal)
        less[self.by_distance], equal[self.by_distance] = self.less, self.equal
        lost = np.isnan(self.separation)
        less[lost] = np.repeat(self.negatives, self.lengths, axis=0)[lost]
        found, edge, source = [], 0, 0
        for question in self.asked:
            edges = slice(edge, edge := edge + len(question.positives.targets))
            sources = slice(source, source := source + len(question.positives.sources))
            whole, apart = (
                Counts(
                    self.separation[edges],
                    less[edges][:, sides].sum(axis=1),
                    equal[edges][:, sides].sum(axis=1),
                    self.negatives[sources][:, sides].sum(axis=1),
                )
                for sides in ([0, 1], [1])
            )
            found.append(Answer(whole, None if self.apart is None else apart))
        return found
