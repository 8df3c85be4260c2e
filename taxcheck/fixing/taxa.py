"""The mapped taxa in a given taxonomy: what closes them upwards, and who is whose parent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taxcheck.sources.taxonomy import Taxonomy
from taxcheck.statistics.hierarchy.forest import Forest
from taxcheck.statistics.values import BoolArray, IntArray


@dataclass(frozen=True, slots=True)
class Taxa:
    """A taxonomy and its depth-first walk."""

    taxonomy: Taxonomy
    forest: Forest

    @classmethod
    def of(cls, taxonomy: Taxonomy) -> Taxa:
        """The walk takes a second on all of NCBI."""
        return cls(taxonomy, Forest.from_parents(taxonomy.parents))

    def above(self, positions: IntArray) -> IntArray:
        """Positions of the taxa that close a set upwards, (k,) ascending.

        Closing ends at the lowest taxon above all of them: a whole clade is closed as it is.
        """
        members = self._marked(positions)
        below = members.astype(np.int64)
        for level in reversed(self.forest.levels[1:]):
            np.add.at(below, self.forest.parent[level], below[level])
        missing = (below > 0) & ~members
        shared = below == np.count_nonzero(members)  # the chain down to the lowest common taxon
        if len(positions) and shared.any():
            missing &= ~(shared & (self.forest.depth < self.forest.depth[shared].max()))
        return np.flatnonzero(missing)

    def edges(self, positions: IntArray) -> tuple[IntArray, IntArray]:
        """(parents, children), (edges,), as places in ``positions``; -1 stands for no taxon.

        The parent is the nearest ancestor that is among ``positions``.
        """
        known = np.flatnonzero(positions >= 0)
        members = self._marked(positions[known])
        nearest = np.full(len(members), -1, dtype=np.int64)
        for level in self.forest.levels[1:]:
            parent = self.forest.parent[level]
            nearest[level] = np.where(members[parent], parent, nearest[parent])
        place = np.full(len(members) + 1, -1, dtype=np.int64)  # the last one is "no taxon"
        place[positions[known]] = known
        parents = place[nearest[positions[known]]]
        return parents[parents >= 0], known[parents >= 0]

    def _marked(self, positions: IntArray) -> BoolArray:
        marked = np.zeros(len(self.taxonomy.taxids), dtype=bool)
        marked[positions] = True
        return marked
