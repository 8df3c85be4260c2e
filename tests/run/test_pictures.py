from __future__ import annotations

import numpy as np
import pytest

from taxcheck.model.finding import Defect
from taxcheck.policy.model import Dataset
from taxcheck.run.pictures import draws
from taxcheck.statistics.values import DepthStatistics


def depth(histogram: dict[int, int]) -> DepthStatistics:
    return DepthStatistics(
        depths=np.array(list(histogram), dtype=np.int64),
        counts=np.array(list(histogram.values()), dtype=np.int64),
        mean=0.0,
        median=0.0,
        maximum=max(histogram, default=0),
        mismatch=Defect(0, 0),
        judged_columns=(),
        inconsistent=None,
        backwards=0,
    )


def test_three_ways_of_drawing_ten_pairs():
    # 1 of 10 pairs at depth 1, 3 at 2 to 5, 6 deeper; of the five depths one, two and two
    found = draws(depth({1: 1, 2: 2, 4: 1, 6: 2, 9: 4}), Dataset())
    assert found is not None
    assert [row.label for row in found] == [
        "uniform over pairs",
        "balanced over depths",
        "balanced over ranges",
    ]
    assert found[0].shares == pytest.approx((0.1, 0.3, 0.6))
    assert found[1].shares == pytest.approx((0.2, 0.4, 0.4))
    assert found[2].shares == pytest.approx((1 / 3, 1 / 3, 1 / 3))


def test_a_depth_or_a_range_without_a_pair_is_never_drawn():
    found = draws(depth({1: 3, 2: 0, 3: 1}), Dataset())
    assert found is not None
    assert [row.shares for row in found] == [(0.75, 0.25, 0.0), (0.5, 0.5, 0.0), (0.5, 0.5, 0.0)]


@pytest.mark.parametrize(
    ("sampler", "declared"),
    [
        ("unknown", [False, False, False]),
        ("uniform", [True, False, False]),
        ("balanced", [False, False, True]),
        ("same-depth", [False, False, False]),
    ],
)
def test_the_declared_sampler_is_marked(sampler, declared):
    found = draws(depth({1: 1}), Dataset(sampler=sampler))
    assert found is not None
    assert [row.declared for row in found] == declared


def test_without_a_pair_nothing_is_drawn():
    assert draws(depth({}), Dataset()) is None
