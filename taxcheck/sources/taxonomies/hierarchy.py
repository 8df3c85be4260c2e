"""A hierarchy as a source states it: nodes in the order of their idx, and parent-child edges."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import BoolArray, IntArray, distinct

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a hierarchy was read."""

    kind: str  # "NCBI taxdump", "OBO" ...
    path: str
    version: str | None  # release or ISO date, where the source tells it
    bytes: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """Something that the source holds and the dataset does not, or holds otherwise."""

    what: str
    count: int
    why: str
    examples: tuple[str, ...] = ()

    def line(self) -> str:
        """As a person reads it."""
        shown = f" ({', '.join(self.examples)}{', …' if self.count > len(self.examples) else ''})"
        return f"{self.count:,} {self.what}: {self.why}{shown if self.examples else ''}"


@dataclass(frozen=True, slots=True)
class Retired:
    """What an identifier that is no more has become; ``successor`` None where it has none."""

    successor: str | None
    how: str  # "was merged into", "is an alternative of" ...


def _nothing_retired(_: str) -> Retired | None:
    return None


@dataclass(frozen=True)
class Hierarchy:
    """Nodes 0..n-1 with identifiers, and distinct edges between them; self-edges are dropped."""

    origin: Origin
    identifiers: pa.Array  # (n,) int64 or string, each once
    parents: IntArray  # (edges,)
    children: IntArray  # (edges,)
    names: pa.Array | None = None  # (n,) string
    ranks: pa.Array | None = None  # (n,) string, or a dictionary of them
    retired: Callable[[str], Retired | None] = _nothing_retired
    dropped: tuple[Dropped, ...] = ()
    notes: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()  # of the reading, where others were possible, a sentence each
    ends: tuple[str, str] | None = None  # of a table: columns of child and parent

    @property
    def n(self) -> int:
        """Number of nodes."""
        return len(self.identifiers)

    def labels(self, nodes: IntArray) -> tuple[str, ...]:
        """A few nodes as a person calls them: identifier, and name where there is one."""
        at = pa.array(nodes[:SHOWN])
        ids = self.identifiers.take(at).to_pylist()
        names = [None] * len(ids) if self.names is None else self.names.take(at).to_pylist()
        return tuple(
            f"{i} {name}" if name and name != str(i) else str(i)
            for i, name in zip(ids, names, strict=True)
        )

    def in_order(self) -> Self:
        """The same, its nodes in the order of their identifiers."""
        order = pc.array_sort_indices(self.identifiers)
        place = np.empty(self.n, dtype=np.int64)
        place[order.to_numpy()] = np.arange(self.n)
        return replace(
            self,
            identifiers=self.identifiers.take(order),
            parents=place[self.parents],
            children=place[self.children],
            names=None if self.names is None else self.names.take(order),
            ranks=None if self.ranks is None else self.ranks.take(order),
        )

    def select(self, keep: BoolArray, *dropped: Dropped) -> Self:
        """The nodes where ``keep`` (n,) is true, and the edges between them."""
        if keep.all():
            return replace(self, dropped=self.dropped + dropped)
        shifted = np.cumsum(keep) - 1
        inside = keep[self.parents] & keep[self.children]
        mask = pa.array(keep)
        return replace(
            self,
            identifiers=self.identifiers.filter(mask),
            parents=shifted[self.parents[inside]],
            children=shifted[self.children[inside]],
            names=None if self.names is None else self.names.filter(mask),
            ranks=None if self.ranks is None else self.ranks.filter(mask),
            dropped=self.dropped + dropped,
        )


def distinct_edges(parents: IntArray, children: IntArray, n: int) -> tuple[IntArray, IntArray]:
    """Edges once each, in order of child and parent, without self-edges."""
    child, parent = np.divmod(distinct(children * n + parents), n)
    proper = child != parent
    return parent[proper], child[proper]


@dataclass(slots=True)
class Growing:
    """Labels in the order in which they came, and edges between them."""

    place: dict[str, int] = field(default_factory=dict)
    names: list[str | None] = field(default_factory=list)
    ranks: list[str | None] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)  # parent, child, parent, child ...

    def node(self, label: str, name: str | None = None, rank: str | None = None) -> int:
        """The place of a label, which is made where it is new."""
        place = self.place.setdefault(label, len(self.place))
        if place == len(self.names):
            self.names.append(name)
            self.ranks.append(rank)
        return place

    def edge(self, parent: int, child: int) -> None:
        """One is the parent of the other."""
        self.ends += (parent, child)

    def hierarchy(
        self, origin: Origin, notes: Iterable[str] = (), identifiers: pa.Array | None = None
    ) -> Hierarchy:
        """All of it; ``identifiers`` stand in for the labels, in their order."""
        ends = np.array(self.ends, dtype=np.int64).reshape(-1, 2)
        return Hierarchy(
            origin,
            pa.array(self.place, pa.string()) if identifiers is None else identifiers,
            *distinct_edges(ends[:, 0], ends[:, 1], max(len(self.place), 1)),
            names=pa.array(self.names, pa.string()),
            ranks=pa.array(self.ranks, pa.string()) if any(self.ranks) else None,
            notes=tuple(notes),
        )
