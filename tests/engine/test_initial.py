from dataclasses import replace

import numpy as np
import pytest

from taxcheck.audit.metrics.ranking import positives_of, rank
from taxcheck.engine.config import TrainConfig
from taxcheck.engine.dataset import TrainingData, training_data
from taxcheck.engine.initial import (
    cones,
    initial_table,
    levels,
    nested,
    radial_targets,
)
from taxcheck.engine.stepper import Floats
from taxcheck.geometry import ball, lorentz, tangent
from taxcheck.geometry.space import Space
from tests.engine.tiny import from_tables
from tests.engine.tiny import tree as closure
from tests.oracles import euclidean

GEOMETRIES = ("ball", "tangent", "lorentz", "euclidean")


def tree(parents: list[int], n: int | None = None) -> TrainingData:
    """The edges of a tree, given by the parent of each node (-1: root)."""
    child = np.array([v for v, p in enumerate(parents) if p >= 0])
    parent = np.array([p for p in parents if p >= 0])
    return training_data(parent, child, np.ones(len(child), int), n or len(parents))


def radii(table: Floats, geometry: str) -> Floats:
    of = {
        "ball": ball.radius,
        "lorentz": lorentz.radius,
        "tangent": tangent.radius,
        "euclidean": euclidean.radius,
    }
    return of[geometry](table)


@pytest.fixture(scope="module")
def binary() -> TrainingData:
    return tree([-1, *((v - 1) // 2 for v in range(1, 511))])


def test_every_child_is_one_step_from_its_parent(binary: TrainingData) -> None:
    config = TrainConfig(dim=6, cone_step=1.5, cone_growth=1.2)
    directions, reach = cones(binary, config, np.random.default_rng(3))
    space = Space(directions, reach, hyperbolic=True)
    child = np.flatnonzero(binary.parent >= 0)
    step = 1.5 * 1.2 ** (binary.depth[child] - 8.0)
    assert space.distance(child, binary.parent[child]) == pytest.approx(step, rel=1e-6)
    assert np.linalg.norm(directions, axis=1) == pytest.approx(np.ones(511))
    assert reach[0] == 0


def test_steps_stop_growing_at_depth_12_and_at_length_8() -> None:
    chain = tree([-1, *range(20)])
    directions, reach = cones(
        chain, TrainConfig(dim=3, cone_step=0.1, cone_growth=1.5), np.random.default_rng(0)
    )
    space = Space(directions, reach, hyperbolic=True)
    steps = space.distance(np.arange(1, 21), np.arange(20))
    assert steps[11:] == pytest.approx(np.full(9, 0.1 * 1.5**4), rel=1e-6)
    assert steps[7] == pytest.approx(0.1, rel=1e-6)
    _, far = cones(tree([-1, 0]), TrainConfig(cone_step=1e9), np.random.default_rng(0))
    assert far == pytest.approx([0, 8])


def test_a_deep_chain_stays_finite() -> None:
    chain = tree([-1, *range(2000)])
    table = initial_table(chain, TrainConfig(cone_step=5.0), np.random.default_rng(0))
    assert np.isfinite(table).all()


def test_several_roots_are_one_step_from_the_centre_and_a_single_one_lies_there() -> None:
    config = TrainConfig(dim=4, cone_step=2.0, cone_growth=1.0)
    _, reach = cones(tree([-1, -1, 0, 1], n=5), config, np.random.default_rng(0))
    assert reach[[0, 1, 4]] == pytest.approx([2, 2, 2])  # 4 is in no pair
    _, reach = cones(tree([-1, 0], n=3), config, np.random.default_rng(0))
    assert reach == pytest.approx([0, 2, 2])


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_cones_reach_the_cone_radius_in_every_geometry(binary: TrainingData, geometry: str) -> None:
    config = TrainConfig(dim=5, geometry=geometry, init="cones", cone_radius=2.5)
    table = initial_table(binary, config, np.random.default_rng(1))
    assert table.shape == (511, 6 if geometry == "lorentz" else 5)
    assert radii(table, geometry).max() == pytest.approx(2.5, rel=1e-9)
    same = initial_table(binary, replace(config, geometry="tangent"), np.random.default_rng(1))
    assert radii(table, geometry) == pytest.approx(radii(same, "tangent"), abs=1e-9)
    spatial = table[1:, -5:] / np.linalg.norm(table[1:, -5:], axis=1, keepdims=True)
    assert spatial == pytest.approx(same[1:] / np.linalg.norm(same[1:], axis=1, keepdims=True))


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_depth_aware_norms_grow_evenly_with_depth(geometry: str) -> None:
    data = tree([-1, 0, 1, 2, 3])
    config = TrainConfig(dim=3, geometry=geometry, init="depth-aware", init_min=0.1, init_max=0.5)
    table = initial_table(data, config, np.random.default_rng(0))
    expected = [0.1, 0.2, 0.3, 0.4, 0.5]
    assert np.tanh(radii(table, geometry) / 2) == pytest.approx(expected)


def test_uniform_fills_a_small_box() -> None:
    data = tree([-1, *([0] * 999)])
    config = TrainConfig(dim=3, geometry="ball", init="uniform", init_scale=0.01)
    table = initial_table(data, config, np.random.default_rng(0))
    assert 0.0099 < np.abs(table).max() <= 0.01
    assert table.mean() == pytest.approx(0, abs=4 * 0.01 / 3**0.5 / 3000**0.5)
    sheet = initial_table(data, replace(config, geometry="lorentz"), np.random.default_rng(0))
    assert sheet[:, 1:] == pytest.approx(table)
    assert lorentz.sheet_error(sheet).max() < 1e-15


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("geometry", ["ball", "lorentz", "tangent"])
def test_no_row_leaves_the_space_whatever_the_settings(
    binary: TrainingData, geometry: str, dtype: str
) -> None:
    config = TrainConfig(dim=2, geometry=geometry, dtype=dtype, max_norm=0.98, max_radius=30.0)
    config = replace(config, init="cones", cone_radius=1e3)
    table = initial_table(binary, config, np.random.default_rng(0))
    assert table.dtype == dtype
    if geometry == "ball":
        assert np.linalg.norm(table, axis=1).max() <= 0.98
    largest = {"ball": 4.6, "tangent": 30, "lorentz": 9.0 if dtype == "float32" else 19.1}
    assert radii(table, geometry).max() == pytest.approx(largest[geometry], rel=0.01)


def test_the_generator_alone_decides(binary: TrainingData) -> None:
    tables = [initial_table(binary, TrainConfig(), np.random.default_rng(s)) for s in (0, 0, 1)]
    assert (tables[0] == tables[1]).all()
    assert (tables[0] != tables[2]).any()


def test_one_dimension_has_two_directions() -> None:
    table = initial_table(
        tree([-1, 0, 0, 1]), TrainConfig(dim=1, geometry="tangent"), np.random.default_rng(0)
    )
    assert np.isfinite(table).all()


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

    later = replace(config, nested_radii=config.nested_radii[1:])
    assert radial_targets(chain, later) == pytest.approx([0, 1, 2, 11, 20, 21.5, 23])
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
