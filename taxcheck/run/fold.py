"""The first pass over the pairs: every row is held to the contract, sorted out and counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from taxcheck.model.errors import InputError
from taxcheck.model.vocabulary import plural
from taxcheck.run.again import PairsAgain
from taxcheck.sources.contract import apply_pairs
from taxcheck.sources.tables.batches import RawBatch
from taxcheck.sources.tables.labels import LabelledPairs
from taxcheck.sources.tables.separators import MixedError
from taxcheck.sources.tables.source import Partition, PartitionRead, TableSource
from taxcheck.statistics.offenders import Offenders, Sink
from taxcheck.statistics.pairs import Nodes, Origin, PairState, SortedPairs
from taxcheck.statistics.passes import Executor, Shared
from taxcheck.statistics.spool import KeptPairs, PairSpool

_PART_ROWS = 1 << 20  # of a partition, about; executors put several into one task
_HELD_BACK = 20_000_000  # offenders, while the meaning of separators may still prove another one


class PairData:
    """A source of pairs, for a pass to go over; ``labelled``: as idx of their labels."""

    def __init__(self, source: TableSource, labelled: LabelledPairs | None) -> None:
        self.source, self._labelled = source, labelled
        self._parts: list[Partition] | None = None

    @property
    def here_only(self) -> str | None:
        """Why this process alone can read it, in words."""
        if self._labelled is not None:
            return "labels are numbered in the order in which they appear"
        return self.source.table.here_only

    def batches(self) -> Iterator[RawBatch]:
        """All of it."""
        return (self._labelled or self.source).batches()

    def partitions(self) -> list[Partition] | None:
        """It in parts; None where this process alone can read it."""
        if self.here_only is not None:
            return None
        if self._parts is None:
            self._parts = self.source.partitions(_PART_ROWS)
        return self._parts

    def settled(self) -> PairData:
        """The same once all of it was read here, to know what cells such as 1.000 mean."""
        self.source.settle_separators()
        return PairData(self.source, self._labelled)


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


class _Heard:
    """What is told of a source while others read it.

    Offenders wait until all is known: what cells such as 1.000 mean a part alone cannot know.
    """

    def __init__(self, source: TableSource, parts: Sequence[Partition], sink: Sink | None) -> None:
        self._source, self._sink = source, sink
        self.settled = len(parts) < 2 or parts[0].meaning is not None
        self._expected = max(sum(part.rows for part in parts), 1)
        self._known: list[PartitionRead] = []
        self._waiting: list[Offenders] = []
        self._passed = False

    def __call__(self, told: PartitionRead | Offenders) -> None:
        """Take up what one part has to say; the parts speak in their order."""
        if isinstance(told, PartitionRead):
            self._known.append(told)
            done = sum(known.rows for known in self._known)
            self._source.table.progressed(min(done / self._expected, 1.0))
        elif self._sink is not None and len(told):
            self._waiting.append(told)
            if self.settled or sum(map(len, self._waiting)) > _HELD_BACK:
                self._pass_on()

    def _pass_on(self) -> None:
        self._passed |= not self.settled and bool(self._waiting)
        for offenders in self._waiting:
            if self._sink is not None:
                self._sink(offenders)
        self._waiting = []

    def doubtful(self) -> bool:
        """Whether separators were met whose meaning only the whole source tells."""
        return not self.settled and any(known.meaning is not None for known in self._known)

    def again(self) -> None:
        """InputError where the source cannot be heard anew: offenders were passed on."""
        if self._passed:
            raise InputError(
                f"{self._source.table.path}: has cells such as 1.000 after {_HELD_BACK:,} bad "
                "rows, and what they mean only the whole table tells; read it with `engine` threads"
            )

    def finish(self) -> None:
        """All is heard; InputError where the source has no rows."""
        self._source.was_read(self._known)
        self._pass_on()


def fold_pairs(
    data: PairData,
    origin: Origin,
    nodes: Nodes,
    executor: Executor,
    sink: Sink | None,
    resources: ExitStack,
) -> tuple[PairState, KeptPairs, str | None]:
    """The state of a table of pairs, its sound pairs, and who read it where that was to be told.

    The pairs can be asked for as long as ``resources`` last.
    """
    roles = data.source.columns.roles
    columns = "depth_diff" in roles, "weight" in roles
    runner, nodes = executor.over(data), nodes.beside(roles)
    shared = resources.enter_context(runner.publish(nodes))
    if runner.keeps:
        spool = PairSpool(*columns)
        resources.callback(spool.close)
        state = runner.tree_reduce(FoldPairs(origin, shared, spool), data, sink)
        if runner is executor:
            return state, spool, None
        return state, spool, f"Read by this process, not by {executor}: {data.here_only}."
    state, parts = _elsewhere(FoldPairs(origin, shared), data, runner, sink)
    kept = PairsAgain(parts, nodes, shared, state.sound, columns, runner, resources)
    told = f"Read by {executor}, in {plural(len(parts), 'partition')}; pairs that are wanted again "
    return state, kept, f"{told}are read again."


def _elsewhere(
    job: FoldPairs, data: PairData, runner: Executor, sink: Sink | None
) -> tuple[PairState, Sequence[Partition]]:
    """The state of a table that others read, and the parts that they read it in."""
    data.source.table.begun()
    parts = data.partitions() or []
    heard = _Heard(data.source, parts, sink)
    try:
        state = runner.tree_reduce(job, data, heard)
        doubtful = heard.doubtful()
    except MixedError:
        if heard.settled:
            raise
        doubtful = True
    if doubtful:
        heard.again()
        data = data.settled()
        parts = data.partitions() or []
        heard = _Heard(data.source, parts, sink)
        state = runner.tree_reduce(job, data, heard)
    heard.finish()
    return state, parts
