"""What a taxonomy holds among the mapped nodes: the hierarchy that their pairs ought to be of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.sources.taxonomies.taxonomy import Taxonomy
from taxcheck.statistics.ancestry import nearest_mapped
from taxcheck.statistics.hierarchy.forest import Forest


@dataclass(frozen=True, slots=True)
class Truth:
    """The forest of the mapped nodes, (n,) each by idx; an unknown node is a root of its own."""

    position: IntArray  # of each node in the taxonomy; -1 where it lacks it
    forest: Forest
    names: pa.Array | None  # null where there is none; None: the taxonomy has no names
    rank: IntArray  # places in rank_names, -1 where the node is unknown
    rank_names: tuple[str, ...]

    @classmethod
    def of(cls, taxonomy: Taxonomy, identifiers: IntArray) -> Truth:
        """``identifiers`` (n,) are taxids, -1 where unmapped."""
        position = np.where(identifiers >= 0, taxonomy.positions(identifiers), -1)
        known = np.flatnonzero(position >= 0)
        place = np.full(len(taxonomy.taxids) + 1, -1, dtype=np.int64)  # the last one is "none"
        place[position[known]] = known
        nearest = nearest_mapped(Forest.from_parents(taxonomy.parents), place[:-1] >= 0)
        parent = np.full(len(position), -1, dtype=np.int64)
        parent[known] = place[nearest[position[known]]]
        names, rank = taxonomy.names, np.full(len(position), -1, dtype=np.int64)
        if names is not None:
            names = names.take(pa.array(position, mask=position < 0))
        rank[known] = taxonomy.ranks[position[known]]
        return cls(position, Forest.from_parents(parent), names, rank, taxonomy.rank_names)

    @property
    def parent(self) -> IntArray:
        """The nearest mapped ancestor of each node, (n,), -1 for none."""
        return self.forest.parent.astype(np.int64)

    @property
    def depth(self) -> IntArray:
        """Mapped ancestors of each node, (n,)."""
        return self.forest.depth.astype(np.int64)

    @property
    def below(self) -> IntArray:
        """Mapped descendants of each node, (n,)."""
        return self.forest.size.astype(np.int64) - 1

    @property
    def shared(self) -> BoolArray:
        """Nodes whose taxon has another idx as well, (n,)."""
        known = self.position[self.position >= 0]
        counts = np.bincount(known, minlength=1)
        return np.asarray((self.position >= 0) & (counts[self.position] > 1))

    def name(self, idx: int) -> str | None:
        """The name of a node, None where there is none."""
        name = None if self.names is None else self.names[idx].as_py()
        return None if name is None else str(name)

    def holds(self, ancestor: IntArray, descendant: IntArray) -> BoolArray:
        """Which pairs it holds, (k,)."""
        steps = self.forest.entry[descendant] - self.forest.entry[ancestor]
        return np.asarray((steps > 0) & (steps < self.forest.size[ancestor]))

    def clade(self, top: int) -> BoolArray:
        """A node and all below it, (n,)."""
        steps = self.forest.entry - self.forest.entry[top]
        return np.asarray((steps >= 0) & (steps < self.forest.size[top]))

    def inside(self, marked: BoolArray) -> IntArray:
        """How many marked nodes are in the clade of each, itself included, (n,)."""
        walk = np.zeros(len(marked) + 1, dtype=np.int64)
        walk[self.forest.entry + 1] = marked
        before = np.cumsum(walk)
        entry = self.forest.entry
        return np.asarray(before[entry + self.forest.size] - before[entry])

    def along(self, counts: IntArray) -> IntArray:
        """The sum of counts over each node and all above it, (n,)."""
        total = counts.astype(np.int64)
        for level in self.forest.levels[1:]:
            total[level] += total[self.forest.parent[level]]
        return total
