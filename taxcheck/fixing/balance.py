"""How much each pair weighs, and rows that are repeated for engines that know no weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from taxcheck.build.pairs import PAIR_SCHEMA, closure_batches
from taxcheck.errors import UsageError
from taxcheck.fixing.account import Floats
from taxcheck.fixing.plan import Wishes
from taxcheck.statistics.hierarchy.closure import Closure
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.hierarchy.pairset import SlotSet
from taxcheck.statistics.values import BoolArray, IntArray

WEIGHTED_SCHEMA = PAIR_SCHEMA.append(pa.field("weight", pa.float32()))
_WINDOW = 1 << 22
_BATCH = 1 << 20


@dataclass(frozen=True, slots=True)
class Target:
    """The pairs as they will be written."""

    graph: Graph
    closure: Closure
    cap: int | None = None
    only: SlotSet | None = None  # of a sampled or a held-out set, the pairs that it has
    without: SlotSet | None = None  # what is held out
    weights: Floats | None = None  # by slot
    factor: float = 1.0  # by which a parent-child pair weighs more
    materialize: bool = False

    @property
    def weighted(self) -> bool:
        """Whether a column of weights is written."""
        return (self.weights is not None or self.factor != 1) and not self.materialize

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return WEIGHTED_SCHEMA if self.weighted else PAIR_SCHEMA

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The pairs in bounded batches, ordered by descendant, then distance."""
        plain = self.weights is None and self.factor == 1
        for batch in closure_batches(self.graph, self.cap):
            if self.only is None and self.without is None and plain:
                yield batch
                continue
            a, d = (column.to_numpy().astype(np.int64) for column in batch.columns[:2])
            slot, _ = self.closure.find(a, d)
            if not (kept := self._has(slot)).all():
                batch, slot = batch.filter(pa.array(kept)), slot[kept]
            weight = np.ones(len(slot), np.float32) if self.weights is None else self.weights[slot]
            direct = batch.column("depth_diff").to_numpy() == 1
            weight = np.where(direct, np.float32(self.factor) * weight, weight)
            if self.materialize:
                yield from _repeated(batch, times(weight))
            elif self.weighted:
                yield pa.record_batch(
                    [*batch.columns, pa.array(weight, pa.float32())], schema=self.schema
                )
            else:
                yield batch

    def _has(self, slots: IntArray) -> BoolArray:
        kept = np.ones(len(slots), dtype=bool)
        if self.only is not None:
            kept &= self.only.contains(slots)
        if self.without is not None:
            kept &= ~self.without.contains(slots)
        return kept

    def masses(self) -> tuple[float, float]:
        """The summed weights of the parent-child pairs and of all others, factor left out."""
        limit = None if self.cap is None else self.cap + 1
        if self.weights is None and self.only is None and self.without is None:
            depths = self.closure.depths[:limit]
            return float(depths[1:2].sum()), float(depths[2:].sum())
        near = far = 0.0
        for first in range(0, self.closure.expected, _WINDOW):
            slots = np.arange(first, min(first + _WINDOW, self.closure.expected))
            slots = slots[self._has(slots)]
            distance = self.closure.distances(slots)
            mass = np.ones(len(slots)) if self.weights is None else self.weights[slots]
            near += float(mass[distance == 1].sum(dtype=np.float64))
            deeper = distance > 1 if self.cap is None else (distance > 1) & (distance <= self.cap)
            far += float(mass[deeper].sum(dtype=np.float64))
        return near, far


def times(weight: Floats) -> np.ndarray:
    """How often a row stands: its weight as a whole number, and at least once."""
    return np.maximum(np.rint(weight), 1).astype(np.int64)


def _repeated(batch: pa.RecordBatch, often: np.ndarray) -> Iterator[pa.RecordBatch]:
    rows = np.repeat(np.arange(batch.num_rows), often)
    for first in range(0, len(rows), _BATCH):
        yield batch.take(pa.array(rows[first : first + _BATCH]))


def factor_of(wishes: Wishes, near: float, far: float) -> float:
    """What a parent-child pair weighs more; ``near`` and ``far`` are the summed weights.

    UsageError where no factor gives the share that is asked for.
    """
    if wishes.oversample is not None:
        return wishes.oversample
    if wishes.target_share is None:
        return 1.0
    if not near or not far:
        raise UsageError("--target-share: the pairs are all at one depth, so no share can be set")
    return wishes.target_share * far / ((1 - wishes.target_share) * near)
