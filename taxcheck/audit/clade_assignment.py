"""Which clade every node belongs to: by a rank of the taxonomy, or by subtrees of one depth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taxcheck.sources.taxonomy import Taxonomy
from taxcheck.statistics.hierarchy.forest import Forest
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.values import Identifiers, IntArray

RANKS = ("class", "phylum", "order", "family", "kingdom", "genus")
FEWEST, MOST = 2, 400
SMALLEST = 10  # members of a clade that is worth a line


@dataclass(frozen=True, slots=True)
class Clades:
    """A partition of the nodes; nodes above all clades belong to none."""

    level: str  # "rank class", "subtrees at depth 3"
    of: IntArray  # (n,) number of the clade, -1 for none
    labels: tuple[str, ...]

    @property
    def sizes(self) -> IntArray:
        """Members of every clade."""
        return np.bincount(self.of[self.of >= 0], minlength=len(self.labels))


def by_rank(taxonomy: Taxonomy, identifiers: IntArray) -> Clades | None:
    """Clades of the first rank of RANKS that gives a useful partition; None where none does.

    ``identifiers`` (n,) are taxids, -1 where unmapped.
    """
    forest = Forest.from_parents(taxonomy.parents)
    position = np.where(identifiers >= 0, taxonomy.positions(identifiers), -1)
    known = position >= 0
    for rank in RANKS:
        if rank not in taxonomy.rank_names:
            continue
        is_head = taxonomy.ranks == taxonomy.rank_names.index(rank)
        head = np.where(is_head, np.arange(len(is_head)), -1)
        for level in forest.levels[1:]:
            inherits = level[head[level] < 0]
            head[inherits] = head[forest.parent[inherits]]
        of_node = np.where(known, head[np.maximum(position, 0)], -1)
        taxa, numbers = np.unique(of_node[of_node >= 0], return_inverse=True)
        if FEWEST <= len(taxa) <= MOST and np.bincount(numbers).max() >= SMALLEST:
            of = np.full(len(identifiers), -1, dtype=np.int64)
            of[of_node >= 0] = numbers
            labels = tuple(taxonomy.name_of(int(t)) or str(int(t)) for t in taxonomy.taxids[taxa])
            return Clades(f"rank {rank}", of, labels)
    return None


def by_depth(graph: Graph, identifiers: Identifiers) -> Clades | None:
    """Subtrees of the smallest depth that has enough of them; None in a DAG or a flat tree."""
    forest = graph.forest
    if forest is None:
        return None
    large = forest.size >= SMALLEST
    for depth, level in enumerate(forest.levels):
        heads = level[large[level]]
        if FEWEST < len(heads) <= MOST:
            number = np.full(graph.n, -1, dtype=np.int64)
            number[heads] = np.arange(len(heads))
            for below in forest.levels[depth + 1 :]:
                number[below] = np.maximum(number[below], number[forest.parent[below]])
            labels = tuple(str(identifiers.of(int(head))) for head in heads)
            return Clades(f"subtrees at depth {depth}", number, labels)
    return None
