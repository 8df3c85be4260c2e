"""Distances of all pairs of rows at once are those of the pairs."""

import numpy as np
import pytest

from taxcheck.geometry import tangent
from taxcheck.geometry.space import Space


@pytest.mark.parametrize("geometry", ["ball", "lorentz", "tangent", "euclidean"])
@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1.0, 4.0])
@pytest.mark.parametrize("dim", [1, 3, 20])
def test_between_is_the_distance_of_each_pair(geometry, scale, dim):
    rng = np.random.default_rng(dim)
    z = rng.normal(size=(60, dim)) * scale
    z[40:50] = z[:10]  # the same point
    z[50:55] = z[10:15] * 1.5  # the same direction
    z[55] = 0
    rows = {"ball": tangent.to_ball, "lorentz": tangent.to_lorentz}.get(geometry, np.asarray)(z)
    rows[56] = np.nan
    space = Space.of(rows, geometry, 1.7 if geometry != "euclidean" else 1.0)
    u, v = np.arange(0, 60, 2), np.arange(60)
    got, want = space.between(u, v), space.distance(u[:, None], v)
    assert np.array_equal(np.isnan(got), np.isnan(want))
    assert np.isnan(got[28]).all()
    assert np.array_equal(got == 0, want == 0)
    near, far = got[~np.isnan(want)], want[~np.isnan(want)]
    assert near == pytest.approx(far, rel=1e-12, abs=scale * 1e-15)


def test_the_first_rows_share_their_memory():
    space = Space.of(np.arange(12.0).reshape(6, 2), "euclidean")
    some = space.first(4)
    assert (some.n, space.first(6).n) == (4, 6)
    assert np.shares_memory(some.coordinates, space.coordinates)
    assert some.radii.tolist() == space.radii[:4].tolist()
