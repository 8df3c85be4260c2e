"""The pairs' statistics as the rules see them, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from taxcheck.config import Dataset
from taxcheck.statistics.freeze import pair_statistics
from taxcheck.statistics.hierarchy.closure import closure_of
from taxcheck.statistics.hierarchy.edges import graph_of
from taxcheck.statistics.hierarchy.proof import prove
from taxcheck.statistics.values import Kind
from tests.statistics.pair_tables import Heard, pair_batch, pair_state

COLUMNS = ("depth_diff", "ancestor_depth", "descendant_depth")


def repeats_of(state):
    graph, _ = graph_of([state], Dataset())
    return prove(
        state.spool, None, graph, closure_of(graph), state.as_descendant > 0, 1, None
    ).repeats


def test_the_role_of_every_node():
    heard = Heard()
    # 0 > 1 > 3 and 0 > 2; idx 4 is a hole, 5 and 6 are in no pair
    rows = [(0, 1, 1), (0, 2, 1), (1, 3, 1), (0, 3, 2), (0, 4, 1), (6, 6, 1)]
    mapped = [True, True, True, True, False, True, True]
    state = pair_state(7, pair_batch(rows), mapped=mapped)
    found = pair_statistics(state, Kind.TREE, None, True, heard)
    assert (found.only_ancestor, found.only_descendant, found.both) == (1, 2, 1)
    assert (found.never, found.never_samples, found.table_size) == (2, (5, 6), 4)
    assert (found.rows, found.valid, found.has_weights) == (6, 4, True)
    assert (found.invalid.total, found.out_of_range.total, found.self_pairs.total) == (6, 6, 5)
    assert found.taxid_disagreement is None
    assert heard.calls == [("coverage_gap", {"idx": [5, 6]})]


def test_twenty_nodes_in_no_pair_are_named():
    found = pair_statistics(pair_state(50, pair_batch([(0, 1, 1)])), None, None, False, None)
    assert (found.never, found.never_samples) == (48, tuple(range(2, 22)))


def test_a_repeated_row_is_taken_out_of_everything_but_the_rows():
    rows = [(0, 1, 1), (0, 1, 1), (1, 2, 1), (0, 2, 2), (0, 2, 2), (0, 2, 2)]
    state = pair_state(3, pair_batch(rows))
    found = pair_statistics(state, Kind.TREE, repeats_of(state), False, None)
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
    state = pair_state(5, pair_batch(rows, COLUMNS))
    mismatch = pair_statistics(state, kind, repeats_of(state), False, None).depth.mismatch
    assert mismatch.detail == {"below_one": 1, "differs_from_columns": differing}
    assert (mismatch.count, mismatch.total) == (1 + differing, 5)
    whole = pair_statistics(state, kind, None, False, None).depth.mismatch
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
    depth = pair_statistics(pair_state(6, pair_batch(rows)), None, None, False, None).depth
    assert (depth.mean, depth.median, depth.maximum) == (mean, median, maximum)
    assert (depth.judged_columns, depth.inconsistent, depth.backwards) == ((), None, 0)


def test_where_every_pair_is_excluded_all_is_zero():
    found = pair_statistics(pair_state(3, pair_batch([(1, 1, 1)])), None, None, False, None)
    assert (found.valid, found.table_size, found.never) == (0, 0, 3)
    depth = found.depth
    assert (depth.mean, depth.median, depth.maximum, depth.mismatch.total) == (0.0, 0.0, 0, 0)


def test_columns_and_backwards_pairs_are_named():
    rows = [(0, 1, 1, 0, 1), (1, 2, 1, 3, 2)]
    state = pair_state(3, pair_batch(rows, COLUMNS))
    depth = pair_statistics(state, Kind.TREE, None, False, None).depth
    assert depth.judged_columns == ("ancestor_depth", "descendant_depth")
    assert depth.backwards == 1


def test_parts_of_the_distances():
    rows = [(0, k, distance) for k, distance in enumerate((1, 1, 2, 5, 9), start=1)]
    depth = pair_statistics(pair_state(6, pair_batch(rows)), None, None, False, None).depth
    assert (depth.share(1, 1), depth.share(2), depth.share(2, 5)) == (0.4, 0.6, 0.4)
    none = pair_statistics(pair_state(1, pair_batch([(0, 0, 1)])), None, None, False, None).depth
    assert none.share(1) == 0.0
    assert np.array_equal(none.depths, [])
