"""Exact counts with a bounded, deterministic sample: the offenders with the smallest rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from taxcheck.rule import Defect, Sample, Scalar
from taxcheck.sources.batches import Quarantined
from taxcheck.statistics.values import IntArray

SAMPLES = 20

# Receives every offending row: the defect's name, then columns of equal length.
Sink = Callable[[str, Mapping[str, npt.NDArray[np.generic]]], None]


@dataclass(slots=True)
class Offenders:
    """The rows with one defect, counted; the first ``SAMPLES`` by row number are kept."""

    name: str
    node_column: str | None = None  # the column whose value is the idx to look up
    sink: Sink | None = None
    table: str = "pairs"  # whose rows they are
    count: int = 0
    kept: list[tuple[int, dict[str, Scalar]]] = field(default_factory=list)
    detail: Counter[str] = field(default_factory=Counter)

    def add(
        self,
        rows: IntArray,
        columns: Mapping[str, npt.NDArray[np.generic]],
        reason: str | None = None,
    ) -> None:
        """Count offending rows; ``columns`` hold the cells to show, (k,) each."""
        if not len(rows):
            return
        self.count += len(rows)
        if reason:
            self.detail[reason] += len(rows)
        if self.sink:
            note = {"reason": np.full(len(rows), reason)} if reason else {}
            self.sink(self.name, {"row": rows, **columns, **note})
        first = np.argsort(rows, kind="stable")[:SAMPLES]
        added = [
            (int(rows[k]), {key: _scalar(column[k]) for key, column in columns.items()})
            for k in first
        ]
        self.kept = _first([*self.kept, *added])

    def quarantine(self, rows: Quarantined) -> None:
        """Count rows that break the schema, by their reasons."""
        reasons = np.array(rows.reasons, dtype=object)
        for reason in dict.fromkeys(rows.reasons):
            chosen = np.flatnonzero(reasons == reason)
            columns = {
                role: np.array([texts[k] for k in chosen], dtype=object)
                for role, texts in rows.cells.items()
            }
            self.add(rows.rows[chosen], columns, reason)

    def merge(self, other: Offenders) -> Offenders:
        """Give the offenders of both parts."""
        return Offenders(
            self.name,
            self.node_column,
            self.sink,
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
                Sample(
                    values=values,
                    row=row if row >= 0 else None,
                    node=self._node(values),
                    table=self.table if row >= 0 else None,
                )
                for row, values in self.kept
            ),
            detail=dict(sorted(self.detail.items())),
        )

    def _node(self, values: Mapping[str, Scalar]) -> int | None:
        value = values.get(self.node_column) if self.node_column else None
        return value if isinstance(value, int) else None


def _first(
    kept: list[tuple[int, dict[str, Scalar]]],
) -> list[tuple[int, dict[str, Scalar]]]:
    return sorted(kept, key=lambda item: (item[0], str(item[1])))[:SAMPLES]


def _scalar(value: object) -> Scalar:
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, int | float | str | bool | None) else str(value)


def node_samples(nodes: IntArray, **columns: npt.NDArray[np.generic]) -> tuple[Sample, ...]:
    """Samples of nodes rather than rows: the first ``SAMPLES``, with further cells by name."""
    return tuple(
        Sample(
            values={"idx": int(node)} | {key: _scalar(cells[k]) for key, cells in columns.items()},
            node=int(node),
        )
        for k, node in enumerate(nodes[:SAMPLES])
    )
