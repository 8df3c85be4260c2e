"""Narrow arrays by node say exactly what wide ones would, up to the last number that they hold."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxcheck.sources.tables.batches import PairBatch
from taxcheck.statistics.counts import NARROW, Counts, packed, unpacked
from taxcheck.statistics.depths import UNSTATED, Histogram, NodeDepths, difference, marks_of

N = 12
WIDE = np.iinfo(np.int64)


def ids(*values, dtype=np.int64):
    return np.array(values, dtype=dtype)


@given(st.lists(st.lists(st.integers(0, N - 1), max_size=30), max_size=4))
def test_counts_are_those_of_bincount(parts):
    counts = Counts.empty(N)
    for part in parts:
        counts.add(ids(*part))
    flat = ids(*(idx for part in parts for idx in part))
    assert counts.freeze().tolist() == np.bincount(flat, minlength=N).tolist()
    assert counts.each.dtype == np.int32


@pytest.mark.parametrize("beyond", [0, 1, 2])
def test_counts_widen_where_one_could_exceed_32_bits(beyond):
    counts = Counts(ids(0, NARROW - 3, dtype=np.int32), NARROW - 3)
    counts.add(ids(1, 1))
    assert (counts.each.dtype, counts.freeze()[1]) == (np.int32, NARROW - 1)
    counts.add(ids(*[1] * (1 + beyond)))
    assert counts.each.dtype == (np.int64 if beyond else np.int32)
    assert counts.freeze().tolist() == [0, NARROW + beyond]
    shipped = pickle.loads(pickle.dumps(counts))
    assert shipped.freeze().tolist() == counts.freeze().tolist()
    merged = shipped.merge(counts)
    assert merged.freeze().tolist() == [0, 2 * (NARROW + beyond)]
    assert counts.freeze().tolist() == [0, NARROW + beyond]


@given(
    st.sampled_from([0, -1, UNSTATED, WIDE.max]),
    st.lists(st.integers(WIDE.min, WIDE.max) | st.sampled_from([0, -1, 127, 128, -128, -129,
             32_767, 32_768, UNSTATED, 2**31 - 1, 2**31, -(2**31) - 1])),
    st.integers(0, 40),
)  # fmt: skip
def test_packed_values_come_back(blank, values, gap):
    whole = ids(*values, *[blank] * gap, *values[:1])
    found = unpacked(pickle.loads(pickle.dumps(packed(whole, blank))), blank)
    assert (found.dtype, found.tolist()) == (whole.dtype, whole.tolist())


def test_a_state_of_few_nodes_is_shipped_in_few_bytes():
    counts = Counts.empty(1_000_000)
    counts.add(np.arange(500_000, 560_000))
    counts.add(ids(3, 999_999, 500_000))
    assert len(pickle.dumps(counts)) < 6 * 60_000
    near = Counts.empty(1_000_000)
    near.add(np.arange(500_000, 560_000))
    assert len(pickle.dumps(near)) < 61_000
    histogram = Histogram.empty()
    histogram.update(ids(1, 2, 40))
    assert len(pickle.dumps(histogram)) < 500


STATED = st.one_of(
    st.integers(0, 4),
    st.sampled_from([UNSTATED - 1, UNSTATED, UNSTATED + 1, -UNSTATED - 1, -UNSTATED, -3,
                     2**31 - 1, -(2**31) + 1]),
)  # fmt: skip
ROWS = st.lists(st.tuples(st.integers(0, 5), STATED), max_size=8)


@given(st.lists(ROWS, max_size=4), st.integers(0, 4), st.sampled_from([np.int32, np.int64]))
def test_depths_of_nodes_are_the_smallest_and_the_largest(parts, at, dtype):
    def folded(some):
        depths = NodeDepths.empty(6)
        for part in some:
            rows = np.array(part, dtype=np.int64).reshape(-1, 2)
            depths.update(rows[:, 0], rows[:, 1].astype(dtype))
        return depths

    stated = {}
    for node, depth in (row for part in parts for row in part):
        stated.setdefault(node, set()).add(depth)
    lowest = [min(stated.get(node, {WIDE.max})) for node in range(6)]
    highest = [max(stated.get(node, {WIDE.min})) for node in range(6)]
    whole, split = folded(parts), folded(parts[:at]).merge(folded(parts[at:]))
    for depths in (whole, split, pickle.loads(pickle.dumps(split))):
        assert (depths.lowest.tolist(), depths.highest.tolist()) == (lowest, highest)
        found = depths.freeze(None)
        assert found.total == len(stated)
        assert [s.node for s in found.samples] == [
            node for node in range(6) if lowest[node] < highest[node]
        ]


EDGE = st.sampled_from([0, 1, 2, 2**31 - 1, -(2**31) + 1, 2**30, -(2**30)])


@given(st.lists(st.tuples(EDGE, EDGE, EDGE), min_size=1, max_size=5))
def test_differences_of_narrow_depths_are_exact(rows):
    above, below, stated = np.array(rows, dtype=np.int32).T.copy()
    exact = [int(b) - int(a) for a, b, _ in rows]
    assert difference(below, above).tolist() == exact
    idx = np.arange(len(rows))
    batch = PairBatch(idx, idx, idx, stated, above, below)
    marks = marks_of(batch)
    wrong = [
        1 if s < 1 else 0 if s == e else 2 if s > e else 6
        for (*_, s), e in zip(rows, exact, strict=True)
    ]
    assert (marks is None) == (not any(wrong))
    assert marks is None or marks.tolist() == wrong
