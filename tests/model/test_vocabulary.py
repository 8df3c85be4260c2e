"""Numbers and shares, worded once for findings, pages and terminals."""

from __future__ import annotations

import math

import pytest

from taxcheck.model.vocabulary import DEPTH_RANGES, number, numbers, percent, plural, score


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (0, "0 %"),
        (1e-9, "< 0.1 %"),
        (0.0009, "< 0.1 %"),
        (0.001, "0.1 %"),
        (28610 / 110478, "25.9 %"),
        (0.999, "99.9 %"),
        (0.9991, "> 99.9 %"),
        (1, "100 %"),
        (1.5, "150.0 %"),
    ],
)
def test_neither_none_nor_all_is_rounded_to_either(share: float, told: str) -> None:
    assert percent(share) == told


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0 leaves"), (1, "1 leaf"), (2, "2 leaves"), (1_000, "1,000 leaves")]
)
def test_a_plural_of_its_own(count: int, told: str) -> None:
    assert plural(count, "leaf", "leaves") == told
    assert plural(2, "root") == "2 roots"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (float("nan"), "not a number"),
        (0.6124, "0.612"),
        (-0.5, "-0.500"),
        (0.9994, "0.999"),
        (0.9995, "1.00"),
        (3.984, "3.98"),
        (99.99, "99.99"),
        (99.995, "100"),
        (100.5, "100"),
        (1_390.2, "1,390"),
        (0.0, "0.000"),
    ],
)
def test_scores_have_three_figures(value: float, told: str) -> None:
    assert score(value) == told


@pytest.mark.parametrize(
    ("value", "told"),
    [(1234, "1,234"), (0.12345, "0.1235"), (4.0, "4"), (12345.67, "12,345.7"), (math.inf, "inf")],
)
def test_other_numbers_have_four(value: float, told: str) -> None:
    assert number(value) == told


def test_every_depth_is_in_one_range() -> None:
    for depth in range(1, 50):
        inside = [s for s, e, _ in DEPTH_RANGES if s <= depth and (e is None or depth <= e)]
        assert len(inside) == 1


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.99996, "0.99996"), (0.999983, "0.999983"), (1.0, "1"), (0.9999, "0.9999")],
)
def test_what_is_not_all_never_reads_as_all(value: float, told: str) -> None:
    assert number(value) == told


def test_numbers_that_differ_read_differently_beside_each_other() -> None:
    assert numbers([0.51231, 0.51234]) == ["0.51231", "0.51234"]
    assert numbers([1.0, 1.0, 0.5]) == ["1", "1", "0.5"]
    assert numbers([0.999985, 0.99999, 1.0]) == ["0.999985", "0.99999", "1"]
    assert numbers([1_234_567.04, 1_234_567.01]) == ["1,234,567.04", "1,234,567.01"]
