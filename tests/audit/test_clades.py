"""Which clade a node belongs to, by a rank or by the subtrees of one depth; nested subtrees."""

from __future__ import annotations

import numpy as np

from taxcheck.audit.clades import by_depth, by_rank, nested_clades
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.values import Identifiers
from tests.statistics.small_taxonomy import small_taxonomy

# 1 > 2 (phylum) > 10 and 20 (classes) > 11 .. 21 and 31 .. 33; 40 hangs from the phylum itself.
PARENTS = (
    {1: 1, 2: 1, 10: 2, 20: 2, 40: 2}
    | dict.fromkeys(range(100, 111), 10)
    | {111: 100}
    | dict.fromkeys(range(200, 203), 20)
)
RANKS = {2: "phylum", 10: "class", 20: "class", 111: "species"}


def test_members_of_the_first_rank_that_divides():
    taxonomy = small_taxonomy(PARENTS, RANKS, names={10: "Asteroidea"})
    taxids = np.array([111, 1, 10, 40, 200, -1, 999, *range(100, 111), 201])
    clades = by_rank(taxonomy, taxids)
    assert clades.level == "rank class"
    assert clades.labels == ("Asteroidea", "20")
    assert clades.of.tolist() == [0, -1, 0, -1, 1, -1, -1, *[0] * 11, 1]
    assert clades.sizes.tolist() == [13, 2]


def test_a_rank_with_one_clade_or_small_ones_divides_nothing():
    one = small_taxonomy(PARENTS, {2: "phylum", 10: "class"})
    assert by_rank(one, np.array(sorted(PARENTS))) is None
    small = small_taxonomy({1: 1, 10: 1, 20: 1, 11: 10}, {10: "class", 20: "class"})
    assert by_rank(small, np.array([1, 10, 20, 11])) is None


def test_a_later_rank_where_classes_do_not_divide():
    taxonomy = small_taxonomy(PARENTS, {10: "order", 20: "order", 2: "class"})
    assert by_rank(taxonomy, np.array(sorted(PARENTS))).level == "rank order"


def tree(sizes):
    """Root 0 with one child for every size, each the head of a path of that many nodes."""
    edges, n = [], 1
    for size in sizes:
        edges += [(0 if k == 0 else n + k - 1, n + k) for k in range(size)]
        n += size
    above, below = np.array(edges).T
    return Graph.from_edges(above, below, np.ones(n, dtype=bool))


def identifiers(n):
    return Identifiers(np.arange(n) + 1000, None)


def test_subtrees_of_the_shallowest_depth_that_has_several_large_ones():
    graph = tree([10, 12, 3, 10])
    clades = by_depth(graph, identifiers(graph.n))
    assert clades.level == "subtrees at depth 1"
    assert clades.labels == ("1001", "1011", "1026")
    assert clades.of.tolist() == [-1, *[0] * 10, *[1] * 12, -1, -1, -1, *[2] * 10]
    assert clades.sizes.tolist() == [10, 12, 10]


def test_no_subtrees_in_a_flat_tree_or_in_a_dag():
    assert by_depth(tree([1] * 30), identifiers(31)) is None
    dag = Graph.from_edges(np.array([0, 0, 1]), np.array([1, 2, 2]), np.ones(3, dtype=bool))
    assert by_depth(dag, identifiers(3)) is None


def members(clades):
    pairs = zip(clades.heads.tolist(), clades.begin, clades.end, strict=True)
    return {head: sorted(clades.members[a:b].tolist()) for head, a, b in pairs}


def test_nested_subtrees_are_all_that_are_large_enough():
    graph = tree([12, 3, 10])
    clades = nested_clades(graph, identifiers(graph.n))
    # The root, three heads along the path of twelve nodes, one of the path of ten.
    assert members(clades) == {
        0: list(range(26)),
        1: list(range(1, 13)),
        2: list(range(2, 13)),
        3: list(range(3, 13)),
        16: list(range(16, 26)),
    }
    assert clades.sizes.tolist() == [26, 12, 11, 10, 10]
    assert clades.labels == ("1000", "1001", "1002", "1003", "1016")
    assert clades.level == "subtrees of 10 nodes or more"


def test_of_too_many_the_largest_are_taken_and_named_ranks_first():
    graph = tree([12, 3, 10])
    largest = nested_clades(graph, identifiers(graph.n), most=3)
    assert largest.heads.tolist() == [0, 1, 2]
    assert largest.level == "3 of the 5 subtrees of 10 nodes or more, the largest"
    parents = {1: 1} | dict.fromkeys(range(1000, 1026), 1)
    ranks = {1003: "genus", 1016: "family", 1001: "clade"}
    taxonomy = small_taxonomy(parents, ranks, names={1016: "Asteriidae"})
    ranked = nested_clades(graph, identifiers(graph.n), taxonomy, most=3)
    assert ranked.heads.tolist() == [0, 3, 16], "two of a main rank, and the largest of the others"
    assert ranked.labels == ("1000", "1003", "Asteriidae")
    assert ranked.level.endswith(", main ranks first, then by size")


def test_no_nested_clades_where_nodes_have_several_parents():
    dag = Graph.from_edges(np.array([0, 0, 1]), np.array([1, 2, 2]), np.ones(3, dtype=bool))
    clades = nested_clades(dag, identifiers(3))
    assert (len(clades.heads), len(clades.labels)) == (0, 0)
    assert clades.level.startswith("nodes with several parents")
