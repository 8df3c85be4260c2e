"""One pass over the pairs: what each row counts as, and the sums over those that count."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from blake3 import blake3

from taxcheck.model.arrays import BoolArray, Int32Array, IntArray, Whole, distinct
from taxcheck.model.finding import Defect
from taxcheck.sources.tables.batches import PairBatch, Quarantined
from taxcheck.sources.tables.cells import integers_of
from taxcheck.sources.tables.weights import ReadWeights, Unusable, Weights, read_weights
from taxcheck.statistics.counts import Counts
from taxcheck.statistics.depths import DepthState, Repeats, marks_of
from taxcheck.statistics.offenders import (
    SAMPLES,
    Column,
    DefectState,
    Offenders,
    Sink,
    node_samples,
    of_nodes,
    of_pairs,
    of_quarantined,
    select,
    shown_identifiers,
)
from taxcheck.statistics.spool import KeptPairs, Marks
from taxcheck.statistics.state import refuse_unless
from taxcheck.statistics.values import (
    Identifiers,
    Kind,
    LabelStatistics,
    PairStatistics,
    WeightStatistics,
)

_DEFECTS = {
    "invalid_pair_row": None,
    "index_out_of_range": None,
    "self_pair": "descendant_idx",
    "taxid_disagreement": "descendant_idx",
    "unusable_weight": None,
}


@dataclass(frozen=True, slots=True)
class Origin:
    """What the pairs of a state are: only states of one origin merge."""

    path: str  # as the user gave it
    table: str  # "pairs" | "held-out"
    n: int  # number of idx
    mapping: str  # the fingerprint of the mapping that they are held against


@dataclass(frozen=True, slots=True)
class SortedPairs:
    """A batch, row by row: sound pairs, and offenders that are counted apart and left out.

    Only those of ``taxid_disagreement`` and ``unusable_weight`` are among the sound pairs as well.
    """

    rows: int
    sound: PairBatch
    marks: Marks | None  # of the sound pairs; see ``statistics.depths``
    offenders: tuple[Offenders, ...]
    weights: Weights | None = None  # of the sound pairs


@dataclass(frozen=True, slots=True)
class Nodes:
    """What the pairs are held against: the idx that are mapped, and their identifiers."""

    mapped: BoolArray  # (n,)
    identifiers: Identifiers
    whole: bool = field(init=False)  # whether all idx below n are mapped

    def __post_init__(self) -> None:
        object.__setattr__(self, "whole", bool(self.mapped.all()))

    def beside(self, roles: Collection[str]) -> Nodes:
        """The same without identifiers, where no column of these roles holds any."""
        if {"ancestor_taxid", "descendant_taxid"}.intersection(roles):
            return self
        return Nodes(self.mapped, Identifiers(None, None))

    def origin(self, path: str, table: str) -> Origin:
        """The origin of pairs that are held against these nodes."""
        idx = np.flatnonzero(self.mapped)
        hasher = blake3(idx.view(np.uint8).data)
        if self.identifiers.integers is not None:
            hasher.update(self.identifiers.integers[idx].view(np.uint8).data)
        else:
            for buffer in self.identifiers.column(idx).buffers():
                hasher.update(buffer or b"")
        return Origin(path, table, len(self.mapped), hasher.hexdigest())

    def sort_out(self, read: tuple[PairBatch, Quarantined]) -> SortedPairs:
        """Tell sound rows from those that are invalid, out of range or self pairs."""
        batch, quarantined = read
        offenders = [*of_quarantined("invalid_pair_row", quarantined, ("ancestor", "descendant"))]
        excluded, found = batch.ancestor == batch.descendant, {}
        outside = self._outside(batch)
        if outside is not None:
            found["index_out_of_range"] = outside
            found["self_pair"] = excluded & ~outside
            excluded |= outside
        elif excluded.any():
            found["self_pair"] = excluded
        for defect, chosen in found.items():
            if chosen.any():
                shown = _labels(batch, chosen) | _weight(batch, chosen)
                offenders.append(of_pairs(defect, batch, chosen, None, shown))
        sound = select(batch, ~excluded) if excluded.any() else batch
        if sound.ancestor_taxid is not None or sound.descendant_taxid is not None:
            offenders.append(self._disagreeing(sound))
        weights = None if sound.weight is None else read_weights(sound.weight)
        if weights is not None:
            offenders += _unusable(sound, weights)
        return SortedPairs(
            len(batch.rows) + len(quarantined.rows),
            sound,
            marks_of(sound),
            tuple(offenders),
            None if weights is None else weights.values,
        )

    def _outside(self, batch: PairBatch) -> BoolArray | None:
        """Rows with an idx that is not mapped, (k,); None where there is none."""
        n = len(self.mapped)
        ends = (batch.ancestor, batch.descendant)
        if not len(batch.rows) or (self.whole and all(end.max() < n for end in ends)):
            return None
        outside = (batch.ancestor >= n) | (batch.descendant >= n)
        if not self.whole:
            for end in ends:
                outside |= ~self.mapped.take(end, mode="clip")
        return outside

    def _disagreeing(self, batch: PairBatch) -> Offenders:
        """Rows whose taxid and idx the mapping does not join."""
        wrong = np.zeros(len(batch.rows), dtype=bool)
        for idx, taxid in (
            (batch.ancestor, batch.ancestor_taxid),
            (batch.descendant, batch.descendant_taxid),
        ):
            if taxid is not None:
                wrong |= ~same_identifier(self.identifiers, idx, taxid)
        return of_pairs("taxid_disagreement", batch, wrong, None, _labels(batch, wrong))


def _labels(batch: PairBatch, chosen: BoolArray) -> dict[str, Column]:
    """The identifiers beside the idx of chosen rows, where the file has them."""
    found = {
        name: getattr(batch, name)
        for name in ("ancestor_taxid", "descendant_taxid")
        if chosen.any()
    }
    return {
        name: shown_identifiers(taxid.filter(pa.array(chosen)))
        for name, taxid in found.items()
        if taxid is not None
    }


def _weight(batch: PairBatch, chosen: BoolArray) -> dict[str, Column]:
    if batch.weight is None:
        return {}
    return {"weight": read_weights(batch.weight.filter(pa.array(chosen))).values}


def _unusable(batch: PairBatch, weights: ReadWeights) -> Iterator[Offenders]:
    """Rows whose weight no training can use, by what it is."""
    assert batch.weight is not None
    for problem in Unusable:
        chosen = weights.unusable == problem
        if problem and chosen.any():
            cells = batch.weight.filter(pa.array(chosen)).cast(pa.string())
            shown = {"weight": np.asarray(cells.to_numpy(zero_copy_only=False))}
            yield of_pairs("unusable_weight", batch, chosen, problem.label, shown)


# (first row, parents (k,), children (k,)) of the depth-1 pairs of a batch, or of several
StatedEdges = tuple[int, Int32Array, Int32Array]
_FEW_EDGES, _REPEATED = 1 << 20, 2  # those held at least; so many times what may be distinct


def _bounded(edges: list[StatedEdges], n: int) -> list[StatedEdges]:
    """The same edges, each once, where they are many more than are likely to be distinct.

    Else rows that repeat, which compress to nothing, would take eight bytes each.
    """
    if sum(len(parents) for _, parents, _ in edges) <= _REPEATED * max(
        n, _FEW_EDGES, len(edges[0][1]) if edges else 0
    ):
        return edges
    keys = [children.astype(np.int64) * n + parents for _, parents, children in edges]
    children, parents = np.divmod(distinct(np.concatenate(keys)), n)
    return [(min(at for at, _, _ in edges), parents.astype(np.int32), children.astype(np.int32))]


@dataclass(slots=True)
class PairState:
    """A state: what the rows of one table of pairs add up to."""

    origin: Origin
    above: Counts  # of every idx the sound pairs in which it is the ancestor
    below: Counts  # ... the descendant
    defects: dict[str, DefectState]  # by name
    rows: int = 0
    sound: int = 0
    depth: DepthState | None = None  # None: no pair has a depth_diff
    edges: list[StatedEdges] = field(default_factory=list)  # the depth-1 pairs, few of them twice
    has_taxids: bool = False
    positive_weights: int | None = None  # None: no column of weights
    drawn: BoolArray | None = None  # (n,) whether the idx is in a pair of positive weight

    @classmethod
    def empty(cls, origin: Origin) -> PairState:
        """No row yet."""
        defects = {
            name: DefectState.empty(name, column, origin.table) for name, column in _DEFECTS.items()
        }
        return cls(origin, Counts.empty(origin.n), Counts.empty(origin.n), defects)

    @property
    def as_ancestor(self) -> Whole:
        """Sound pairs in which each idx is the ancestor, (n,)."""
        return self.above.freeze()

    @property
    def as_descendant(self) -> Whole:
        """Sound pairs in which each idx is the descendant, (n,)."""
        return self.below.freeze()

    def update(self, read: SortedPairs) -> None:
        """Fold one batch."""
        sound = read.sound
        self.rows += read.rows
        self.sound += len(sound.rows)
        for offenders in read.offenders:
            self.defects[offenders.defect].update(offenders)
        self.has_taxids |= sound.ancestor_taxid is not None or sound.descendant_taxid is not None
        if read.weights is not None:
            positive = read.weights > 0
            self.positive_weights = (self.positive_weights or 0) + int(np.count_nonzero(positive))
            if self.drawn is None:
                self.drawn = np.zeros(self.origin.n, dtype=np.bool_)
            self.drawn[sound.ancestor[positive]] = self.drawn[sound.descendant[positive]] = True
        # NumPy looks up by 64 bits, and would otherwise widen a column for each look
        a, d = (end.astype(np.int64) for end in (sound.ancestor, sound.descendant))
        self.above.add(a)
        self.below.add(d)
        if sound.depth_diff is not None:
            if self.depth is None:
                self.depth = DepthState.empty(self.origin.n)
            self.depth.update(replace(sound, ancestor=a, descendant=d), read.marks)
            direct = np.flatnonzero(sound.depth_diff == 1)
            if len(direct):
                at = int(sound.rows[direct[0]])
                parents, children = sound.ancestor[direct], sound.descendant[direct]
                self.edges.append((at, parents.astype(np.int32), children.astype(np.int32)))
                self.edges = _bounded(self.edges, self.origin.n)

    def merge(self, other: PairState) -> PairState:
        """Give the state of both parts; BrokenError where they are of two origins."""
        refuse_unless(
            self.origin == other.origin, f"one is of {self.origin}, the other of {other.origin}"
        )
        return PairState(
            self.origin,
            self.above.merge(other.above),
            self.below.merge(other.below),
            {name: state.merge(other.defects[name]) for name, state in self.defects.items()},
            self.rows + other.rows,
            self.sound + other.sound,
            self.depth.merge(other.depth)
            if self.depth and other.depth
            else self.depth or other.depth,
            _bounded(self.edges + other.edges, self.origin.n),
            self.has_taxids or other.has_taxids,
            other.positive_weights
            if self.positive_weights is None
            else self.positive_weights + (other.positive_weights or 0),
            other.drawn
            if self.drawn is None
            else self.drawn | (False if other.drawn is None else other.drawn),
        )


@dataclass(frozen=True, slots=True)
class PairTable:
    """The pairs of one table: their state, and the sound ones themselves."""

    state: PairState
    spool: KeptPairs
    labels: LabelStatistics | None = None

    @property
    def weights(self) -> WeightStatistics | None:
        """What the column of weights says; None without one."""
        state = self.state
        if state.positive_weights is None or state.drawn is None:
            return None
        bad = state.defects["unusable_weight"]
        used = (state.above.each > 0) | (state.below.each > 0)
        idle = np.flatnonzero(used & ~state.drawn)
        undrawn = Defect(len(idle), int(np.count_nonzero(used)), node_samples(idle))
        return WeightStatistics(bad.freeze(state.sound), state.positive_weights, undrawn)

    def freeze(
        self,
        mapped: BoolArray,
        kind: Kind | None,
        repeats: Repeats | None,
        sink: Sink | None,
    ) -> PairStatistics:
        """What the rules see, without what repeated rows added.

        ``mapped`` (n,) marks the idx of the mapping; ``kind`` None means that no hierarchy could
        be judged.
        """
        state = self.state
        as_ancestor, as_descendant = state.as_ancestor, state.as_descendant
        if repeats is not None:
            as_ancestor = as_ancestor - repeats.as_ancestor
            as_descendant = as_descendant - repeats.as_descendant
        above, below = as_ancestor > 0, as_descendant > 0
        used = np.flatnonzero(above | below)
        never = np.flatnonzero(mapped & ~above & ~below)
        if sink:
            sink(of_nodes("coverage_gap", never))
        invalid, self_pairs = state.defects["invalid_pair_row"], state.defects["self_pair"]
        disagreement = state.defects["taxid_disagreement"].freeze(state.sound)
        return PairStatistics(
            rows=state.rows,
            valid=state.sound,
            table_size=int(used[-1]) + 1 if len(used) else 0,
            as_ancestor=as_ancestor,
            as_descendant=as_descendant,
            only_descendant=int(np.count_nonzero(below & ~above)),
            only_ancestor=int(np.count_nonzero(above & ~below)),
            both=int(np.count_nonzero(above & below)),
            never=len(never),
            invalid=invalid.freeze(state.rows),
            out_of_range=state.defects["index_out_of_range"].freeze(state.rows - invalid.count),
            self_pairs=self_pairs.freeze(state.sound + self_pairs.count),
            depth=None
            if state.depth is None
            else state.depth.freeze(kind, repeats, self.spool.batches(), sink),
            taxid_disagreement=disagreement if state.has_taxids else None,
            never_samples=tuple(int(idx) for idx in never[:SAMPLES]),
            weights=self.weights,
            labels=self.labels,
        )


def same_identifier(identifiers: Identifiers, idx: IntArray, taxid: pa.Array) -> BoolArray:
    """Row by row: is this the identifier of that idx? An empty cell says nothing. Shape (k,)."""
    unsaid = taxid.is_null().to_numpy(zero_copy_only=False)
    if identifiers.integers is not None:
        texts = not pa.types.is_integer(taxid.type)
        values = integers_of(pc.utf8_trim_whitespace(taxid)) if texts else taxid
        numbers = pc.fill_null(values, -2).to_numpy(zero_copy_only=False)
        return np.asarray((identifiers.integers[idx] == numbers) | unsaid)
    assert identifiers.strings is not None
    texts = pc.cast(taxid, pa.string()).to_numpy(zero_copy_only=False)
    return np.asarray((identifiers.strings[idx] == texts) | unsaid)
