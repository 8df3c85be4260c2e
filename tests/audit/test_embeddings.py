"""The table by itself: rows that are no points, clips, copies, ranks; in one chunk or in many."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from taxcheck.audit import embeddings, equal_rows
from taxcheck.audit.embeddings import embedding_statistics
from taxcheck.audit.metrics.spectrum import SpectrumState, effective_rank, participation_ratio
from taxcheck.audit.summary import summarize_audit
from taxcheck.sources.checkpoints.precision import roundoff_of
from tests.audit.one_table import checkpoint

CLIP = 1 - 1e-5


def judged(vectors, **options):
    table = checkpoint(vectors, **options)
    return embedding_statistics(table, 0)


def test_rows_that_are_no_points_of_the_ball():
    rows = np.array([[0.6, 0.0], [np.nan, 0.0], [0.0, np.inf], [0.6, 0.8], [3.0, 4.0], [0, 0.5]])
    got = judged(rows)
    assert got.non_finite.count == 2
    assert [sample.node for sample in got.non_finite.samples] == [1, 2]
    assert (got.outside.count, got.outside.detail) == (2, {"norm >= 1": 2})
    np.testing.assert_allclose(got.norms, [0.6, np.nan, np.nan, 1.0, 5.0, 0.5])
    # The distance to the origin is 2 artanh |x| = ln((1 + |x|) / (1 - |x|)): ln 4 and ln 3.
    np.testing.assert_allclose(got.radii, [np.log(4), np.nan, np.nan, np.inf, np.inf, np.log(3)])
    assert got.norm_percentiles[100] == 5
    assert got.radius_percentiles[100] == pytest.approx(np.log(4))
    assert sum(count for _, _, count in got.norm_histogram) == 4


def test_curvature_scales_the_ball():
    got = judged(np.array([[0.3, 0.0], [0.6, 0.0]]), curvature=4.0)  # radius 1 / 2
    np.testing.assert_allclose(got.norms, [0.6, 1.2])
    assert got.outside.count == 1


def test_rows_off_the_sheet():
    x = np.array([0.0, 1.0, 3.0, 1.0])
    rows = np.column_stack([np.sqrt(1 + x**2), x])
    rows[2, 0] *= 1.001  # -x0^2 + x^2 = -10.02 + 9
    rows[3, 0] *= -1  # the lower sheet
    got = judged(rows, geometry="lorentz")
    assert (got.dim, got.outside.count) == (1, 2)
    assert got.outside.detail == {"off the sheet": 2}
    assert [sample.node for sample in got.outside.samples] == [2, 3]
    assert got.radii[:2] == pytest.approx([0, np.arcsinh(1)])
    # Rounding to float32 alone keeps rows on the sheet, as 8 u x0^2 allows for.
    spread = np.sinh(np.linspace(0, 8, 1000))
    narrow = np.column_stack([np.sqrt(1 + spread**2), spread]).astype(np.float32)
    assert judged(narrow, geometry="lorentz").outside.count == 0


def test_rows_that_drift_from_the_sheet_are_points_and_are_counted():
    x = np.linspace(0.5, 3, 20)
    rows = np.column_stack([np.sqrt(1 + x**2), x])
    u, single = 2.0**-53, 2.0**-24
    # -x0^2 (1 + e) + x^2 is off by e x0^2: (8 + 1) u are rounding; a hundredfold of what it is in
    # single precision, 9 v, is none, and less spoils no distance in double precision either
    off = np.r_[np.full(10, 5 * u), np.full(4, 2_000 * u), np.full(4, 800 * single)]
    rows[:, 0] *= np.sqrt(1 + np.r_[off, np.full(2, 1_000 * single)])
    got = judged(rows, geometry="lorentz")
    assert (got.drifted.count, got.outside.count) == (8, 2)
    assert np.isfinite(got.radii).sum() == 18


def test_rows_that_rounding_put_on_the_boundary_are_told_from_those_beyond_it():
    norms = np.array([0.5, 1.0, 1 + 4e-5, 1 + 2e-4])
    rows = np.column_stack([norms, np.zeros((4, 9))]).astype(np.float32)
    got = judged(rows)  # 100 (u + 7 u) = 4.8e-5 in single precision and 10 dimensions
    assert (got.outside.count, got.rounded_out) == (3, 2)
    half = judged(np.array([[1.0], [1.04], [1.06]], np.float16))  # 100 u = 0.049
    assert (half.outside.count, half.rounded_out) == (3, 2)


def test_half_precision_and_many_dimensions_make_no_point_of_a_row_that_is_none():
    spread = np.linspace(1, 3, 10)[:, None] * np.full((1, 400), 0.05)
    sheet = np.column_stack([np.sqrt(1 + (spread**2).sum(axis=1)), spread]).astype(np.float16)
    assert judged(sheet, geometry="lorentz").drifted.count == 0
    sheet[:4, 0] *= np.float16(1.06)  # x0^2 is an eighth too large, where 8 u are 0.4 %
    sheet[4:6, 0] *= np.float16(1.6)  # and more than twice as large
    got = judged(sheet, geometry="lorentz")
    assert (got.drifted.count, got.outside.count) == (4, 2)


def test_what_is_held_counts_and_not_what_it_is_stored_in():
    rows = np.linspace(0.1, 0.9, 600).reshape(300, 2).astype(np.float32).astype(np.float64)
    told = checkpoint(rows)
    told = replace(told, reading=replace(told.reading, roundoff=roundoff_of(rows, "float64")))
    got = embedding_statistics(told, 0)
    assert (got.unit_roundoff, got.held_as) == (2.0**-24, "float32, stored as float64")
    assert judged(rows).held_as == "float64"
    to_places = replace(got, unit_roundoff=0.5e-4)
    assert to_places.held_as == "numbers to 5e-05, stored as float64"


def test_rows_at_the_clip():
    norms = np.array([CLIP, CLIP, 0.9999, 0.5, CLIP - 1e-6])
    rows = np.column_stack([norms, np.zeros(5)]).astype(np.float32)
    got = judged(rows, clip=CLIP)
    assert got.at_clip == 2
    assert got.clip_radius == pytest.approx(np.log((1 + CLIP) / (1 - CLIP)))
    assert got.ceiling == pytest.approx(2 * np.log((1 + CLIP) / (1 - CLIP)))
    for untold in (judged(rows), judged(rows, geometry="euclidean", clip=CLIP)):
        assert (untold.clip_radius, untold.at_clip) == (None, None)
        assert summarize_audit(untold).norms.share_at_clip is None
    nothing = summarize_audit(judged(np.full((2, 2), np.nan, np.float32), clip=CLIP))
    assert (nothing.norms.share_above, nothing.norms.share_at_clip) == (None, None)


def test_copies_and_rays_are_those_of_a_naive_search():
    rng = np.random.default_rng(0)
    rows = rng.integers(-2, 3, (300, 3)) / 10.0
    rows[7] = np.nan
    got = judged(rows)
    first: dict[tuple[float, ...], int] = {}
    expected = np.full(300, -1)
    for k, row in enumerate(rows.tolist()):
        if k != 7:
            key = tuple(value + 0.0 for value in row)  # -0.0 is 0.0
            expected[k] = first.setdefault(key, k) if key in first else first.update({key: k}) or -1
    np.testing.assert_array_equal(equal_rows.first_of_equal(rows), expected)
    copies = int((expected >= 0).sum())
    assert got.duplicates.count == copies
    units = {
        tuple(np.round(row / (np.linalg.norm(row) or 1), 6) + 0.0)
        for row in rows[np.isfinite(rows).all(axis=1)]
    }
    assert got.same_direction == 299 - len(units) - copies


def test_groups_of_copies_the_largest_first():
    rows = np.array([[0.1, 0], [0.3, 0.4], [0, 0], [0.3, 0.4], [0, 0], [0.5, 0], [0, 0]])
    got = judged(rows)
    assert (got.duplicates.count, got.copy_groups) == (3, 2)
    assert [(group.size, group.rows) for group in got.largest_copies] == [
        (3, (2, 4, 6)),
        (2, (1, 3)),
    ]
    assert [group.norm for group in got.largest_copies] == pytest.approx([0, 0.5])
    many = judged(np.repeat(np.arange(1, 31.0)[:, None] / 100, 9, axis=0))
    assert (many.copy_groups, len(many.largest_copies)) == (30, 12)
    assert many.largest_copies[1].rows == (9, 10, 11, 12)


def test_rows_of_nan_share_no_direction():
    got = judged(np.full((9, 3), np.nan))
    assert (got.duplicates.count, got.same_direction) == (0, 0)
    assert np.isnan([got.effective_rank, got.participation_ratio, got.direction_rank]).all()
    assert got.norm_percentiles == got.radius_percentiles == {}
    assert (got.norm_histogram, len(got.sampled_distances)) == ((), 0)


def test_a_table_of_one_row_or_none():
    one = judged(np.array([[0.5, 0.0, 0.0]]))
    assert (one.rows, one.effective_rank, len(one.sampled_distances)) == (1, 0, 0)
    none = judged(np.empty((0, 3)))
    assert (none.rows, none.non_finite.count, none.norm_percentiles) == (0, 0, {})
    assert np.isnan(none.effective_rank)


def test_one_dimension():
    got = judged(np.array([[0.5], [-0.5], [0.25]]))
    assert (got.dim, got.effective_rank, got.participation_ratio) == (1, 1, 1)
    assert got.same_direction == 1  # 0.5 and 0.25


def test_distances_are_of_pairs_of_two_rows():
    got = judged(np.array([[0.5, 0.0], [-0.5, 0.0], [np.nan, 0.0]]))
    assert got.sampled_distances == pytest.approx([2 * np.log(3)])
    assert got.sample.startswith("1 pairs of rows")
    # Half the ball of curvature -4 is the ball of curvature -1.
    half = judged(np.array([[0.25, 0.0], [-0.25, 0.0]]), curvature=4.0)
    assert half.sampled_distances == pytest.approx([2 * np.log(3)])
    many = judged(np.tile([[0.5, 0.0], [-0.5, 0.0]], (300, 1)))  # 600 rows: 179,700 pairs
    assert len(many.sampled_distances) == 100_000
    assert set(np.round(many.sampled_distances, 9)) == {0.0, round(2 * np.log(3), 9)}


def test_ranks_by_hand():
    """Variances 9 and 1 are sigma 3 and 1: entropy of (3/4, 1/4); (9 + 1)^2 / (81 + 1)."""
    state = SpectrumState(2)
    state.update(0, np.array([[3.0, 1.0], [-3.0, 1.0], [3.0, -1.0], [-3.0, -1.0]]) + 100)
    assert state.eigenvalues() == pytest.approx([9, 1])
    assert effective_rank(state.eigenvalues()) == pytest.approx(4 / 3**0.75)
    assert participation_ratio(state.eigenvalues()) == pytest.approx(100 / 82)
    assert effective_rank(np.array([9.0, 1.0, 0.0])) == pytest.approx(4 / 3**0.75)
    assert participation_ratio(np.array([9.0, 1.0, 0.0])) == pytest.approx(100 / 82)


def test_rows_at_one_far_point_fill_no_dimension():
    state = SpectrumState(3)
    state.update(0, np.tile([0.1, 0.2, 0.3], (1000, 1)))
    assert (effective_rank(state.eigenvalues()), participation_ratio(state.eigenvalues())) == (0, 0)


@pytest.mark.parametrize("rows", [63, 64, 65, 200])
def test_no_chunk_boundary_shows(monkeypatch, rows):
    rng = np.random.default_rng(1)
    table = rng.normal(size=(rows, 4)) * rng.uniform(0, 0.4, (rows, 1))
    table[rows // 2] = np.nan
    table[rows - 1] = table[0]
    table[1] = [2, 0, 0, 0]
    whole = judged(table, clip=CLIP)
    for module in (embeddings, equal_rows):
        monkeypatch.setattr(module, "_CHUNK", 64)
    parts = judged(table, clip=CLIP)
    assert whole.duplicates.count == 1
    for field in fields(whole):
        a, b = getattr(whole, field.name), getattr(parts, field.name)
        if isinstance(a, float):
            assert b == pytest.approx(a, rel=1e-12), field.name
        elif isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b, field.name)
        else:
            assert a == b, field.name
