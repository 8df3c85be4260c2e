"""Collecting nodes and edges whose number is not known beforehand."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from taxcheck.build.hierarchy import distinct_edges
from taxcheck.statistics.values import IntArray


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

    def edges(self) -> tuple[IntArray, IntArray]:
        """Distinct edges, (parents, children)."""
        ends = np.array(self.ends, dtype=np.int64).reshape(-1, 2)
        return distinct_edges(ends[:, 0], ends[:, 1], max(len(self.place), 1))

    def identifiers(self) -> pa.Array:
        """The labels, in order."""
        return pa.array(self.place, pa.string())
