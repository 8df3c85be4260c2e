"""Slots as marks, as bits, and themselves: the same answers."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taxcheck.statistics.hierarchy import slots as module
from taxcheck.statistics.hierarchy.slots import SlotSet
from tests.statistics.small_taxonomy import ids


@pytest.fixture(params=["marks", "bits", "slots"])
def kind(request, monkeypatch):
    if request.param != "marks":
        monkeypatch.setattr(module, "_BYTES", -1)
    if request.param == "slots":
        monkeypatch.setattr(module, "_LEAST", -1)
        monkeypatch.setattr(module, "_ROW", -1)
    monkeypatch.setattr(module, "_WINDOW", 8)
    return request.param


def slots_of(size, *added):
    slots = SlotSet(size, 1)
    for some in added:
        slots.add(ids(*some))
    return slots


def test_slots_that_occur_and_slots_that_do_not(kind):
    slots = slots_of(20, (7, 2, 2), (), (2, 19))
    held = {"marks": slots._marks, "bits": slots._bits}
    assert [name for name, array in held.items() if array is not None] == [kind] * (kind in held)
    assert (len(slots), slots.present().tolist()) == (3, [2, 7, 19])
    assert slots.contains(ids(-1, 0, 2, 19)).tolist() == [False, False, True, True]
    windows = [window.tolist() for window in slots.absent_windows()]
    assert windows == [[0, 1, 3, 4, 5, 6], [*range(8, 16)], [16, 17, 18]]
    assert slots.counts(ids(0, 2, 7, 8, 20), ids(20, 1, 13, 11, 0)).tolist() == [3, 1, 2, 0, 0]


@pytest.mark.usefixtures("kind")
def test_merged_slots_are_those_of_both():
    one, two = slots_of(10, (1, 2)), slots_of(10, (9,), (2,))
    both = one.merge(pickle.loads(pickle.dumps(two)))
    assert (len(both), both.present().tolist()) == (3, [1, 2, 9])
    assert (one.present().tolist(), two.present().tolist()) == ([1, 2], [2, 9])
    assert [*SlotSet(0).absent_windows()] == []
    assert len(slots_of(10)) == len(slots_of(10).merge(slots_of(10))) == 0
    assert one.merge(one) is one


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.integers(0, 299), max_size=40), max_size=4))
@pytest.mark.usefixtures("kind")
def test_any_slots_in_any_parts(parts):
    slots = slots_of(300, *parts)
    expected = sorted({slot for part in parts for slot in part})
    assert slots.present().tolist() == expected
    assert len(slots) == len(expected)
    absent = np.concatenate([ids(), *slots.absent_windows()])
    assert absent.tolist() == sorted({*range(300)} - {*expected})
    first = np.arange(0, 300, 7)
    counts = slots.counts(first, np.minimum(7, 300 - first))
    assert counts.tolist() == [sum(f <= s < f + 7 for s in expected) for f in first]


def test_what_is_shipped_is_a_bit_a_slot_at_most():
    assert len(pickle.dumps(SlotSet(80_000))) < 11_000


def test_sets_that_are_mixed_merge_too(monkeypatch):
    many = SlotSet(100, 100)
    monkeypatch.setattr(module, "_BYTES", -1)
    monkeypatch.setattr(module, "_LEAST", -1)
    bits, few = SlotSet(100, 100), SlotSet(100, 1)
    assert (many._marks is None, bits._bits is None, few._bits is None) == (False, False, True)
    for k, slots in enumerate((many, bits, few)):
        slots.add(ids(k, 50))
    for one, other, both in ((many, few, [0, 2, 50]), (few, many, [0, 2, 50])):
        assert one.merge(other).present().tolist() == both
    assert few.merge(bits).present().tolist() == bits.merge(few).present().tolist() == [1, 2, 50]
