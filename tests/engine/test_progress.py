"""How far a run is, and how good its table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from taxcheck.engine.config import out_of_patience
from taxcheck.engine.progress import Evaluator, RunState, norms
from taxcheck.geometry.space import Space
from tests.engine.tiny import CONFIG, tree


def test_patience_is_compared_with_the_best_before() -> None:
    at = RunState(1)
    waited, best = [], []
    for score in (0.5, 0.5, 0.55, 0.58, 0.7, float("nan"), 0.1):
        best.append(at.judge(score, 0.1))
        waited.append(at.waited)
    assert waited == [0, 1, 2, 3, 0, 1, 2]
    assert best == [True, False, True, True, True, False, False], "the best is any that is larger"
    assert at.best_map == 0.7
    assert not out_of_patience(replace(CONFIG, early_stopping=0), 10**6)
    assert not out_of_patience(replace(CONFIG, early_stopping=3), 2)
    assert out_of_patience(replace(CONFIG, early_stopping=3), 3)


def test_quality_of_a_table_that_is_known() -> None:
    data = tree(2)  # 0 above 1 and 2, and 3 in no pair
    table = np.array([[0.0, 0], [0.2, 0], [-0.2, 0], [0, 0.9]])
    config = replace(CONFIG, dim=2, evaluate_sources=10)
    found = Evaluator(data, config).measure(table)
    assert (found["map"], found["mean_rank"]) == (1.0, 1.0), "both have the root nearest"
    assert [found[name] for name in ("rank_p50", "rank_p99")] == [1, 1]
    assert found["norm_max"] == pytest.approx(0.9)
    assert found["norm_p50"] == pytest.approx(0.2)
    table[1] = [0, 0.88]
    worse = Evaluator(data, config).measure(table)
    assert worse["map"] == 0.75, "1 has row 3 before its ancestor"
    assert worse["mean_rank"] == 1.5
    assert (worse["mean_rank_low"], worse["mean_rank_high"]) == (1, 2)
    assert (worse["rank_p50"], worse["rank_p99"]) == (1, 2)


def test_norms_of_every_model_are_those_of_the_ball() -> None:
    radius = np.array([1.0, 2.0, 3.0])
    lorentz = np.column_stack([np.cosh(radius), np.sinh(radius), 0 * radius])
    tangent = np.column_stack([radius, 0 * radius])
    for table, geometry in ((lorentz, "lorentz"), (tangent, "tangent")):
        found = norms(Space.of(table, geometry))
        assert found["norm_max"] == pytest.approx(np.tanh(1.5))
        assert found["norm_p50"] == pytest.approx(np.tanh(1.0))
    assert norms(Space.of(tangent, "euclidean"))["norm_max"] == 3
    assert np.isnan(norms(Space.of(np.full((2, 2), np.nan), "ball"))["norm_p90"])
