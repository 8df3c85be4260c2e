import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from taxcheck.geometry import ball, lorentz, tangent
from taxcheck.geometry.models import MODELS, model_of
from taxcheck.geometry.space import Space
from taxcheck.model.geometry import GEOMETRIES, Geometry
from tests.oracles import euclidean

# Radii up to 8 or so: where float64 norms in the ball still hold nine digits of the radius.
vectors = arrays(np.float64, (6, 3), elements=st.floats(-4, 4, allow_subnormal=False))
curvatures = st.sampled_from([0.25, 1.0, 4.0])


def close(a, b, tolerance=1e-9):
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@given(vectors, curvatures)
def test_every_model_gives_the_same_distances(z, c):
    z = z / np.sqrt(c)
    u, v = z[:3], z[3:]
    want = tangent.distance(u, v, c)
    x, y = tangent.to_ball(u, c), tangent.to_ball(v, c)
    p, q = tangent.to_lorentz(u, c), tangent.to_lorentz(v, c)
    # Near points far out: both models hold coordinates to one rounding, e^rho too coarse for d.
    tolerance = 1e-6
    close(ball.distance(x, y, c), want, tolerance)
    close(lorentz.distance(p, q, c), want, tolerance)


@given(vectors, curvatures)
def test_within_radius_2_models_agree_to_nine_digits(z, c):
    z = z / np.sqrt(c) / 4
    want = tangent.distance(z[:3], z[3:], c)
    x, p = tangent.to_ball(z, c), tangent.to_lorentz(z, c)
    close(ball.distance(x[:3], x[3:], c), want)
    np.testing.assert_allclose(lorentz.distance(p[:3], p[3:], c), want, rtol=1e-9, atol=1e-7)


@given(vectors, curvatures)
def test_conversions_are_inverse(z, c):
    z = z / np.sqrt(c)
    x, p = tangent.to_ball(z, c), tangent.to_lorentz(z, c)
    close(ball.to_tangent(x, c), z)
    close(lorentz.to_tangent(p, c), z)
    close(lorentz.to_ball(p, c), x)
    close(ball.to_lorentz(x, c) / p[:, :1], p / p[:, :1])
    assert (lorentz.sheet_error(p, c) < 1e-14).all()
    close(ball.radius(x, c), tangent.radius(z))
    close(lorentz.radius(p, c), tangent.radius(z))


@given(vectors, st.integers(0, 2**32 - 1))
def test_rotation_changes_no_distance(z, seed):
    rotation, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    turned = z @ rotation
    close(tangent.distance(turned[:3], turned[3:]), tangent.distance(z[:3], z[3:]), 1e-6)
    close(euclidean.distance(turned[:3], turned[3:]), euclidean.distance(z[:3], z[3:]))


def test_distances_by_hand():
    """Through the origin distances add: .5 is at ln 3; opposite points are at 2 ln 3."""
    half = np.array([0.5, 0.0])
    close(ball.distance(np.zeros(2), half), np.log(3))
    close(ball.distance(-half, half), 2 * np.log(3))
    close(ball.radius(half), np.log(3))
    close(ball.to_lorentz(half), [5 / 3, 4 / 3, 0])  # (1.25, 1) / .75; cosh ln 3 = 5/3
    close(tangent.distance(np.array([3.0, 0]), np.array([-4.0, 0])), 7)
    # Right angle at the origin: cosh d = cosh 1 cosh 1.
    close(tangent.distance(np.array([1.0, 0]), np.array([0, 1.0])), np.arccosh(np.cosh(1) ** 2))
    close(euclidean.distance(np.array([0, 3.0]), np.array([4.0, 0])), 5)


def test_curvature_scales_lengths():
    """At c = 4 the ball's radius is 1/2 and every length half of that at c = 1."""
    x = np.array([[0.25, 0.0]])
    close(ball.radius(x, 4.0), np.log(3) / 2)
    assert np.isnan(ball.radius(np.array([[0.5, 0.0]]), 4.0)).all()


def test_near_points_keep_their_distance():
    """1e-9 apart at the centre: d = 2e-9, where the arcosh form in float64 gives 0."""
    u, v = np.array([0.0, 0.0]), np.array([1e-9, 0.0])
    assert ball.distance(u, v) == pytest.approx(2e-9, rel=1e-9)
    assert tangent.distance(u, v) == pytest.approx(1e-9, rel=1e-9)
    assert lorentz.distance(tangent.to_lorentz(u), tangent.to_lorentz(v)) == pytest.approx(1e-9)
    # At radius 12 in the same direction: the difference of the radii.
    far = np.array([12.0, 0.0]), np.array([12.0 + 1e-7, 0.0])
    assert tangent.distance(*far) == pytest.approx(1e-7, rel=1e-6)


@pytest.mark.parametrize("row", [[1.0, 0.0], [2.0, 0.0], [np.nan, 0.0], [np.inf, 0.0]])
def test_outside_the_ball_everything_is_nan(row):
    x = np.array(row)
    with np.errstate(invalid="ignore"):
        assert np.isnan(ball.radius(x))
        assert np.isnan(ball.distance(x, np.zeros(2)))
        assert np.isnan(ball.to_tangent(x)).any()


def test_clips_and_precision_by_the_published_figures():
    for norm, rho in ((1 - 1e-5, 12.21), (0.999, 7.60), (0.98, 4.60), (0.9, 2.94)):
        assert ball.radius_of_norm(norm) == pytest.approx(rho, abs=0.005)
    assert ball.radius_of_norm(1.0) == float("inf")
    for dtype, rho in (("float32", 17.3), ("float64", 37.4), ("float16", 8.3), ("bfloat16", 6.2)):
        assert MODELS["ball"].largest_radius(dtype) == pytest.approx(rho, abs=0.06)
    assert MODELS["lorentz"].largest_radius("float32") == pytest.approx(9.0, abs=0.02)
    assert MODELS["lorentz"].largest_radius("float64") == pytest.approx(19.1, abs=0.05)
    assert MODELS["ball"].rounding(2.0**-24, np.array(12.2)) == pytest.approx(0.0059, abs=1e-4)


@pytest.mark.parametrize("name", GEOMETRIES)
def test_a_record_says_how_a_row_holds_its_radius(name):
    model, radii = MODELS[name], np.array([0.0, 0.5, 3.0, 6.0])
    norms = model.norm_at(radii)
    close(model.radius_at(norms), radii)
    rows = np.zeros((4, model.width(2)))
    rows[:, model.time] = norms
    if model.time:
        rows[:, 0] = np.sqrt(1 + norms**2)
    close(model.radius(rows, 1.0), radii)
    close(Space.of(rows, name).radii, radii)
    stored = model.radius(rows.astype(np.float32), 1.0)
    assert (np.abs(stored - radii) <= model.rounding(2.0**-24, radii) + 1e-12).all()


def test_there_is_a_record_for_each_name_that_can_be_typed():
    assert tuple(Geometry) == GEOMETRIES == tuple(MODELS)


def test_a_name_that_is_no_space_is_refused():
    with pytest.raises(ValueError, match="none of ball, lorentz, tangent, euclidean: 'klein'"):
        model_of("klein")


def test_float32_rounding_stays_under_its_bound():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(2000, 10))
    z *= 12.2 / np.linalg.norm(z, axis=1, keepdims=True)
    stored = tangent.to_ball(z).astype(np.float32)
    error = np.abs(ball.radius(stored) - 12.2)
    bound = MODELS["ball"].rounding(2.0**-24, np.array(12.2))
    assert np.sqrt(np.mean(error**2)) < bound
    assert np.sqrt(np.mean(error**2)) > bound / 20  # a bound that says something


@given(vectors, curvatures)
def test_space_holds_every_model(z, c):
    z = z / np.sqrt(c)
    u, v = np.arange(3), np.arange(3, 6)
    want = tangent.distance(z[:3], z[3:], c)
    rows = {"tangent": z, "ball": tangent.to_ball(z, c), "lorentz": tangent.to_lorentz(z, c)}
    for name, x in rows.items():
        space = Space.of(x, name, c)
        close(space.distance(u, v), want, 1e-6)
        close(space.tangent(), z)
        close(space.from_row(2)[v], tangent.distance(z[2], z[3:], c), 1e-6)
        product = space.left(u) @ space.right(v).T
        exact = space.separation(u[:, None], v[None, :])
        size = np.cosh(space.radii[u])[:, None] * np.cosh(space.radii[v])[None, :]
        assert (np.abs(product - exact) <= 1e-14 * size).all()
    flat = Space.of(z, "euclidean")
    close(flat.distance(u, v), euclidean.distance(z[:3], z[3:]))
    close(flat.left(u) @ flat.right(v).T, flat.separation(u[:, None], v[None, :]), 1e-12)


def test_space_marks_rows_that_are_no_points():
    x = np.array([[0.0, 0.0], [0.6, 0.8], [np.nan, 0], [0.0, -np.inf], [0.3, 0.4]])
    space = Space.of(x, "ball")
    assert space.sound.tolist() == [True, False, False, False, True]
    assert np.isnan(space.distance(np.array([0]), np.array([1, 2, 3]))).all()
    close(space.directions()[[0, 4]], [[0, 0], [0.6, 0.8]])
    flat = Space.of(x, "euclidean")
    assert flat.sound.tolist() == [True, True, False, False, True]
    assert Space.of(np.array([[-1.0, 0.0], [1.0, 0.0]]), "lorentz").sound.tolist() == [False, True]
    assert Space.of(np.array([[301.0], [299.0]]), "tangent").sound.tolist() == [False, True]
    with pytest.raises(ValueError, match="klein"):
        Space.of(x, "klein")


@pytest.mark.filterwarnings("error")
def test_a_signalling_nan_is_no_point_and_no_warning():
    table = np.zeros((2, 2), np.float32)
    table.view(np.uint32)[1, 0] = 0x7F800001
    assert Space.of(table, "ball").sound.tolist() == [True, False]
