"""The nested start: what it promises of radii, directions and ranks, before any training."""

from dataclasses import replace

import numpy as np
import pytest

from taxcheck.engine.config import TrainConfig
from taxcheck.engine.dataset import from_tables, training_data
from taxcheck.engine.initial import initial_table
from taxcheck.engine.nested import levels, nested, nested_radii
from taxcheck.engine.targets import radial_targets
from taxcheck.geometry.space import Space
from taxcheck.metrics.ranking import positives_of, rank
from tests.engine.test_initial import tree
from tests.engine.tiny import tree as closure

CONFIG = TrainConfig(dim=10)


def of(data, config, seed=0):
    return initial_table(data, config, np.random.default_rng(seed))


def quality(data, config):
    owner = np.repeat(np.arange(data.n_nodes), np.diff(data.starts))
    positives = positives_of(data.ancestors.astype(np.int64), owner, data.n_nodes)
    return rank(Space.of(of(data, config), config.geometry), positives)


def test_every_ancestor_comes_first_before_any_training():
    data = closure(8)  # 255 nodes of a binary tree
    found = quality(data, replace(CONFIG, nested_step=4.0))
    assert found.map > 0.999
    assert found.mean_rank < 1.01


def test_a_real_clade_is_nearly_embedded_before_any_training():
    data = from_tables("fixtures/healthy/mapping.tsv", "fixtures/healthy/pairs.parquet")
    radii = Space.of(of(data, CONFIG), "tangent").radii
    assert radii == pytest.approx(1.5 * data.depth)
    sources = np.random.default_rng(0).choice(np.flatnonzero(np.diff(data.starts)), 300)
    owner = np.repeat(np.arange(data.n_nodes), np.diff(data.starts))
    chosen = np.isin(owner, sources)
    positives = positives_of(data.ancestors[chosen].astype(np.int64), owner[chosen], data.n_nodes)
    found = rank(Space.of(of(data, CONFIG), "tangent"), positives)
    assert found.map > 0.93, "0.012 with random directions at the same radii"


def test_siblings_part_between_half_the_radii_of_their_parent_and_their_own():
    data = tree([-1, 0, *([1] * 400)])  # a root, its only child, and 400 children of that
    directions, reach = nested(data, replace(CONFIG, nested_step=3.0), np.random.default_rng(0))
    space = Space(directions, reach, hyperbolic=True)
    u, v = np.triu_indices(400, 1)
    apart = space.distance(u + 2, v + 2)
    part = (reach[2] + reach[3] - apart) / 2  # the Gromov product, for equal radii
    low, high = reach[1] / 2, reach[2] / 2
    assert low < np.median(part) < high
    assert np.median(part) == pytest.approx((low + high) / 2, abs=0.2)
    own = (reach[1] + reach[2] - space.distance(np.arange(2, 402), np.ones(400, int))) / 2
    assert (own > low).all(), "nearer to the parent than to the origin"


def test_several_roots_are_one_step_out_and_so_is_a_node_in_no_pair():
    assert levels(tree([-1, 0], n=3)).tolist() == [0, 1, 1]
    assert levels(tree([-1, -1, 0, 1], n=5)).tolist() == [1, 1, 2, 2, 1]
    table = of(tree([-1, -1, 0, 1], n=5), CONFIG)
    assert np.linalg.norm(table, axis=1) == pytest.approx([1.5, 1.5, 3, 3, 1.5])


def test_radii_by_depth_go_in_lines_through_the_points_and_on_by_the_step():
    chain = tree([-1, *range(6)])
    config = replace(CONFIG, nested_radii=((0, 0.0), (2, 2.0), (4, 20.0)), nested_step=1.5)
    assert nested_radii(chain, config) == pytest.approx([0, 1, 2, 11, 20, 21.5, 23])
    later = replace(config, nested_radii=config.nested_radii[1:])
    assert nested_radii(chain, later) == pytest.approx([0, 1, 2, 11, 20, 21.5, 23])
    assert radial_targets(chain, config) == pytest.approx([0, 1, 2, 11, 20, 21.5, 23])
    ball = replace(config, geometry="ball", max_norm=1 - 1e-12)
    expected = np.tanh(np.array([0, 1, 2, 11, 20, 21.5, 23]) / 2)
    assert radial_targets(chain, ball) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("geometry", "dtype", "limit"),
    [("tangent", "float64", 37), ("tangent", "float32", 17), ("lorentz", "float64", 16)],
)
def test_a_deep_tree_is_drawn_in_to_what_the_dtype_holds(geometry, dtype, limit):
    config = replace(CONFIG, geometry=geometry, dtype=dtype)
    space = Space.of(of(tree([-1, *range(400)]), config), geometry)
    assert space.radii.max() == pytest.approx(0.95 * limit, rel=1e-3)
    assert np.isfinite(space.distance(np.arange(400), np.arange(1, 401))).all()


def test_a_deep_dag_in_flat_space_stays_finite():
    a = np.array([*range(600), 598])
    d = np.array([*range(1, 601), 600])
    data = training_data(a, d, np.ones(601, int), 601)
    assert np.isfinite(of(data, replace(CONFIG, geometry="euclidean"))).all()


def test_a_node_with_parents_in_two_branches_starts_between_them():
    a, d = np.array([(0, 1), (0, 2), (1, 3), (2, 3), (1, 4)]).T
    data = training_data(a, d, np.ones(5, int), 5)
    table = of(data, replace(CONFIG, nested_step=6.0))
    unit = table[1:] / np.linalg.norm(table[1:], axis=1, keepdims=True)
    both, one = unit[2] @ unit[:2].T, unit[3] @ unit[:2].T
    assert both[0] == pytest.approx(both[1], abs=0.05)
    assert one[0] > one[1]
