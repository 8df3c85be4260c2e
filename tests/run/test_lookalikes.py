"""Labels that nobody can tell apart, from the file to the finding; rows are lines of the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from taxcheck.model.report import RuleResult
from taxcheck.run.check import check
from taxcheck.run.request import Request

NO_BREAK = (  # four taxa, two of them in two spellings
    "child,parent\nCanis lupus,Canis\nCanis latrans,Canis\nCanis\u00a0lupus,Canis\n"
    "Caf\u00e9,Canis\nCafe\u0301,Canis\n"
)
MAPPING = "taxid\tidx\n7588\t0\n7589\t1\n7590\t2\n"


def found(folder: Path, rule: str, pairs: str, mapping: str | None = None) -> RuleResult:
    (folder / "pairs.csv").write_text(pairs, encoding="utf-8")
    if mapping is not None:
        (folder / "mapping.tsv").write_text(mapping, encoding="utf-8")
    given = None if mapping is None else str(folder / "mapping.tsv")
    report = check(Request(mapping=given, pairs=str(folder / "pairs.csv"), drawn=False))
    return next(result for result in report.results if result.id == rule)


def test_labels_that_print_alike_are_named_with_their_first_row(tmp_path: Path) -> None:
    result = found(tmp_path, "PAIR017", NO_BREAK)
    assert (result.outcome, result.count, result.total) == ("warn", 2, 6)
    assert [(s.row, s.table, s.values["label"]) for s in result.samples] == [
        (4, "pairs", "Canis\\xa0lupus"),
        (6, "pairs", "Cafe\\u0301"),
    ]
    assert "1 by Unicode form, 1 by no-break blanks" in result.message


def test_labels_that_the_mapping_has_in_another_form(tmp_path: Path) -> None:
    rows = "7588,7589\nx,7590.0000\n7588.000,7589\n7588.000,7590.000\n"
    pairs = f"ancestor_taxid,descendant_taxid\n{rows}"
    result = found(tmp_path, "PAIR017", pairs, MAPPING)
    assert (result.outcome, result.count, result.total) == ("warn", 3, 4)
    shown = [(s.row, s.values["label"], s.values["looks like"]) for s in result.samples]
    assert shown == [(3, "7590.0000", "7590"), (4, "7588.000", "7588"), (5, "7590.000", "7590")]


def test_what_was_trimmed_is_counted(tmp_path: Path) -> None:
    pairs = "child,parent\nCanis lupus ,Canis\nCanis latrans,Canis\n Vulpes\u00a0, Canis \n"
    result = found(tmp_path, "PAIR017", pairs)
    assert (result.outcome, result.count, result.total) == ("info", 3, 6)
    assert result.message.startswith("3 of 6 cells (50.0 %) had blanks at their ends")
    mapping = "name\tidx\nCanis\t0\nCanis lupus \t1\nCanis latrans\t2\n"
    pairs = "ancestor_idx,descendant_idx\n0,1\n0,2\n"
    result = found(tmp_path, "MAP010", pairs, mapping)
    assert (result.outcome, result.count, result.total) == ("info", 1, 3)


def test_identifiers_that_print_alike(tmp_path: Path) -> None:
    mapping = "name\tidx\nCanis\t0\nCanis lupus\t1\nCANIS LUPUS\t2\nCanis\u00a0lupus \t3\n"
    result = found(tmp_path, "MAP010", "ancestor_idx,descendant_idx\n0,1\n0,2\n0,3\n", mapping)
    assert (result.outcome, result.count, result.total) == ("warn", 2, 4)
    assert [(s.row, s.node, s.values["label"]) for s in result.samples] == [
        (4, 2, "CANIS LUPUS"),
        (5, 3, "Canis\\xa0lupus"),
    ]
    assert "1 of 4 cells (25.0 %) had blanks at their ends" in result.message


@pytest.mark.parametrize("rule", ["MAP010", "PAIR017"])
def test_pairs_of_idx_have_no_labels(tmp_path: Path, rule: str) -> None:
    result = found(tmp_path, rule, "ancestor_idx,descendant_idx\n0,1\n0,2\n", MAPPING)
    passed, skipped = "no two of 3 identifiers look alike", "the pairs hold idx, not labels"
    assert result.message == (passed if rule == "MAP010" else skipped)
