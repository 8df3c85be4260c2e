"""Symptoms: all offenders of every defect, kept so that causes can say which they explain."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.memory import usual_memory
from taxcheck.statistics.offenders import Column, Offenders, Sink

MOST = 60_000_000  # offenders of one defect; of more only the count is known
# What one costs at most while its causes are asked: 30 million repeated rows took 101 each.
OFFENDER_BYTES = 110


def rule_of(defect: str) -> str:
    """The name of the rule that judges a defect; a second kind that it counts is ``name.kind``."""
    return defect.partition(".")[0]


@dataclass(frozen=True)
class Symptom:
    """All offenders of one defect, (k,), in the order of their rows, else of their nodes."""

    defect: str  # the name of the rule that judges them
    parts: tuple[Offenders, ...]

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts)

    @cached_property
    def _order(self) -> IntArray:
        keys = self._joined([p.nodes[-1] if p.rows is None else p.rows for p in self.parts])
        return np.argsort(keys, kind="stable")

    @staticmethod
    def _joined(columns: list[Column]) -> Column:
        return columns[0] if len(columns) == 1 else np.concatenate(columns)

    @cached_property
    def rows(self) -> IntArray | None:
        """Source rows, (k,), ascending; None where the offenders are no rows."""
        if not self.parts or self.parts[0].rows is None:
            return None
        return self._joined([p.rows for p in self.parts if p.rows is not None])[self._order].astype(
            np.int64
        )

    @cached_property
    def nodes(self) -> tuple[IntArray, ...]:
        """Every idx that each offender touches, (k,) each, -1 for none."""
        columns = zip(*(part.nodes for part in self.parts), strict=True)
        return tuple(self._joined(list(c))[self._order].astype(np.int64) for c in columns)

    def column(self, name: str) -> Column | None:
        """The cells of a column, (k,); None where some offender has none."""
        found = [part.columns.get(name) for part in self.parts]
        if not found or any(column is None for column in found):
            return None
        return self._joined([c for c in found if c is not None])[self._order]

    @cached_property
    def reasons(self) -> tuple[str | None, ...]:
        """The distinct reasons."""
        return tuple(dict.fromkeys(part.reason for part in self.parts))

    def because(self, reason: str) -> BoolArray:
        """Which offenders have this reason, (k,)."""
        said = [np.full(len(part), part.reason == reason) for part in self.parts]
        return np.asarray(self._joined(said)[self._order], dtype=bool)

    def touched(self, n: int) -> BoolArray:
        """Which idx below n some offender touches, (n,)."""
        marked = np.zeros(n, dtype=bool)
        for column in self.nodes:
            marked[column[(column >= 0) & (column < n)]] = True
        return marked


class Symptoms:
    """A sink that keeps all offenders by defect, and hands them on to another.

    A defect of more than ``most`` offenders is let go of: nothing can be said of its causes.
    """

    def __init__(
        self,
        forward: Sink | None = None,
        known: Symptoms | None = None,
        without: Collection[str] = (),
        most: int = MOST,
    ) -> None:
        self._forward = forward
        self.most: int = most if known is None else known.most
        self._show: Callable[[Offenders], Offenders] | None = None
        self._parts: dict[str, list[Offenders]] = {}
        if known is not None:
            self._parts = {d: [*parts] for d, parts in known._parts.items() if d not in without}
            self._show = known._show
        self.overfull: set[str] = (
            set() if known is None else {*known.overfull}
        )  # what was let go of
        self._kept: dict[str, Symptom] = {}
        self._lock = threading.Lock()

    @classmethod
    def within(cls, memory: int | None, forward: Sink | None = None) -> Symptoms:
        """As many as a run may keep that may take so many bytes; None is half of what there is."""
        given = usual_memory() if memory is None else memory
        return cls(forward, most=min(MOST, given // OFFENDER_BYTES))

    def __call__(self, offenders: Offenders) -> None:
        """Keep some."""
        if not len(offenders):
            return
        with self._lock:
            self._keep(offenders)
        if self._forward is not None:
            self._forward(self._show(offenders) if self._show else offenders)

    def _keep(self, offenders: Offenders) -> None:
        defect = offenders.defect
        if defect in self.overfull:
            return
        parts = self._parts.setdefault(defect, [])
        parts.append(_narrow(offenders))
        self._kept.pop(defect, None)
        if sum(map(len, parts)) > self.most:
            self.overfull.add(defect)
            del self._parts[defect]

    def expects(self, defect: str, count: int) -> bool:
        """Whether to tell it of so many offenders; of too many it lets go before they come."""
        with self._lock:
            if count > self.most:
                self.overfull.add(defect)
                self._parts.pop(defect, None)
        return count <= self.most or self._forward is not None

    def show(self, how: Callable[[Offenders], Offenders] | None) -> None:
        """From here on hand offenders on as a user sees them; None: as they are kept."""
        self._show = how

    def branch(self) -> Symptoms:
        """What is known so far, to which other defects may be added; each is handed on as well."""
        return Symptoms(self._forward, self)

    def get(self, defect: str) -> Symptom | None:
        """All offenders of a defect; None where there are none, or too many were found."""
        parts = self._parts.get(defect)
        if parts is None:
            return None
        if defect not in self._kept:
            self._kept[defect] = Symptom(defect, tuple(parts))
        return self._kept[defect]

    def __contains__(self, defect: str) -> bool:
        return self.get(defect) is not None

    def __getitem__(self, defect: str) -> Symptom:
        found = self.get(defect)
        if found is None:
            raise KeyError(defect)
        return found

    def __iter__(self) -> Iterator[str]:
        return (defect for defect in self._parts if defect in self)


def wanted(sink: Sink | None, defect: str, count: int) -> bool:
    """Whether a sink is to be told of so many offenders, which have yet to be made."""
    if isinstance(sink, Symptoms):
        return sink.expects(defect, count)
    return sink is not None


def _narrow(offenders: Offenders) -> Offenders:
    """The same in half the memory, where numbers are small; equal columns are kept once."""
    kept: dict[int, Any] = {}

    def narrow(column: Any) -> Any:
        if id(column) not in kept:
            small = column.dtype == np.int64 and column.min() >= -(2**31) and column.max() < 2**31
            kept[id(column)] = column.astype(np.int32) if small else column
        return kept[id(column)]

    return replace(
        offenders,
        columns={name: narrow(column) for name, column in offenders.columns.items()},
        nodes=tuple(narrow(column) for column in offenders.nodes),
        rows=None if offenders.rows is None else narrow(offenders.rows),
    )
