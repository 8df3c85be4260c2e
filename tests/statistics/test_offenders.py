"""Offenders are counted exactly and shown by the smallest rows."""

from __future__ import annotations

import numpy as np
import pytest

from taxcheck.model.finding import Defect, Sample
from taxcheck.sources.tables.batches import Quarantined
from taxcheck.statistics.offenders import (
    DefectState,
    Offenders,
    node_samples,
    of_nodes,
    of_quarantined,
    record,
)
from tests.statistics.pair_tables import Heard
from tests.statistics.small_taxonomy import ids


def rows_of(numbers, columns, reason=None, defect="x"):
    """Offenders that touch no node."""
    return Offenders(defect, columns, (np.full(len(numbers), -1),), numbers, reason)


def test_the_twenty_smallest_rows_are_kept_whatever_their_order():
    state = DefectState.empty("x")
    for rows in (ids(50, 7), np.arange(40, 10, -1), ids()):
        state.update(rows_of(rows, {"idx": rows * 2}))
    frozen = state.freeze(100)
    assert (frozen.count, frozen.total, frozen.detail) == (32, 100, {})
    assert [s.row for s in frozen.samples] == [7, *range(11, 30)]
    assert frozen.samples[1] == Sample({"idx": 22}, row=11, table="pairs")


def test_reasons_are_counted_and_told_to_the_sink():
    heard = Heard()
    state = DefectState.empty("x")
    for rows, cells, reason in (
        (ids(3, 4), ids(1, 2), "turned"),
        (ids(5), ids(1), "false"),
        (ids(6), ids(1), "turned"),
        (ids(7), ids(8), None),
    ):
        record(rows_of(rows, {"a": cells}, reason), state, heard)
    state.update(rows_of(ids(), {"a": ids()}, "never"))
    frozen = state.freeze(9)
    assert frozen.count == 5
    assert list(frozen.detail.items()) == [("false", 1), ("turned", 3)]
    assert heard.calls == [
        ("x", {"row": [3, 4], "a": [1, 2], "reason": ["turned", "turned"]}),
        ("x", {"row": [5], "a": [1], "reason": ["false"]}),
        ("x", {"row": [6], "a": [1], "reason": ["turned"]}),
        ("x", {"row": [7], "a": [8]}),
    ]


def test_the_node_is_the_idx_in_the_named_column():
    state = DefectState.empty("x", "d", "held-out")
    state.update(rows_of(ids(2, 1), {"d": np.array([7, "no idx"], dtype=object)}))
    assert state.freeze(3) == Defect(
        2,
        3,
        (
            Sample({"d": "no idx"}, row=1, table="held-out"),
            Sample({"d": 7}, row=2, node=7, table="held-out"),
        ),
    )
    assert DefectState.empty("x", "absent").freeze(0).samples == ()


def test_quarantined_rows_are_counted_by_reason_with_their_own_cells():
    state = DefectState.empty("x")
    cells = {"ancestor": ("-1", None, "z"), "descendant": ("0", "1", None)}
    quarantined = Quarantined(ids(8, 9, 12), ("negative", "null", "negative"), cells)
    for offenders in of_quarantined("x", quarantined, ("ancestor", "descendant")):
        state.update(offenders)
    frozen = state.freeze(20)
    assert frozen.detail == {"negative": 2, "null": 1}
    assert [(s.row, dict(s.values)) for s in frozen.samples] == [
        (8, {"ancestor": "-1", "descendant": "0"}),
        (9, {"ancestor": None, "descendant": "1"}),
        (12, {"ancestor": "z", "descendant": None}),
    ]


def test_cells_of_quarantined_rows_are_nodes_where_they_can_be_read_as_an_idx():
    cells = {
        "ancestor": ("1", "7.0", " 3 ", "-1", "1.5", "x", None, "1e3", str(2**70)),
        "descendant": ("-1", "x", None, "2", "4", "5", "6", "7", "8"),
    }
    quarantined = Quarantined(np.arange(9), ("odd",) * 9, cells)
    (found,) = of_quarantined("x", quarantined, ("ancestor", "descendant", "absent"))
    assert [column.tolist() for column in found.nodes] == [
        [1, 7, 3, -1, -1, -1, -1, 1000, -1],
        [-1, -1, -1, 2, 4, 5, 6, 7, 8],
        [-1] * 9,
    ]
    assert {column.dtype for column in found.nodes} == {np.dtype(np.int64)}
    assert np.flatnonzero(found.touching(7)).tolist() == [1, 7]
    assert not found.touching(9).any()


def test_offenders_of_two_parts_are_those_of_the_whole():
    one, two = (DefectState.empty("x", "d", "mapping") for _ in range(2))
    one.update(rows_of(np.arange(0, 60, 2), {"d": np.arange(0, 60, 2)}, "even"))
    two.update(rows_of(np.arange(1, 60, 2), {"d": np.arange(1, 60, 2)}, "odd"))
    two.update(rows_of(ids(61), {"d": ids(61)}, "even"))
    frozen = one.merge(two).freeze(70)
    assert (frozen.count, frozen.detail) == (61, {"even": 31, "odd": 30})
    assert [(s.row, s.node, s.table) for s in frozen.samples] == [
        (k, k, "mapping") for k in range(20)
    ]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [(np.int64(3), 3), (np.float32(0.5), 0.5), (np.True_, True), (None, None), (b"x", "b'x'")],
)
def test_cells_are_shown_as_plain_values(cell, shown):
    state = DefectState.empty("x")
    cells = np.empty(1, dtype=object)
    cells[0] = cell
    state.update(rows_of(ids(1), {"cell": cells}))
    (sample,) = state.freeze(1).samples
    assert sample.values["cell"] == shown
    assert type(sample.values["cell"]) is type(shown)


def test_nodes_are_offenders_without_rows():
    found = of_nodes("gap", ids(3, 5), depth=ids(1, 2))
    assert (found.defect, found.rows, found.reason, len(found)) == ("gap", None, None, 2)
    assert {name: c.tolist() for name, c in found.columns.items()} == {
        "idx": [3, 5],
        "depth": [1, 2],
    }
    assert found.touching(5).tolist() == [False, True]


def test_samples_of_nodes_have_no_row():
    samples = node_samples(np.arange(5, 105), taxid=np.arange(100))
    assert len(samples) == 20
    assert samples[1] == Sample({"idx": 6, "taxid": 1}, node=6)
