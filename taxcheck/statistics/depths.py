"""Depths over the pairs: the histogram of depth_diff, and the depth columns against it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from taxcheck.model.arrays import IntArray, Whole, changes, within
from taxcheck.model.finding import Defect
from taxcheck.sources.tables.batches import PairBatch
from taxcheck.statistics.counts import Packed, packed, unpacked
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
UNSTATED = -(1 << 15)  # in place of a depth


@dataclass(slots=True)
class Histogram:
    """Exact counts of integers: dense where they are small, sparse where a wrong one is huge."""

    dense: IntArray
    sparse: dict[int, int]

    @classmethod
    def empty(cls) -> Histogram:
        """Nothing counted yet."""
        return cls(np.zeros(_DENSE, dtype=np.int64), {})

    def update(self, values: Whole) -> None:
        """Count values, (k,), of any width."""
        if len(values) and (values.min() < 0 or values.max() >= _DENSE):
            small = (values >= 0) & (values < _DENSE)
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

    def __getstate__(self) -> tuple[Packed, dict[int, int]]:
        """What is shipped: the counts of what occurs."""
        return packed(self.dense, 0), self.sparse

    def __setstate__(self, shipped: tuple[Packed, dict[int, int]]) -> None:
        self.dense, self.sparse = unpacked(shipped[0], 0), shipped[1]

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


@dataclass(slots=True)
class NodeDepths:
    """A state: the smallest and the largest depth that the file states of every node.

    As a rule all rows state the same small one: then it alone is kept, in 16 bits, and what a batch
    states is compared with it before anything is written.
    """

    one: npt.NDArray[np.int16]  # (n,) the depth of every node, or UNSTATED
    extremes: tuple[IntArray, IntArray] | None = None  # in its place: (lowest, highest), (n,) each

    @classmethod
    def empty(cls, n: int) -> NodeDepths:
        """No depth stated of any node."""
        return cls(np.full(n, UNSTATED, dtype=np.int16))

    @property
    def lowest(self) -> IntArray:
        """The smallest depth of every node, (n,); the largest of all numbers where none is."""
        return self._both()[0]

    @property
    def highest(self) -> IntArray:
        """The largest depth of every node, (n,); the smallest of all numbers where none is."""
        return self._both()[1]

    def update(self, idx: Whole, depth: Whole) -> None:
        """Fold the stated depths of idx in; both (k,)."""
        if not len(idx):
            return
        runs = changes(idx, depth)
        if runs is not None:  # what the row before has said
            idx, depth = idx[runs], depth[runs]
        if self.extremes is None and depth.min() > UNSTATED:
            known = self.one.take(idx)
            news = known != depth
            if not news.any():
                return
            idx, depth, known = idx[news], depth[news], known[news]
            if self._first(idx, depth, known):
                return
        self.extremes = self._both()
        lowest, highest = self.extremes
        news = (depth < lowest[idx]) | (depth > highest[idx])
        if news.any():
            idx, depth = idx[news], depth[news].astype(np.int64)
            np.minimum.at(lowest, idx, depth)
            np.maximum.at(highest, idx, depth)

    def _first(self, idx: Whole, depth: Whole, known: npt.NDArray[np.int16]) -> bool:
        """Take depths in, if they are small and the first of their nodes; else change nothing."""
        if (known != UNSTATED).any() or depth.max() > -(UNSTATED + 1):
            return False
        self.one[idx] = depth
        if (self.one[idx] == depth).all():
            return True
        self.one[idx] = UNSTATED  # the batch itself states two
        return False

    def _both(self) -> tuple[IntArray, IntArray]:
        if self.extremes is not None:
            return self.extremes
        limits, stated = np.iinfo(np.int64), self.one != UNSTATED
        one = self.one.astype(np.int64)
        return np.where(stated, one, limits.max), np.where(stated, one, limits.min)

    def merge(self, other: NodeDepths) -> NodeDepths:
        """Give the depths of both parts."""
        n, others = len(self), len(other)
        refuse_unless(n == others, f"one is of {n:,} idx, the other of {others:,}")
        if self.extremes is None and other.extremes is None:
            one = np.where(self.one == UNSTATED, other.one, self.one)
            if ((other.one == UNSTATED) | (other.one == one)).all():
                return NodeDepths(one)
        (low, high), (lower, higher) = self._both(), other._both()
        none = np.empty(0, dtype=np.int16)
        return NodeDepths(none, (np.minimum(low, lower), np.maximum(high, higher)))

    def freeze(self, sink: Sink | None) -> Defect:
        """The nodes with two depths, of those with any."""
        if self.extremes is None:
            stated, nodes = int(np.count_nonzero(self.one != UNSTATED)), np.empty(0, np.int64)
            lowest = highest = nodes
        else:
            low, high = self.extremes
            stated, nodes = int(np.count_nonzero(low <= high)), np.flatnonzero(low < high)
            lowest, highest = low[nodes], high[nodes]
        two = of_nodes("inconsistent_depth", nodes, lowest=lowest, highest=highest)
        return defect_of(two, stated, sink)

    def __len__(self) -> int:
        return len(self.one if self.extremes is None else self.extremes[0])

    def __getstate__(self) -> tuple[Packed, tuple[Packed, Packed] | None]:
        """What is shipped: the depths of the nodes that have one."""
        if self.extremes is None:
            return packed(self.one, UNSTATED), None
        limits = np.iinfo(np.int64)
        low, high = self.extremes
        return packed(self.one, UNSTATED), (packed(low, limits.max), packed(high, limits.min))

    def __setstate__(self, shipped: tuple[Packed, tuple[Packed, Packed] | None]) -> None:
        limits = np.iinfo(np.int64)
        self.one, self.extremes = unpacked(shipped[0], UNSTATED), None
        if shipped[1] is not None:
            low, high = shipped[1]
            self.extremes = unpacked(low, limits.max), unpacked(high, limits.min)


def marks_of(batch: PairBatch) -> Marks | None:
    """What is wrong with the depths of each row, (k,); None where nothing is."""
    if batch.depth_diff is None or not len(batch.depth_diff):
        return None
    stated: Whole | None = None
    sound = bool(batch.depth_diff.min() >= 1)
    if batch.ancestor_depth is not None and batch.descendant_depth is not None:
        stated = difference(batch.descendant_depth, batch.ancestor_depth)
        sound = sound and bool((batch.depth_diff == stated).all())
    if sound:
        return None
    below = batch.depth_diff < 1
    marks = below * np.uint8(BELOW_ONE)
    if stated is not None:
        differs = ~below & (batch.depth_diff != stated)
        marks[differs] |= DIFFERS
        marks[differs & (batch.depth_diff < stated)] |= SHORTER
    return marks if marks.any() else None


def difference(one: Whole, other: Whole) -> Whole:
    """``one - other``, exactly, (k,): in their own width where no difference can leave it."""
    limits = np.iinfo(one.dtype)
    low, high = int(one.min()) - int(other.max()), int(one.max()) - int(other.min())
    if one.dtype == other.dtype and limits.min <= low and high <= limits.max:
        return one - other
    return one.astype(np.int64) - other


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
