"""Rows that were never trained: every evidence, every explanation, and which one counts."""

from __future__ import annotations

import numpy as np
import pytest

from taxcheck.audit.alignment import align
from taxcheck.audit.clades import Partition
from taxcheck.audit.coverage import Known, coverage_of_training
from taxcheck.model.errors import InputError
from tests.audit.one_table import checkpoint
from tests.rules import builders

# Norms far beyond the init box of 1e-3: a row inside it is evidence.
ROWS = np.array([[0.1, 0.0], [0.2, 0.1], [0.3, 0.2], [0.4, 0.3]])


def found(vectors=ROWS, known=None, mapping=None, sink=None, **facts):
    mapping = builders.mapping() if mapping is None else mapping
    known = Known(mapping=mapping) if known is None else known
    return coverage_of_training(align(checkpoint(vectors, **facts), mapping), known, sink)


def test_nothing_says_that_a_row_was_not_trained():
    got = found(known=Known(builders.mapping(), builders.pairs()))
    assert (got.rows, got.defect.count, got.by_evidence, got.by_explanation) == (4, 0, {}, {})
    assert not got.never.any()
    assert got.updates is None


def test_the_evidence_that_there_was_decides_whether_rows_are_known_to_be_trained():
    pairs, fresh = builders.pairs(), ROWS + 1
    at_hand = ("no row in the table", "in no pair", "inside the init box")
    got = found(known=Known(builders.mapping(), pairs))
    assert (got.told_by, got.trained_known) == (at_hand, False)
    got = found(known=Known(builders.mapping(), pairs, fresh))
    assert got.told_by == (at_hand[0], "equal to the initial table", *at_hand[1:])
    assert got.trained_known
    assert not found(known=Known(builders.mapping(), initial=fresh[:3])).trained_known, "one row"
    assert found(untouched=np.zeros(4, bool)).trained_known
    got = found(update_counts=np.ones(4, int))
    assert (got.told_by, got.trained_known) == ((at_hand[0], "recorded updates"), True)


def test_rows_beyond_the_table():
    got = found(ROWS[:3])
    assert got.never.tolist() == [False, False, False, True]
    assert got.by_evidence == {"no row in the table": 1}
    assert got.by_explanation == {"beyond the table": 1}


def test_rows_in_no_pair():
    idle = builders.pairs((1, 0, 0, 0), (0, 0, 1, 0))
    got = found(known=Known(builders.mapping(), idle))
    assert np.flatnonzero(got.never).tolist() == [1, 3]
    assert got.by_evidence == got.by_explanation == {"in no pair": 2}


def test_an_index_hole_explains_before_everything_else():
    holed = builders.mapping(builders.ints(10, 20, 30), builders.ints(0, 1, 3))
    idle = builders.pairs((1, 0, 0, 0), (0, 1, 0, 0))
    got = found(known=Known(holed, idle), mapping=holed)
    assert np.flatnonzero(got.never).tolist() == [2, 3]
    assert got.by_explanation == {"index hole": 1, "in no pair": 1}
    got = found(ROWS[:2], known=Known(holed, idle), mapping=holed)
    assert got.by_evidence == {"no row in the table": 2}
    assert got.by_explanation == {"index hole": 1, "beyond the table": 1}


def test_rows_beyond_the_mapping_have_no_node():
    short = builders.mapping(builders.ints(10, 20))
    got = found(known=Known(short, builders.pairs((1, 0), (0, 1))), mapping=short)
    assert got.rows == 4
    assert np.flatnonzero(got.never).tolist() == [2, 3]
    assert got.by_evidence == {"in no pair": 2}
    assert got.by_explanation == {"index hole": 2}


def test_a_taxid_that_the_taxonomy_lacks_explains_why_it_is_in_no_pair():
    idle = builders.pairs((1, 0, 0, 0), (0, 1, 0, 0))
    unknown = np.array([True, False, True, False])  # idx 0 is in a pair all the same
    got = found(known=Known(builders.mapping(), idle, unknown=unknown))
    assert got.by_explanation == {"taxid unknown": 1, "in no pair": 1}


def test_recorded_updates_are_the_fact_and_the_rest_is_not_asked():
    tiny = ROWS.copy()
    tiny[1] = 1e-5
    idle = builders.pairs((1, 0, 0, 0), (0, 0, 1, 0))  # 1 and 3 are in no pair
    known = Known(builders.mapping(), idle, initial=ROWS)
    counts = np.array([5, 9, 0, 0])  # 1 was drawn as a negative
    got = found(tiny, known, update_counts=counts)
    assert np.flatnonzero(got.never).tolist() == [2, 3]
    assert got.by_evidence == {"recorded updates": 2}
    assert got.by_explanation == {"in no pair": 1, "sampled zero times": 1}
    assert got.updates.tolist() == [5, 9, 0, 0]


def test_the_strongest_evidence_counts():
    untouched = np.array([True, False, False, False])
    initial = ROWS.copy()
    initial[2:] += 0.5  # rows 0 and 1 are as they were
    idle = builders.pairs((0, 0, 0, 1), (1, 0, 0, 0))  # 1 and 2 are in no pair
    tiny = ROWS.copy()
    tiny[3] = 1e-4
    got = found(tiny, Known(builders.mapping(), idle, initial), untouched=untouched)
    assert got.by_evidence == {
        "optimizer state": 1,
        "equal to the initial table": 1,
        "in no pair": 1,
        "inside the init box": 1,
    }
    assert got.by_explanation == {"in no pair": 2, "unexplained": 2}
    assert got.by_both == {
        ("in no pair", "equal to the initial table"): 1,
        ("in no pair", "in no pair"): 1,
        ("unexplained", "optimizer state"): 1,
        ("unexplained", "inside the init box"): 1,
    }
    assert [sample.values["evidence"] for sample in got.defect.samples] == list(got.by_evidence)


def test_both_margins_of_the_cross_table_are_the_counts_of_one():
    idle = builders.pairs((1, 0, 0, 0), (0, 0, 1, 0))
    got = found(ROWS[:3], Known(builders.mapping(), idle, initial=ROWS[:1]))
    assert got.by_both == {
        ("beyond the table", "no row in the table"): 1,
        ("in no pair", "in no pair"): 1,
        ("unexplained", "equal to the initial table"): 1,
    }
    for position, margin in enumerate((got.by_explanation, got.by_evidence)):
        for name, rows in margin.items():
            assert rows == sum(n for key, n in got.by_both.items() if key[position] == name)
    assert sum(got.by_both.values()) == got.defect.count
    # Columns stand in the order of the evidence, rows in that of the explanations.
    assert [explanation for explanation, _ in got.by_both] == list(got.by_explanation)


def test_the_init_box_tells_nothing_of_a_table_that_is_still_near_it():
    assert found(ROWS * 1e-3).by_evidence == {}
    assert found(ROWS * np.nan).by_evidence == {}


def test_an_initial_table_of_other_rows_or_columns():
    got = found(known=Known(builders.mapping(), initial=ROWS[:2]))
    assert got.by_evidence == {"equal to the initial table": 2}
    with pytest.raises(InputError, match="3 columns and the trained one 2"):
        found(known=Known(builders.mapping(), initial=np.zeros((4, 3))))


def test_all_rows_go_to_the_sink_and_twenty_to_the_samples():
    n, seen = 30, {}
    mapping = builders.mapping(np.arange(100, 100 + n))
    got = found(ROWS[:2], mapping=mapping, sink=lambda o: seen.update({o.defect: o.columns}))
    assert got.defect.count == 28
    assert len(got.defect.samples) == 20
    assert seen["never_trained"]["idx"].tolist() == list(range(2, n))
    assert set(seen["never_trained"]["explanation"]) == {"beyond the table"}


def test_by_clade_and_by_depth():
    n = 24
    of = np.r_[np.zeros(10, int), np.ones(12, int), -1, -1]
    clades = Partition("rank class", of, ("Asteroidea", "Crinoidea"))
    mapping = builders.mapping(np.arange(100, 100 + n))
    counts = np.full(n, 4)
    counts[[0, 1, 10, 11, 12, 23]] = 0
    depths = np.r_[0, np.ones(11, int), np.full(12, 2)]
    known = Known(mapping, clades=clades, depths=depths)
    got = found(np.full((n, 2), 0.5), known, mapping, update_counts=counts)
    assert got.by_clade == (("Crinoidea", 3, 12), ("Asteroidea", 2, 10))
    # Depth 0: idx 0; 1: idx 1 to 11, of which 1, 10 and 11 have none; 2: idx 12 to 23.
    assert got.updates_by_depth == ((0, 1, 1, 0.0), (1, 11, 3, 32 / 11), (2, 12, 2, 40 / 12))
