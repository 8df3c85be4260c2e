"""The first pass over the pairs: every row is held to the contract, sorted out and counted."""

from __future__ import annotations

from dataclasses import dataclass

from taxcheck.sources.contract import apply_pairs
from taxcheck.sources.tables.batches import RawBatch
from taxcheck.statistics.offenders import Offenders
from taxcheck.statistics.pairs import Nodes, Origin, PairState, SortedPairs
from taxcheck.statistics.passes import Shared
from taxcheck.statistics.spool import PairSpool


@dataclass(frozen=True, slots=True)
class FoldPairs:
    """A job, see ``statistics.passes``; it tells the offenders.

    With a spool, which no other process has, it keeps the sound pairs.
    """

    origin: Origin
    nodes: Shared[Nodes]
    spool: PairSpool | None = None

    def empty(self) -> PairState:
        """No row yet."""
        return PairState.empty(self.origin)

    def read(self, raw: RawBatch) -> SortedPairs:
        """Tell sound rows from the others."""
        found = self.nodes.value.sort_out(apply_pairs(raw))
        if self.spool is not None:
            pairs = found.sound
            self.spool.append(
                pairs.rows,
                pairs.ancestor,
                pairs.descendant,
                pairs.depth_diff,
                found.marks,
                found.weights,
            )
        return found

    def told(self, found: SortedPairs) -> tuple[Offenders, ...]:
        """The offenders of a batch."""
        return found.offenders
