"""Every cell becomes the exact integer that it writes, or is named as what it is not."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxcheck.sources.tables.cells import SENTINEL, Problem, identifiers, whole_numbers

E, N, X, L = Problem.EMPTY, Problem.NOT_WHOLE, Problem.INEXACT, Problem.TOO_LARGE
S = Problem.SEPARATED


def judged(array: pa.Array) -> list[int | Problem]:
    whole = whole_numbers(array)
    assert whole.values.dtype == np.int64
    codes = np.zeros(len(array), int) if whole.problems is None else whole.problems
    assert all(v == SENTINEL for v, c in zip(whole.values, codes, strict=True) if c)
    return [Problem(c) if c else int(v) for v, c in zip(whole.values, codes, strict=True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", 12),
        ("-1", -1),
        ("+7", 7),
        ("007", 7),
        (" 12 ", 12),
        ('"12"', 12),
        ('" 12 "', 12),
        ("1.0", 1),
        ("3.", 3),
        ("1e3", 1000),
        ("1e+05", 100_000),
        ("1.5e1", 15),
        ("0.0", 0),
        ("9007199254740993", 2**53 + 1),
        ("9007199254740993.0", 2**53 + 1),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", L),
        ("1e18", 10**18),
        ("1e19", L),
        ("1e999999999", L),
        ("1e-999999999", N),
        ("1.5", N),
        ("inf", N),
        ("-Infinity", N),
        ("x", N),
        ("0x1f", N),
        ("1_000", N),
        ("1,000", S),
        ("1.000", S),
        ("12.345.678", S),
        ("1,000.5", N),
        ("0.000", 0),
        ("1234.000", 1234),
        ("1.0000", 1),
        ("١٢", N),
        ("1 2", N),
        ("true", N),
        ("1\0", N),
        ("", E),
        ("   ", E),
        ("nan", E),
        ("NaN", E),
        ("NULL", E),
        ("None", E),
        (None, E),
    ],
)
def test_texts(text: str | None, expected: int | Problem) -> None:
    assert judged(pa.array([text], pa.string())) == [expected]
    assert judged(pa.array(["5", text, "6"], pa.string()).slice(1)) == [expected, 6]


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([1, None, -128], pa.int8()), [1, E, -128]),
        (pa.array([2**53 + 1], pa.int64()), [2**53 + 1]),
        (pa.array([0, 2**64 - 1, None], pa.uint64()), [0, L, E]),
        (pa.array([2**63 - 1], pa.uint64()), [2**63 - 1]),
        (pa.array([1.0, 1.5, float("nan"), None, float("inf")]), [1, N, E, E, N]),
        (pa.array([2.0**53, 2.0**53 + 2, -1.0, 1e18]), [2**53, X, -1, X]),
        (pa.array([2.0**24, 2.0**24 + 2], pa.float32()), [2**24, X]),
        (pa.array([2048, 2050], pa.float16()), [2048, X]),
        (pa.array([Decimal("3.00"), None]), [3, E]),
        (pa.array([Decimal("3.50"), Decimal("4.00")]), [N, 4]),
        (pa.array([True, None, False]), [N, E, N]),
        (pa.nulls(2), [E, E]),
        (pa.nulls(2, pa.string()), [E, E]),
        (pa.array([], pa.string()), []),
    ],
)
def test_types(array: pa.Array, expected: list[int | Problem]) -> None:
    assert judged(array) == expected


@given(st.lists(st.integers(-(2**63) + 1, 2**63 - 1)))
def test_integers_survive_as_text(values: list[int]) -> None:
    assert judged(pa.array([str(v) for v in values], pa.string())) == values
    assert judged(pa.array([f" {v}.0" for v in values], pa.string())) == values


@given(st.lists(st.one_of(st.none(), st.text(max_size=8), st.floats().map(str)), max_size=8))
def test_a_text_is_judged_alone_as_among_others(texts: list[str | None]) -> None:
    alone = [judged(pa.array([text], pa.string()))[0] for text in texts]
    assert judged(pa.array(texts, pa.string())) == alone


@given(st.lists(st.floats(width=64)))
def test_floats_are_exact_or_refused(values: list[float]) -> None:
    for value, found in zip(values, judged(pa.array(values, pa.float64())), strict=True):
        assert isinstance(found, Problem) or (found == value and abs(value) <= 2**53)


def test_identifiers() -> None:
    names, problems = identifiers(pa.array([" CHEBI:1 ", "", "007", None, " "]))
    assert names.to_pylist() == ["CHEBI:1", None, "007", None, None]
    assert problems is not None
    assert problems.tolist() == [0, E, 0, E, E]
    names, problems = identifiers(pa.array([9606.0, 1.5, None]))
    assert (names.type, names.to_pylist()) == (pa.int64(), [9606, None, None])
    assert problems is not None
    assert problems.tolist() == [0, N, E]
    assert identifiers(pa.array([1, 2]))[1] is None
    assert identifiers(pa.array(["a"]))[1] is None
