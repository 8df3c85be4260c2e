"""How many candidates lie nearer to a source than each of its positives: all that ranking needs.

Every rank, hit and average precision follows from two exact counts per positive: candidates
strictly nearer, and candidates at the same distance. A matrix product gives what grows with the
distance, with a bound on its rounding; whoever falls within that bound of a positive is compared
again by ``Space.separation``, so the counts are those of the exact formula, ties included.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from taxcheck.geometry.space import Space
from taxcheck.metrics.blocks import DEFAULT, Block, Tiling
from taxcheck.metrics.lists import Floats, IntArray, Lists, merge

_FEW = 8  # compress before sorting where less than 1/8 of a row matters


@dataclass(frozen=True, slots=True)
class Counts:
    """What lies before each positive. A candidate without a distance lies behind everything."""

    separation: Floats  # (edges,) grows with the distance; NaN: the pair has none
    less: IntArray  # (edges,) negatives strictly nearer
    equal: IntArray  # (edges,) negatives at exactly the same distance
    negatives: IntArray  # (s,) candidates of a source that are no positives


def count_nearer(
    space: Space,
    positives: Lists,
    left_out: Lists | None = None,
    *,
    keep_self: bool = False,
    workers: int | None = None,
    tiling: Tiling = DEFAULT,
) -> Counts:
    """Count the negatives before every positive, exactly.

    Candidates are all rows but the source (unless ``keep_self``) and those that ``left_out``, with
    the same sources, lists for it; negatives are the candidates that are no positives. A positive
    without a distance (NaN in either row) has every negative before it. Memory is bounded by
    ``workers`` (default: the cores) blocks beside a few numbers an edge.
    """
    removed = not_negative(positives, left_out, keep_self)
    negatives = space.n - removed.lengths
    owner = positives.owner
    separation = space.separation(positives.sources[owner], positives.targets)
    task = _Task.build(space, positives, removed, separation, tiling)
    groups = -(-len(positives.sources) // tiling.sources)
    cores = max(1, min(workers or os.cpu_count() or 1, groups))
    with ThreadPoolExecutor(cores) as pool:
        for block in task.blocks():  # one after the other: no two threads write the same edges
            run = partial(task.run, block, workers=cores)
            list(pool.map(run, range(cores)))
    less, equal = np.empty_like(task.less), np.empty_like(task.equal)
    less[task.by_distance], equal[task.by_distance] = task.less, task.equal
    lost = np.isnan(separation)
    less[lost], equal[lost] = negatives[owner[lost]], 0
    return Counts(separation, less, equal, negatives)


def not_negative(positives: Lists, left_out: Lists | None, keep_self: bool) -> Lists:
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
class _Task:
    space: Space
    sources: IntArray  # (s,)
    tiling: Tiling
    order: IntArray  # candidates with a distance, by radius: a block's rounding is its outermost's
    by_distance: IntArray  # (edges,) positives of each source, nearest first, NaN last
    thresholds: Floats  # (edges,) their separations
    first: IntArray  # (s,) where the thresholds of a source begin
    last: IntArray  # (s,) and where its finite ones end
    removed_at: IntArray  # position in ``order`` of what is removed, by block, then by source
    removed_of: IntArray  # and its source
    less: IntArray  # (edges,) in the order of ``by_distance``
    equal: IntArray  # (edges,)

    @classmethod
    def build(
        cls, space: Space, positives: Lists, removed: Lists, separation: Floats, tiling: Tiling
    ) -> _Task:
        sound = np.flatnonzero(space.sound)
        order = sound[np.argsort(space.radii[sound])]  # equal radii in any order
        position = np.full(space.n, -1, dtype=np.int64)
        position[order] = np.arange(len(order))
        at, of = position[removed.targets], removed.owner
        at, of = at[at >= 0], of[at >= 0]
        by_block = np.argsort(at // tiling.candidates, kind="stable")
        by_distance = np.lexsort((separation, positives.owner))
        finite = np.bincount(
            positives.owner[~np.isnan(separation)], minlength=len(positives.sources)
        )
        zeros = np.zeros(len(separation), dtype=np.int64)
        return cls(
            space=space,
            sources=positives.sources,
            tiling=tiling,
            order=order,
            by_distance=by_distance,
            thresholds=separation[by_distance],
            first=positives.starts[:-1],
            last=positives.starts[:-1] + finite,
            removed_at=at[by_block],
            removed_of=of[by_block],
            less=zeros,
            equal=zeros.copy(),
        )

    def blocks(self) -> Iterator[Block]:
        """The candidates, block by block."""
        size = self.tiling.candidates
        starts = np.arange(0, len(self.order), size)
        ends = np.searchsorted(self.removed_at // size, starts // size, "right")
        lo = 0
        for start, hi in zip(starts, ends, strict=True):
            rows = self.order[start : start + size]
            at, of = self.removed_at[lo:hi] - start, self.removed_of[lo:hi]
            yield Block.build(self.space, rows, self.tiling, at, of)
            lo = hi

    def run(self, block: Block, worker: int, workers: int) -> None:
        """All sources against a block of candidates, every ``workers``-th group of sources."""
        step = self.tiling.sources
        tiles, _, width = block.right.shape
        whole = np.empty((tiles, step, width))
        narrow = np.empty((step, tiles, width), dtype=np.float32)
        keys = narrow.reshape(step, -1)[:, : len(block.rows)]
        for start in range(worker * step, len(self.sources), workers * step):
            group = np.arange(start, min(start + step, len(self.sources)))
            if (self.first[group] == self.last[group]).all():
                continue
            k = len(group)
            left = self.space.left(self.sources[group])
            product = whole if k == step else np.empty((tiles, k, width))
            np.matmul(left, block.right, out=product)
            with np.errstate(over="ignore"):  # to infinity, which is compared again where it counts
                np.copyto(narrow[:k], product.transpose(1, 0, 2), casting="same_kind")
            lo, hi = np.searchsorted(block.removed_of, (start, start + k))
            keys[block.removed_of[lo:hi] - start, block.removed_at[lo:hi]] = np.nan
            for source, row, error in zip(group, keys, block.error(left), strict=False):
                span = slice(self.first[source], self.last[source])
                if span.start < span.stop:
                    self._count(block, row, float(error), int(self.sources[source]), span)

    def _count(
        self, block: Block, keys: npt.NDArray[np.float32], error: float, source: int, span: slice
    ) -> None:
        exact = self.thresholds[span]
        with np.errstate(over="ignore"):
            lo, hi = (exact - error).astype(np.float32), (exact + error).astype(np.float32)
        near = keys <= hi[-1]
        count = np.count_nonzero(near)
        if not count:
            return
        kept = keys[near] if count * _FEW < len(keys) else keys.copy()
        kept.sort()  # NaN last
        below = kept.searchsorted(lo, "left")
        self.less[span] += below
        if (kept.searchsorted(hi, "right") == below).all():
            return
        unsure = np.zeros(len(keys), dtype=bool)
        for low, high in _union(lo, hi, kept):
            unsure |= (keys >= low) & (keys <= high)
        again = np.flatnonzero(unsure)
        true = np.sort(self.space.separation(np.array([source]), block.rows[again]))
        before = true.searchsorted(exact, "left")
        self.less[span] += before - np.sort(keys[again]).searchsorted(lo, "left")
        self.equal[span] += true.searchsorted(exact, "right") - before


def _union(
    lo: npt.NDArray[np.float32], hi: npt.NDArray[np.float32], kept: npt.NDArray[np.float32]
) -> list[tuple[np.float32, np.float32]]:
    """Bands around ascending thresholds that hold something, overlapping ones merged."""
    merged: list[tuple[np.float32, np.float32]] = []
    held = kept.searchsorted(hi, "right") > kept.searchsorted(lo, "left")
    for low, high in zip(lo[held], hi[held], strict=True):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged
