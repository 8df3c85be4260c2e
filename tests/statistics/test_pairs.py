"""What a row of the pairs is counted as, by hand."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from taxcheck.rule import Sample
from taxcheck.sources.batches import Quarantined
from taxcheck.statistics.pairs import same_identifier
from taxcheck.statistics.values import Identifiers
from tests.statistics.pair_tables import Heard, pair_batch, pair_state
from tests.statistics.small_taxonomy import ids

MAPPED = (True, True, False, True)  # idx 2 is a hole


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
def state(heard):
    sound = pair_batch(
        [(0, 1, 1), (0, 4, 1), (0, 2, 7), (4, 1, 1), (2, 2, 1), (3, 3, 2), (2, 1, 1), (3, 0, 1)]
    )
    bad = Quarantined(
        ids(9, 10, 11),
        ("ancestor_idx is negative", "a null", "a null"),
        {"ancestor": ("-1", None, "3"), "descendant": ("0", "1", None)},
    )
    return pair_state(4, (sound, bad), mapped=MAPPED, sink=heard)


def test_every_row_is_counted_once(state):
    assert state.rows == 11
    assert (state.invalid.count, state.out_of_range.count, state.self_pairs.count) == (3, 5, 1)
    assert len(state.spool) == 2
    assert state.as_ancestor.tolist() == [1, 0, 0, 1]
    assert state.as_descendant.tolist() == [1, 1, 0, 0]


def test_an_idx_beyond_the_mapping_or_in_a_hole_is_out_of_range(state):
    samples = state.out_of_range.freeze(8).samples
    assert [s.row for s in samples] == [2, 3, 4, 5, 7]
    values = {"ancestor_idx": 0, "descendant_idx": 2, "depth_diff": 7}
    assert samples[1] == Sample(values=values, row=3, table="pairs")


def test_a_self_pair_is_shown_with_its_node(state):
    (sample,) = state.self_pairs.freeze(8).samples
    values = {"ancestor_idx": 3, "descendant_idx": 3, "depth_diff": 2}
    assert sample == Sample(values=values, row=6, node=3, table="pairs")


def test_rows_that_break_the_schema_are_counted_by_reason(state):
    invalid = state.invalid.freeze(11)
    assert invalid.detail == {"a null": 2, "ancestor_idx is negative": 1}
    assert invalid.samples[1] == Sample(
        values={"ancestor": None, "descendant": "1"}, row=10, table="pairs"
    )


@pytest.mark.usefixtures("state")
def test_the_sink_hears_of_every_excluded_row(heard):
    assert heard.rows() == [
        ("pairs_invalid_row", [9]),
        ("pairs_invalid_row", [10, 11]),
        ("index_out_of_range", [2, 3, 4, 5, 7]),
        ("self_pair", [6]),
    ]


def test_the_last_idx_of_a_whole_mapping_is_in_range():
    state = pair_state(3, pair_batch([(0, 2, 1), (0, 3, 1), (3, 0, 1), (2, 1, 1)]))
    assert state.out_of_range.count == 2
    assert state.as_ancestor.tolist() == [1, 0, 1]


def test_pairs_at_distance_one_are_edges_under_their_first_row():
    batch = pair_batch([(0, 2, 2), (0, 1, 1), (1, 2, 1), (3, 2, 0)], first=5)
    ((row, parents, children),) = pair_state(4, batch, pair_batch([(0, 3, 3)], first=9)).edges
    assert (row, parents.tolist(), children.tolist()) == (6, [0, 1], [1, 2])


def test_without_taxids_nothing_disagrees_and_without_distances_there_is_no_depth():
    state = pair_state(2, pair_batch([(0, 1)], names=()))
    assert (state.disagreement, state.depth, state.edges) == (None, None, [])


NUMBERED = Identifiers(ids(10, 11, 12, 13), None)


@pytest.mark.parametrize("taxids", [[10, 11, 99, None], ["10", " 11 ", "99", None]])
def test_a_taxid_that_the_mapping_gives_another_idx_disagrees(taxids):
    heard = Heard()
    batch = pair_batch([(0, 1), (1, 2), (2, 3), (3, 0)], names=(), ancestor_taxid=taxids)
    state = pair_state(4, batch, identifiers=NUMBERED, sink=heard)
    found = state.disagreement.freeze(4)
    assert (found.count, [s.row for s in found.samples]) == (2, [3, 4])
    values = {"ancestor_idx": 2, "descendant_idx": 3, "ancestor_taxid": taxids[2]}
    assert found.samples[0] == Sample(values=values, row=3, node=3, table="pairs")
    shown = [s.values["ancestor_taxid"] for s in found.samples]
    assert repr(shown) == repr(taxids[2:])  # beside the null, 99 is not 99.0
    assert heard.rows() == [("taxid_disagreement", [3, 4])]


def test_either_end_may_disagree_and_both_are_shown():
    batch = pair_batch(
        [(0, 1), (1, 2), (2, 3)],
        names=(),
        ancestor_taxid=[10, 11, 13],
        descendant_taxid=[11, 10, 13],
    )
    found = pair_state(4, batch, identifiers=NUMBERED).disagreement.freeze(3)
    assert [s.row for s in found.samples] == [2, 3]
    assert found.samples[0].values == {
        "ancestor_idx": 1,
        "descendant_idx": 2,
        "ancestor_taxid": 11,
        "descendant_taxid": 10,
    }
    one = pair_batch([(0, 1), (1, 2)], names=(), descendant_taxid=[11, 11])
    assert pair_state(4, one, identifiers=NUMBERED).disagreement.count == 1


def test_text_is_the_identifier_when_its_number_is():
    numbers = Identifiers(ids(10, 11, 12, 10**17 + 5, -1), None)
    texts = pa.array([" 10", "11x", None, "100000000000000005", None])
    same = same_identifier(numbers, np.arange(5), texts)
    assert same.tolist() == [True, False, False, True, False]


def test_identifiers_that_are_text_are_compared_as_text():
    named = Identifiers(None, np.array(["CHEBI:1", "7", "CHEBI:2"], dtype=object))
    assert same_identifier(named, ids(0, 2), pa.array(["CHEBI:1", "CHEBI:1"])).tolist() == [
        True,
        False,
    ]
    assert same_identifier(named, ids(1, 1), pa.array([7, 8])).tolist() == [True, False]
