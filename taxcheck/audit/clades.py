"""Clades: the classes that are told apart, and the nested subtrees whose spread is judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.sources.taxonomies.name_table import NameTable
from taxcheck.sources.taxonomies.taxonomy import MAIN_RANKS, Taxonomy
from taxcheck.statistics.hierarchy.forest import Forest
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.values import Identifiers

# Ranks that may partition the nodes, the first useful one is taken.
RANKS = ("class", "phylum", "order", "family", "kingdom", "genus")
FEWEST, MOST = 2, 400  # classes of a partition
SMALLEST = 10  # members of a clade that is worth a line


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition of the nodes; nodes above all clades belong to none."""

    level: str  # "rank class", "subtrees at depth 3"
    of: IntArray  # (n,) number of the clade, -1 for none
    labels: tuple[str, ...]

    @property
    def sizes(self) -> IntArray:
        """Members of every clade."""
        return np.bincount(self.of[self.of >= 0], minlength=len(self.labels))


def by_rank(taxonomy: Taxonomy, identifiers: IntArray) -> Partition | None:
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
            return Partition(f"rank {rank}", of, labels)
    return None


def by_depth(graph: Graph, identifiers: Identifiers) -> Partition | None:
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
            return Partition(f"subtrees at depth {depth}", number, labels)
    return None


# All of NCBI has 54,020 subtrees of ten nodes; this many are judged in about four seconds.
MOST_NESTED = 2_000


@dataclass(frozen=True, slots=True)
class NestedClades:
    """Subtrees as stretches of one depth-first walk, so that nothing is held per member.

    ``members[begin[i]:end[i]]`` are the nodes of clade i, its head first.
    """

    level: str  # which clades these are, or why there are none
    heads: IntArray  # (m,) idx, ascending
    labels: tuple[str, ...]  # (m,)
    begin: IntArray  # (m,)
    end: IntArray  # (m,)
    members: IntArray  # (n,) every node, in the order of the walk

    @property
    def sizes(self) -> IntArray:
        """Nodes of every clade, its head included, (m,)."""
        return self.end - self.begin


def nested_clades(
    graph: Graph,
    identifiers: Identifiers | None = None,
    taxonomy: Taxonomy | None = None,
    most: int = MOST_NESTED,
) -> NestedClades:
    """Every subtree of ten nodes or more, or ``most`` of them.

    Where there are more the largest are taken; with a taxonomy, first those whose head has one of
    the main ranks (domain to species), which are the groups that people know by name.

    Only of a forest. Where nodes have several parents subtrees overlap, a node that hangs in two
    places widens one of them by right, and neither size nor depth predicts by how much.
    """
    forest = graph.forest
    if forest is None:
        nothing = np.empty(0, dtype=np.int64)
        reason = "nodes with several parents, or cycles: size and depth predict no spread there"
        return NestedClades(reason, nothing, (), nothing, nothing, nothing)
    heads = np.flatnonzero(forest.size >= SMALLEST)
    level = f"subtrees of {SMALLEST} nodes or more"
    if len(heads) > most:
        named = _named(heads, identifiers, taxonomy)
        order = np.lexsort((-forest.size[heads], ~named))
        level = f"{most:,} of the {len(heads):,} {level}, " + (
            "main ranks first, then by size" if named.any() else "the largest"
        )
        heads = np.sort(heads[order[:most]])
    members = np.empty(graph.n, dtype=np.int64)
    members[forest.entry] = np.arange(graph.n)
    begin = forest.entry[heads].astype(np.int64)
    labels = tuple(name_of_node(int(head), identifiers, taxonomy) for head in heads)
    return NestedClades(level, heads, labels, begin, begin + forest.size[heads], members)


def _named(
    heads: IntArray, identifiers: Identifiers | None, taxonomy: Taxonomy | None
) -> BoolArray:
    """Which heads are taxa of a main rank."""
    taxids = None if identifiers is None else identifiers.integers
    if taxonomy is None or taxids is None:
        return np.zeros(len(heads), dtype=bool)
    main = np.array([rank in MAIN_RANKS for rank in taxonomy.rank_names], dtype=bool)
    inside = heads < len(taxids)
    at = taxonomy.positions(np.where(inside, taxids[np.where(inside, heads, 0)], -1))
    return np.asarray((at >= 0) & main[taxonomy.ranks[np.maximum(at, 0)]])


def name_of_node(
    idx: int, identifiers: Identifiers | None, taxonomy: Taxonomy | NameTable | None
) -> str:
    """A node's name, else its identifier, else its idx."""
    found = None if identifiers is None else identifiers.of(idx)
    name = None if taxonomy is None or found is None else taxonomy.name_of(found)
    return name or (f"idx {idx}" if found is None else str(found))
