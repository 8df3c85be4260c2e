"""What a row of the pairs is counted as, and what the rules see of all of them, by hand."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from taxcheck.model.finding import Sample
from taxcheck.sources.tables.batches import Quarantined
from taxcheck.statistics import pairs
from taxcheck.statistics.pairs import same_identifier
from taxcheck.statistics.values import Identifiers, Kind
from tests.statistics.pair_tables import Heard, pair_batch, pair_table, proved
from tests.statistics.small_taxonomy import ids

MAPPED = (True, True, False, True)  # idx 2 is a hole


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
def table(heard):
    sound = pair_batch(
        [(0, 1, 1), (0, 4, 1), (0, 2, 7), (4, 1, 1), (2, 2, 1), (3, 3, 2), (2, 1, 1), (3, 0, 1)]
    )
    bad = Quarantined(
        ids(9, 10, 11),
        ("ancestor_idx is negative", "a null", "a null"),
        {"ancestor": ("-1", None, "3"), "descendant": ("0", "1", None)},
    )
    return pair_table(4, (sound, bad), mapped=MAPPED, sink=heard)


@pytest.fixture
def state(table):
    return table.state


def count(state, *names):
    return [state.defects[name].count for name in names]


def test_every_row_is_counted_once(table, state):
    assert state.rows == 11
    assert count(state, "invalid_pair_row", "index_out_of_range", "self_pair") == [3, 5, 1]
    assert len(table.spool) == state.sound == 2
    assert state.as_ancestor.tolist() == [1, 0, 0, 1]
    assert state.as_descendant.tolist() == [1, 1, 0, 0]


def test_an_idx_beyond_the_mapping_or_in_a_hole_is_out_of_range(state):
    samples = state.defects["index_out_of_range"].freeze(8).samples
    assert [s.row for s in samples] == [2, 3, 4, 5, 7]
    values = {"ancestor_idx": 0, "descendant_idx": 2, "depth_diff": 7}
    assert samples[1] == Sample(values=values, row=3, table="pairs")


def test_a_self_pair_is_shown_with_its_node(state):
    (sample,) = state.defects["self_pair"].freeze(8).samples
    values = {"ancestor_idx": 3, "descendant_idx": 3, "depth_diff": 2}
    assert sample == Sample(values=values, row=6, node=3, table="pairs")


def test_rows_that_break_the_schema_are_counted_by_reason(state):
    invalid = state.defects["invalid_pair_row"].freeze(11)
    assert invalid.detail == {"a null": 2, "ancestor_idx is negative": 1}
    assert invalid.samples[1] == Sample(
        values={"ancestor": None, "descendant": "1"}, row=10, table="pairs"
    )


@pytest.mark.usefixtures("state")
def test_the_sink_hears_of_every_excluded_row(heard):
    assert heard.rows() == [
        ("invalid_pair_row", [9]),
        ("invalid_pair_row", [10, 11]),
        ("index_out_of_range", [2, 3, 4, 5, 7]),
        ("self_pair", [6]),
    ]
    # the idx of every row, also of one whose other cell is none
    assert heard.nodes == [
        [[-1], [0]],
        [[-1, 3], [1, -1]],
        [[0, 0, 4, 2, 2], [4, 2, 1, 2, 1]],
        [[3], [3]],
    ]


def test_the_last_idx_of_a_whole_mapping_is_in_range():
    state = pair_table(3, pair_batch([(0, 2, 1), (0, 3, 1), (3, 0, 1), (2, 1, 1)])).state
    assert count(state, "index_out_of_range") == [2]
    assert state.as_ancestor.tolist() == [1, 0, 1]


def test_pairs_at_distance_one_are_edges_under_their_first_row():
    batch = pair_batch([(0, 2, 2), (0, 1, 1), (1, 2, 1), (3, 2, 0)], first=5)
    ((row, parents, children),) = pair_table(4, batch, pair_batch([(0, 3, 3)], first=9)).state.edges
    assert (row, parents.tolist(), children.tolist()) == (6, [0, 1], [1, 2])


def test_edges_that_repeat_are_held_once(monkeypatch):
    monkeypatch.setattr(pairs, "_FEW_EDGES", 3)
    again = [pair_batch([(1, 2, 1), (0, 1, 1)], first=k) for k in range(0, 40, 2)]
    edges = pair_table(4, *again).state.edges
    assert edges[0][0] == 0
    assert (edges[0][1].tolist(), edges[0][2].tolist()) == ([0, 1], [1, 2])
    assert sum(len(parents) for _, parents, _ in edges) <= 8


def test_without_taxids_nothing_disagrees_and_without_distances_there_is_no_depth():
    state = pair_table(2, pair_batch([(0, 1)], names=())).state
    assert (state.has_taxids, state.depth, state.edges) == (False, None, [])


NUMBERED = Identifiers(ids(10, 11, 12, 13), None)


@pytest.mark.parametrize("taxids", [[10, 11, 99, None], ["10", " 11 ", "99", None]])
def test_a_taxid_that_the_mapping_gives_another_idx_disagrees(taxids):
    heard = Heard()
    batch = pair_batch([(0, 1), (1, 2), (2, 3), (3, 0)], names=(), ancestor_taxid=taxids)
    state = pair_table(4, batch, identifiers=NUMBERED, sink=heard).state
    assert state.has_taxids
    found = state.defects["taxid_disagreement"].freeze(4)
    assert (found.count, [s.row for s in found.samples]) == (1, [3])  # an empty cell says nothing
    values = {"ancestor_idx": 2, "descendant_idx": 3, "ancestor_taxid": taxids[2]}
    assert found.samples[0] == Sample(values=values, row=3, node=3, table="pairs")
    shown = [s.values["ancestor_taxid"] for s in found.samples]
    assert repr(shown) == repr(taxids[2:3])  # beside the null, 99 is not 99.0
    assert heard.rows() == [("taxid_disagreement", [3])]


def disagreeing(batch):
    return pair_table(4, batch, identifiers=NUMBERED).state.defects["taxid_disagreement"]


def test_either_end_may_disagree_and_both_are_shown():
    batch = pair_batch(
        [(0, 1), (1, 2), (2, 3)],
        names=(),
        ancestor_taxid=[10, 11, 13],
        descendant_taxid=[11, 10, 13],
    )
    found = disagreeing(batch).freeze(3)
    assert [s.row for s in found.samples] == [2, 3]
    assert found.samples[0].values == {
        "ancestor_idx": 1,
        "descendant_idx": 2,
        "ancestor_taxid": 11,
        "descendant_taxid": 10,
    }
    one = pair_batch([(0, 1), (1, 2)], names=(), descendant_taxid=[11, 11])
    assert disagreeing(one).count == 1


def test_text_is_the_identifier_when_its_number_is():
    numbers = Identifiers(ids(10, 11, 12, 10**17 + 5, -1), None)
    texts = pa.array([" 10", "11x", None, "100000000000000005", None])
    same = same_identifier(numbers, np.arange(5), texts)
    assert same.tolist() == [True, False, True, True, True]  # an empty cell says nothing
    texts = pa.array(["10.0", "011", "12.5", "1e1", "-1.0"])
    same = same_identifier(numbers, np.arange(5), texts)
    assert same.tolist() == [True, False, False, False, True]


def test_identifiers_that_are_text_are_compared_as_text():
    named = Identifiers(None, np.array(["CHEBI:1", "7", "CHEBI:2"], dtype=object))
    assert same_identifier(named, ids(0, 2), pa.array(["CHEBI:1", "CHEBI:1"])).tolist() == [
        True,
        False,
    ]
    assert same_identifier(named, ids(1, 1), pa.array([7, 8])).tolist() == [True, False]


COLUMNS = ("depth_diff", "ancestor_depth", "descendant_depth")


def repeats_of(table):
    return proved(table)[0].repeats


def frozen(table, kind=None, repeats=None, sink=None, mapped=None):
    everything = np.ones(table.state.origin.n, dtype=bool)
    marks = everything if mapped is None else np.array(mapped)
    return table.freeze(marks, kind, repeats, sink)


def test_the_role_of_every_node():
    heard = Heard()
    # 0 > 1 > 3 and 0 > 2; idx 4 is a hole, 5 and 6 are in no pair
    rows = [(0, 1, 1), (0, 2, 1), (1, 3, 1), (0, 3, 2), (0, 4, 1), (6, 6, 1)]
    mapped = [True, True, True, True, False, True, True]
    table = pair_table(7, pair_batch(rows), mapped=mapped)
    found = frozen(table, Kind.TREE, None, heard, mapped)
    assert (found.only_ancestor, found.only_descendant, found.both) == (1, 2, 1)
    assert (found.never, found.never_samples, found.table_size) == (2, (5, 6), 4)
    assert (found.rows, found.valid, found.weights) == (6, 4, None)
    assert (found.invalid.total, found.out_of_range.total, found.self_pairs.total) == (6, 6, 5)
    assert found.taxid_disagreement is None
    assert heard.calls == [("coverage_gap", {"idx": [5, 6]})]


def test_weights_are_judged_where_the_pair_is_sound():
    heard = Heard()
    rows = [(0, 1, 1), (0, 2, 1), (1, 3, 1), (0, 3, 2), (0, 9, 1), (3, 3, 1)]
    cells = ["2", "-1", "", "0", "x", "x"]  # the last two stand in no sound pair
    table = pair_table(4, pair_batch(rows, weight=cells), sink=heard)
    weights = frozen(table).weights
    assert (weights.unusable.count, weights.unusable.total, weights.positive) == (2, 4, 1)
    assert weights.unusable.detail == {"weight is empty": 1, "weight is negative": 1}
    assert [(s.row, s.values["weight"]) for s in weights.unusable.samples] == [(2, "-1"), (3, "")]
    assert ("unusable_weight", [2]) in heard.rows()
    kept = table.spool.weights()
    assert (kept[:2].tolist(), kept[3], np.isnan(kept[2])) == ([2, -1], 0, True)


def test_twenty_nodes_in_no_pair_are_named():
    found = frozen(pair_table(50, pair_batch([(0, 1, 1)])))
    assert (found.never, found.never_samples) == (48, tuple(range(2, 22)))


def test_a_repeated_row_is_taken_out_of_everything_but_the_rows():
    rows = [(0, 1, 1), (0, 1, 1), (1, 2, 1), (0, 2, 2), (0, 2, 2), (0, 2, 2)]
    table = pair_table(3, pair_batch(rows))
    found = frozen(table, Kind.TREE, repeats_of(table))
    assert (found.rows, found.valid) == (6, 6)
    assert found.as_ancestor.tolist() == [2, 1, 0]
    assert found.as_descendant.tolist() == [0, 1, 2]
    assert (found.depth.depths.tolist(), found.depth.counts.tolist()) == ([1, 2], [2, 1])


@pytest.mark.parametrize(
    ("kind", "differing", "samples"),
    [(Kind.TREE, 2, [3, 4, 5, 6, 7, 8]), (Kind.DAG, 1, [3, 6, 7, 8])],
)
def test_a_repeated_row_with_a_wrong_depth_counts_once(kind, differing, samples):
    rows = [
        (0, 1, 1, 0, 1),
        (1, 2, 1, 1, 2),
        (0, 3, 1, 0, 2),  # shorter than the columns say
        (0, 4, 2, 0, 1),  # longer
        (0, 4, 2, 0, 1),
        (0, 2, -1, 0, 2),  # below one
        (0, 2, -1, 0, 2),
        (0, 3, 1, 0, 2),
    ]
    table = pair_table(5, pair_batch(rows, COLUMNS))
    mismatch = frozen(table, kind, repeats_of(table)).depth.mismatch
    assert mismatch.detail == {"below_one": 1, "differs_from_columns": differing}
    assert (mismatch.count, mismatch.total) == (1 + differing, 5)
    whole = frozen(table, kind).depth.mismatch
    assert whole.detail == {"below_one": 2, "differs_from_columns": 2 * differing}
    assert whole.total == 8
    assert [s.row for s in whole.samples] == samples


@pytest.mark.parametrize(
    ("distances", "mean", "median", "maximum"),
    [
        ((3,), 3.0, 3.0, 3),
        ((1, 2), 1.5, 1.5, 2),
        ((1, 1, 4), 2.0, 1.0, 4),
        ((1, 5, 5, 5), 4.0, 5.0, 5),
        ((1, 1, 2, 8), 3.0, 1.5, 8),
        ((1, 2, 3, 9, 10), 5.0, 3.0, 10),
    ],
)
def test_mean_median_and_maximum_of_the_distances(distances, mean, median, maximum):
    rows = [(0, k + 1, distance) for k, distance in enumerate(distances)]
    depth = frozen(pair_table(6, pair_batch(rows))).depth
    assert (depth.mean, depth.median, depth.maximum) == (mean, median, maximum)
    assert (depth.judged_columns, depth.inconsistent, depth.backwards) == ((), None, 0)


def test_where_every_pair_is_excluded_all_is_zero():
    found = frozen(pair_table(3, pair_batch([(1, 1, 1)])))
    assert (found.valid, found.table_size, found.never) == (0, 0, 3)
    depth = found.depth
    assert (depth.mean, depth.median, depth.maximum, depth.mismatch.total) == (0.0, 0.0, 0, 0)


def test_columns_and_backwards_pairs_are_named():
    rows = [(0, 1, 1, 0, 1), (1, 2, 1, 3, 2)]
    table = pair_table(3, pair_batch(rows, COLUMNS))
    depth = frozen(table, Kind.TREE).depth
    assert depth.judged_columns == ("ancestor_depth", "descendant_depth")
    assert depth.backwards == 1


def test_parts_of_the_distances():
    rows = [(0, k, distance) for k, distance in enumerate((1, 1, 2, 5, 9), start=1)]
    depth = frozen(pair_table(6, pair_batch(rows))).depth
    assert (depth.share(1, 1), depth.share(2), depth.share(2, 5)) == (0.4, 0.6, 0.4)
    none = frozen(pair_table(1, pair_batch([(0, 0, 1)]))).depth
    assert none.share(1) == 0.0
    assert np.array_equal(none.depths, [])


def test_nodes_of_no_drawn_pair_are_counted():
    """Idx 2 and 3 stand in pairs that weigh 0."""
    cells = ["0", "1", "0"]
    table = pair_table(5, pair_batch([(0, 2, 1), (0, 1, 1), (2, 3, 1)], weight=cells))
    undrawn = frozen(table).weights.undrawn
    assert (undrawn.count, undrawn.total) == (2, 4)
    assert [sample.node for sample in undrawn.samples] == [2, 3]
