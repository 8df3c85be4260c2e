"""Two dimensions out of many: made of the table alone, and held against it."""

from __future__ import annotations

import numpy as np
import pytest

from taxcheck.audit.layouts import lay_out, ways
from taxcheck.audit.metrics.faithfulness import held, look
from taxcheck.audit.seriation import seriate
from taxcheck.geometry.space import Space
from tests.oracles.euclidean import distance


def nested(depth: int, fan: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Tangent rows of a whole tree in 6 dimensions: children fan out less the deeper they are."""
    rows, parent, level = [np.zeros(6)], [-1], [0]
    for k in range(depth):
        below = []
        for above in level:
            for _ in range(fan):
                step = rng.normal(size=6)
                towards = rows[above] / max(np.linalg.norm(rows[above]), 1e-300)
                towards = towards + step / np.linalg.norm(step) * np.exp(-2.5 * k)
                rows.append(towards / np.linalg.norm(towards) * 3.0 * (k + 1))
                parent.append(above)
                below.append(len(rows) - 1)
        level = below
    return np.array(rows), np.array(parent)


def test_subtrees_lie_together_on_the_circle_however_far_out():
    """Five levels: the directions of the deepest siblings differ by 1e-5 of a turn."""
    rng = np.random.default_rng(0)
    z, parent = nested(5, 3, rng)
    dealt = rng.permutation(len(z))
    place = np.empty(len(z), dtype=np.int64)
    found = dealt[seriate((z / np.maximum(np.linalg.norm(z, axis=1), 1e-300)[:, None])[dealt])]
    place[found] = np.arange(len(z))
    whole = 0
    for top in range(1, 4):  # the three great subtrees
        inside = np.array([top])
        for _ in range(5):
            inside = np.union1d(inside, np.flatnonzero(np.isin(parent, inside)))
        around = np.sort(place[inside])
        gaps = np.diff(np.r_[around, around[0] + len(z)])
        whole += np.count_nonzero(gaps > 1) <= 1 + 1  # the root, in no direction, lies anywhere
    assert whole == 3


def test_points_of_a_circle_keep_their_order():
    angle = np.random.default_rng(1).permutation(64) / 64 * 2 * np.pi
    order = seriate(np.stack([np.cos(angle), np.sin(angle)], axis=1))
    steps = np.diff(angle[np.r_[order, order[0]]]) % (2 * np.pi)
    one = 2 * np.pi / 64
    near = np.minimum(steps, 2 * np.pi - steps) < 1.5 * one
    assert near.mean() > 0.8  # by chance one in 30


def test_equal_rows_are_left_side_by_side_and_cost_nothing():
    points = np.repeat(np.eye(4), [5000, 1, 3000, 2], axis=0)
    order = seriate(points)
    assert np.array_equal(np.sort(order), np.arange(len(points)))
    kinds = points[order].argmax(axis=1)
    assert np.count_nonzero(kinds != np.roll(kinds, 1)) == 4


def test_rows_that_are_equal_are_drawn_at_one_place():
    z = np.repeat(np.random.default_rng(0).normal(size=(5, 4)), [3, 1, 2, 40, 1], axis=0)
    plane = lay_out(Space.of(z, "tangent"), np.full(len(z), -1), 0).plane
    tangent = plane.tangent()
    assert len(np.unique(tangent, axis=0)) == 5
    assert len(np.unique(np.hstack([z, tangent]), axis=0)) == 5


def test_what_rows_see_by_hand():
    """On a line at 0, 1, 3, 7: the parent of 3 is 0, behind 1; two rows at one place tie."""
    line = Space.of(np.array([[0.0], [1.0], [3.0], [7.0], [7.0], [np.nan]]), "euclidean")
    parent = np.array([-1, 0, 0, 2, 2, 0])
    seen = look(line, np.array([0, 1, 2, 3, 4, 5]), parent, k=2)
    assert [set(row) for row in seen.nearest[:4].tolist()] == [{1, 2}, {0, 2}, {0, 1}, {2, 4}]
    assert np.array_equal(seen.parent_rank, [np.nan, 1, 2, 2, 2, np.nan], equal_nan=True)
    same = look(Space.of(np.zeros((5, 2)), "ball"), np.array([1]), np.zeros(5, int))
    assert same.parent_rank.tolist() == [2.5]  # of four at one place, the middle
    swapped = Space.of(np.array([[0.0], [3.0], [1.0], [7.0], [7.0], [np.nan]]), "euclidean")
    found = held(seen, look(swapped, np.arange(6), parent, k=2))
    assert found.k == 2
    assert found.parent_rank == 2.5  # of 2, 1, 3 and 3


def test_nearest_rows_are_those_of_a_plain_sort():
    points = np.random.default_rng(2).normal(size=(60, 3))
    seen = look(Space.of(points, "euclidean"), np.arange(60), np.full(60, -1))
    apart = distance(points[:, None], points[None])
    np.fill_diagonal(apart, np.inf)
    expected = np.argsort(apart, axis=1)[:, :10]
    assert np.array_equal(np.sort(seen.nearest), np.sort(expected))


def test_a_table_that_holds_its_tree_shows_it_and_noise_does_not():
    rng = np.random.default_rng(0)
    z, parent = nested(5, 3, rng)
    good = lay_out(Space.of(z, "tangent"), parent, 0)
    noise = rng.normal(size=z.shape)
    noise *= (np.linalg.norm(z, axis=1) / np.linalg.norm(noise, axis=1))[:, None]
    poor = lay_out(Space.of(noise, "tangent"), parent, 0)
    assert len(good.others) == 3
    assert all(one.found.kept <= good.found.kept for one in good.others)
    assert good.found.kept > 0.5
    assert good.found.parent_rank < 20
    assert poor.found.parent_rank > 50
    assert np.allclose(good.plane.radii, np.linalg.norm(z, axis=1))  # the order keeps radii


def test_one_and_two_dimensions_are_shown_as_they_are():
    z = np.random.default_rng(0).normal(size=(40, 2))
    for width in (1, 2):
        found = lay_out(Space.of(z[:, :width], "tangent"), np.full(40, -1), 0)
        assert found.found.kept == 1.0
        assert np.isnan(found.table_rank)
        tangent = found.plane.tangent()
        assert np.allclose(tangent[:, :width], z[:, :width])
        assert np.all(tangent[:, width:] == 0)


@pytest.mark.parametrize("geometry", ["tangent", "ball", "lorentz", "euclidean"])
@pytest.mark.parametrize("rows", [1, 3])
def test_few_rows_and_rows_that_are_no_points(geometry, rows):
    z = np.zeros((rows + 1, 5))
    z[:rows] = np.eye(5)[:rows] * 0.5
    if geometry == "lorentz":
        z[:rows, 0] = np.sqrt(1 + np.square(z[:rows, 1:]).sum(axis=1))
    z[rows] = np.nan
    found = lay_out(Space.of(z, geometry), np.array([-1, *[0] * rows]), 0)
    assert found.plane.coordinates.shape == (rows + 1, 2)
    assert np.array_equal(np.isfinite(found.plane.radii), [True] * rows + [False])
    assert np.isnan(found.found.kept) == (rows == 1)


def test_nothing_but_rows_that_are_no_points():
    found = lay_out(Space.of(np.full((4, 3), np.nan), "ball"), np.full(4, -1), 0)
    assert not found.plane.sound.any()


def test_the_plane_of_the_farthest_rows_projects_along_geodesics():
    """tanh of the foot's radius is tanh r times the share of the direction in the plane."""
    z = np.array([[9.0, 0, 0], [0, 8.0, 0], [1.2, 0, 1.6]])
    plane = next(way for name, way in ways(Space.of(z, "tangent")).items() if "farthest" in name)
    found = plane(Space.of(z, "tangent"))
    assert np.allclose(found.radii, [9, 8, np.arctanh(np.tanh(2) * 0.6)])
