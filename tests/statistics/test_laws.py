"""States: they ship, they merge with their own or refuse, and no split changes what they say."""

from __future__ import annotations

import importlib
import inspect
import pickle
import pkgutil
import random
from dataclasses import fields, is_dataclass, replace
from functools import reduce

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import taxcheck.statistics
from taxcheck.model.errors import BrokenError
from taxcheck.sources.tables.batches import MappingBatch, PairBatch, Quarantined
from taxcheck.statistics.counts import Counts
from taxcheck.statistics.depths import DepthState, Histogram, NodeDepths, marks_of
from taxcheck.statistics.hierarchy.compare import ComparedPairs, ProofState
from taxcheck.statistics.hierarchy.pairset import PairSet
from taxcheck.statistics.hierarchy.slots import SlotSet
from taxcheck.statistics.mapping import MappingState
from taxcheck.statistics.offenders import DefectState, Offenders
from taxcheck.statistics.pairs import Nodes, PairState, PairTable
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
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


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
        weight=pa.array(column[2] / 4),
    )
    return batch, Quarantined(
        np.array(bad, dtype=np.int64), ("a null",) * len(bad), {"ancestor": ("",) * len(bad)}
    )


NODES = Nodes(MAPPED, Identifiers(np.where(MAPPED, np.arange(N) + 100, -1), None))
ORIGIN = NODES.origin("pairs.tsv", "pairs")


def pair_state():
    return PairState.empty(ORIGIN)


def frozen(state, kind=Kind.TREE):
    return PairTable(state, PairSpool(True)).freeze(MAPPED, kind, None, None)


def folded(state, batches):
    for batch in batches:
        state.update(batch)
    return state


@given(st.data(), pair_rows, st.integers(0, 1000))
def test_pairs(data, rows, seed):
    numbered = list(enumerate(rows, start=2))
    whole = folded(pair_state(), [NODES.sort_out(pair_batch(numbered))])
    parts = cuts(data.draw, numbered)
    groups = [parts[k::3] for k in range(3)]  # some may be empty: the identity
    states = [
        folded(pair_state(), [NODES.sort_out(pair_batch(part)) for part in group])
        for group in groups
    ]
    split = merged([pickle.loads(pickle.dumps(state)) for state in states], seed)
    for kind in (Kind.TREE, Kind.DAG):
        assert same(frozen(whole, kind), frozen(split, kind))


@given(pair_rows, st.integers(1, 5))
def test_workers_change_nothing(rows, workers):
    batches = [pair_batch([row]) for row in enumerate(rows, start=1)]
    one, many = (collect(batches, pair_state, k, NODES.sort_out) for k in (1, workers))
    assert same(frozen(one), frozen(many))


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
        return found, ()

    numbered = list(enumerate(rows, start=2))
    whole = folded(MappingState.empty(), [batch(numbered)])
    split = merged(
        [folded(MappingState.empty(), [batch(p)]) for p in cuts(data.draw, numbered)], seed
    )
    assert same(whole.freeze(), split.freeze())
    assert same(whole.freeze(), whole.freeze())
    assert same(whole.merge(MappingState.empty()).freeze(), whole.freeze())


@given(st.lists(st.lists(st.integers(-(2**40), 2**40)), max_size=5))
def test_histogram_counts_like_a_counter(parts):
    histograms = []
    for part in parts:
        histogram = Histogram.empty()
        histogram.update(np.array(part, dtype=np.int64))
        histograms.append(histogram)
    values, counts = reduce(Histogram.merge, histograms, Histogram.empty()).freeze()
    flat = [value for part in parts for value in part]
    assert dict(zip(values.tolist(), counts.tolist(), strict=True)) == {
        value: flat.count(value) for value in flat
    }


def offenders(rows):
    numbers = np.array([row for row, _ in rows], dtype=np.int64)
    nodes = np.array([values[0] for _, values in rows], dtype=np.int64)
    return Offenders(
        "self_pair", {"idx": nodes}, (nodes,), numbers, "odd" if len(rows) % 2 else None
    )


def judged(rows):
    slots = np.array([9 * a + d for _, (a, d, *_) in rows], dtype=np.int64)
    below = np.array([d for _, (_, d, *_) in rows], dtype=np.int64) % N
    return ComparedPairs(len(rows), slots, slots[::2] + 1000, np.arange(len(rows)), below)


def mapping_batch(rows):
    numbers = np.array([row for row, _ in rows], dtype=np.int64)
    cells = [np.array([v[k] for _, v in rows], dtype=np.int64) for k in (0, 2)]
    return MappingBatch(numbers, pa.array(cells[0]), np.abs(cells[1])), (offenders(rows),)


def depth_columns(rows):
    batch, _ = pair_batch([(row, (*values[:5], True)) for row, values in rows])
    columns = [np.array([v[k] for _, v in rows], dtype=np.int64) for k in (3, 4)]
    return replace(batch, ancestor_depth=columns[0], descendant_depth=columns[1])


def fold_depths(state, rows):
    batch = depth_columns(rows)
    state.update(batch, marks_of(batch))


def node_depths(state, rows):
    state.update(*(np.array([v[k] for _, v in rows], dtype=np.int64) % N for k in (0, 3)))


def sparse_slots():
    slots = SlotSet(121)
    slots._marks = None  # neither marks nor bits: the slots themselves
    return slots


# What makes it empty, what folds rows in, what it says: of every state there is.
STATES = {
    PairState: (pair_state, lambda s, rows: s.update(NODES.sort_out(pair_batch(rows))), frozen),
    MappingState: (
        MappingState.empty,
        lambda s, rows: s.update(mapping_batch(rows)),
        MappingState.freeze,
    ),
    DefectState: (
        lambda: DefectState.empty("self_pair", "idx"),
        lambda s, rows: s.update(offenders(rows)),
        lambda s: s.freeze(100),
    ),
    DepthState: (
        lambda: DepthState.empty(N + 2),
        fold_depths,
        lambda s: s.freeze(Kind.TREE, None, (), None),
    ),
    NodeDepths: (lambda: NodeDepths.empty(N), node_depths, lambda s: s.freeze(None)),
    Counts: (
        lambda: Counts.empty(N),
        lambda s, rows: s.add(np.array([v[0] % N for _, v in rows], dtype=np.int64)),
        lambda s: (s.freeze(), s.total),
    ),
    Histogram: (
        Histogram.empty,
        lambda s, rows: s.update(np.array([v[2] for _, v in rows], dtype=np.int64)),
        Histogram.freeze,
    ),
    ProofState: (
        lambda: ProofState.empty(N, SlotSet(121)),
        lambda s, rows: s.update(judged(rows)),
        lambda s: (
            s.pairs.outside,
            s.pairs.slots.present(),
            s.pairs.rows,
            s.doubtful,
            s.suspects,
        ),
    ),
    PairSet: (
        lambda: PairSet.empty(N, sparse_slots()),
        lambda s, rows: s.add(len(rows), judged(rows).slots, judged(rows).outside),
        lambda s: (s.outside, s.slots.present(), s.rows, len(s)),
    ),
    SlotSet: (
        lambda: SlotSet.empty(121),
        lambda s, rows: s.add(judged(rows).slots),
        lambda s: (s.present(), tuple(s.absent_windows()), len(s)),
    ),
}


def test_every_state_is_held_to_the_laws():
    found = set()
    for module in pkgutil.walk_packages(taxcheck.statistics.__path__, "taxcheck.statistics."):
        for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if hasattr(kind, "merge") and kind.__module__ == module.name:
                found.add(kind)
    assert {kind for kind in found if not getattr(kind, "_is_protocol", False)} == set(STATES)
    assert all(inspect.ismethod(kind.empty) for kind in STATES)  # a classmethod


@pytest.mark.parametrize("kind", STATES)
@settings(max_examples=40)
@given(st.data(), pair_rows)
def test_a_state_is_a_plain_value_that_merges_in_any_order(kind, data, rows):
    empty, fold, read = STATES[kind]

    def of(*parts):
        state = empty()
        for part in parts:
            fold(state, part)
        return state

    def shipped(state):
        return pickle.loads(pickle.dumps(state))

    def says(state):
        return read(shipped(state))

    parts = [*cuts(data.draw, list(enumerate(rows, start=2))), [], []][:3]
    a, b, c = (of(part) if part else empty() for part in parts)
    before = says(a)
    assert same(says(a.merge(b)), says(b.merge(a)))
    assert same(says(a.merge(b).merge(c)), says(a.merge(b.merge(c))))
    assert same(says(a.merge(empty())), before)
    assert same(says(empty().merge(a)), before)
    assert same(says(a), before), "merging changed a state"
    halfway = shipped(a)  # and goes on
    if parts[1]:
        fold(halfway, parts[1])
    assert same(says(halfway), says(of(*(part for part in parts[:2] if part))))


def other_nodes():
    return Nodes(MAPPED, Identifiers(np.where(MAPPED, np.arange(N) + 101, -1), None))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pair_state(), PairState.empty(other_nodes().origin("pairs.tsv", "pairs"))),
        (pair_state(), PairState.empty(NODES.origin("more.tsv", "pairs"))),
        (pair_state(), PairState.empty(NODES.origin("pairs.tsv", "held-out"))),
        (MappingState.empty("a.tsv"), MappingState.empty("b.tsv")),
        (DefectState.empty("cycle"), DefectState.empty("self_pair")),
        (DefectState.empty("cycle"), DefectState.empty("cycle", table="held-out")),
        (DepthState.empty(3), DepthState.empty(4)),
        (NodeDepths.empty(3), NodeDepths.empty(1)),
        (Counts.empty(3), Counts.empty(1)),
        (SlotSet(3), SlotSet(1)),
        (PairSet.empty(3, SlotSet(3)), PairSet.empty(4, SlotSet(3))),
        (ProofState.empty(3, SlotSet(3)), ProofState.empty(3, SlotSet(1))),
    ],
)
def test_states_that_do_not_belong_together_refuse_in_one_line(one, other):
    for a, b in ((one, other), (other, one)):
        with pytest.raises(BrokenError, match=r"^these states do not merge: one ") as told:
            a.merge(pickle.loads(pickle.dumps(b)))
        assert "\n" not in str(told.value)


@pytest.mark.parametrize("identifiers", [["a", "b", None], ["a", "c", None], ["ab", "", None]])
def test_the_origin_knows_the_mapping_by_its_identifiers(identifiers):
    mapped = np.array([True, True, False])
    texts = Identifiers(None, np.array(identifiers, dtype=object))
    origin = Nodes(mapped, texts).origin("p", "pairs")
    assert (origin == Nodes(mapped.copy(), texts).origin("p", "pairs")) is True
    other = Identifiers(None, np.array(["a", "d", None], dtype=object))
    assert origin != Nodes(mapped, other).origin("p", "pairs")
    assert origin.n == 3


def test_marks_ship_as_bits():
    assert len(pickle.dumps(SlotSet(80_000))) < 11_000


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
