"""Radius and depth, spectrum, hubs, precision: what one table looks like."""

import numpy as np
import pytest
from scipy.stats import skew, spearmanr

from taxcheck.audit.metrics.depth import ceiling_under_ties, monotone_edges, radius_depth, spearman
from taxcheck.audit.metrics.hubness import hubness
from taxcheck.audit.metrics.spectrum import SpectrumState, effective_rank, participation_ratio
from taxcheck.geometry.space import Space


def test_spearman_is_scipys():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 9, 200), rng.normal(size=200)
    assert spearman(x, y) == pytest.approx(spearmanr(x, y).statistic, abs=1e-12)


def test_ceiling_by_hand_and_reached():
    """Depths 0, 1, 1, 2: one tie of two, sqrt(1 - 6/60)."""
    assert ceiling_under_ties(np.array([0, 1, 1, 2])) == pytest.approx(np.sqrt(0.9))
    depth = np.repeat([0, 1, 2, 3], [1, 5, 30, 10])
    best = spearman(np.arange(46), depth)
    assert ceiling_under_ties(depth) == pytest.approx(best, abs=1e-12)
    assert np.isnan(ceiling_under_ties(np.array([1, 1])))


def test_radius_and_depth_off_centre():
    """A path whose root lies at radius 3: as stored the order is reversed, from the root perfect.

    Radii 3, 2, 1, 0 for depths 0..3; node 4 is no point, node 5 has no depth.
    """
    z = np.array([[3.0, 0], [2, 0], [1, 0], [0, 0], [np.nan, 0], [9, 9]])
    got = radius_depth(Space.of(z, "tangent"), np.array([0, 1, 2, 3, 4, -1]), root=0)
    assert (got.spearman, got.recentred, got.ceiling) == pytest.approx((-1, 1, 1))
    assert (got.rows, got.lost) == (4, 1)
    norms = np.tanh(np.array([3, 2, 1, 0]) / 2)
    assert got.pearson_norm == pytest.approx(np.corrcoef(norms, np.arange(4))[0, 1])
    assert np.isnan(radius_depth(Space.of(z, "tangent"), np.arange(6)).recentred)
    same = Space.of(np.ones((3, 1)), "tangent")
    assert np.isnan(radius_depth(same, np.arange(3)).spearman)


def test_monotone_edges_by_depth():
    """Edges 0-1 out, 0-2 equal, 1-3 in, 1-4 of NaN: one of two at depth 1, the one left at 2."""
    radii = np.array([1.0, 2.0, 1.0, 1.5, np.nan])
    got = monotone_edges(
        radii, np.array([0, 0, 1, 1]), np.array([1, 2, 3, 4]), np.array([0, 1, 1, 2, 2])
    )
    assert got.by_depth == ((1, 2, 1), (2, 1, 1))
    assert (got.edges, got.inverted, got.share, got.lost) == (3, 2, 2 / 3, 1)


def spectrum(rows):
    state = SpectrumState(rows.shape[1])
    state.update(0, rows)
    return state


def test_spectrum_by_hand():
    """Variances 4 and 4 of two dimensions; 9 and 1: p = 3/4, 1/4 of the singular values."""
    two = spectrum(np.array([[2.0, 2, 0], [2, -2, 0], [-2, 2, 0], [-2, -2, 0]]))
    assert effective_rank(two.eigenvalues()) == pytest.approx(2)
    assert participation_ratio(two.eigenvalues()) == pytest.approx(2)
    got = spectrum(np.array([[3.0, 1], [3, -1], [-3, 1], [-3, -1]]))
    assert effective_rank(got.eigenvalues()) == pytest.approx(4 / 3**0.75)
    assert participation_ratio(got.eigenvalues()) == pytest.approx(100 / 82)


def test_a_spectrum_does_not_turn_with_the_table():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(500, 6)) * [3, 2, 1, 1, 0.1, 0.1]
    rotation, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    a, b = (spectrum(Space.of(x, "tangent").tangent()) for x in (z, z @ rotation))
    assert effective_rank(a.eigenvalues()) == pytest.approx(effective_rank(b.eigenvalues()))
    assert participation_ratio(spectrum(Space.of(z, "tangent").directions()).eigenvalues()) < 6


def test_a_ball_uses_all_dimensions():
    ball = Space.of(np.random.default_rng(0).normal(size=(4000, 8)), "tangent")
    assert effective_rank(spectrum(ball.directions()).eigenvalues()) == pytest.approx(8, abs=0.02)
    assert participation_ratio(spectrum(ball.tangent()).eigenvalues()) == pytest.approx(8, abs=0.1)


def test_occurrences_are_those_of_all_pairs():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(700, 5))
    z[3] = np.nan
    space = Space.of(z, "tangent")
    got = hubness(space, np.random.default_rng(1), k=4, sample=10**6)
    rows = np.delete(np.arange(700), 3)
    assert got.rows.tolist() == rows.tolist()
    distances = space.distance(rows[:, None], rows[None, :])
    np.fill_diagonal(distances, np.inf)
    counts = np.bincount(np.argsort(distances, axis=1)[:, :4].ravel(), minlength=699)
    assert (got.occurrences == counts).all()
    assert got.skew == pytest.approx(skew(counts))
    assert got.largest == counts.max()


def test_a_star_has_one_hub():
    """Leaves all around at radius 8, one row at the origin: it is everybody's nearest."""
    angle = np.linspace(0, 2 * np.pi, 51)[:-1]
    z = np.r_[np.zeros((1, 2)), 8 * np.c_[np.cos(angle), np.sin(angle)]]
    got = hubness(Space.of(z, "tangent"), np.random.default_rng(0), k=1)
    assert got.largest == 50
    assert got.skew > 5
    one = hubness(Space.of(np.zeros((1, 2)), "ball"), np.random.default_rng(0))
    assert np.isnan(one.skew)
