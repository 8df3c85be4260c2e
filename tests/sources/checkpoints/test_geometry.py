"""What the numbers of a table say about its space, derived by hand for every table here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxcheck.model.errors import InputError
from taxcheck.model.geometry import Geometry
from taxcheck.sources.checkpoints.geometry import Stated, named, reading_of
from taxcheck.sources.checkpoints.opening import open_checkpoint
from taxcheck.sources.checkpoints.precision import roundoff_of

RNG = np.random.default_rng(11)


def ball(rows: int, radius: float = 0.9) -> np.ndarray:
    """Rows of the ball with norms spread evenly up to ``radius``."""
    directions = RNG.normal(size=(rows, 5))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return directions * np.linspace(radius / rows, radius, rows)[:, None]


def sheet(rows: int, rho: float, curvature: float = 1.0) -> np.ndarray:
    """Rows of the hyperboloid of curvature -c at hyperbolic radii up to ``rho`` (of c = 1)."""
    directions = RNG.normal(size=(rows, 5))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    radii = np.linspace(0.1, rho, rows)[:, None]
    whole = np.hstack([np.cosh(radii), np.sinh(radii) * directions])
    return whole / np.sqrt(curvature)


@pytest.mark.parametrize(("dtype", "rho"), [("f8", 18), ("f4", 9), ("f2", 4)])
def test_lorentz_in_every_precision(dtype: str, rho: float) -> None:
    table = sheet(300, rho).astype(dtype)
    reading = reading_of(table, table.dtype.name, Stated())
    assert (reading.geometry, reading.confidence) == (Geometry.LORENTZ, "likely")
    assert reading.curvature == 1
    assert reading.clip is None
    assert reading.reasons[0].startswith("100 % of the rows satisfy x0^2 - x1^2 - ... = 1")


@pytest.mark.parametrize("curvature", [0.25, 3.0])
def test_lorentz_of_another_curvature(curvature: float) -> None:
    reading = reading_of(sheet(300, 6, curvature), "float64", Stated())
    assert reading.geometry is Geometry.LORENTZ
    assert reading.curvature == pytest.approx(curvature, rel=1e-6)
    given_one = reading_of(sheet(300, 6, curvature), "float64", Stated(curvature=curvature))
    assert (given_one.geometry, given_one.curvature) == (Geometry.LORENTZ, curvature)


def test_the_lower_sheet_is_none() -> None:
    assert reading_of(-sheet(300, 3), "float64", Stated()).geometry is Geometry.EUCLIDEAN


def test_a_few_rows_off_the_sheet_do_not_hide_it() -> None:
    table = sheet(1000, 5)
    table[:5] = np.nan
    table[5:10, 1] += 1
    reading = reading_of(table, "float64", Stated())
    assert reading.geometry is Geometry.LORENTZ
    table[:400, 1] += 1  # the others are on it by no chance
    reading = reading_of(table, "float64", Stated())
    assert reading.geometry is Geometry.LORENTZ
    assert reading.reasons[0].startswith("60.3 % of the rows satisfy")  # 600 of 995
    table[:600, 1] += 1
    assert reading_of(table, "float64", Stated()).geometry is Geometry.EUCLIDEAN


def test_ball() -> None:
    reading = reading_of(ball(500), "float64", Stated())
    assert (reading.geometry, reading.confidence) == (Geometry.BALL, "likely")
    assert reading.clip is None
    assert "largest 0.9" in reading.reasons[0]
    small = reading_of(ball(500, 0.001), "float64", Stated())
    assert (small.geometry, small.confidence) == (Geometry.BALL, "guess")


def test_a_ball_with_rows_outside() -> None:
    table = ball(1000, 0.999)
    table[-400:] *= 0.9999 / np.linalg.norm(table[-400:], axis=1, keepdims=True)
    table[[3, 4]] *= 1.2 / np.linalg.norm(table[[3, 4]], axis=1, keepdims=True)
    reading = reading_of(table, "float64", Stated())
    assert (reading.geometry, reading.confidence) == (Geometry.BALL, "likely")
    assert reading.reasons[0] == "The rows crowd inside of a ball of radius 1; 2 rows lie outside."
    assert reading.clip == pytest.approx(0.9999, abs=1e-12)


def test_euclidean() -> None:
    reading = reading_of(RNG.normal(size=(100, 8)), "float64", Stated())
    assert (reading.geometry, reading.confidence) == (Geometry.EUCLIDEAN, "guess")


@pytest.mark.parametrize(
    ("dtype", "clip", "shown"),
    [("f8", 0.98, 0.98), ("f4", 0.98, 0.98), ("f4", 1 - 1e-5, 0.99999), ("f8", 1 - 1e-5, 0.99999)],
)
def test_the_clip_is_where_rows_pile_up(dtype: str, clip: float, shown: float) -> None:
    table = ball(1000, clip * 0.99)
    table[-3:] *= clip / np.linalg.norm(table[-3:], axis=1, keepdims=True)
    reading = reading_of(table.astype(dtype), np.dtype(dtype).name, Stated())
    assert reading.clip == shown
    assert reading.reasons[-1] == f"3 rows share the largest norm {shown:g}: the engine's clip."
    two = reading_of(table[:-1].astype(dtype), np.dtype(dtype).name, Stated())
    assert two.clip is None
    default = reading_of(table[:-1].astype(dtype), np.dtype(dtype).name, Stated(default_clip=0.5))
    assert default.clip == 0.5


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_no_clip_is_told_from_numbers_that_the_dtype_makes_equal(dtype: str) -> None:
    table = ball(1000, 0.5)
    table[-300:] *= 0.97 / np.linalg.norm(table[-300:], axis=1, keepdims=True)
    reading = reading_of(table.astype("f2"), dtype, Stated())
    assert reading.clip is None
    assert reading.reasons[-1].startswith("Whether norms were clipped cannot be told from")
    assert reading_of(table.astype("f2"), dtype, Stated(default_clip=0.98)).clip == 0.98


def test_a_ball_of_another_curvature_has_another_radius() -> None:
    table = ball(100, 1.9)
    assert reading_of(table, "float64", Stated(curvature=0.25)).geometry is Geometry.BALL
    assert reading_of(table, "float64", Stated()).geometry is Geometry.EUCLIDEAN


def test_rows_that_are_not_finite() -> None:
    nothing = np.full((5, 3), np.nan)
    reading = reading_of(nothing, "float64", Stated())
    assert (reading.geometry, reading.confidence) == (Geometry.EUCLIDEAN, "guess")
    stated = reading_of(nothing, "float64", Stated(geometry=Geometry.BALL, source="Given."))
    assert (stated.geometry, stated.clip) == (Geometry.BALL, None)
    mixed = ball(200)
    mixed[:100] = np.nan
    mixed[100, 0] = np.inf
    assert reading_of(mixed, "float64", Stated()).geometry is Geometry.BALL


def test_huge_and_zero_rows() -> None:
    for table in (np.zeros((9, 4)), np.full((9, 4), 1e300), np.full((9, 1), 1.0), np.eye(1)):
        reading_of(table, "float64", Stated())


@given(
    st.integers(1, 40),
    st.integers(1, 4),
    st.sampled_from(["float64", "float32", "float16"]),
    st.integers(0, 5),
)
def test_any_table_has_a_reading(rows: int, width: int, dtype: str, seed: int) -> None:
    bits = np.random.default_rng(seed).bytes(rows * width * np.dtype(dtype).itemsize)
    table = np.frombuffer(bits, dtype).reshape(rows, width)
    reading = reading_of(table, dtype, Stated())
    assert reading.curvature > 0
    assert reading.reasons


@pytest.mark.parametrize(
    ("word", "geometry"),
    [
        ("poincare", Geometry.BALL), ("PoincareBall", Geometry.BALL), ("Poincaré", Geometry.BALL),
        ("lorentz", Geometry.LORENTZ), ("Hyperboloid", Geometry.LORENTZ), ("distance", None),
        ("euclidean", Geometry.EUCLIDEAN), ("transe", Geometry.EUCLIDEAN), ("football", None),
        ("tangent", Geometry.TANGENT), ("Lorentz model of the Poincare ball", Geometry.LORENTZ),
    ],
)  # fmt: skip
def test_words(word: str, geometry: Geometry | None) -> None:
    assert named(word) is geometry


def test_what_is_given_wins_over_numbers_and_file(tmp_path: Path) -> None:
    np.savez(path := tmp_path / "a.npz", emb=sheet(50, 3), manifold="euclidean")
    assert open_checkpoint(str(path)).reading.geometry is Geometry.EUCLIDEAN
    checkpoint = open_checkpoint(str(path), geometry="lorentz", curvature=2.0)
    assert checkpoint.reading.geometry is Geometry.LORENTZ
    assert checkpoint.reading.reasons == ("Given.", "c = 2, given.")
    assert checkpoint.dim == 5
    np.savez(path, emb=np.ones((3, 1)))
    with pytest.raises(InputError, match="one column; a Lorentz row has time and space"):
        open_checkpoint(str(path), geometry=Geometry.LORENTZ)


@pytest.mark.parametrize("geometry", [None, "lorentz"])
@pytest.mark.parametrize(("curvature", "dtype"), [(1.0, "f4"), (0.5, "f8"), (100_000.0, "f8")])
def test_time_in_the_last_coordinate_is_refused(
    geometry: str | None, curvature: float, dtype: str, tmp_path: Path
) -> None:
    table = sheet(3000, 4, curvature).astype(dtype)
    np.save(path := tmp_path / "a.npy", np.roll(table, -1, axis=1))
    with pytest.raises(InputError, match=r"last coordinate, .* numpy\.roll\(table, 1, axis=1\)"):
        open_checkpoint(str(path), geometry=geometry)
    told = open_checkpoint(str(path), geometry="euclidean").reading.geometry
    assert told is Geometry.EUCLIDEAN
    table[2500:, -1] += 1  # a sixth of the rows is elsewhere
    np.save(path, np.roll(table, -1, axis=1))
    if curvature == 1:
        with pytest.raises(InputError, match="last coordinate"):
            open_checkpoint(str(path))
    else:  # a curvature that the rows themselves tell
        assert open_checkpoint(str(path)).reading.geometry is Geometry.EUCLIDEAN


def test_numbers_stored_wider_than_they_were_computed_are_known_to_what_they_hold() -> None:
    table = sheet(300, 4)
    single = table.astype(np.float32)
    short = (single.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)  # as bfloat16
    for rows, roundoff in (
        (table, 2.0**-53),
        (single.astype(np.float64), 2.0**-24),
        (single, 2.0**-24),
        (short, 2.0**-8),
        (table.astype(np.float16).astype(np.float64), 2.0**-11),
        (np.round(table, 4), 0.5e-4),
        (table[:2], 2.0**-53),  # a few short numbers may be chance
    ):
        assert roundoff_of(rows, rows.dtype.name) == roundoff
        assert reading_of(rows, rows.dtype.name, Stated()).geometry is Geometry.LORENTZ
    table[3] = np.nan
    assert roundoff_of(table.astype(np.float32).astype(np.float64), "float64") == 2.0**-24


def test_rows_near_the_boundary_share_a_norm_by_the_spacing_of_numbers_alone() -> None:
    radii = np.linspace(1, 15.5, 20_000)  # no two alike, and none cut
    towards = RNG.normal(size=(len(radii), 5))
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    single = (towards * np.tanh(radii / 2)[:, None]).astype(np.float32)
    assert reading_of(single, "float32", Stated()).clip is None
    single[-40:] = towards[-40:] * (1 - 1e-5)
    single[:-40] = single[:-40] * np.float32(0.9999)
    assert reading_of(single, "float32", Stated()).clip == pytest.approx(0.99999, abs=1e-6)


def test_half_precision_brings_rows_of_the_ball_onto_its_boundary() -> None:
    radii = np.linspace(0.5, 12, 400)[:, None]  # from 8.3 on float16 knows no norm below 1
    towards = RNG.normal(size=(400, 5))
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    half = (towards * np.tanh(radii / 2)).astype(np.float16)
    assert np.linalg.norm(half.astype(float), axis=1).max() >= 1
    reading = reading_of(half, "float16", Stated())
    assert (reading.geometry, reading.rivals) == (Geometry.BALL, ("tangent", "euclidean"))
    assert reading.reasons[0].startswith("Every norm is as good as below 1 (largest 1.00")
    assert reading_of(towards.astype(np.float16), "float16", Stated()).geometry == "euclidean"


def test_where_norms_leave_the_space_open_its_rivals_are_told() -> None:
    assert reading_of(ball(500), "float64", Stated()).rivals == ("tangent", "euclidean")
    wide = reading_of(RNG.normal(size=(100, 8)), "float64", Stated())
    assert (wide.geometry, wide.rivals) == ("euclidean", ("tangent",))
    assert reading_of(sheet(300, 3), "float64", Stated()).rivals == ()
    stated = Stated(geometry=Geometry.BALL, source="Given.")
    assert reading_of(ball(500), "float64", stated).rivals == ()
