from dataclasses import replace

import numpy as np
import pytest

from taxcheck.engine.config import TrainConfig
from taxcheck.engine.dataset import training_data
from taxcheck.engine.initial import cones, initial_table
from taxcheck.engine.values import Floats, TrainingData
from taxcheck.geometry import ball, euclidean, lorentz, tangent
from taxcheck.geometry.space import Space

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
