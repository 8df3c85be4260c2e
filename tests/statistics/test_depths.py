"""Depth columns, the histogram of distances and the marks of rows, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from taxcheck.model.finding import Sample
from taxcheck.statistics.depths import (
    BELOW_ONE,
    DIFFERS,
    SHORTER,
    DepthState,
    Histogram,
    NodeDepths,
    marks_of,
)
from taxcheck.statistics.values import Kind
from tests.statistics.pair_tables import Heard, pair_batch, pair_table
from tests.statistics.small_taxonomy import ids

COLUMNS = ("depth_diff", "ancestor_depth", "descendant_depth")
# ancestor, descendant, depth_diff, ancestor_depth, descendant_depth
ROWS = [
    (0, 1, 1, 0, 1),  # sound
    (0, 2, 2, 0, 2),  # sound
    (0, 3, 0, 0, 3),  # below one
    (1, 3, 1, 1, 3),  # the columns say 2: shorter
    (2, 3, 3, 2, 3),  # the columns say 1: longer
    (2, 1, 1, 2, 1),  # backwards
    (1, 0, 1, 1, 1),  # the columns say 0, and 0 lies at depth 1 here
]


def folded(*batches, n=5):
    state, marks = DepthState.empty(n), [marks_of(batch) for batch in batches]
    for batch, some in zip(batches, marks, strict=True):
        state.update(batch, some)
    return state, marks


def counts(state):
    return [state.marked[mark].count for mark in (BELOW_ONE, DIFFERS, SHORTER)]


def test_marks_say_what_is_wrong_with_a_row():
    state, (marks,) = folded(pair_batch(ROWS, COLUMNS))
    assert marks.tolist() == [0, 0, 1, 2 | 4, 2, 2, 2]
    assert state.marked[BELOW_ONE].detail == {"below_one": 1}
    assert state.marked[DIFFERS].detail == {"differs_from_columns": 4}
    assert state.marked[SHORTER].detail == {"differs_from_columns": 1}
    assert (state.backwards, state.judged) == (1, {"ancestor_depth", "descendant_depth"})


def test_rows_with_wrong_depths_are_shown_with_all_their_cells():
    state, _ = folded(pair_batch(ROWS, COLUMNS))
    shown = {
        BELOW_ONE: (3, (0, 3, 0, 0, 3)),
        DIFFERS: (4, (1, 3, 1, 1, 3)),
        SHORTER: (4, (1, 3, 1, 1, 3)),
    }
    for mark, (row, cells) in shown.items():
        offenders = state.marked[mark]
        keys = ("ancestor_idx", "descendant_idx", *COLUMNS)
        values = dict(zip(keys, cells, strict=True))
        assert offenders.defect == "depth_mismatch"
        assert offenders.freeze(7).samples[0] == Sample(values, row=row, node=3, table="pairs")
    assert [s.row for s in state.marked[DIFFERS].freeze(7).samples] == [4, 5, 6, 7]


def test_sound_rows_have_no_marks():
    state, marks = folded(pair_batch(ROWS[:2], COLUMNS), pair_batch([(0, 1, 4)]))
    assert marks == [None, None]
    assert (counts(state), state.backwards) == ([0, 0, 0], 0)


def test_one_depth_column_alone_is_judged_for_consistency_only():
    state, (marks,) = folded(pair_batch([(0, 1, 9, 3), (0, 2, 9, 4)], COLUMNS[:2]))
    assert (marks, state.judged, counts(state)) == (None, {"ancestor_depth"}, [0, 0, 0])
    assert [s.node for s in state.node_depths.freeze(None).samples] == [0]
    assert folded(pair_batch([(0, 1, 9)]))[0].node_depths is None


def test_a_node_with_two_depths_is_shown_with_the_range():
    heard = Heard()
    found = folded(pair_batch(ROWS, COLUMNS))[0].node_depths.freeze(heard)
    # idx 0 is at 0 and at 1; of idx 4 nothing is stated
    assert (found.count, found.total) == (1, 4)
    assert found.samples == (Sample({"idx": 0, "lowest": 0, "highest": 1}, node=0),)
    assert heard.calls == [("inconsistent_depth", {"idx": [0], "lowest": [0], "highest": [1]})]


@pytest.mark.parametrize(("kind", "differing"), [(Kind.TREE, [4, 5, 6, 7]), (Kind.DAG, [4])])
def test_the_sink_hears_of_the_rows_that_the_kind_of_graph_makes_wrong(kind, differing):
    heard = Heard()
    table = pair_table(5, pair_batch(ROWS, COLUMNS))
    table.freeze(np.ones(5, dtype=bool), kind, None, heard)
    assert [(name, c["row"], c["reason"][0]) for name, c in heard.calls if "row" in c] == [
        ("depth_mismatch", [3], "below_one"),
        ("depth_mismatch", differing, "differs_from_columns"),
    ]


def two_depths(depths):
    found = depths.freeze(None)
    return found.total, [sample.node for sample in found.samples]


def test_a_later_batch_widens_the_range_of_some_nodes():
    depths = NodeDepths.empty(4)
    depths.update(ids(0, 1, 2), ids(5, 5, 5))
    depths.update(ids(0, 1, 2), ids(5, 7, 3))
    assert depths.lowest[:3].tolist() == [5, 5, 3]
    assert depths.highest[:3].tolist() == [5, 7, 5]
    assert two_depths(depths) == (3, [1, 2])
    other = NodeDepths.empty(4)
    other.update(ids(0, 3), ids(4, 1))
    merged = depths.merge(other)
    assert two_depths(merged) == (4, [0, 1, 2])


@pytest.mark.parametrize("turned", [False, True])
def test_merged_states_hold_what_both_had(turned):
    one, _ = folded(pair_batch(ROWS[:5], COLUMNS))
    two, _ = folded(pair_batch(ROWS[5:], COLUMNS[:2], first=6))
    both = two.merge(one) if turned else one.merge(two)
    assert both.judged == {"ancestor_depth", "descendant_depth"}
    assert counts(both) == [1, 2, 1]
    assert two_depths(both.node_depths)[0] == 4
    assert two_depths(folded()[0].merge(one).node_depths)[0] == 4
    backwards, _ = folded(pair_batch(ROWS[5:6], COLUMNS))
    assert backwards.merge(backwards).backwards == 2


def test_a_histogram_counts_small_and_huge_values_and_forgets_what_is_merged_away():
    values = ids(0, 1, 1, 65_535, 65_536, 65_536, -3, 2**40)
    histogram = Histogram.empty()
    histogram.update(values)
    found, counts = histogram.freeze()
    assert found.tolist() == [-3, 0, 1, 65_535, 65_536, 2**40]
    assert counts.tolist() == [1, 1, 2, 1, 2, 1]
    assert found.dtype == counts.dtype == np.int64
    one = Histogram.empty()
    one.update(ids(1, 65_536, -3))
    rest, counts = histogram.merge(one.negated()).freeze()
    assert rest.tolist() == [0, 1, 65_535, 65_536, 2**40]
    assert counts.tolist() == [1, 1, 1, 1, 1]
    assert all(part.dtype == np.int64 and not len(part) for part in Histogram.empty().freeze())
