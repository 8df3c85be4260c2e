"""Depths over the pairs: the histogram of depth_diff, and the depth columns against it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from taxcheck.sources.batches import PairBatch
from taxcheck.statistics.rows import cells
from taxcheck.statistics.samples import Offenders, Sink
from taxcheck.statistics.values import IntArray

# Marks of a spooled pair, so that a duplicate can be taken out of the counts again.
BELOW_ONE, DIFFERS, SHORTER = 1, 2, 4

_DENSE = 1 << 16


@dataclass(slots=True)
class Histogram:
    """Exact counts of integers: dense where they are small, sparse where a wrong one is huge."""

    dense: IntArray = field(default_factory=lambda: np.zeros(_DENSE, dtype=np.int64))
    sparse: dict[int, int] = field(default_factory=dict)

    def add(self, values: IntArray) -> None:
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
        return NodeDepths(
            np.minimum(self.lowest, other.lowest), np.maximum(self.highest, other.highest)
        )

    @property
    def stated(self) -> int:
        """Number of nodes of which a depth is stated."""
        return int(np.count_nonzero(self.lowest <= self.highest))

    @property
    def inconsistent(self) -> IntArray:
        """Nodes with two depths, ascending."""
        return np.flatnonzero(self.lowest < self.highest)


@dataclass(slots=True)
class DepthState:
    """The state of everything that the depth columns tell; n is the number of idx."""

    n: int
    sink: Sink | None = None
    histogram: Histogram = field(default_factory=Histogram)
    below_one: Offenders = field(init=False)
    differs: Offenders = field(init=False)  # depth_diff != the difference of the columns
    shorter: Offenders = field(init=False)  # depth_diff < that difference: wrong in a DAG too
    backwards: int = 0
    judged: set[str] = field(default_factory=set)
    node_depths: NodeDepths | None = None  # None: the file has no depth column

    def __post_init__(self) -> None:
        # Only one of differs and shorter is shown, when the kind of the graph is known;
        # the sink hears of it then.
        self.below_one = Offenders("depth_mismatch", "descendant_idx")
        self.differs = Offenders("depth_mismatch", "descendant_idx")
        self.shorter = Offenders("depth_mismatch", "descendant_idx")

    def update(self, batch: PairBatch) -> npt.NDArray[np.uint8] | None:
        """Fold one batch; gives the marks of its rows, None where none is marked."""
        diff = batch.depth_diff
        assert diff is not None
        self.histogram.add(diff)
        flags = np.zeros(len(diff), dtype=np.uint8)
        below = diff < 1
        if below.any():
            flags[below] |= BELOW_ONE
            self.below_one.add(batch.rows[below], cells(batch, below), "below_one")
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
            stated = batch.descendant_depth - batch.ancestor_depth
            self.backwards += int(np.count_nonzero(stated < 0))
            differs = ~below & (diff != stated)
            if differs.any():
                flags[differs] |= DIFFERS
                self.differs.add(batch.rows[differs], cells(batch, differs), "differs_from_columns")
                shorter = differs & (diff < stated)
                flags[shorter] |= SHORTER
                self.shorter.add(batch.rows[shorter], cells(batch, shorter), "differs_from_columns")
        return flags if flags.any() else None

    def merge(self, other: DepthState) -> DepthState:
        """Give the state of both parts."""
        merged = DepthState(self.n, self.sink, self.histogram.merge(other.histogram))
        merged.below_one = self.below_one.merge(other.below_one)
        merged.differs = self.differs.merge(other.differs)
        merged.shorter = self.shorter.merge(other.shorter)
        merged.backwards = self.backwards + other.backwards
        merged.judged = self.judged | other.judged
        if self.node_depths is not None and other.node_depths is not None:
            merged.node_depths = self.node_depths.merge(other.node_depths)
        else:
            merged.node_depths = self.node_depths or other.node_depths
        return merged
