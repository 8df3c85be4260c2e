"""Any split, any order, any merge tree gives the same frozen value."""

from __future__ import annotations

import random
from dataclasses import fields, is_dataclass
from functools import reduce

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxcheck.sources.batches import MappingBatch, PairBatch, Quarantined
from taxcheck.statistics.depths import Histogram
from taxcheck.statistics.freeze import pair_statistics
from taxcheck.statistics.mapping import MappingState
from taxcheck.statistics.pairs import Nodes, PairState
from taxcheck.statistics.spool import PairSpool
from taxcheck.statistics.state import collect
from taxcheck.statistics.values import Identifiers, Kind

N = 9
MAPPED = np.arange(N) != 4  # one hole


def same(a, b) -> bool:
    """Deep equality of frozen values."""
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and bool((a == b).all())
    if is_dataclass(a):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    return a == b


def cuts(draw, rows):
    """The rows in parts: any number of cuts, any order of the parts."""
    places = sorted(draw(st.sets(st.integers(1, max(len(rows) - 1, 1)), max_size=4)))
    parts = [rows[i:j] for i, j in zip([0, *places], [*places, len(rows)], strict=True)]
    return draw(st.permutations([part for part in parts if part]))


def merged(states, seed):
    """Merge states two at a time, in an order that the seed decides."""
    rng = random.Random(seed)
    states = list(states)
    while len(states) > 1:
        a = states.pop(rng.randrange(len(states)))
        b = states.pop(rng.randrange(len(states)))
        states.append(a.merge(b))
    return states[0]


cell = st.integers(0, N + 1)
pair_rows = st.lists(
    st.tuples(
        cell, cell, st.integers(-2, 70000), st.integers(0, 4), st.integers(0, 4), st.booleans()
    ),
    min_size=1,
    max_size=30,
)


def pair_batch(rows):
    """(row number, (a, d, diff, depth of a, depth of d, sound)) as schema output."""
    good = [(r, v) for r, v in rows if v[5]]
    bad = [r for r, v in rows if not v[5]]
    column = [np.array([v[k] for _, v in good], dtype=np.int64) for k in range(5)]
    batch = PairBatch(
        np.array([r for r, _ in good], dtype=np.int64),
        *column,
        ancestor_taxid=pa.array(column[0] + 100),
        descendant_taxid=pa.array(column[1] + 101 - column[3] % 2),
    )
    return batch, Quarantined(
        np.array(bad, dtype=np.int64), ("a null",) * len(bad), {"ancestor": ("",) * len(bad)}
    )


def pair_state(spool):
    identifiers = np.where(MAPPED, np.arange(N) + 100, -1)
    return PairState(Nodes(MAPPED, Identifiers(identifiers, None)), spool)


def folded(state, batches):
    for batch in batches:
        state.update(batch)
    return state


@given(st.data(), pair_rows, st.integers(0, 1000))
def test_pairs(data, rows, seed):
    numbered = list(enumerate(rows, start=2))
    one, many = PairSpool(True), PairSpool(True)
    whole = folded(pair_state(one), [pair_batch(numbered)])
    parts = cuts(data.draw, numbered)
    groups = [parts[k::3] for k in range(3)]  # some may be empty: the identity
    split = merged([folded(pair_state(many), map(pair_batch, g)) for g in groups], seed)
    for kind in (Kind.TREE, Kind.DAG):
        a = pair_statistics(whole, kind, None, False, None)
        b = pair_statistics(split, kind, None, False, None)
        assert same(a, b)
    kept = [
        [np.concatenate([getattr(b, name) for b in spool.batches()] or [np.empty(0)])
         for name in ("rows", "ancestor", "descendant", "depth_diff")]
        for spool in (one, many)
    ]  # fmt: skip
    assert [list(column) for column in kept[0]] == [list(column) for column in kept[1]]


@given(pair_rows, st.integers(1, 5))
def test_workers_change_nothing(rows, workers):
    numbered = list(enumerate(rows, start=1))
    batches = [pair_batch([row]) for row in numbered]
    one, many = PairSpool(True), PairSpool(True)
    a = collect(batches, lambda: pair_state(one), 1)
    b = collect(batches, lambda: pair_state(many), workers)
    assert same(
        pair_statistics(a, Kind.TREE, None, False, None),
        pair_statistics(b, Kind.TREE, None, False, None),
    )


@given(
    st.data(),
    st.lists(
        st.tuples(st.sampled_from(["7", "8", "09", "x", "12", "13", "14"]), st.integers(0, 3000)),
        min_size=1,
        max_size=20,
    ),
    st.booleans(),
    st.integers(0, 1000),
)
def test_mapping(data, rows, typed, seed):
    if typed:
        rows = [(str(sum(map(ord, label))), idx) for label, idx in rows]

    def batch(part):
        labels = [label for _, (label, _) in part]
        identifiers = pa.array([int(x) for x in labels]) if typed else pa.array(labels)
        found = MappingBatch(
            np.array([row for row, _ in part], dtype=np.int64),
            identifiers,
            np.array([idx for _, (_, idx) in part], dtype=np.int64),
        )
        return found, Quarantined(np.empty(0, np.int64), (), {})

    numbered = list(enumerate(rows, start=2))
    whole = folded(MappingState(), [batch(numbered)])
    split = merged([folded(MappingState(), [batch(p)]) for p in cuts(data.draw, numbered)], seed)
    assert same(whole.freeze(), split.freeze())
    assert same(whole.freeze(), whole.freeze())
    assert same(whole.merge(MappingState()).freeze(), whole.freeze())


@given(st.lists(st.lists(st.integers(-(2**40), 2**40)), max_size=5))
def test_histogram_counts_like_a_counter(parts):
    histograms = []
    for part in parts:
        histogram = Histogram()
        histogram.add(np.array(part, dtype=np.int64))
        histograms.append(histogram)
    values, counts = reduce(Histogram.merge, histograms, Histogram()).freeze()
    flat = [value for part in parts for value in part]
    assert dict(zip(values.tolist(), counts.tolist(), strict=True)) == {
        value: flat.count(value) for value in flat
    }


def test_an_error_in_a_worker_ends_the_others():
    class Broken:
        def update(self, batch):
            if batch == 3:
                raise ValueError("row 3")

        def merge(self, _):
            return self

    drawn = []

    def batches():
        for k in range(10_000):
            drawn.append(k)
            yield k

    with pytest.raises(ValueError, match="row 3"):
        collect(batches(), Broken, workers=3)
    assert len(drawn) < 10_000
