from __future__ import annotations

import importlib.util
import math

import numpy as np
import pytest

from taxcheck.audit.projection import Labels, project, sample
from taxcheck.geometry.space import Space


def labels(n: int, clade: list[int] | None = None, clades: tuple[str, ...] = ()) -> Labels:
    names = [f"name {i}" for i in range(n)]
    return Labels(names, names, np.array(clade or [-1] * n), clades)


def test_two_dimensions_are_shown_as_they_are():
    ball = np.array([[0.0, 0.0], [0.5, 0.0], [0.0, -math.tanh(2)]])
    space = Space.of(ball, "ball")
    found = project(space, np.arange(3), labels(3), seed=0)
    assert found is not None
    assert found.space == "disk"
    assert "disk itself" in found.method
    # the log-map: length 2 artanh |x|
    expected = [(0, 0), (2 * math.atanh(0.5), 0), (0, -4)]
    assert np.allclose(found.points, expected)


def test_the_curvature_does_not_change_the_picture():
    ball = np.array([[0.1, 0.2], [0.5, 0.0]])
    one = project(Space.of(ball, "ball", 1.0), np.arange(2), labels(2), seed=0)
    four = project(Space.of(ball / 2, "ball", 4.0), np.arange(2), labels(2), seed=0)
    assert np.allclose(one.points, four.points)


def test_tangents_keep_the_two_leading_directions_and_their_lengths():
    tangent = np.array([[3.0, 0, 0, 0], [-3, 0, 0, 0], [0, 0, 2, 0], [0, 0, -2, 0], [0, 0, 0, 1]])
    space = Space.of(tangent, "tangent")
    found = project(space, np.arange(5), labels(5), seed=0, umap=False)
    assert found.space == "disk"
    assert np.allclose(found.points, [(3, 0), (-3, 0), (0, 2), (0, -2), (0, 0)])
    # squares: 18 + 8 of 18 + 8 + 1
    assert "they hold 96.3 % of the squared lengths" in found.method


def test_flat_rows_are_drawn_in_a_plane():
    points = np.array([[1.0, 5.0], [3.0, 5.0]])
    found = project(Space.of(points, "euclidean"), np.arange(2), labels(2), seed=0)
    assert found.space == "plane"
    assert found.points == ((1.0, 5.0), (3.0, 5.0))


def test_only_the_eight_largest_clades_have_a_name():
    clade = [i for i in range(10) for _ in range(i + 1)] + [-1]
    space = Space.of(np.linspace(0, 0.5, 2 * len(clade)).reshape(-1, 2), "ball")
    given = labels(len(clade), clade, tuple(f"c{i}" for i in range(10)))
    found = project(space, np.arange(len(clade)), given, seed=0)
    assert found.clades == ("c9", "c8", "c7", "c6", "c5", "c4", "c3", "c2")
    assert found.clade[:3] == (-1, -1, -1)  # c0 and c1
    assert found.clade[-2:] == (0, -1)


def test_the_sample_is_bounded_seeded_and_holds_points_alone():
    ball = np.full((100, 2), 0.1)
    ball[7] = np.nan
    ball[9] = 1.0
    space = Space.of(ball, "ball")
    rows = sample(space, seed=3, limit=20)
    assert len(rows) == 20
    assert not {7, 9} & set(rows.tolist())
    assert np.array_equal(rows, sample(space, seed=3, limit=20))
    assert len(sample(space, seed=3)) == 98


def test_too_few_points_and_labels_of_another_length():
    space = Space.of(np.zeros((3, 2)), "ball")
    assert project(space, np.array([1]), labels(1), seed=0) is None
    with pytest.raises(ValueError, match="differ in length"):
        project(space, np.array([0, 1]), labels(3), seed=0)


@pytest.mark.slow
@pytest.mark.skipif(not importlib.util.find_spec("umap"), reason="umap-learn is not installed")
def test_umap_is_given_the_true_distances(monkeypatch):
    import umap

    seen = {}

    class Spy(umap.UMAP):
        def fit_transform(self, distances, *rest, **more):
            seen.update(metric=self.metric, distances=distances.copy())
            return super().fit_transform(distances, *rest, **more)

    monkeypatch.setattr(umap, "UMAP", Spy)
    rng = np.random.default_rng(0)
    space = Space.of(rng.normal(size=(80, 5)) * 3, "tangent")
    found = project(space, np.arange(80), labels(80), seed=0)
    assert found.space == "plane"
    assert "hyperbolic distances" in found.method
    assert seen["metric"] == "precomputed"
    assert seen["distances"][3, 5] == pytest.approx(float(space.distance(np.array(3), np.array(5))))
    assert np.array_equal(seen["distances"], seen["distances"].T)
    assert found == project(space, np.arange(80), labels(80), seed=0)
