"""Pairs that are read again from their source wherever they are wanted, and not kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from taxcheck.model.arrays import BoolArray
from taxcheck.run.executors.threads import Here
from taxcheck.sources.contract import apply_pairs
from taxcheck.sources.tables.batches import RawBatch
from taxcheck.statistics.pairs import Nodes
from taxcheck.statistics.passes import Executor, Hear, Partition, Shared
from taxcheck.statistics.spool import MEMORY_LIMIT, KeptPairs, PairSpool, SpooledBatch

_BYTES = 20  # of a pair in a spool, at most: those that fit into memory are kept after all


@dataclass(frozen=True, slots=True)
class SoundPairs:
    """The sound pairs of a partition, by the contract that it was folded by."""

    part: Partition[RawBatch]
    nodes: Shared[Nodes]

    @property
    def rows(self) -> int:
        """About how many rows are read."""
        return self.part.rows

    def batches(self, tell: Hear) -> Iterator[SpooledBatch]:
        """The pairs in the order of the source; InputError where the file has changed."""
        for raw in self.part.batches(tell):
            found = self.nodes.value.sort_out(apply_pairs(raw))
            pairs = found.sound
            if len(pairs.rows):
                diff = pairs.depth_diff
                yield SpooledBatch(  # of 64 bits, as a spool gives them: keys of two idx need these
                    pairs.rows,
                    pairs.ancestor.astype(np.int64),
                    pairs.descendant.astype(np.int64),
                    None if diff is None else diff.astype(np.int64),
                    found.marks,
                    found.weights,
                )


@dataclass(frozen=True, slots=True)
class Below:
    """Of a partition the pairs of some descendants, marked (n,)."""

    descendants: Shared[BoolArray]

    def __call__(self, part: SoundPairs) -> list[SpooledBatch]:
        """They, in the order of the source."""
        marked = self.descendants.value
        return [one for batch in part.batches(_ignore) for one in batch.below(marked)]


class PairsAgain(KeptPairs):
    """The sound pairs of a source that others have read; here it is read when this process asks.

    What causes may ask for many times is read once, where it fits into memory.
    """

    def __init__(
        self,
        parts: Sequence[Partition[RawBatch]],
        nodes: Nodes,
        shared: Shared[Nodes],
        pairs: int,
        columns: tuple[bool, bool],
        runner: Executor,
        resources: ExitStack,
    ) -> None:
        """``nodes`` for this process, ``shared`` for others; ``columns``: depth_diff, weight."""
        super().__init__(*columns)
        self._pairs, self._runner, self._resources = pairs, runner, resources
        self._fits = pairs * _BYTES <= MEMORY_LIMIT
        self._mine = [SoundPairs(part, Here(nodes)) for part in parts]
        self._theirs = [SoundPairs(part, shared) for part in parts]
        self._spool: PairSpool | None = None

    def __len__(self) -> int:
        return self._pairs

    def partitions(self) -> list[SoundPairs]:
        """The parts of the source."""
        return self._theirs

    def batches(self) -> Iterator[SpooledBatch]:
        """All pairs, by ascending rows; InputError where the source has changed."""
        if self._spool is not None:
            yield from self._spool.batches()
            return
        spool = PairSpool(self.has_depth, self.has_weights)
        for part in self._mine:
            for batch in part.batches(_ignore):
                if self._fits:
                    spool.append(
                        batch.rows,
                        batch.ancestor,
                        batch.descendant,
                        batch.depth_diff,
                        batch.marks,
                        batch.weight,
                    )
                yield batch
        if self._fits and self._spool is None:
            self._resources.callback(spool.close)
            self._spool = spool

    def below(self, descendants: BoolArray) -> Iterator[SpooledBatch]:
        """The pairs of some descendants, marked (n,), by ascending rows; others look for many."""
        if self._fits:
            yield from super().below(descendants)
            return
        with self._runner.publish(descendants) as marked:
            for found in self._runner.map(Below(marked), self._theirs):
                yield from found


def _ignore(told: object) -> None:
    """What is known of a partition was told when it was folded."""
    del told
