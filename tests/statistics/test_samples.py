"""Offenders are counted exactly and shown by the smallest rows."""

from __future__ import annotations

import numpy as np
import pytest

from taxcheck.rule import Defect, Sample
from taxcheck.sources.batches import Quarantined
from taxcheck.statistics.samples import Offenders, node_samples
from tests.statistics.pair_tables import Heard
from tests.statistics.small_taxonomy import ids


def test_the_twenty_smallest_rows_are_kept_whatever_their_order():
    offenders = Offenders("x")
    for rows in (ids(50, 7), np.arange(40, 10, -1), ids()):
        offenders.add(rows, {"idx": rows * 2})
    frozen = offenders.freeze(100)
    assert (frozen.count, frozen.total, frozen.detail) == (32, 100, {})
    assert [s.row for s in frozen.samples] == [7, *range(11, 30)]
    assert frozen.samples[1] == Sample({"idx": 22}, row=11, table="pairs")


def test_reasons_are_counted_and_told_to_the_sink():
    heard = Heard()
    offenders = Offenders("x", None, heard)
    offenders.add(ids(3, 4), {"a": ids(1, 2)}, "turned")
    offenders.add(ids(5), {"a": ids(1)}, "false")
    offenders.add(ids(6), {"a": ids(1)}, "turned")
    offenders.add(ids(7), {"a": ids(8)})
    offenders.add(ids(), {"a": ids()}, "never")
    frozen = offenders.freeze(9)
    assert frozen.count == 5
    assert list(frozen.detail.items()) == [("false", 1), ("turned", 3)]
    assert heard.calls == [
        ("x", {"row": [3, 4], "a": [1, 2], "reason": ["turned", "turned"]}),
        ("x", {"row": [5], "a": [1], "reason": ["false"]}),
        ("x", {"row": [6], "a": [1], "reason": ["turned"]}),
        ("x", {"row": [7], "a": [8]}),
    ]


def test_the_node_is_the_idx_in_the_named_column():
    offenders = Offenders("x", "d", table="held-out")
    offenders.add(ids(1, 0, -1), {"d": np.array([7, "no idx", 9], dtype=object)})
    assert offenders.freeze(3) == Defect(
        3,
        3,
        (
            Sample({"d": 9}, node=9),  # no row of a table
            Sample({"d": "no idx"}, row=0, table="held-out"),
            Sample({"d": 7}, row=1, node=7, table="held-out"),
        ),
    )
    assert Offenders("x", "absent").freeze(0).samples == ()


def test_quarantined_rows_are_counted_by_reason_with_their_own_cells():
    offenders = Offenders("x")
    cells = {"ancestor": ("-1", None, "z"), "descendant": ("0", "1", None)}
    offenders.quarantine(Quarantined(ids(8, 9, 12), ("negative", "null", "negative"), cells))
    frozen = offenders.freeze(20)
    assert frozen.detail == {"negative": 2, "null": 1}
    assert [(s.row, dict(s.values)) for s in frozen.samples] == [
        (8, {"ancestor": "-1", "descendant": "0"}),
        (9, {"ancestor": None, "descendant": "1"}),
        (12, {"ancestor": "z", "descendant": None}),
    ]


def test_offenders_of_two_parts_are_those_of_the_whole():
    heard = Heard()
    one, two = (Offenders("x", "d", heard, "mapping") for _ in range(2))
    one.add(np.arange(0, 60, 2), {"d": np.arange(0, 60, 2)}, "even")
    two.add(np.arange(1, 60, 2), {"d": np.arange(1, 60, 2)}, "odd")
    two.add(ids(61), {"d": ids(61)}, "even")
    both = one.merge(two)
    assert (both.name, both.sink) == ("x", heard)
    frozen = both.freeze(70)
    assert (frozen.count, frozen.detail) == (61, {"even": 31, "odd": 30})
    assert [(s.row, s.node, s.table) for s in frozen.samples] == [
        (k, k, "mapping") for k in range(20)
    ]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [(np.int64(3), 3), (np.float32(0.5), 0.5), (np.True_, True), (None, None), (b"x", "b'x'")],
)
def test_cells_are_shown_as_plain_values(cell, shown):
    offenders = Offenders("x")
    cells = np.empty(1, dtype=object)
    cells[0] = cell
    offenders.add(ids(1), {"cell": cells})
    (sample,) = offenders.freeze(1).samples
    assert sample.values["cell"] == shown
    assert type(sample.values["cell"]) is type(shown)


def test_samples_of_nodes_have_no_row():
    samples = node_samples(np.arange(5, 105), taxid=np.arange(100))
    assert len(samples) == 20
    assert samples[1] == Sample({"idx": 6, "taxid": 1}, node=6)
