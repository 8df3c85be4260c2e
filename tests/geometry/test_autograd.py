import math
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from taxcheck.engine.config import TrainConfig  # noqa: E402
from taxcheck.geometry import ball, lorentz, tangent  # noqa: E402
from taxcheck.geometry.autograd import AUTOGRAD  # noqa: E402
from taxcheck.model.geometry import GEOMETRIES  # noqa: E402
from tests.oracles import euclidean  # noqa: E402

torch.set_num_threads(1)
PUBLISHED = {"ball": ball, "tangent": tangent, "lorentz": lorentz, "euclidean": euclidean}


def rows(model, z):
    """Rows of a model whose log-map coordinates are z."""
    z = np.asarray(z, dtype=np.float64)
    if model == "ball":
        z = tangent.to_ball(z)
    return torch.from_numpy(tangent.to_lorentz(z) if model == "lorentz" else z)


def points(radius, count=40, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(count, 3))
    return z / np.linalg.norm(z, axis=1, keepdims=True) * rng.uniform(0, radius, (count, 1))


def gradient(model, u, v):
    u = u.clone().requires_grad_()
    (found,) = torch.autograd.grad(AUTOGRAD[model].distance(u, v).sum(), u)
    return found


@pytest.mark.parametrize("model", GEOMETRIES)
def test_distances_and_radii_are_those_of_the_geometry(model):
    u, v = rows(model, points(5)), rows(model, points(5, seed=1))
    own, published = AUTOGRAD[model], PUBLISHED[model]
    got = own.distance(u[:, None], v).numpy()
    np.testing.assert_allclose(got, published.distance(u.numpy()[:, None], v.numpy()), rtol=1e-9)
    norms = model in ("ball", "euclidean")
    want = np.linalg.norm(u.numpy(), axis=1) if norms else published.radius(u.numpy())
    np.testing.assert_allclose(own.reach(u), want, rtol=1e-12)


def test_near_lorentz_points_far_out_keep_their_distance_in_float32():
    # (r, 0) and (r, 0.1): their Lorentzian product of e^2r leaves nothing of 0.1 in float32.
    u, v = rows("lorentz", [[8.0, 0, 0]]), rows("lorentz", [[8.1, 0, 0]])
    got = AUTOGRAD["lorentz"].distance(u.float(), v.float())
    assert got.item() == pytest.approx(0.1, abs=1e-5)


@pytest.mark.parametrize("model", GEOMETRIES)
def test_gradients_are_those_of_central_differences(model):
    u, v = rows(model, points(3, 20)), rows(model, points(3, 20, seed=1))
    distance = AUTOGRAD[model].distance
    got, step = gradient(model, u, v), 1e-6
    for i in range(u.shape[1]):
        moved = torch.zeros_like(u)
        moved[:, i] = step
        want = (distance(u + moved, v) - distance(u - moved, v)) / (2 * step)
        torch.testing.assert_close(got[:, i], want, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("model", GEOMETRIES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equal_points_pull_nowhere(model, dtype):
    u = rows(model, [[0, 0, 0], [1, 2, 3], [1e-9, 0, 0]]).to(dtype)
    assert (AUTOGRAD[model].distance(u, u.clone()) == 0).all()
    assert (gradient(model, u, u.clone()) == 0).all()


@pytest.mark.parametrize(("model", "metric"), [("ball", 2), ("tangent", 1), ("lorentz", 1)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_origin_is_pulled_straight_at_the_other_point(model, metric, dtype):
    u, v = rows(model, [[0.0, 0, 0]]).to(dtype), rows(model, [[0, 2.0, 0]]).to(dtype)
    want = torch.tensor([[0.0, -metric, 0]], dtype=dtype)
    torch.testing.assert_close(gradient(model, u, v)[:, -3:], want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("model", GEOMETRIES)
def test_the_riemannian_gradient_of_a_distance_has_length_1(model):
    u, v = rows(model, points(4)), rows(model, points(4, seed=1))
    own = AUTOGRAD[model]
    length = own.length(u, own.riemannian(u, gradient(model, u, v)))
    torch.testing.assert_close(length, torch.ones_like(length), rtol=1e-8, atol=0)


@pytest.mark.parametrize("model", GEOMETRIES)
def test_a_step_along_the_gradient_comes_nearer_by_its_length(model):
    u, v = rows(model, points(3)), rows(model, points(3, seed=1))
    own, step = AUTOGRAD[model], 1e-5
    moved = own.retract(u, step * own.riemannian(u, gradient(model, u, v)))
    nearer = own.distance(u, v) - own.distance(moved, v)
    torch.testing.assert_close(nearer, torch.full_like(nearer, step), rtol=1e-3, atol=0)


def test_hand_derived_gradients():
    x = torch.tensor([[0.6, 0.0]])  # (1 - .36)^2 / 4 = .1024
    got = AUTOGRAD["ball"].riemannian(x, torch.tensor([[1.0, 2.0]]))
    torch.testing.assert_close(got, torch.tensor([[0.1024, 0.2048]]))
    # radius 1: the circle is sinh 1 times as long for each radian, so (1 / sinh 1)^2 across
    got = AUTOGRAD["tangent"].riemannian(torch.tensor([[1.0, 0.0]]), torch.tensor([[3.0, 1.0]]))
    torch.testing.assert_close(got, torch.tensor([[3.0, 1 / math.sinh(1) ** 2]]))


def test_a_lorentz_step_is_the_exponential_map():
    own, origin = AUTOGRAD["lorentz"], rows("lorentz", [[0.0, 0, 0]])
    there = own.retract(origin, torch.tensor([[0.0, -2.0, 0, 0]], dtype=torch.float64))
    torch.testing.assert_close(there, rows("lorentz", [[2.0, 0, 0]]))
    u, v = rows("lorentz", points(3)), rows("lorentz", points(3, seed=1))
    half = own.distance(u, v)[:, None] / 2
    middle = own.retract(u, half * own.riemannian(u, gradient("lorentz", u, v)))
    torch.testing.assert_close(own.distance(middle, v), half[:, 0])
    assert (own.retract(u, torch.zeros_like(u))[:, 1:] == u[:, 1:]).all()
    assert (lorentz.sheet_error(middle.numpy()) < 1e-15).all()


@pytest.mark.parametrize("model", GEOMETRIES)
def test_rows_beyond_the_limit_come_back_to_it_and_others_keep_their_bits(model):
    config = TrainConfig(geometry=model, max_norm=0.9, max_radius=2 * math.atanh(0.9))
    x = rows(model, [[1.0, 1, 1], [9.0, 0, 0]])
    got = AUTOGRAD[model].project(x, config.reach_limit)
    assert (got[0] == x[0]).all()
    want = 9.0 if model == "euclidean" else 2 * math.atanh(0.9)
    assert PUBLISHED[model].radius(got.numpy())[1] == pytest.approx(want)
    wider = replace(config, max_norm=0.999, max_radius=9.1).reach_limit
    assert (AUTOGRAD[model].project(x, wider) == x)[0].all()


def test_outside_of_the_ball_is_nan():
    x = torch.tensor([[1.5, 0.0]])
    assert AUTOGRAD["ball"].distance(x, torch.zeros(1, 2)).isnan().all()
