"""Tree or DAG, on small hierarchies, and what is said of pairs beyond the edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxcheck.policy.model import Dataset
from taxcheck.statistics.values import Beyond, Kind
from tests.oracles import closure as oracle
from tests.statistics.pair_tables import pair_batch, pair_table, proved


def closed(edges, n):
    """The closure of edges as rows (ancestor, descendant, shortest distance)."""
    above = {node: oracle.ancestors(set(edges), node) for node in range(n)}
    return [(a, d, k) for d, found in above.items() for a, k in sorted(found.items())]


def read(rows, n, names=("depth_diff",), **intent):
    table = pair_table(n, pair_batch([row[: 2 + len(names)] for row in rows], names))
    proof, tree = proved(table, dataset=Dataset(**intent))
    return proof.statistics, tree


# 0 > 1, 2; 1 > 3, 5; 2 > 5; 3 > 4; 5 > 6: the row 2 > 3 is lost, and nothing is false
LOST_ROW = closed({(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (1, 5), (2, 5), (5, 6)}, 7)
LOST_ROW.remove((2, 3, 1))


def test_a_lost_edge_of_a_dag_makes_no_pair_false():
    found, tree = read(LOST_ROW, 7)
    assert (found.false.count, found.missing.count) == (0, 0)
    assert (found.unproven.count, found.unproven.detail) == (1, {"beyond_edges": 1})
    assert found.unproven.samples[0].values == {
        "ancestor_idx": 2,
        "descendant_idx": 4,
        "depth_diff": 2,
    }
    assert (tree.kind, tree.beyond) == (Kind.DAG, Beyond(1, 1, 2))


def test_in_a_dag_only_what_closes_a_cycle_or_takes_a_longer_way_is_false():
    wrong = [(4, 2, 3), (6, 4, 2), (0, 4, 9), (0, 6, 2)]  # the last is a shorter way: of 3 steps
    rows = [row for row in LOST_ROW if row[:2] not in {(0, 4), (0, 6)}]
    found, _ = read([*rows, (2, 3, 1), *wrong], 7)
    assert found.false.detail == {"ancestry": 1, "distance": 1}
    assert {s.row for s in found.false.samples} == {len(rows) + 2, len(rows) + 4}
    assert found.unproven.detail == {"beyond_edges": 1, "shorter_way": 1}


# 30 pairs of branches, whose leaves have two parents each
SEVERAL = {(0, k) for k in range(1, 61)} | {
    (side + k, 61 + k) for k in range(0, 30) for side in (1, 31)
}
TREE = {(parent, child) for parent, child in SEVERAL if parent < 31}
FAMILIES = {(0, k) for k in range(1, 21)} | {(k, 20 + k) for k in range(1, 21)}
DEEP = FAMILIES | {(20 + k, 40 + k) for k in range(1, 21)}


@pytest.mark.parametrize("names", [("depth_diff",), ()])
@pytest.mark.parametrize(
    ("edges", "kind"), [(SEVERAL, Kind.DAG), (TREE, Kind.TREE), (DEEP | {(1, 22)}, Kind.DAG)]
)
def test_a_dataset_is_of_one_kind_with_and_without_distances(edges, kind, names):
    _, tree = read(closed(edges, 91), 91, names)
    assert tree.kind is kind
    assert tree.edges_from == ("depth_diff" if names else "transitive reduction")


def test_shortcuts_do_not_make_a_dag():
    """A pair at distance 1 with someone in between is seen only where distances are."""
    edges = DEEP | {(0, 20 + k) for k in range(1, 21)}
    (stated, plain) = (read(closed(edges, 61), 61, names)[1] for names in (("depth_diff",), ()))
    assert stated.kind is plain.kind is Kind.TREE
    assert (stated.several_parents.count, plain.several_parents.count) == (20, 0)


def one_parent(edges, n):
    """The closure of edges, of which each node keeps the first at distance 1."""
    rows, seen = [], set()
    for a, d, k in closed(edges, n):
        if k > 1 or d not in seen:
            rows.append((a, d, k))
        seen |= {d} if k == 1 else set()
    return rows


LATTICE = {(0, 1), (0, 2)} | {
    edge for k in range(1, 40) for edge in ((2 * k - 1, 2 * k + 1), (2 * k, 2 * k + 2))
} | {(2 * k - 1, 2 * k + 2) for k in range(1, 40)}  # fmt: skip


def test_second_parents_that_were_lost_show_in_pairs_that_stay_closed():
    """Even nodes keep the odd parent: of their own 40 * 39 / 2 pairs the 39 edges are lost."""
    rows = one_parent(LATTICE, 81)
    found, tree = read(rows, 81)
    assert tree.several_parents.count == 0
    assert tree.kind is Kind.DAG
    assert tree.kind_reason.endswith("by 741 pairs beyond the depth-1 pairs")
    assert found.false.count == 0
    assert found.unproven.count == found.distinct - found.expected
    assert tree.beyond.closed == tree.beyond.pairs


def test_pairs_at_random_leave_a_tree_a_tree():
    rng = np.random.default_rng(3)
    n = 400
    edges = {(int(rng.integers(max(0, k - 40), k)), k) for k in range(1, n)}
    rows = closed(edges, n)
    held = {row[:2] for row in rows}
    pairs = {(int(a), int(d)) for a, d in rng.integers(0, n, (60, 2)) if a != d}
    wrong = [(a, d, 2) for a, d in sorted(pairs) if (a, d) not in held and (d, a) not in held]
    found, tree = read([*rows, *wrong], n)
    assert tree.kind is Kind.TREE
    assert (found.false.count, found.unproven.count) == (len(wrong), 0)
    assert tree.beyond.pairs == len(wrong)
    assert tree.beyond.closed <= 0.1 * len(wrong)


@pytest.mark.parametrize("intent", ["sampled", "depth<=30"])
def test_where_pairs_may_lack_many_wrong_ones_stay_false(intent):
    """Two chains lack all distances beyond 5; 100 nodes of one have an ancestor of the other."""
    n = 401
    trunk, side = range(1, 201), range(201, 401)
    edges = {(k - 1, k) for k in trunk} | {(k - 200 if k == 201 else k - 1, k) for k in side}
    rows = [row for row in closed(edges, n) if row[2] <= 5]
    wrong = [(k - 200, k, 6) for k in side[50:150]]
    found, tree = read([*rows, *wrong], n, pairs=intent)
    assert tree.kind is Kind.TREE
    assert (found.false.count, found.unproven.count) == (len(wrong), 0)


def test_one_pair_that_nothing_contradicts_is_unknown_unless_the_policy_decides():
    # 0 > 1, 2; 1 > 3; 2 > 4: that 2 is above 3 as well may be
    rows = [*closed({(0, 1), (0, 2), (1, 3), (2, 4)}, 5), (2, 3, 2)]
    for kind, false, unproven in (("auto", 0, 1), ("tree", 1, 0), ("dag", 0, 1)):
        found, _ = read(rows, 5, kind=kind)
        assert (found.false.count, found.unproven.count) == (false, unproven)
    contradicted = [*rows[:-1], (3, 4, 2)]  # 1 is above 3, and not above 4
    assert read(contradicted, 5)[0].false.count == 1


@pytest.mark.parametrize("names", [("depth_diff",), ()])
def test_distances_that_are_all_one_are_none(names):
    rows = [(a, d, 1) for a, d, _ in closed(DEEP, 61)]
    found, tree = read(rows, 61, names)
    assert (tree.kind, tree.edges_from) == (Kind.TREE, "transitive reduction")
    assert (tree.edges, tree.flat) == (60, bool(names))
    assert (found.missing.count, found.false.count, found.unproven.count) == (0, 0, 0)
    only_edges, listed = read([(a, d, 1) for a, d in sorted(DEEP)], 61, names)
    assert (listed.edges, listed.flat) == (60, False)
    assert only_edges.missing.count == found.distinct - 60


def test_few_shortcuts_are_edges_of_a_dag_though_all_distances_are_one():
    rows = [(0, 1, 1), (1, 2, 1), (0, 2, 1)]
    found, tree = read(rows, 3)
    assert (tree.edges, tree.flat, found.expected, found.missing.count) == (3, False, 3, 0)
    listed, few = read([(a, d, 1) for a, d in sorted(DEEP | {(0, 21), (0, 22)})], 61)
    assert (few.edges, few.flat, listed.expected) == (62, False, 20 + 40 + 60)


def test_a_root_that_lost_its_parent_explains_the_pairs_of_its_tree():
    """The rows that call 2 a descendant are lost: its own tree is whole, and no DAG is seen."""
    rows = [row for row in closed(DEEP, 61) if row[1] != 2]
    found, tree = read(rows, 61)
    assert (tree.kind, tree.beyond) == (Kind.TREE, Beyond())
    assert found.unproven.detail == {"broken_chain": 2}


def test_damage_that_hides_the_kind_is_told():
    rng = np.random.default_rng(4)
    n = 600
    edges = {(int(rng.integers(max(0, k - 30), k)), k) for k in range(1, n)}
    rows = closed(edges, n)
    for lost in (0.05, 0.5):
        kept = [row for row in rows if rng.random() > lost]
        tree = read(kept, n, ())[1]
        assert tree.several_parents.count > 0.01 * n
        assert tree.kind is Kind.UNKNOWN
        assert "lost rows alone can explain" in tree.kind_reason
    circular = [*rows, *((d, a, k) for a, d, k in rows if a == 0)]
    tree = read(circular, n, ())[1]
    assert (tree.kind, tree.cycles.count) == (Kind.UNKNOWN, n)


@given(st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=25))
def test_any_closed_dag_is_of_one_kind(pairs):
    edges = {(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]}
    rows = closed(edges, 10)
    if rows and {k for _, _, k in rows} != {1}:
        stated, plain = (read(rows, 10, names)[1] for names in (("depth_diff",), ()))
        assert stated.kind is plain.kind
        assert stated.beyond == plain.beyond == Beyond()
