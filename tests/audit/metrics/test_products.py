"""Counting keys without sorting them all."""

import numpy as np
import pytest

from taxcheck.audit.metrics.products import Block, count_below, in_bands, rounded
from taxcheck.geometry.space import Space

LARGEST = np.finfo(np.float32).max


def keys_of(kind: str, n: int, rng: np.random.Generator) -> np.ndarray:
    drawn = {
        "spread": np.exp(rng.normal(5, 4, n)),
        "few values": rng.integers(0, 6, n) * 1.0,
        "all equal": np.full(n, 3.0),
        "mostly removed": np.where(rng.random(n) < 0.9, np.nan, rng.random(n)),
        "all removed": np.full(n, np.nan),
        "below zero": rng.normal(size=n) * 1e-7,
    }[kind]
    keys = drawn.astype(np.float32)
    keys[rng.integers(0, n, 5)] = np.nan
    keys[rng.integers(0, n, 2)] = LARGEST
    return keys


@pytest.mark.parametrize(
    "kind", ["spread", "few values", "all equal", "mostly removed", "all removed", "below zero"]
)
@pytest.mark.parametrize("n", [10, 5_000, 40_000])
@pytest.mark.parametrize("edges", [1, 4, 30, 90])
def test_counts_are_those_of_a_sort(kind, n, edges):
    rng = np.random.default_rng(n + edges)
    keys = keys_of(kind, n, rng)
    drawn = np.r_[keys[rng.integers(0, n, edges)], -LARGEST, LARGEST, np.inf]
    at = np.sort(drawn[~np.isnan(drawn)])
    before = keys.copy()
    got = count_below(keys, at)
    assert np.array_equal(keys, before, equal_nan=True)
    assert got.tolist() == np.sort(keys[~np.isnan(keys)]).searchsorted(at).tolist()


def test_bands_that_overlap_are_one():
    keys = np.array([0, 1, 2, 3, 4, 5, np.nan], dtype=np.float32)
    lo, hi = np.array([1, 1.5, 4.5], np.float32), np.array([1.6, 2.5, 4.75], np.float32)
    assert in_bands(keys, lo, hi).tolist() == [1, 2]


def test_what_float32_cannot_hold_is_at_its_end():
    assert rounded(np.array([1e300, -np.inf, 2.5, 0.0])).tolist() == [LARGEST, -LARGEST, 2.5, 0]


@pytest.mark.parametrize("geometry", ["tangent", "euclidean"])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 30.0])
def test_keys_are_separations_within_their_bound(geometry, scale):
    rng = np.random.default_rng(0)
    space = Space.of(rng.normal(size=(3000, 5)) * scale, geometry)
    rows, sources = np.arange(100, 3000), np.arange(20)
    block = Block(space, rows, 20)
    left = space.left(sources)
    keys = block.keys(left, block.room(20)).astype(np.float64)
    exact = space.separation(sources[:, None], rows[None])
    allowed = block.error(left)[:, None] + exact * 2.0**-24
    held = exact < LARGEST
    assert (np.abs(keys - exact)[held] <= np.broadcast_to(allowed, exact.shape)[held]).all()
    assert (keys[~held] == LARGEST).all()
    assert held.all() == ((geometry, scale) != ("tangent", 30.0))
