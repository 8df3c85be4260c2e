"""One pass over the pairs: roles, depths, edges, and the rows that owners exclude."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.sources.batches import PairBatch, Quarantined
from taxcheck.statistics.depths import DepthState
from taxcheck.statistics.rows import cells, select, shown_identifiers
from taxcheck.statistics.samples import Offenders, Sink
from taxcheck.statistics.spool import PairSpool
from taxcheck.statistics.values import BoolArray, Identifiers, IntArray

Mergeable = TypeVar("Mergeable", DepthState, Offenders)


@dataclass(frozen=True, slots=True)
class Nodes:
    """What the pairs are held against: the idx that are mapped, and their identifiers."""

    mapped: BoolArray  # (n,)
    identifiers: Identifiers

    @property
    def n(self) -> int:
        """Number of idx."""
        return len(self.mapped)


@dataclass(slots=True)
class PairState:
    """The state of the statistics pass; see ``statistics.state`` for its laws."""

    nodes: Nodes
    spool: PairSpool
    sink: Sink | None = None
    rows: int = 0
    as_ancestor: IntArray = field(init=False)
    as_descendant: IntArray = field(init=False)
    depth: DepthState | None = None
    # (first row, parents (k,), children (k,)) of the depth-1 pairs of each batch
    edges: list[tuple[int, IntArray, IntArray]] = field(default_factory=list)
    invalid: Offenders = field(init=False)
    out_of_range: Offenders = field(init=False)
    self_pairs: Offenders = field(init=False)
    disagreement: Offenders | None = None

    def __post_init__(self) -> None:
        self.as_ancestor = np.zeros(self.nodes.n, dtype=np.int64)
        self.as_descendant = np.zeros(self.nodes.n, dtype=np.int64)
        self.invalid = Offenders("pairs_invalid_row", None, self.sink)
        self.out_of_range = Offenders("index_out_of_range", None, self.sink)
        self.self_pairs = Offenders("self_pair", "descendant_idx", self.sink)

    def update(self, read: tuple[PairBatch, Quarantined]) -> None:
        """Fold one batch, sound rows and quarantined ones; what is kept goes to the spool."""
        sound, quarantined = read
        self.rows += len(sound.rows) + len(quarantined.rows)
        self.invalid.quarantine(quarantined)
        batch = self._owned(sound)
        if batch.ancestor_taxid is not None or batch.descendant_taxid is not None:
            self._compare_identifiers(batch)
        self.as_ancestor += np.bincount(batch.ancestor, minlength=self.nodes.n)
        self.as_descendant += np.bincount(batch.descendant, minlength=self.nodes.n)
        flags = None
        if batch.depth_diff is not None:
            if self.depth is None:
                self.depth = DepthState(self.nodes.n, self.sink)
            flags = self.depth.update(batch)
            direct = np.flatnonzero(batch.depth_diff == 1)
            if len(direct):
                at = int(batch.rows[direct[0]])
                self.edges.append((at, batch.ancestor[direct], batch.descendant[direct]))
        self.spool.append(batch.rows, batch.ancestor, batch.descendant, batch.depth_diff, flags)

    def merge(self, other: PairState) -> PairState:
        """Give the state of both parts; they share the nodes and the spool."""
        merged = PairState(self.nodes, self.spool, self.sink)
        merged.rows = self.rows + other.rows
        merged.as_ancestor = self.as_ancestor + other.as_ancestor
        merged.as_descendant = self.as_descendant + other.as_descendant
        merged.depth = _merged(self.depth, other.depth)
        merged.edges = self.edges + other.edges
        merged.invalid = self.invalid.merge(other.invalid)
        merged.out_of_range = self.out_of_range.merge(other.out_of_range)
        merged.self_pairs = self.self_pairs.merge(other.self_pairs)
        merged.disagreement = _merged(self.disagreement, other.disagreement)
        return merged

    def _owned(self, batch: PairBatch) -> PairBatch:
        """Count rows out of range and self pairs, and leave them out."""
        n, mapped = self.nodes.n, self.nodes.mapped
        outside = (batch.ancestor >= n) | (batch.descendant >= n)
        if not mapped.all():
            a, d = np.minimum(batch.ancestor, n - 1), np.minimum(batch.descendant, n - 1)
            outside |= ~mapped[a] | ~mapped[d]
        same = ~outside & (batch.ancestor == batch.descendant)
        if outside.any():
            self.out_of_range.add(batch.rows[outside], cells(batch, outside))
        if same.any():
            self.self_pairs.add(batch.rows[same], cells(batch, same))
        excluded = outside | same
        return select(batch, ~excluded) if excluded.any() else batch

    def _compare_identifiers(self, batch: PairBatch) -> None:
        """Count rows whose taxid and idx the mapping does not join."""
        if self.disagreement is None:
            self.disagreement = Offenders("taxid_disagreement", "descendant_idx", self.sink)
        wrong = np.zeros(len(batch.rows), dtype=bool)
        for idx, taxid in (
            (batch.ancestor, batch.ancestor_taxid),
            (batch.descendant, batch.descendant_taxid),
        ):
            if taxid is not None:
                wrong |= ~same_identifier(self.nodes.identifiers, idx, taxid)
        if wrong.any():
            shown = dict(cells(batch, wrong))
            for name in ("ancestor_taxid", "descendant_taxid"):
                taxid = getattr(batch, name)
                if taxid is not None:
                    shown[name] = shown_identifiers(taxid.filter(pa.array(wrong)))
            self.disagreement.add(batch.rows[wrong], shown)


def _merged(a: Mergeable | None, b: Mergeable | None) -> Mergeable | None:
    return b if a is None else a if b is None else a.merge(b)


def same_identifier(identifiers: Identifiers, idx: IntArray, taxid: pa.Array) -> BoolArray:
    """Row by row: is this the identifier of that idx? A null cell disagrees. Shape (k,)."""
    if identifiers.integers is not None:
        values = taxid if pa.types.is_integer(taxid.type) else _as_integers(taxid)
        numbers = pc.fill_null(values, -2).to_numpy(zero_copy_only=False)
        return np.asarray(identifiers.integers[idx] == numbers)
    assert identifiers.strings is not None
    texts = pc.cast(taxid, pa.string()).to_numpy(zero_copy_only=False)
    return np.asarray(identifiers.strings[idx] == texts)


def _as_integers(texts: pa.Array) -> pa.Array:
    digits = pc.match_substring_regex(texts, r"^\s*\d{1,18}\s*$")
    return pc.cast(pc.utf8_trim_whitespace(pc.if_else(digits, texts, None)), pa.int64())
