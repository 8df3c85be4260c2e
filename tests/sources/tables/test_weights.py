"""Cells of a weights column: the number in 32 bits, or what is wrong with it."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxcheck.sources.tables.weights import Unusable, read_weights

NONE, EMPTY, NO_NUMBER, INFINITE, NEGATIVE = Unusable


@pytest.mark.parametrize(
    ("cells", "codes"),
    [
        (["1", " 2.5 ", "1e3", "+4", ".5", "5."], [NONE] * 6),
        (["", "  ", "NA", "null", None], [EMPTY] * 5),
        (["nan", "x", "0x10", "1,5", "1 2"], [NO_NUMBER] * 5),
        (["inf", "-Infinity", "1e39"], [INFINITE] * 3),
        (["-1", "-1e-3"], [NEGATIVE] * 2),
        ([0.0, None, float("nan"), float("inf"), 1e39, -2.0], [0, 1, 2, 3, 3, 4]),
        ([0, None, 2**40, -1], [0, 1, 0, 4]),
        ([True, None], [NO_NUMBER, EMPTY]),
        ([None, None], [EMPTY] * 2),
        ([Decimal("1.5"), Decimal("-1")], [NONE, NEGATIVE]),
    ],
)
def test_what_a_cell_is(cells: list[object], codes: list[int]) -> None:
    assert read_weights(pa.array(cells)).unusable.tolist() == codes


@given(st.lists(st.floats(0, 1e38), min_size=1))
def test_numbers_and_their_texts_are_read_alike(numbers: list[float]) -> None:
    wide, text = (read_weights(pa.array(c)) for c in (numbers, [repr(x) for x in numbers]))
    assert wide.values.tolist() == text.values.tolist() == np.float32(numbers).tolist()
    assert not wide.unusable.any()
    assert not text.unusable.any()
