"""A hierarchy as a source states it: nodes in the order of their idx, and parent-child edges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa

from taxcheck.arrays import distinct
from taxcheck.errors import InputError
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.values import BoolArray, IntArray

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

    @property
    def n(self) -> int:
        """Number of nodes."""
        return len(self.identifiers)

    @cached_property
    def graph(self) -> Graph:
        """The edges as a graph in which every node is present."""
        return Graph.from_edges(self.parents, self.children, np.ones(self.n, dtype=bool))

    def labels(self, nodes: IntArray) -> tuple[str, ...]:
        """A few nodes as a person calls them: identifier, and name where there is one."""
        at = pa.array(nodes[:SHOWN])
        ids = self.identifiers.take(at).to_pylist()
        names = [None] * len(ids) if self.names is None else self.names.take(at).to_pylist()
        return tuple(
            f"{i} {name}" if name and name != str(i) else str(i)
            for i, name in zip(ids, names, strict=True)
        )

    def select(self, keep: BoolArray, *dropped: Dropped) -> Hierarchy:
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

    def with_edges(self, parents: IntArray, children: IntArray) -> Hierarchy:
        """The same nodes under other edges."""
        return replace(self, parents=parents, children=children)

    def refuse_cycle(self) -> None:
        """InputError that shows one cycle, where there is any."""
        on_cycle, one = self.graph.cycles()
        if len(on_cycle):
            ids = [str(i) for i in self.identifiers.take(pa.array(one[:8])).to_pylist()]
            shown = " -> ".join([*ids, ids[0]] if len(one) <= 8 else [*ids, "…"])
            raise InputError(
                f"{self.origin.path}: the parents form a cycle: {shown} ({len(on_cycle):,} nodes "
                "on cycles); a hierarchy has none, so remove one edge of each"
            )


def distinct_edges(parents: IntArray, children: IntArray, n: int) -> tuple[IntArray, IntArray]:
    """Edges once each, in order of child and parent, without self-edges."""
    child, parent = np.divmod(distinct(children * n + parents), n)
    proper = child != parent
    return parent[proper], child[proper]
