"""Offenders are kept for causes up to a number; of more than that no cause is tried."""

from __future__ import annotations

import numpy as np

from taxcheck.statistics.offenders import Offenders, of_nodes
from taxcheck.statistics.symptoms import OFFENDER_BYTES, Symptoms


def rows(*numbers: int) -> Offenders:
    row = np.array(numbers)
    return Offenders("self_pair", {"at": row * 10}, (row, row), row)


def test_parts_of_several_workers_stand_in_the_order_of_the_file():
    found = Symptoms()
    found(rows(7, 9))
    assert found["self_pair"].rows.tolist() == [7, 9]
    found(rows(1, 8))
    assert found["self_pair"].rows.tolist() == [1, 7, 8, 9]
    assert found["self_pair"].column("at").tolist() == [10, 70, 80, 90]


def test_more_than_may_be_kept_are_let_go_of():
    heard: list[int] = []
    found = Symptoms.within(3 * OFFENDER_BYTES, lambda offenders: heard.append(len(offenders)))
    for part in (rows(1, 2), rows(3, 4), rows(5)):
        found(part)
    found(of_nodes("cycle", np.array([4])))
    assert [*found] == ["cycle"]
    assert found.branch().overfull == {"self_pair"}
    assert heard == [2, 2, 1, 1]  # whoever writes them down hears of all
