"""The clades whose spread is judged: subtrees of every depth, one inside the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taxcheck.audit.clade_assignment import SMALLEST
from taxcheck.sources.taxonomy import MAIN_RANKS, Taxonomy
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.values import BoolArray, Identifiers, IntArray

# All of NCBI has 54,020 subtrees of ten nodes; this many are judged in about four seconds.
MOST = 2_000


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
    most: int = MOST,
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
    labels = tuple(_label(int(head), identifiers, taxonomy) for head in heads)
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


def _label(idx: int, identifiers: Identifiers | None, taxonomy: Taxonomy | None) -> str:
    """A node's name, else its identifier, else its idx."""
    found = None if identifiers is None else identifiers.of(idx)
    name = taxonomy.name_of(found) if taxonomy is not None and isinstance(found, int) else None
    return name or (f"idx {idx}" if found is None else str(found))
