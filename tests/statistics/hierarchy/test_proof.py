from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from taxcheck.policy.model import Dataset
from taxcheck.sources.tables.batches import PairBatch
from taxcheck.statistics.hierarchy.closure import ForestClosure, GraphClosure
from taxcheck.statistics.hierarchy.edges import edges_of, transitive_reduction
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.hierarchy.proof import Proof
from taxcheck.statistics.hierarchy.shape import false_negative_risk
from tests.oracles import closure as oracle
from tests.statistics.pair_tables import pair_table, proved


def ints(values):
    return np.array(list(values), dtype=np.int64)


def fold(rows, n, size=3, depth=True):
    """The table of rows (ancestor, descendant, depth_diff), folded in batches of ``size``."""
    batches = [
        PairBatch(
            ints(range(start + 1, start + 1 + len(part))),
            ints(a for a, _, _ in part),
            ints(d for _, d, _ in part),
            ints(k for _, _, k in part) if depth else None,
        )
        for start in range(0, len(rows), size)
        for part in [rows[start : start + size]]
    ]
    return pair_table(n, *batches)


def proof_of(rows, n, workers=1, depth=True, kind="tree") -> Proof:
    return proved(fold(rows, n, depth=depth), dataset=Dataset(kind=kind), workers=workers)[0]


nodes = st.integers(0, 7)
proper_rows = st.lists(
    st.tuples(nodes, nodes, st.integers(-1, 5)).filter(lambda r: r[0] != r[1]),
    min_size=1,
    max_size=40,
)


@st.composite
def damaged_closures(draw):
    """A forest's closure with a few rows dropped, repeated, turned or misstated."""
    n = draw(st.integers(2, 12))
    parent = [draw(st.integers(-1, k - 1)) for k in range(n)]
    rows = []
    for d in range(n):
        a, k = parent[d], 1
        while a >= 0:
            rows.append((a, d, k))
            a, k = parent[a], k + 1
    if not rows:
        rows = [(0, 1, 1)]
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(rows) - 1))
        a, d, k = rows[at]
        change = draw(st.sampled_from(["drop", "repeat", "turn", "misstate"]))
        if change == "drop" and len(rows) > 1:
            rows.pop(at)
        elif change == "repeat":
            rows.append((a, d, k))
        elif change == "turn":
            rows.append((d, a, k))
        else:
            rows[at] = (a, d, k + 1)
    return draw(st.permutations(rows))


@given(
    st.one_of(proper_rows, damaged_closures()),
    st.sampled_from([1, 2]),
    st.sampled_from(["tree", "dag"]),
)
def test_proof_equals_the_naive_one(rows, workers, kind):
    assume({k for _, _, k in rows} != {1})  # they would say nothing
    result = proof_of(rows, 12, workers, kind=kind).statistics
    expected = oracle.judge(list(rows), strict=kind == "tree")
    assert result.expected == expected.expected
    assert result.distinct == expected.distinct
    assert result.duplicates.count == expected.duplicates
    assert result.reversed.count == expected.reversed
    assert result.missing.count == expected.missing.total()
    assert {k: int(c) for k, c in enumerate(result.missing_by_depth) if c} == dict(expected.missing)
    assert (result.false.count, result.unproven.count) == (expected.false, expected.unproven)


@given(damaged_closures())
def test_both_paths_agree_on_forests(rows):
    """The Euler tour and the sorted ancestor sets are two answers to one question."""
    state = fold(rows, 12)
    graph = edges_of([state], Dataset()).graph.acyclic
    if graph.forest is None:
        return
    tour, sets = ForestClosure(graph.forest), GraphClosure(graph)
    assert tour.expected == sets.expected
    a, d = (axis.ravel() for axis in np.meshgrid(np.arange(12), np.arange(12)))
    (slot_a, distance_a), (slot_b, distance_b) = tour.find(a, d), sets.find(a, d)
    assert (distance_a == distance_b).all()
    assert ((slot_a < 0) == (slot_b < 0)).all()
    every = np.arange(tour.expected)
    for mine in (tour, sets):
        anc, desc, dist = mine.pairs(every)
        assert (mine.find(anc, desc)[0] == every).all()
        assert (mine.distances(every) == dist).all()
    assert np.trim_zeros(tour.depths, "b").tolist() == np.trim_zeros(sets.depths, "b").tolist()


@given(proper_rows)
def test_reduction_equals_the_naive_one(rows):
    pairs = {(a, d) for a, d, _ in rows}
    ancestor, descendant = ints(a for a, _ in pairs), ints(d for _, d in pairs)
    present = np.zeros(8, dtype=bool)
    present[ancestor] = present[descendant] = True
    parents, children = transitive_reduction(ancestor, descendant, present)
    found = set(zip(parents.tolist(), children.tolist(), strict=True))
    assert found == oracle.reduction(pairs)


def chain(n):
    return [(a, d, d - a) for d in range(n) for a in range(d)]


@pytest.mark.long
@pytest.mark.parametrize("n", [64, 65, 66, 130, pytest.param(300, marks=pytest.mark.slow)])
def test_chains_deeper_than_a_machine_word(n):
    rows = chain(n)
    result = proof_of(rows, n).statistics
    assert (result.expected, result.distinct) == (n * (n - 1) // 2, n * (n - 1) // 2)
    assert (result.missing.count, result.false.count, result.duplicates.count) == (0, 0, 0)
    without = [row for row in rows if row != (0, n - 1, n - 1)]
    result = proof_of([*without, without[-1]], n).statistics
    assert (result.missing.count, result.duplicates.count) == (1, 1)
    assert result.missing.samples[0].values == {
        "ancestor_idx": 0,
        "descendant_idx": n - 1,
        "distance": n - 1,
    }
    assert result.duplicates.samples[0].row == len(without) + 1


def test_a_false_ancestor_at_an_occupied_level_is_not_a_duplicate():
    #   0 -> 1 -> 2 and 0 -> 3: node 2 says that both 0 and 3 are two levels above it
    result = proof_of([(0, 1, 1), (1, 2, 1), (0, 2, 2), (0, 3, 1), (3, 2, 2)], 4).statistics
    assert result.duplicates.count == 0
    assert result.false.count == 1
    assert result.false.samples[0].row == 5


def test_risk_of_false_negatives_by_hand():
    # root 0 with children 1, 2; each has two leaves: 3, 4 under 1 and 5, 6 under 2.
    # depth 1: m = 2, N = 2: 2 * 1 / 1 = 2. depth 2: for the root 4 * 3 / 3 = 4, for 1 and 2
    # 2 * 1 / 3 each. Over 10 pairs: (2 + 4 + 4/3) / 10.
    parents, children = ints([0, 0, 1, 1, 2, 2]), ints([1, 2, 3, 4, 5, 6])
    graph = Graph.from_edges(parents, children, np.ones(7, dtype=bool))
    expected = (2 + 4 + 4 / 3) / 10
    assert false_negative_risk(graph, ForestClosure(graph.forest)) == pytest.approx(expected)
    assert false_negative_risk(graph, GraphClosure(graph)) == pytest.approx(expected)


def test_held_out_pairs_complete_the_closure():
    training = fold([(0, 1, 1), (1, 2, 1)], 3)
    held_out = fold([(0, 2, 2)], 3)
    proof, _ = proved(training, held_out)
    assert proof.statistics.missing.count == 0
    assert proof.statistics.distinct == 2
