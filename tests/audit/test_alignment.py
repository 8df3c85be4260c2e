"""Whose row is whose: by idx, or by the labels in the file."""

from __future__ import annotations

import numpy as np
import pytest

from taxcheck.audit.alignment import align
from taxcheck.model.errors import InputError
from taxcheck.statistics.values import Identifiers
from tests.audit.one_table import checkpoint
from tests.rules import builders

ROWS = np.array([[0.1, 0.0], [0.2, 0.0], [0.3, 0.0], [0.4, 0.0]])


def test_without_a_mapping_row_k_is_idx_k():
    table = align(checkpoint(ROWS, labels=["d", "c", "b", "a"]), None)
    assert table.row_of.tolist() == [0, 1, 2, 3]
    assert not table.by_labels


@pytest.mark.parametrize(("rows", "expected"), [(4, [0, 1, 2, 3]), (2, [0, 1, -1, -1])])
def test_without_labels_row_k_is_idx_k(rows, expected):
    table = align(checkpoint(ROWS[:rows]), builders.mapping())
    assert table.row_of.tolist() == expected
    assert table.has_row.tolist() == [k >= 0 for k in expected]


def test_a_table_longer_than_the_mapping_keeps_its_rows():
    short = builders.mapping(builders.ints(10, 20))
    assert align(checkpoint(ROWS), short).row_of.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("labels", [[40, 10, 30, 20], ["40", "10", "30", "20"]])
def test_labels_join_rows_in_any_order(labels):
    table = align(checkpoint(ROWS, labels), builders.mapping())  # 10, 20, 30, 40 are idx 0 to 3
    assert table.row_of.tolist() == [1, 3, 2, 0]
    assert (table.by_labels, table.unmatched) == (True, 0)
    np.testing.assert_array_equal(table.vectors(np.array([0, 3])), ROWS[[1, 0]])
    assert table.space().radii == pytest.approx(2 * np.arctanh([0.2, 0.4, 0.3, 0.1]))


def test_labels_of_a_mapping_of_texts():
    table = align(checkpoint(ROWS[:2], ["CHEBI:4", "CHEBI:1"]), builders.text_mapping())
    assert table.row_of.tolist() == [1, -1, -1, 0]


def test_missing_and_unknown_labels():
    table = align(checkpoint(ROWS, [30, 999, 10, 998]), builders.mapping())
    assert table.row_of.tolist() == [2, -1, 0, -1]
    assert table.unmatched == 2
    assert np.isnan(table.space().radii).tolist() == [False, True, False, True]


def test_the_first_row_of_a_repeated_label_counts():
    table = align(checkpoint(ROWS, [20, 10, 20, 10]), builders.mapping())
    assert table.row_of.tolist() == [1, 0, -1, -1]


def test_no_label_at_all_is_one_clear_line():
    with pytest.raises(InputError, match=r"\(dog, cat\).*\(10, 20, 30, \.\.\.\)") as caught:
        align(checkpoint(ROWS[:2], ["dog", "cat"]), builders.mapping())
    assert "\n" not in str(caught.value)


def test_numbers_of_pairs_without_a_mapping_are_row_numbers():
    derived = builders.mapping(builders.ints(3, 0, 2), derived=True)  # in order of appearance
    table = align(checkpoint(ROWS), derived)
    assert table.row_of.tolist() == [3, 0, 2]
    with pytest.raises(InputError, match="`mapping`"):
        align(checkpoint(ROWS[:3]), derived)
    named = builders.text_mapping(derived=True)
    with pytest.raises(InputError, match="`mapping`"):
        align(checkpoint(ROWS), named)


def test_an_idx_without_identifier_has_no_row_by_label():
    holed = builders.mapping(builders.ints(10, 20), builders.ints(0, 2))
    assert align(checkpoint(ROWS[:2], [20, 10]), holed).row_of.tolist() == [1, -1, 0]
    texts = Identifiers(None, np.array(["a", None, "b"], dtype=object))
    assert align(checkpoint(ROWS[:2], ["b", "a"]),
                 builders.mapping(builders.ints(1, 2, 3), identifiers=texts)).row_of.tolist() == [
        1, -1, 0]  # fmt: skip


def test_values_by_row_are_spread_over_idx():
    table = align(checkpoint(ROWS[:2], [30, 10]), builders.mapping())
    assert table.spread(np.array([7, 8]), 0).tolist() == [8, 0, 7, 0]
    assert table.spread(None, 0) is None
