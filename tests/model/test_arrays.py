"""Array idioms that are quicker than NumPy's own say what NumPy's own would."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxcheck.model import arrays
from taxcheck.model.arrays import changes, firsts, grouped

LARGEST = 2**31 - 1


@given(st.lists(st.integers(-1, 4) | st.sampled_from([LARGEST, LARGEST - 1])),
       st.sampled_from([np.int32, np.int64]))  # fmt: skip
def test_grouped_is_a_stable_argsort(values, dtype):
    numbers = np.array(values, dtype=dtype)
    assert grouped(numbers).tolist() == np.argsort(numbers, kind="stable").tolist()


@given(st.lists(st.integers(0, 4) | st.sampled_from([LARGEST, LARGEST - 1])),
       st.sampled_from([(np.int32, 0), (np.int64, 0), (np.int64, 20), (np.int64, 31)]))  # fmt: skip
def test_firsts_are_what_unique_says(values, width):
    dtype, shift = width
    numbers = np.array(values, dtype=dtype) << shift
    assert firsts(numbers).tolist() == np.unique(numbers, return_index=True)[1].tolist()


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 12), st.integers(0, 1)), max_size=12))
def test_changes_are_where_a_row_differs_from_the_one_before(runs):
    one = np.repeat([v for v, _, _ in runs], [k for _, k, _ in runs]).astype(np.int64)
    two = np.repeat([w for _, _, w in runs], [k for _, k, _ in runs]).astype(np.int32)
    rows = list(zip(one.tolist(), two.tolist(), strict=True))
    new = [k for k, row in enumerate(rows) if not k or row != rows[k - 1]]
    found = changes(one, two)
    assert (found is not None) == (4 * len(new) < len(rows))
    assert found is None or found.tolist() == new


@pytest.mark.parametrize("runs", [True, False])
def test_what_the_first_rows_look_like_decides_whether_the_rest_is_looked_at(monkeypatch, runs):
    monkeypatch.setattr(arrays, "_PROBE", 10)
    values = np.repeat(np.arange(30), 10) if runs else np.r_[np.arange(10), np.zeros(90, np.int64)]
    found = changes(values)
    assert found.tolist() == list(range(0, 300, 10)) if runs else found is None


def test_places_among_many_are_those_of_a_plain_search(monkeypatch):
    monkeypatch.setattr(arrays, "_BEYOND_CACHE", 50)
    monkeypatch.setattr(arrays, "_WORTH_SORTING", 10)
    draw = np.random.default_rng(3)
    ordered = np.sort(draw.integers(0, 200, 100))
    for values in (draw.integers(-5, 210, 300), np.arange(-5, 210), draw.integers(0, 9, 9)):
        assert (arrays.places(ordered, values) == np.searchsorted(ordered, values)).all()
        assert (arrays.within(ordered, values) == np.isin(values, ordered)).all()
