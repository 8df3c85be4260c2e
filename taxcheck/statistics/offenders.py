"""Offenders: the rows, pairs or nodes that share a defect, counted exactly, the first ones kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.finding import Defect, Sample, Scalar
from taxcheck.sources.tables.batches import PairBatch, Quarantined
from taxcheck.sources.tables.cells import whole_numbers
from taxcheck.statistics.spool import SpooledBatch
from taxcheck.statistics.state import refuse_unless

SAMPLES = 20

Column = npt.NDArray[np.generic]
Batch = TypeVar("Batch", PairBatch, SpooledBatch)


@dataclass(frozen=True, slots=True)
class Offenders:
    """Some of those that share a defect; arrays are (k,), in the same order."""

    defect: str  # the name of the rule that judges them
    columns: Mapping[str, Column]  # the cells that are shown, by name
    nodes: tuple[IntArray, ...]  # every idx that each of them touches, -1 for none
    rows: IntArray | None = None  # of the table that they come from; None: they are no rows
    reason: str | None = None
    table: str = "pairs"  # whose rows they are: "mapping", "pairs" or "held-out"

    def __len__(self) -> int:
        return len(self.nodes[0])

    def touching(self, idx: int) -> BoolArray:
        """Which of them touch a node, (k,)."""
        return np.asarray(np.logical_or.reduce([column == idx for column in self.nodes]))


# Receives all offenders, part by part, from several workers at once.
Sink = Callable[[Offenders], None]


def of_nodes(defect: str, nodes: IntArray, **columns: Column) -> Offenders:
    """Offenders that are nodes, (k,), with further cells by name."""
    return Offenders(defect, {"idx": nodes, **columns}, (nodes,))


def of_pairs(
    defect: str,
    batch: PairBatch | SpooledBatch,
    chosen: IntArray | BoolArray,
    reason: str | None = None,
    columns: Mapping[str, Column] | None = None,
    table: str = "pairs",
) -> Offenders:
    """The chosen rows of a batch of pairs, with their idx and depths, and further cells by name."""
    nodes = tuple(end[chosen].astype(np.int64) for end in (batch.ancestor, batch.descendant))
    shown: dict[str, Column] = {"ancestor_idx": nodes[0], "descendant_idx": nodes[1]}
    for name in ("depth_diff", "ancestor_depth", "descendant_depth"):
        column = getattr(batch, name, None)
        if column is not None:
            shown[name] = column[chosen].astype(np.int64)
    rows = batch.rows[chosen]
    return Offenders(defect, shown | dict(columns or {}), nodes, rows, reason, table)


def of_quarantined(
    defect: str, quarantined: Quarantined, idx_roles: tuple[str, ...], table: str = "pairs"
) -> Iterator[Offenders]:
    """Rows that break the schema, by their reasons.

    Their cells are text; those of ``idx_roles`` that can be read as an idx are nodes all the same.
    """
    reasons = np.array(quarantined.reasons, dtype=object)
    for reason in dict.fromkeys(quarantined.reasons):
        chosen = np.flatnonzero(reasons == reason)
        columns = {
            role: np.array([texts[k] for k in chosen], dtype=object)
            for role, texts in quarantined.cells.items()
        }
        nodes = tuple(
            np.maximum(whole_numbers(pa.array(columns[role], pa.string())).values, -1)
            if role in columns
            else np.full(len(chosen), -1)
            for role in idx_roles
        )
        yield Offenders(defect, columns, nodes, quarantined.rows[chosen], reason, table)


def select(batch: Batch, chosen: BoolArray) -> Batch:
    """The rows of a batch that a mask keeps."""

    def part(column: Any) -> Any:
        if isinstance(column, pa.Array):
            return column.filter(pa.array(chosen))
        return None if column is None else column[chosen]

    return type(batch)(**{f.name: part(getattr(batch, f.name)) for f in fields(batch)})


@dataclass(slots=True)
class DefectState:
    """A state: the rows with one defect; the first ``SAMPLES`` by row number are kept."""

    defect: str
    node_column: str | None  # the column whose value is the idx to look up
    table: str  # whose rows they are
    count: int = 0
    kept: list[tuple[int, dict[str, Scalar]]] = field(default_factory=list)
    detail: Counter[str] = field(default_factory=Counter)

    @classmethod
    def empty(
        cls, defect: str, node_column: str | None = None, table: str = "pairs"
    ) -> DefectState:
        """No such row yet."""
        return cls(defect, node_column, table)

    def update(self, offenders: Offenders) -> None:
        """Count offending rows."""
        if not len(offenders):
            return
        assert offenders.rows is not None
        self.count += len(offenders)
        if offenders.reason:
            self.detail[offenders.reason] += len(offenders)
        added = [
            (
                int(offenders.rows[k]),
                {key: _scalar(column[k]) for key, column in offenders.columns.items()},
            )
            for k in np.argsort(offenders.rows, kind="stable")[:SAMPLES]
        ]
        self.kept = _first([*self.kept, *added])

    def merge(self, other: DefectState) -> DefectState:
        """Give the rows of both parts; BrokenError where they are of two defects or tables."""
        mine, its = (f"{state.defect} in {state.table}" for state in (self, other))
        refuse_unless(mine == its, f"one counts {mine}, the other {its}")
        return DefectState(
            self.defect,
            self.node_column,
            self.table,
            self.count + other.count,
            _first([*self.kept, *other.kept]),
            self.detail + other.detail,
        )

    def freeze(self, total: int) -> Defect:
        """Close the count: a defect of ``total`` rows or nodes."""
        return Defect(
            count=self.count,
            total=total,
            samples=tuple(
                Sample(values=values, row=row, node=self._node(values), table=self.table)
                for row, values in self.kept
            ),
            detail=dict(sorted(self.detail.items())),
        )

    def _node(self, values: Mapping[str, Scalar]) -> int | None:
        value = values.get(self.node_column) if self.node_column else None
        return value if isinstance(value, int) else None


def record(offenders: Offenders, state: DefectState, sink: Sink | None) -> None:
    """Count offenders, and tell the sink of them."""
    state.update(offenders)
    if sink:
        sink(offenders)


def _first(
    kept: list[tuple[int, dict[str, Scalar]]],
) -> list[tuple[int, dict[str, Scalar]]]:
    return sorted(kept, key=lambda item: (item[0], str(item[1])))[:SAMPLES]


def _scalar(value: object) -> Scalar:
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, int | float | str | bool | None) else str(value)


def node_samples(nodes: IntArray, **columns: Column) -> tuple[Sample, ...]:
    """Samples of nodes rather than rows: the first ``SAMPLES``, with further cells by name."""
    return samples_of(of_nodes("", nodes[:SAMPLES], **columns))


def defect_of(offenders: Offenders, total: int, sink: Sink | None, **detail: int) -> Defect:
    """The defect of all offenders, of ``total`` nodes or rows of a table, of which a sink hears."""
    if sink:
        sink(offenders)
    return Defect(len(offenders), total, samples_of(offenders), detail)


def samples_of(offenders: Offenders) -> tuple[Sample, ...]:
    """The first ``SAMPLES`` of offenders that are nodes, or rows of a trained table."""
    return tuple(
        Sample(
            values={key: _scalar(cells[k]) for key, cells in offenders.columns.items()},
            node=int(node) if node >= 0 else None,
        )
        for k, node in enumerate(offenders.nodes[0][:SAMPLES])
    )


def shown_identifiers(column: pa.Array) -> Column:
    """Identifiers as they are shown: beside nulls, which become None, whole numbers stay whole."""
    if column.null_count and pa.types.is_integer(column.type):
        return np.asarray(column.to_pandas(integer_object_nulls=True))
    return np.asarray(column.to_numpy(zero_copy_only=False))
