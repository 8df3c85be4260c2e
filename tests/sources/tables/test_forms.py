"""Forms of cells: counted by type, by bytes or by reading, and always as one cell by cell would."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxcheck.model.reading import Forms
from taxcheck.sources.tables.forms import forms_of

CELL = st.one_of(
    st.none(),
    st.from_regex(r"\A[ \u00a0]?[+-]?[0-9]{0,5}([.,][0-9]{1,3}){0,2}[ \u3000]?\Z"),
    st.sampled_from(["", "wolf", " wolf", "Canis ", "é", "007", "0", "1.000", "9606.0", "0.000"]),
)


def one_by_one(cells: list[str | None]) -> Forms:
    found = Forms()
    for cell in cells:
        bare = (cell or "").strip()
        if not bare:
            continue
        whole = re.fullmatch(r"[0-9]+", bare) is not None
        padded = whole and len(bare) > 1 and bare[0] == "0"
        thousands = re.fullmatch(r"[1-9][0-9]{0,2}(([.,])[0-9]{3})(\2[0-9]{3})*", bare) is not None
        found = found.merge(
            Forms(
                1,
                bare != cell,
                whole and not padded,
                padded,
                not thousands and re.fullmatch(r"[+-]?[0-9]+\.0+", bare) is not None,
                thousands,
                len(bare) if whole and not padded else 0,
            )
        )
    return found


@given(st.lists(CELL, max_size=12), st.integers(0, 3))
def test_texts_are_counted_as_one_by_one(cells: list[str | None], start: int) -> None:
    column = pa.array(cells, pa.string())
    assert forms_of(column.slice(start)) == one_by_one(cells[start:])


@pytest.mark.parametrize(
    ("cells", "forms"),
    [
        (pa.array([5, 1234, None]), Forms(2, plain=2, digits=4)),
        (pa.array([9606.0, 2.5, None, float("nan")]), Forms(2, point_zero=1)),
        (pa.array([2.0, 2.5, None], pa.float16()), Forms(2, point_zero=1)),
        (pa.nulls(3), Forms()),
        (pa.array([], pa.int64()), Forms()),
    ],
)
def test_other_types_are_counted_as_what_they_are(cells: pa.Array, forms: Forms) -> None:
    assert forms_of(cells) == forms


def test_plain_digits_need_no_reading() -> None:
    assert forms_of(pa.array(["7", "101", "0101"])) == Forms(3, plain=2, zero_padded=1, digits=3)
