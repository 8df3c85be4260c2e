"""Depth columns, the histogram of distances and the marks of rows, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from taxcheck.rule import Sample
from taxcheck.statistics.depths import DepthState, Histogram, NodeDepths
from taxcheck.statistics.freeze import pair_statistics
from taxcheck.statistics.values import Kind
from tests.statistics.pair_tables import pair_batch, pair_state
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
    state = DepthState(n)
    marks = [state.update(batch) for batch in batches]
    return state, marks


def test_marks_say_what_is_wrong_with_a_row():
    state, (marks,) = folded(pair_batch(ROWS, COLUMNS))
    assert marks.tolist() == [0, 0, 1, 2 | 4, 2, 2, 2]
    assert state.below_one.detail == {"below_one": 1}
    assert state.differs.detail == {"differs_from_columns": 4}
    assert state.shorter.detail == {"differs_from_columns": 1}
    assert (state.backwards, state.judged) == (1, {"ancestor_depth", "descendant_depth"})


def test_rows_with_wrong_depths_are_shown_with_all_their_cells():
    state, _ = folded(pair_batch(ROWS, COLUMNS))
    shown = {
        "below_one": (3, (0, 3, 0, 0, 3)),
        "differs": (4, (1, 3, 1, 1, 3)),
        "shorter": (4, (1, 3, 1, 1, 3)),
    }
    for name, (row, cells) in shown.items():
        offenders = getattr(state, name)
        keys = ("ancestor_idx", "descendant_idx", *COLUMNS)
        values = dict(zip(keys, cells, strict=True))
        assert offenders.name == "depth_mismatch"
        assert offenders.freeze(7).samples[0] == Sample(values, row=row, node=3, table="pairs")
    assert [s.row for s in state.differs.freeze(7).samples] == [4, 5, 6, 7]


def test_sound_rows_have_no_marks():
    state, marks = folded(pair_batch(ROWS[:2], COLUMNS), pair_batch([(0, 1, 4)]))
    assert marks == [None, None]
    assert (state.below_one.count, state.differs.count, state.backwards) == (0, 0, 0)


def test_one_depth_column_alone_is_judged_for_consistency_only():
    state, (marks,) = folded(pair_batch([(0, 1, 9, 3), (0, 2, 9, 4)], COLUMNS[:2]))
    assert (marks, state.judged, state.differs.count) == (None, {"ancestor_depth"}, 0)
    assert state.node_depths.inconsistent.tolist() == [0]
    assert folded(pair_batch([(0, 1, 9)]))[0].node_depths is None


def test_a_node_with_two_depths_is_shown_with_the_range():
    frozen = pair_statistics(pair_state(5, pair_batch(ROWS, COLUMNS)), Kind.TREE, None, False, None)
    found = frozen.depth.inconsistent
    # idx 0 is at 0 and at 1; of idx 4 nothing is stated
    assert (found.count, found.total) == (1, 4)
    assert found.samples == (Sample({"idx": 0, "lowest": 0, "highest": 1}, node=0),)


def test_a_later_batch_widens_the_range_of_some_nodes():
    depths = NodeDepths.empty(4)
    depths.update(ids(0, 1, 2), ids(5, 5, 5))
    depths.update(ids(0, 1, 2), ids(5, 7, 3))
    assert depths.lowest[:3].tolist() == [5, 5, 3]
    assert depths.highest[:3].tolist() == [5, 7, 5]
    assert (depths.stated, depths.inconsistent.tolist()) == (3, [1, 2])
    other = NodeDepths.empty(4)
    other.update(ids(0, 3), ids(4, 1))
    merged = depths.merge(other)
    assert (merged.stated, merged.inconsistent.tolist()) == (4, [0, 1, 2])


@pytest.mark.parametrize("turned", [False, True])
def test_merged_states_hold_what_both_had(turned):
    one, _ = folded(pair_batch(ROWS[:5], COLUMNS))
    two, _ = folded(pair_batch(ROWS[5:], COLUMNS[:2], first=6))
    both = two.merge(one) if turned else one.merge(two)
    assert both.judged == {"ancestor_depth", "descendant_depth"}
    assert (both.below_one.count, both.differs.count, both.shorter.count) == (1, 2, 1)
    assert both.node_depths.stated == 4
    assert folded()[0].merge(one).node_depths.stated == 4
    backwards, _ = folded(pair_batch(ROWS[5:6], COLUMNS))
    assert backwards.merge(backwards).backwards == 2


def test_a_histogram_counts_small_and_huge_values_and_forgets_what_is_merged_away():
    values = ids(0, 1, 1, 65_535, 65_536, 65_536, -3, 2**40)
    histogram = Histogram()
    histogram.add(values)
    found, counts = histogram.freeze()
    assert found.tolist() == [-3, 0, 1, 65_535, 65_536, 2**40]
    assert counts.tolist() == [1, 1, 2, 1, 2, 1]
    assert found.dtype == counts.dtype == np.int64
    one = Histogram()
    one.add(ids(1, 65_536, -3))
    rest, counts = histogram.merge(one.negated()).freeze()
    assert rest.tolist() == [0, 1, 65_535, 65_536, 2**40]
    assert counts.tolist() == [1, 1, 1, 1, 1]
    assert all(part.dtype == np.int64 and not len(part) for part in Histogram().freeze())
