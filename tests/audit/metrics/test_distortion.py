import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxcheck.audit.metrics.distortion import (
    best_scale,
    distortion,
    pairs_of_rows,
    tree_distances,
)
from tests.oracles.graph_distances import graph_distances


@settings(deadline=None)
@given(st.integers(2, 30), st.integers(0, 2**32 - 1))
def test_tree_distances_are_those_of_breadth_first_search(n, seed):
    rng = np.random.default_rng(seed)
    parent = np.array([-1] + [int(rng.integers(-1 if k == 1 else 0, k)) for k in range(1, n)])
    depth = np.zeros(n, dtype=int)
    for k in range(1, n):
        depth[k] = depth[parent[k]] + 1 if parent[k] >= 0 else 0
    inner = np.flatnonzero(parent >= 0)
    wide = graph_distances(parent[inner], inner, n, np.arange(n))
    u, v, complete = pairs_of_rows(n, 10**6, rng)
    assert complete
    assert len(u) == n * (n - 1) // 2
    assert (tree_distances(parent, depth, u, v) == wide[u, v]).all()


def test_nodes_without_a_depth_are_joined_to_nothing():
    parent, depth = np.array([-1, 2, 1]), np.array([0, -1, -1])  # 1 and 2 are a cycle
    assert np.isinf(tree_distances(parent, depth, np.array([0, 1]), np.array([1, 2]))).all()


def test_graph_distances_of_a_dag():
    """0 over 1 and 2, both over 3: 0 to 3 is 2, 1 to 2 is 2 either way."""
    parents, children = np.array([0, 0, 1, 2]), np.array([1, 2, 3, 3])
    found = graph_distances(parents, children, 5, np.array([0, 1]))
    assert found[:, :4].tolist() == [[0, 1, 1, 2], [1, 0, 2, 1]]
    assert np.isinf(found[:, 4]).all()


def test_distortion_by_hand():
    """rho = 1, 2, 4 (1/1, 4/2, 4/1): mean |rho - 1| = 4/3, worst 4.

    1/rho = 1, 1/2, 1/4 with weights 1, 2, 4: the median is 1/4, where half of 7 is reached:
    |1/4 - 1| + |1/2 - 1| + 0 = 5/4, over 3.
    """
    got = distortion(
        np.array([1.0, 4.0, 4.0, np.nan, 3.0]),
        np.array([1.0, 2.0, 1.0, 1.0, np.inf]),
        np.random.default_rng(0),
        complete=True,
    )
    assert got.average.value == pytest.approx(4 / 3)
    assert (got.scale, got.scaled.value) == pytest.approx((1 / 4, 5 / 12))
    assert (got.worst, got.pairs, got.lost) == (4, 3, 1)
    assert got.average.low == got.average.high


@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=20))
def test_no_other_scale_is_better(rho):
    rho = np.array(rho)
    scale = best_scale(rho)
    best = np.abs(scale * rho - 1).mean()
    tried = np.r_[1 / rho, scale * np.linspace(0.5, 1.5, 21)]
    assert all(best <= np.abs(s * rho - 1).mean() + 1e-12 for s in tried)


def test_scaling_the_table_changes_the_average_alone():
    rng = np.random.default_rng(0)
    graph = rng.integers(1, 9, size=500).astype(float)
    embedded = graph * rng.uniform(0.8, 1.2, size=500)
    one, three = (distortion(s * embedded, graph, np.random.default_rng(1)) for s in (1, 3))
    assert three.scaled.value == pytest.approx(one.scaled.value)
    assert three.worst == pytest.approx(one.worst)
    assert three.scale == pytest.approx(one.scale / 3)
    assert one.average.low < one.average.value < one.average.high
    assert three.average.value > 1.5


def test_sampled_pairs_are_never_of_one_row():
    u, v, complete = pairs_of_rows(5000, 1000, np.random.default_rng(0))
    assert not complete
    assert (u != v).all()
    assert len(u) == 1000


def test_collapsed_rows_and_no_pairs():
    zero = distortion(np.zeros(4), np.ones(4), np.random.default_rng(0))
    assert zero.average.value == 1
    assert np.isinf(zero.worst)
    none = distortion(np.empty(0), np.empty(0), np.random.default_rng(0))
    assert np.isnan([none.average.value, none.worst, none.scale]).all()
