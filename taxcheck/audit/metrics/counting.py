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

from taxcheck.audit.metrics.lists import Floats, IntArray, Lists, merge
from taxcheck.geometry.space import Space

# OpenBLAS computes a product of up to 2**18 multiplications in the calling thread. Beyond, its
# threads and ours wait for each other: measured, that costs 5 to 10 times the product.
_SERIAL = 1 << 18


@dataclass(frozen=True, slots=True)
class Tiling:
    """How many candidates and sources are compared at once; no result depends on it."""

    candidates: int = 1 << 15  # their float32 row stays in the second-level cache
    sources: int = 16  # share one product


DEFAULT = Tiling()


class Block:
    """Neighbouring candidates of the order by radius, and what is removed among them."""

    def __init__(
        self, space: Space, rows: IntArray, tiling: Tiling, at: IntArray, of: IntArray
    ) -> None:
        right = space.right(rows)
        self.rows = rows  # (b,) candidates
        self.right = _tiles(right, tiling.sources)  # (tiles, d + 2, width), padded with zeros
        self.removed_at = at  # column of what is removed
        self.removed_of = of  # its source, ascending
        self.first = float(right[:, 0].max())  # the largest first factor
        # the largest norm of the factors after the second, which is 1
        self.rest = float(np.linalg.norm(right[:, 2:], axis=1).max())

    def error(self, left: Floats) -> Floats:
        """Bound on the rounding of ``left @ right`` and of the exact formula, (k,).

        A dot product of m terms errs by at most m u sum |a_i b_i| (Higham, Accuracy and Stability
        of Numerical Algorithms, eq. 3.5); the factors and the exact formula add a few roundings.
        """
        size = np.abs(left[:, 0]) * self.first + np.abs(left[:, 1])
        size += np.linalg.norm(left[:, 2:], axis=1) * self.rest
        return np.asarray((left.shape[1] + 16) * 2.0**-53 * size)


def _tiles(right: Floats, sources: int) -> Floats:
    """Cut right factors (b, m) into (tiles, m, width), each small enough for a serial product."""
    b, m = right.shape
    width = min(max(_SERIAL // (sources * m) // 8 * 8, 8), b)
    tiles = -(-b // width)
    padded = np.zeros((tiles * width, m))
    padded[:b] = right
    return np.ascontiguousarray(padded.reshape(tiles, width, m).transpose(0, 2, 1))


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
    task = _Task(space, positives, removed, separation, tiling)
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


class _Task:
    def __init__(
        self, space: Space, positives: Lists, removed: Lists, separation: Floats, tiling: Tiling
    ) -> None:
        self.space, self.tiling = space, tiling
        self.sources = positives.sources  # (s,)
        sound = np.flatnonzero(space.sound)
        # Candidates with a distance, by radius (equal radii in any order): a block's rounding is
        # that of its outermost.
        self.order = sound[np.argsort(space.radii[sound])]
        # (edges,) positives of each source, nearest first, NaN last; and their separations
        self.by_distance = np.lexsort((separation, positives.owner))
        self.thresholds = separation[self.by_distance]
        finite = np.bincount(
            positives.owner[~np.isnan(separation)], minlength=len(positives.sources)
        )
        self.first = positives.starts[:-1]  # (s,) where the thresholds of a source begin
        self.last = self.first + finite  # (s,) and where its finite ones end
        position = np.full(space.n, -1, dtype=np.int64)
        position[self.order] = np.arange(len(self.order))
        at, of = position[removed.targets], removed.owner
        at, of = at[at >= 0], of[at >= 0]
        by_block = np.argsort(at // tiling.candidates, kind="stable")
        # position in ``order`` of what is removed, and its source; by block, then by source
        self.removed_at, self.removed_of = at[by_block], of[by_block]
        self.less = np.zeros(len(separation), dtype=np.int64)  # in the order of ``by_distance``
        self.equal = self.less.copy()

    def blocks(self) -> Iterator[Block]:
        """The candidates, block by block."""
        size = self.tiling.candidates
        starts = np.arange(0, len(self.order), size)
        ends = np.searchsorted(self.removed_at // size, starts // size, "right")
        lo = 0
        for start, hi in zip(starts, ends, strict=True):
            rows = self.order[start : start + size]
            at, of = self.removed_at[lo:hi] - start, self.removed_of[lo:hi]
            yield Block(self.space, rows, self.tiling, at, of)
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
