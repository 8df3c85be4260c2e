from __future__ import annotations

import numpy as np

from taxcheck.sources.contract import judge_rows
from taxcheck.sources.schemas import contract


def test_rows_that_are_no_points_are_named():
    norm = np.array([0.5, np.nan, np.inf, 2.0, 0.9, 1.0])
    broken, off = judge_rows(norm, norm)
    assert broken.tolist() == [False, True, True, False, False, False]
    assert off.tolist() == [False, False, False, True, False, True]


def test_sound_rows_are_left_alone():
    broken, off = judge_rows(np.array([0.0, 0.999]), np.array([0.0, 0.999]))
    assert not broken.any()
    assert not off.any()


def test_a_flat_row_may_be_anywhere():
    broken, off = judge_rows(np.array([1e9]), np.array([0.0]))
    assert not broken.any()
    assert not off.any()


def test_the_contract_publishes_it():
    columns = contract()["embeddings"]["columns"]
    assert [check["name"] for check in columns["norm"]["checks"]] == ["finite"]
    assert [check["name"] for check in columns["outside"]["checks"]] == ["inside_the_model"]
