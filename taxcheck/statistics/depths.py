"""Depths over the pairs: the histogram of depth_diff, and the depth columns against it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from taxcheck.model.arrays import IntArray, within
from taxcheck.model.finding import Defect
from taxcheck.sources.tables.batches import PairBatch
from taxcheck.statistics.offenders import (
    DefectState,
    Offenders,
    Sink,
    defect_of,
    of_nodes,
    of_pairs,
)
from taxcheck.statistics.spool import Marks, SpooledBatch
from taxcheck.statistics.state import refuse_unless
from taxcheck.statistics.values import DepthStatistics, Kind

# Marks of a pair, kept in the spool, so that a duplicate can be taken out of the counts again:
# depth_diff < 1; it is not the difference of the depth columns; it is less, wrong in a DAG too.
BELOW_ONE, DIFFERS, SHORTER = 1, 2, 4
_REASONS = {
    BELOW_ONE: "below_one",
    DIFFERS: "differs_from_columns",
    SHORTER: "differs_from_columns",
}

_DENSE = 1 << 16


@dataclass(slots=True)
class Histogram:
    """Exact counts of integers: dense where they are small, sparse where a wrong one is huge."""

    dense: IntArray
    sparse: dict[int, int]

    @classmethod
    def empty(cls) -> Histogram:
        """Nothing counted yet."""
        return cls(np.zeros(_DENSE, dtype=np.int64), {})

    def update(self, values: IntArray) -> None:
        """Count values, (k,)."""
        unsigned = values.view(np.uint64)
        small = unsigned < _DENSE
        if not small.all():
            for value, count in zip(*np.unique(values[~small], return_counts=True), strict=True):
                key = int(value)
                self.sparse[key] = self.sparse.get(key, 0) + int(count)
            values = values[small]
        counts = np.bincount(values)
        self.dense[: len(counts)] += counts

    def merge(self, other: Histogram) -> Histogram:
        """Give the counts of both."""
        sparse = {
            key: self.sparse.get(key, 0) + other.sparse.get(key, 0)
            for key in self.sparse.keys() | other.sparse.keys()
        }
        return Histogram(self.dense + other.dense, sparse)

    def negated(self) -> Histogram:
        """The same counts below zero, to be merged away."""
        return Histogram(-self.dense, {key: -count for key, count in self.sparse.items()})

    def freeze(self) -> tuple[IntArray, IntArray]:
        """Distinct values, ascending, and how often each occurs."""
        small = np.flatnonzero(self.dense)
        rest = sorted((key, count) for key, count in self.sparse.items() if count)
        values = np.r_[small, np.array([key for key, _ in rest], dtype=np.int64)]
        counts = np.r_[self.dense[small], np.array([c for _, c in rest], dtype=np.int64)]
        order = np.argsort(values)
        return values[order], counts[order]


@dataclass(slots=True)
class Repeats:
    """What the rows beyond the first of their pair added to the statistics, to be taken out."""

    as_ancestor: IntArray
    as_descendant: IntArray
    depths: Histogram = field(default_factory=Histogram.empty)
    marked: dict[int, int] = field(default_factory=lambda: {BELOW_ONE: 0, DIFFERS: 0, SHORTER: 0})
    marked_rows: IntArray = field(default_factory=lambda: np.empty(0, np.int64))  # ascending

    def take(self, batch: SpooledBatch) -> None:
        """Add a batch of repeated rows."""
        n = len(self.as_ancestor)
        self.as_ancestor += np.bincount(batch.ancestor, minlength=n)
        self.as_descendant += np.bincount(batch.descendant, minlength=n)
        if batch.depth_diff is not None:
            self.depths.update(batch.depth_diff)
        if batch.marks is not None:
            for mark in self.marked:
                self.marked[mark] += int(np.count_nonzero(batch.marks & mark))
            self.marked_rows = np.r_[self.marked_rows, batch.rows[batch.marks > 0]]


@dataclass(frozen=True, slots=True)
class NodeDepths:
    """The smallest and the largest depth that the file states of every node, (n,) each."""

    lowest: IntArray
    highest: IntArray

    @classmethod
    def empty(cls, n: int) -> NodeDepths:
        """No depth stated of any node."""
        limits = np.iinfo(np.int64)
        return cls(np.full(n, limits.max), np.full(n, limits.min))

    def update(self, idx: IntArray, depth: IntArray) -> None:
        """Fold the stated depths of idx in; both (k,)."""
        news = (depth < self.lowest[idx]) | (depth > self.highest[idx])
        if news.any():
            np.minimum.at(self.lowest, idx[news], depth[news])
            np.maximum.at(self.highest, idx[news], depth[news])

    def merge(self, other: NodeDepths) -> NodeDepths:
        """Give the depths of both parts."""
        n, others = len(self.lowest), len(other.lowest)
        refuse_unless(n == others, f"one is of {n:,} idx, the other of {others:,}")
        return NodeDepths(
            np.minimum(self.lowest, other.lowest), np.maximum(self.highest, other.highest)
        )

    def freeze(self, sink: Sink | None) -> Defect:
        """The nodes with two depths, of those with any."""
        stated = int(np.count_nonzero(self.lowest <= self.highest))
        nodes = np.flatnonzero(self.lowest < self.highest)
        lowest, highest = self.lowest[nodes], self.highest[nodes]
        two = of_nodes("inconsistent_depth", nodes, lowest=lowest, highest=highest)
        return defect_of(two, stated, sink)


def marks_of(batch: PairBatch) -> Marks | None:
    """What is wrong with the depths of each row, (k,); None where nothing is."""
    if batch.depth_diff is None:
        return None
    below = batch.depth_diff < 1
    marks = below * np.uint8(BELOW_ONE)
    if batch.ancestor_depth is not None and batch.descendant_depth is not None:
        stated = batch.descendant_depth - batch.ancestor_depth
        differs = ~below & (batch.depth_diff != stated)
        if differs.any():
            marks[differs] |= DIFFERS
            marks[differs & (batch.depth_diff < stated)] |= SHORTER
    return marks if marks.any() else None


@dataclass(slots=True)
class DepthState:
    """A state: everything that the depth columns tell; n is the number of idx."""

    n: int
    histogram: Histogram
    marked: dict[int, DefectState]  # by mark
    backwards: int = 0
    judged: set[str] = field(default_factory=set)
    node_depths: NodeDepths | None = None  # None: the file has no depth column

    @classmethod
    def empty(cls, n: int) -> DepthState:
        """No pair with a depth yet."""
        marked = {mark: DefectState.empty("depth_mismatch", "descendant_idx") for mark in _REASONS}
        return cls(n, Histogram.empty(), marked)

    def update(self, batch: PairBatch, marks: Marks | None) -> None:
        """Fold a batch with a depth_diff, and its marks."""
        assert batch.depth_diff is not None
        self.histogram.update(batch.depth_diff)
        if marks is not None:
            for mark, state in self.marked.items():
                state.update(_marked(batch, marks, mark))
        for idx, depth, name in (
            (batch.ancestor, batch.ancestor_depth, "ancestor_depth"),
            (batch.descendant, batch.descendant_depth, "descendant_depth"),
        ):
            if depth is not None:
                self.judged.add(name)
                if self.node_depths is None:
                    self.node_depths = NodeDepths.empty(self.n)
                self.node_depths.update(idx, depth)
        if batch.ancestor_depth is not None and batch.descendant_depth is not None:
            backwards = batch.descendant_depth < batch.ancestor_depth
            self.backwards += int(np.count_nonzero(backwards))

    def merge(self, other: DepthState) -> DepthState:
        """Give the state of both parts."""
        refuse_unless(self.n == other.n, f"one is of {self.n:,} idx, the other of {other.n:,}")
        if self.node_depths is not None and other.node_depths is not None:
            node_depths: NodeDepths | None = self.node_depths.merge(other.node_depths)
        else:
            node_depths = self.node_depths or other.node_depths
        return DepthState(
            self.n,
            self.histogram.merge(other.histogram),
            {mark: state.merge(other.marked[mark]) for mark, state in self.marked.items()},
            self.backwards + other.backwards,
            self.judged | other.judged,
            node_depths,
        )

    def freeze(
        self,
        kind: Kind | None,
        repeats: Repeats | None,
        pairs: Iterable[SpooledBatch],
        sink: Sink | None,
    ) -> DepthStatistics:
        """Close the state without what repeated rows added; ``pairs`` are told to the sink."""
        histogram, taken = self.histogram, dict.fromkeys(_REASONS, 0)
        if repeats is not None:
            histogram, taken = histogram.merge(repeats.depths.negated()), repeats.marked
        depths, counts = histogram.freeze()
        total = int(counts.sum())
        # In a DAG depths by shortest path may differ by less than a pair's own shortest distance.
        shown = BELOW_ONE, SHORTER if kind is Kind.DAG else DIFFERS
        detail = {_REASONS[mark]: self.marked[mark].count - taken[mark] for mark in shown}
        below, differs = (self.marked[mark] for mark in shown)
        if sink and any(detail.values()):
            for batch in pairs:
                if batch.marks is not None:
                    for mark in shown:
                        sink(_marked(batch, batch.marks, mark, repeats))
        return DepthStatistics(
            depths=depths,
            counts=counts,
            mean=float((depths * counts).sum() / total) if total else 0.0,
            median=_median(depths, counts),
            maximum=int(depths[-1]) if len(depths) else 0,
            mismatch=Defect(
                sum(detail.values()), total, below.merge(differs).freeze(total).samples, detail
            ),
            judged_columns=tuple(sorted(self.judged)),
            inconsistent=None if self.node_depths is None else self.node_depths.freeze(sink),
            backwards=self.backwards,
        )


def _marked(
    batch: PairBatch | SpooledBatch, marks: Marks, mark: int, but: Repeats | None = None
) -> Offenders:
    """The rows with a mark, but those that repeat another."""
    chosen = (marks & mark) > 0
    if but is not None:
        chosen &= ~within(but.marked_rows, batch.rows)
    return of_pairs("depth_mismatch", batch, chosen, _REASONS[mark])


def _median(values: IntArray, counts: IntArray) -> float:
    """The median of a histogram: the mean of the two middle values."""
    total = int(counts.sum())
    if not total:
        return 0.0
    upto = np.cumsum(counts)
    low, high = np.searchsorted(upto, [(total - 1) // 2, total // 2], side="right")
    return float(values[low] + values[high]) / 2
