"""The pairs as they will be: which rows are kept, which are held out, how much each weighs.

What is held out stays so, for scores are compared with earlier ones on it: a pair that stands in
both is taken from training. But a node that training would then never name goes untrained, and
what is asked of it measures its first draw; its held-out pairs become training pairs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from taxcheck.commands.build.pairs import PAIR_SCHEMA, closure_batches, closure_blocks
from taxcheck.commands.fix.numbering import Numbering
from taxcheck.commands.fix.plan import Findings, Lacking, Step, Wishes
from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.errors import UsageError
from taxcheck.model.rule import Repair
from taxcheck.run.gather import Gathered
from taxcheck.statistics.hierarchy.closure import Closure
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.hierarchy.slots import SlotSet
from taxcheck.statistics.spool import KeptPairs

Floats = npt.NDArray[np.float32]
WEIGHTED_SCHEMA = PAIR_SCHEMA.append(pa.field("weight", pa.float32()))
_WINDOW = 1 << 22
_BATCH = 1 << 20


@dataclass(slots=True)
class KeptRows:
    """Counts of rows, and which pairs of the closure some row holds."""

    marks: SlotSet
    weights: Floats | None  # by slot; None: the pairs have none
    kept: int = 0  # rows that are the first of their pair
    repeated: int = 0
    reversed: int = 0  # the hierarchy holds the pair the other way round
    unheld: int = 0  # the hierarchy does not hold the pair
    homeless: int = 0  # rows on an idx that nobody owns any more
    deeper: int = 0  # farther apart than is meant
    moved: int = 0  # kept rows that state another distance


def keep_rows(
    spool: KeptPairs,
    closure: Closure,
    old_to_new: IntArray,
    cap: int | None,
    own: Floats | None,
    *,
    counted: bool = False,
) -> KeptRows:
    """Hold every row to the closure, by the new idx.

    ``own`` are the weights of the spooled rows; the first row of a pair gives its weight. Where
    they are ``counted``, the weight of a pair is the number of its rows.
    """
    weighted = counted or own is not None
    weights = np.ones(closure.expected, dtype=np.float32) if weighted else None
    book = KeptRows(SlotSet(closure.expected), weights)
    if counted and weights is not None:
        weights[:] = 0
    for part, (ancestor, descendant, stated) in _batches(spool, old_to_new):
        gone = (ancestor < 0) | (descendant < 0)
        slot, distance = closure.find(np.maximum(ancestor, 0), np.maximum(descendant, 0))
        slot = np.where(gone, -1, slot)
        held = slot >= 0
        book.homeless += int(np.count_nonzero(gone))
        if not held.all():
            out = ~held & ~gone
            turned, _ = closure.find(descendant[out], ancestor[out])
            book.reversed += int(np.count_nonzero(turned >= 0))
            book.unheld += int(np.count_nonzero(turned < 0))
        if cap is not None:
            far = held & (distance > cap)
            book.deeper += int(np.count_nonzero(far))
            held &= ~far
        slot = slot[held]
        fresh = ~book.marks.contains(slot)
        if not (np.diff(slot) > 0).all():  # as taxcheck orders them, no batch repeats a pair
            once = np.zeros(len(slot), dtype=bool)
            once[np.unique(slot, return_index=True)[1]] = True
            fresh &= once
        if stated is not None:
            book.moved += int(np.count_nonzero(stated[held][fresh] != distance[held][fresh]))
        book.kept += int(np.count_nonzero(fresh))
        book.repeated += len(slot) - int(np.count_nonzero(fresh))
        book.marks.add(slot[fresh])
        if counted and weights is not None:
            np.add.at(weights, slot, 1)
        elif own is not None and weights is not None:
            weights[slot[fresh]] = own[part][held][fresh]
    if counted and weights is not None:
        weights[weights == 0] = 1
    return book


def _batches(
    spool: KeptPairs, old_to_new: IntArray
) -> Iterator[tuple[slice, tuple[IntArray, IntArray, IntArray | None]]]:
    at = 0
    for batch in spool.batches():
        part = slice(at, at + len(batch.ancestor))
        yield part, (old_to_new[batch.ancestor], old_to_new[batch.descendant], batch.depth_diff)
        at = part.stop


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The held-out pairs as they will be, and what became of the rows that there were."""

    pairs: SlotSet
    rows: int  # before
    leaked: int  # of the pairs, those that training has as well
    returned: int  # pairs that become training's
    left: int  # rows that are no pair of the repaired hierarchy, or repeat one
    moved: int  # pairs that stated another distance than it gives

    def steps(self, findings: Findings) -> list[Step]:
        """What is done for the split."""
        rules = findings.among(Repair.HELD_OUT)
        return [
            Step(
                rules,
                "take held-out pairs out of training",
                self.leaked,
                "they stay held out, so that scores are of pairs that training never saw",
            ),
            Step(
                (),
                "move held-out pairs to training whose node training would not name",
                self.returned,
                "a node that is only held out is never trained",
            ),
            Step(
                (),
                "leave out held-out rows that repeat a pair, or are none of the hierarchy",
                self.left,
                "no other held-out pair changes for it",
            ),
            Step(
                rules,
                "correct the distance of held-out pairs",
                self.moved,
                "it is counted along the hierarchy of the training pairs",
            ),
        ]

    def lacking(self, findings: Findings) -> list[Lacking]:
        """Where nothing is left to ask."""
        if len(self.pairs):
            return []
        why = f"none of the {self.rows:,} held-out rows can stay a held-out pair"
        return [
            findings.lacking(
                Repair.HELD_OUT, why, "the held-out pairs of this data, or no `held_out`", True
            )
        ]


def hold_out(
    data: Gathered,
    graph: Graph,
    closure: Closure,
    numbering: Numbering,
    cap: int | None,
    book: KeptRows,
    *,
    sampled: bool,
) -> HeldOut | None:
    """Which pairs of the closure stay held out; None where no held-out pairs were given.

    Training will be all other pairs, or of a ``sampled`` set those that the ``book`` has.
    """
    assert data.intake is not None
    held_out = data.intake.held_out
    if held_out is None:
        return None
    own = keep_rows(held_out.spool, closure, numbering.old_to_new, cap, None)
    asked = own.marks.present()
    ends = closure.pairs(asked)[:2]
    if sampled:
        trained = book.marks.present()
        trained = trained[~own.marks.contains(trained)]
        named = _counts(closure.pairs(trained)[:2], graph.n)
    else:
        named = -_counts(ends, graph.n)
        for ancestor, descendant, _ in closure_blocks(graph, cap):
            named += _counts((ancestor, descendant), graph.n)
    lost = named == 0
    returned = lost[ends[0]] | lost[ends[1]]
    pairs = SlotSet(closure.expected)
    pairs.add(asked[~returned])
    return HeldOut(
        pairs,
        held_out.state.rows,
        int(np.count_nonzero(book.marks.contains(asked[~returned]))),
        int(np.count_nonzero(returned)),
        held_out.state.rows - own.kept,
        own.moved,
    )


def _counts(ends: tuple[np.ndarray, np.ndarray], n: int) -> IntArray:
    """(n,) in how many pairs each node is."""
    counts: IntArray = np.bincount(ends[0], minlength=n) + np.bincount(ends[1], minlength=n)
    return counts


@dataclass(frozen=True, slots=True)
class RepairedPairs:
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
    def size(self) -> int:
        """How many pairs there are; repeated rows count once."""
        if self.only is not None:
            return len(self.only)
        whole = int(self.closure.depths[: None if self.cap is None else self.cap + 1].sum())
        return whole - (0 if self.without is None else len(self.without))

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
        raise UsageError("`target_share`: the pairs are all at one depth, so no share can be set")
    return wishes.target_share * far / ((1 - wishes.target_share) * near)
