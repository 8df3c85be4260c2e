"""Words, counts and cells as every rule prints them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from taxcheck_rules import wording

from taxcheck.model.finding import Defect, Sample, Skip
from tests.rules.builders import ints, mapping, text_mapping


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
    numbers, texts = mapping(ints(203, 204)), text_mapping()
    assert wording.node(numbers, 0) == "idx 0 (taxid 203)"
    assert wording.node(numbers, 2) == "idx 2"
    assert wording.node(texts, 0) == "idx 0 (CHEBI:1)"
    assert wording.node(replace(numbers, derived=True), 0) == "taxid 203"
    assert wording.node(replace(texts, derived=True), 0) == "CHEBI:1"


def test_a_defect_that_had_nothing_to_be_counted_in_is_skipped() -> None:
    with pytest.raises(Skip, match="nothing is left that could be judged"):
        wording.judged(Defect(0, 0), "bad", "good")
    found = wording.judged(Defect(1, 0), "bad", "good", impact="i", fix="f")
    assert (found.found, found.message, found.impact, found.fix) == (True, "bad", "i", "f")
    passed = wording.judged(Defect(0, 1), "bad", "good", severity=None, impact="i", fix="f")
    assert (passed.found, passed.message, passed.impact, passed.fix) == (False, "good", None, None)
