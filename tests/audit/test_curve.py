"""A run's recorded metrics as a curve: what is marked, and that thinning out moves none of it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from taxcheck.audit.curve import curve_of
from taxcheck.model.arrays import smoothed
from taxcheck.sources.checkpoints.checkpoint import Facts


def run(history, **config):
    return Facts(history=tuple(history), config=config)


def losses(*values):
    return run({"epoch": float(k), "loss": value} for k, value in enumerate(values))


def test_a_short_curve_by_hand():
    got = curve_of(losses(4.0, 3.0, 2.0, 1.0, 1.5), None)
    # Windows of a tenth of five records hold one; the second half begins at the third.
    assert got.smooth == ((0, 4.0), (1, 3.0), (2, 2.0), (3, 1.0), (4, 1.5))
    assert got.loss[0] == (0, 4.0, 4.0)
    assert (got.largest, got.least, got.last) == ((0, 4.0), (3, 1.0), (4, 1.5))
    assert (got.drop, got.rise) == (2.5 / 4, 0.5)
    assert (got.unit, got.records, got.nan_steps, got.clip) == ("epoch", 5, 0, None)


def test_the_smoothed_value_is_the_median_of_a_tenth():
    values = np.arange(30.0)
    values[10] = 1000  # one wild epoch
    # Windows hold three records.
    assert smoothed(values)[[0, 1, 2, 9, 10, 11, 12]].tolist() == [0, 0.5, 1, 8, 9, 11, 12]


def test_a_stage_is_smoothed_and_judged_by_itself():
    burn_in = [{"epoch": float(k), "loss": 9.0, "refining": 0.0} for k in range(30)]
    refined = [
        {"epoch": 30.0 + k, "loss": v, "refining": 1.0} for k, v in enumerate([4.0, 2, 1, 1, 2])
    ]
    got = curve_of(run(burn_in + refined), None)
    assert [value for _, value in got.smooth[-5:]] == [4.0, 2, 1, 1, 2], "no median with a 9"
    assert (got.largest, got.ended) == ((30, 4.0), (34, 2.0)), "where it fell most"
    assert (got.least, got.last) == ((32, 1.0), (34, 2.0))
    assert (got.drop, got.rise) == (0.5, 1.0)
    assert got.rises(0.05)
    assert not got.rises(1.0)
    assert not got.stands_still(0.1)


def staged(*stages):
    values = [(at, value) for at, stage in enumerate(stages) for value in stage]
    return curve_of(
        run({"epoch": float(k), "loss": v, "stage": s} for k, (s, v) in enumerate(values)), None
    )


def test_a_loss_that_stands_still_does_so_in_every_stage():
    falling, higher = [4, 3, 2, 1.5, 1.4], [6.0] * 8
    got = staged(falling, higher)  # other negatives, another level
    assert not got.stands_still(0.1)
    assert (got.drop, got.course()) == (2.6 / 4, "4 at most to 1.4 at epoch 4")
    still = staged([9.0] * 8, [1.0] * 8)
    assert still.stands_still(0.1), "from stage to stage it fell, in none of them"
    assert staged([9.0] * 4, [1.0] * 4).drop is None, "too short to judge"


def test_nothing_can_fall_from_0_or_where_the_rows_were_placed():
    assert not curve_of(losses(*[0.0] * 9), None).stands_still(0.1)
    assert not curve_of(losses(*[1e-5] * 9), None).stands_still(0.1)
    assert curve_of(losses(*[0.01] * 9), None).stands_still(0.1)
    for first, stands in ((0.95, False), (0.5, True)):
        history = [{"loss": 2.0, "map": first + 0.004 * k} for k in range(9)]
        assert curve_of(run(history), None).stands_still(0.1) is stands


def test_the_scatter_of_single_records_is_no_rise():
    rng = np.random.default_rng(1)
    found = []
    for seed in range(40):
        noisy = 1 + 0.2 * np.random.default_rng(seed).standard_normal(60)
        found.append(curve_of(losses(*noisy.tolist()), None))
    assert sum(curve.rise > 0.05 for curve in found) > 20, "but for the scatter they would be rises"
    assert not any(curve.rises(0.05) for curve in found)
    rising = np.r_[np.linspace(3, 1, 20), np.linspace(1, 2, 20)] + 0.02 * rng.standard_normal(40)
    assert curve_of(losses(*rising.tolist()), None).rises(0.05)


def test_a_rise_within_the_noise_near_0_is_none():
    got = curve_of(losses(100.0, 10.0, 1.0, 0.1, 0.1, 0.5), None)
    assert got.rise == pytest.approx(4)
    assert not got.rises(0.05), "a hundredth of the largest loss is 1"


def test_a_long_curve_is_bounded_and_keeps_its_extremes():
    values = np.r_[np.linspace(9, 1, 5000), np.linspace(1, 2, 5000)]
    values[7777] = 50
    got = curve_of(losses(*values.tolist()), None)
    assert (len(got.loss), len(got.smooth)) == (200, 200)
    assert max(high for *_, high in got.loss) == 50
    assert min(low for _, low, _ in got.loss) == 1
    assert got.smooth[-1][0] == got.last[0] == got.loss[-1][0] == 9999
    assert got.records == 10_000


def test_steps_of_nan_stand_at_their_epoch():
    history = [{"epoch": float(k), "loss": 5.0 - k, "nan_steps": 2.0 * (k == 3)} for k in range(5)]
    history[4]["loss"] = math.nan
    got = curve_of(run(history), None)
    assert got.broken == ((3, 2), (4, 1))
    assert got.nan_steps == 3
    assert got.drop is None, "four finite records make no curve"
    assert [at for at, *_ in got.loss] == [0, 1, 2, 3]


def test_norms_are_drawn_as_radii_against_the_clip():
    history = [{"loss": 1.0, "norm_p90": 0.6 + k / 10, "norm_max": 0.8} for k in range(5)]
    got = curve_of(run(history), 0.98)
    # Radius ln((1 + n) / (1 - n)): ln 4 at .6; a norm of 1 has none, and is at every clip.
    assert got.radii[0] == (1, pytest.approx(math.log(4)))
    assert [at for at, _ in got.radii] == [1, 2, 3, 4]
    assert got.farthest[0][1] == pytest.approx(math.log(9))
    assert got.clip == pytest.approx(math.log(1.98 / 0.02))
    assert (got.unit, got.reached, got.near_clip) == ("record", 5, 1)
    assert curve_of(run(history, max_norm=0.8), 0.98).clip == pytest.approx(math.log(9))
    assert curve_of(run(history, max_norm="none"), 0.98).clip == got.clip


def test_a_run_without_a_record_has_no_curve():
    assert curve_of(run([]), 0.98) is None
    one = curve_of(run([{"epoch": 1.0, "loss": 2.0}]), None)
    assert (one.losses, one.drop, one.near_clip) == (1, None, None)
    none = curve_of(run([{"epoch": 1.0, "map": 0.2}] * 9), None)
    assert (none.records, none.losses, none.smooth) == (9, 0, ())
