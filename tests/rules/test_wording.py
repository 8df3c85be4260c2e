"""Words, counts and cells as every rule prints them."""

from __future__ import annotations

import numpy as np
import pytest
from taxcheck_rules import scoring, wording

from taxcheck.rule import Defect, Sample, Skip
from taxcheck.statistics.values import Identifiers


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (0, "0.0 %"),
        (1e-9, "under 0.1 %"),
        (0.0009, "under 0.1 %"),
        (0.001, "0.1 %"),
        (0.999, "99.9 %"),
        (0.9991, "over 99.9 %"),
        (1, "100.0 %"),
        (1.5, "150.0 %"),
    ],
)
def test_neither_none_nor_all_is_rounded_to_either(share: float, told: str) -> None:
    assert wording.percent(share) == told


def test_reasons_are_ordered_and_the_fifth_is_counted() -> None:
    assert wording.reasons({}) == ""
    assert wording.reasons({"a_b": 0}) == ""
    assert wording.reasons({"b": 1, "a_c": 1, "z": 3, "none": 0}) == ": 3 z, 1 a c, 1 b"
    four = {"a": 1, "b": 1, "c": 1, "d": 1}
    assert wording.reasons(four) == ": 1 a, 1 b, 1 c, 1 d"
    assert wording.reasons({**four, "e": 1, "f": 1}) == ": 1 a, 1 b, 1 c, 1 d, 2 further kinds"


def test_long_cells_are_cut_at_forty() -> None:
    assert wording.first((Sample({"x": "y" * 40}),)) == "; first: x " + "y" * 40
    assert wording.first((Sample({"x": "y" * 41}),)) == "; first: x " + "y" * 39 + "…"
    assert wording.first((Sample({"x": None, "y": ""}, row=3),)) == (
        "; first: row 3 (x empty, y empty)"
    )
    assert wording.first((Sample({}, row=3),)) == "; first: row 3"
    assert wording.first((Sample({}),)) == ""


def test_a_node_is_named_where_its_identifier_is_known() -> None:
    numbers = Identifiers(np.array([203, -1]), None)
    assert wording.node(numbers, 0) == "idx 0 (taxid 203)"
    assert wording.node(Identifiers(None, np.array(["CHEBI:1"], dtype=object)), 0) == (
        "idx 0 (CHEBI:1)"
    )


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0 leaves"), (1, "1 leaf"), (2, "2 leaves"), (1_000, "1,000 leaves")]
)
def test_a_plural_of_its_own(count: int, told: str) -> None:
    assert wording.plural(count, "leaf", "leaves") == told
    assert wording.plural(2, "root") == "2 roots"


def test_a_defect_that_had_nothing_to_be_counted_in_is_skipped() -> None:
    with pytest.raises(Skip, match="nothing is left that could be judged"):
        wording.judged(Defect(0, 0), "bad", "good")
    found = wording.judged(Defect(1, 0), "bad", "good", impact="i", fix="f")
    assert (found.found, found.message, found.impact, found.fix) == (True, "bad", "i", "f")
    passed = wording.judged(Defect(0, 1), "bad", "good", severity=None, impact="i", fix="f")
    assert (passed.found, passed.message, passed.impact, passed.fix) == (False, "good", None, None)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (float("nan"), "not a number"),
        (0.6124, ".612"),
        (-0.5, "-.500"),
        (0.9994, ".999"),
        (0.9995, "1.00"),
        (3.984, "3.98"),
        (99.99, "99.99"),
        (99.995, "100"),
        (100.5, "100"),
        (1_390.2, "1,390"),
        (0.0, ".000"),
    ],
)
def test_numbers_have_three_figures(value: float, told: str) -> None:
    assert scoring.number(value) == told
