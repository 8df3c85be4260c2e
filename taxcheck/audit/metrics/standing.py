"""How many strangers stand before a relative, among a sample of the relative's own depth.

The place of a single row is asked of every node, so that candidates are a seeded sample: of 256
that are as deep as the relative, a row with nothing to do with it has about half before it, and a
row in its place none or a few. That tells rows as good as random from others; it is no rank.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from taxcheck.audit.metrics.kinship import Relation
from taxcheck.audit.metrics.lists import Floats, IntArray
from taxcheck.audit.metrics.products import product, rounding
from taxcheck.geometry.space import Space
from taxcheck.model.arrays import BoolArray, ranges
from taxcheck.statistics.passes import Executor, Shared

POOL = 256  # candidates of each depth
LEAST = 8  # strangers, without which nothing is said
_REFERENCE = 64  # rows by which a candidate's nearness to everybody is measured
_ROWS = 512  # edges that are compared at once
_SHARD = 64  # such blocks that another process goes through


@dataclass(frozen=True, slots=True)
class Pools:
    """For each depth a sample of its nodes, and what every node is to everybody."""

    nodes: tuple[IntArray, ...]  # by depth, in the order of their first parent
    families: tuple[IntArray, ...]  # their first parents, ascending
    depth: IntArray  # (n,)
    at: IntArray  # (n,) place of a node in the pool of its depth, -1 for none
    usual: Floats  # (n,) geometric mean of the separation from the reference rows

    @classmethod
    def drawn(
        cls, space: Space, depth: IntArray, parent: IntArray, rng: np.random.Generator
    ) -> Pools:
        """A sample of every depth from ``depth`` (n,), -1 for none; first parents, -1 for none."""
        levels = np.arange(int(depth.max(initial=-1)) + 2)
        depth, nodes, families = np.where(space.sound[: len(depth)], depth, -1), [], []
        order = np.argsort(depth, kind="stable")
        cuts = np.searchsorted(depth[order], levels)
        for level in range(len(cuts) - 1):
            here = order[cuts[level] : cuts[level + 1]]
            some = here if len(here) <= POOL else rng.choice(here, POOL, replace=False)
            some = some[np.argsort(parent[some], kind="stable")]
            nodes.append(some)
            families.append(parent[some])
        at = np.full(len(depth), -1)
        for some in nodes:
            at[some] = np.arange(len(some))
        return cls(
            tuple(nodes), tuple(families), depth, at, _usual(space, np.flatnonzero(depth >= 0), rng)
        )

    def place(self, rows: IntArray, level: int) -> IntArray:
        """Places of rows (k,) in the pool of a depth, -1 for none; other rows may follow the n."""
        nodes = np.minimum(rows, len(self.depth) - 1)
        here = (rows == nodes) & (self.depth[nodes] == level)
        return np.where(here, self.at[nodes], -1)


def _usual(space: Space, sound: IntArray, rng: np.random.Generator) -> Floats:
    """See Pools.usual. A row that is not ``sound``, (k,), has 1, and is compared with nobody."""
    found = np.ones(space.n)
    if not len(sound):
        return found
    right = np.ascontiguousarray(space.right(rng.choice(sound, _REFERENCE)).T)
    least = np.finfo(np.float64).tiny
    for start in range(0, len(sound), _ROWS):
        rows = sound[start : start + _ROWS]
        left = space.left(rows)
        apart = np.maximum(product(left, right), np.maximum(rounding(left, right), least))
        found[rows] = np.exp(np.log(apart).mean(axis=1))
    return found


def shares_before(
    space: Space,
    pools: Pools,
    rows: IntArray,
    relations: list[Relation],
    *,
    workers: int | None = None,
    executor: Executor | None = None,
) -> Floats:
    """Share of strangers before the nearest relative of each kind, (k, relations), for rows (k,).

    Strangers are the pool of the relative's depth without the row, the relative, and those that
    share the relative's ``family``. Separations are divided by what is usual for the candidate,
    so that a node which is near to everybody is not near to this row by that; ties, and what
    rounding leaves undecided, count by half. NaN where there is no relative of the kind with a
    distance, or there are fewer than LEAST strangers.
    """
    lengths = [len(relation.owner) for relation in relations]
    owner = np.concatenate([relation.owner for relation in relations])
    relative = np.concatenate([relation.relative for relation in relations])
    level = pools.depth[relative]
    order = np.argsort(level, kind="stable")
    order = order[level[order] >= 0]
    task = _Task(
        space,
        pools,
        rows[owner][order],
        relative[order],
        np.concatenate([relation.family for relation in relations])[order],
        np.searchsorted(level[order], np.arange(len(pools.nodes) + 1)),
    )
    share = np.full(len(owner), np.nan)
    share[order] = _counted(task, workers, executor)
    kind = np.repeat(np.arange(len(relations)), lengths)
    found = np.full((len(rows), len(relations)), np.inf)
    np.fmin.at(found, (owner, kind), share)
    return np.where(np.isinf(found), np.nan, found)


def strangers_before(
    space: Space, pools: Pools, row: int, relative: int
) -> tuple[IntArray, float, int]:
    """Who of the pool stands before one ancestor of a row: by the keys of ``shares_before``.

    The strangers, the nearest first, those that rounding leaves undecided among them; the share
    that ``shares_before`` gives; and of how many strangers that is.
    """
    level = int(pools.depth[relative])
    pool = pools.nodes[level] if level >= 0 else np.empty(0, np.int64)
    strangers = pool[(pool != row) & (pool != relative)]
    one = np.array([row]), np.array([relative])
    cuts = np.where(np.arange(len(pools.nodes) + 1) > level, 1, 0)
    task = _Task(space, pools, *one, np.array([-1]), cuts)
    share = float(task.shares((level, slice(0, 1)))[0]) if len(pool) else float("nan")
    keys = space.separation(one[0], strangers) / pools.usual[strangers]
    before = keys <= space.separation(*one) / pools.usual[relative]
    nearest = np.argsort(keys[before], kind="stable")
    return strangers[before][nearest], share, len(strangers)


def _counted(task: _Task, workers: int | None, executor: Executor | None) -> Floats:
    blocks = list(task.blocks())
    if executor is not None and not executor.keeps:
        shards = [blocks[k : k + _SHARD] for k in range(0, len(blocks), _SHARD)]
        with executor.publish(task) as shared:
            parts = list(executor.map(_Shard(shared), shards))
    else:
        with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
            parts = list(pool.map(task.shares, blocks))
    return np.concatenate([np.empty(0), *parts])


@dataclass(frozen=True, slots=True)
class _Shard:
    """What some blocks of a task give, wherever that is found."""

    task: Shared[_Task]

    def __call__(self, blocks: list[tuple[int, slice]]) -> Floats:
        return np.concatenate([self.task.value.shares(block) for block in blocks])


@dataclass(frozen=True, slots=True)
class _Task:
    """Edges (e,) from rows to relatives, by the depth of the relative."""

    space: Space
    pools: Pools
    row: IntArray
    relative: IntArray
    family: IntArray
    cuts: IntArray  # (depths + 1,) where the edges of each depth begin

    def blocks(self) -> Iterator[tuple[int, slice]]:
        """Edges that are compared at once, with their depth."""
        for level in range(len(self.cuts) - 1):
            first, last = int(self.cuts[level]), int(self.cuts[level + 1])
            for start in range(first, last, _ROWS):
                yield level, slice(start, min(start + _ROWS, last))

    def shares(self, block: tuple[int, slice]) -> Floats:
        """Shares of strangers before the relatives of a block."""
        level, edges = block
        pool = self.pools.nodes[level]
        row, relative = self.row[edges], self.relative[edges]
        if len(pool) < LEAST:
            return np.full(len(row), np.nan)
        right = np.ascontiguousarray((self.space.right(pool) / self.pools.usual[pool, None]).T)
        left = self.space.left(row)
        keys = product(left, right)
        removed, at = self._kin(level, edges)
        keys[removed, at] = np.nan
        strangers = len(pool) - np.bincount(removed, minlength=len(row))
        exact = self.space.separation(row, relative) / self.pools.usual[relative]
        error = rounding(left, right)
        before = _count(keys < exact[:, None] - error)
        upto = _count(keys <= exact[:, None] + error)
        share = (before + upto) / (2 * np.maximum(strangers, 1))
        share[(strangers < LEAST) | np.isnan(exact)] = np.nan
        return np.asarray(share)

    def _kin(self, level: int, edges: slice) -> tuple[IntArray, IntArray]:
        """Who is no stranger: (edge of the block, place in the pool), each once."""
        families, family = self.pools.families[level], self.family[edges]
        first = np.searchsorted(families, family, "left")
        many = np.where(family >= 0, np.searchsorted(families, family, "right") - first, 0)
        edge, place = [np.repeat(np.arange(len(family)), many)], [ranges(first, many)]
        for node in (self.row[edges], self.relative[edges]):
            at = self.pools.place(node, level)
            alone = np.flatnonzero((at >= 0) & (families[at] != family))
            edge.append(alone)
            place.append(at[alone])
        return np.concatenate(edge), np.concatenate(place)


def _count(flags: BoolArray) -> IntArray:
    """How many of each row (k, m) are set, eight at a time, m at most 8 * 255."""
    width = flags.shape[1]
    if width % 8:
        return np.asarray(np.count_nonzero(flags, axis=1))
    lanes = flags.view(np.uint64).sum(axis=1, dtype=np.uint64)
    return np.asarray(lanes.view(np.uint8).reshape(-1, 8).sum(axis=1, dtype=np.int64))
