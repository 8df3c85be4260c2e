"""Which rows are in their place: named, and counted by clade, depth, pairs and updates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taxcheck.audit.clades import SMALLEST, Partition
from taxcheck.audit.metrics.kinship import ANCESTORS, SIBLING
from taxcheck.audit.metrics.placement import Mixture, Placement, mixture, place, together
from taxcheck.audit.metrics.standing import POOL
from taxcheck.audit.scores import Subject
from taxcheck.model.arrays import BoolArray, FloatArray, IntArray, doubling
from taxcheck.model.finding import Defect
from taxcheck.statistics.offenders import Sink, defect_of, of_nodes

# Rows that were trained and rows that were not are judged apart, and of a group in which no more
# than this share can be told from chance nobody is named.
_CHANCE = 0.01

# (from, to, misplaced, judged)
Ranges = tuple[tuple[int, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Placements:
    """The rows of a table one by one: how many are as good as random, and which."""

    place: Placement
    mixture: Mixture
    trained: Mixture | None  # of trained rows alone; None where all were trained, or none
    parent_rank: float  # median of those in their place, among POOL strangers as deep; 1 is best
    pool: int
    named: BoolArray  # which of ``place.nodes`` are misplaced
    defect: Defect  # the nodes that are named, the worst first; of those judged
    level: str  # which clades these are
    by_clade: tuple[tuple[str, int, int], ...]  # (clade, misplaced, judged), worst first
    by_depth: tuple[tuple[int, int, int], ...]  # (depth, misplaced, judged)
    by_pairs: Ranges  # pairs that a node is in
    by_updates: Ranges  # empty where none were recorded

    @property
    def sampled(self) -> bool:
        """Whether not all nodes were asked."""
        return len(self.place.nodes) < self.place.total


def placements(
    subject: Subject, pairs: IntArray, updates: IntArray | None, sink: Sink | None
) -> Placements:
    """Judge the rows of a table; ``pairs`` and ``updates`` (n,) are those of every node."""
    rng = np.random.default_rng(subject.seed)
    found = place(
        subject.space, subject.graph, rng, workers=subject.workers, executor=subject.executor
    )
    nodes, judged = found.nodes, ~np.isnan(found.p)
    sampled = len(nodes) < found.total
    kept = subject.trained[nodes]
    groups = [kept, ~kept] if kept.any() and not kept.all() else [judged]
    parts = [mixture(found.p[group], sampled) for group in groups]
    named = np.zeros(len(nodes), dtype=bool)
    for group, part in zip(groups, parts, strict=True):
        if part.low > _CHANCE or len(groups) == 1:
            named |= judged & group & (found.p > part.cut)
    mixed = together(parts)
    parent = found.shares[judged & ~named, ANCESTORS[0]]
    parent = parent[~np.isnan(parent)]
    clades = subject.clades
    return Placements(
        place=found,
        mixture=mixed,
        trained=parts[0] if len(parts) > 1 else None,
        parent_rank=1 + POOL * float(np.median(parent)) if len(parent) else float("nan"),
        pool=POOL,
        named=named,
        defect=_named(found, named, int(judged.sum()), subject.graph.depths, sink),
        level=clades.level if clades else "no clades",
        by_clade=_by_clade(clades, nodes[judged], named[judged]) if clades else (),
        by_depth=_by_depth(subject.graph.depths[nodes[judged]], named[judged]),
        by_pairs=_by_count(pairs[nodes[judged]], named[judged]),
        by_updates=() if updates is None else _by_count(updates[nodes[judged]], named[judged]),
    )


def _named(
    found: Placement, named: BoolArray, judged: int, depth: IntArray, sink: Sink | None
) -> Defect:
    """The nodes that are named, those with the largest p-values first."""
    at = np.flatnonzero(named)
    at = at[np.argsort(-found.p[at], kind="stable")]
    nodes = found.nodes[at]
    rows = of_nodes(
        "misplaced_rows",
        nodes,
        depth=depth[nodes],
        parent_before=_told(found.shares[at, ANCESTORS[0]]),
        sibling_before=_told(found.shares[at, SIBLING]),
        by_chance=np.round(found.p[at], 3),
    )
    return defect_of(rows, judged, sink)


def _told(shares: FloatArray) -> IntArray:
    """Strangers before a relative as a number of POOL; -1 where there is none to be told."""
    return np.where(np.isnan(shares), -1, np.round(shares * POOL)).astype(np.int64)


def _by_clade(
    clades: Partition, nodes: IntArray, named: BoolArray
) -> tuple[tuple[str, int, int], ...]:
    inside = nodes < len(clades.of)
    of, bad = clades.of[nodes[inside]], named[inside]
    size = np.bincount(of[of >= 0], minlength=len(clades.labels))
    lost = np.bincount(of[bad & (of >= 0)], minlength=len(clades.labels))
    order = np.lexsort((-size, -lost / np.maximum(size, 1)))
    return tuple(
        (clades.labels[k], int(lost[k]), int(size[k])) for k in order if size[k] >= SMALLEST
    )


def _by_depth(depth: IntArray, named: BoolArray) -> tuple[tuple[int, int, int], ...]:
    every = np.bincount(depth, minlength=1)
    lost = np.bincount(depth[named], minlength=len(every))
    return tuple((int(k), int(lost[k]), int(every[k])) for k in np.flatnonzero(every))


def _by_count(counts: IntArray, named: BoolArray) -> Ranges:
    found = []
    for low, high in doubling(int(counts.max(initial=0))):
        here = (counts >= low) & (counts <= high)
        if here.any():
            found.append((low, high, int(np.count_nonzero(here & named)), int(here.sum())))
    return tuple(found)
