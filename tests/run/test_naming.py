"""What a person is shown stands in their files: labels, and rows as the file has them."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from taxcheck.model.report import RenderOptions, Report
from taxcheck.run.check import check
from taxcheck.run.registry import load_renderers
from taxcheck.run.request import Request

# Lines 2 to 11: a reversed pair, a self pair, a missing label, and two parents of one child.
PAIRS = (
    "child,parent\nbear,animal\ncub,bear\ncub,cub\ndove,exit\nexit,dove\nfox,\ngnu,bear\ngnu,animal\n"
    "hen,zoo\nhen,animal\n"
)
MAPPING = "taxid\tidx\n7588\t0\n7589\t1\n7590\t2\n"
# Line 3: an unsound depth; lines 4 and 5: labels that the mapping lacks; then a reversed pair.
JOINED = (
    "ancestor_name,descendant_name,depth_diff\n7588,7589,1\n7588,7590,x\n7589,x y,1\n"
    "7588.5,7590,1\n7588,7590,1\n7590,7588,3\n"
)
NUMBERED = re.compile(r"\b(idx \d|\w+_idx \d)")


def judged(folder: Path, pairs: str, mapping: str | None = None) -> Report:
    (folder / "pairs.csv").write_text(pairs, encoding="utf-8")
    if mapping is not None:
        (folder / "mapping.tsv").write_text(mapping, encoding="utf-8")
    return check(
        Request(
            mapping=None if mapping is None else str(folder / "mapping.tsv"),
            pairs=str(folder / "pairs.csv"),
            failures=folder / "failures",
        )
    )


def samples(report: Report, rule: str) -> list[tuple[int | None, dict[str, object]]]:
    (result,) = (result for result in report.results if result.id == rule)
    return [(sample.row, dict(sample.values)) for sample in result.samples]


def failures(folder: Path, rule: str) -> list[dict[str, object]]:
    return pq.read_table(folder / "failures" / f"{rule}.parquet").to_pylist()


def test_pairs_of_labels_are_shown_by_them(tmp_path: Path) -> None:
    report = judged(tmp_path, PAIRS)
    assert samples(report, "PAIR001") == [(7, {"ancestor_label": "", "descendant_label": "fox"})]
    assert samples(report, "PAIR005") == [(4, {"ancestor_label": "cub", "descendant_label": "cub"})]
    assert samples(report, "PAIR007") == [
        (5, {"ancestor_label": "exit", "descendant_label": "dove"}),
        (6, {"ancestor_label": "dove", "descendant_label": "exit"}),
    ]
    assert samples(report, "TREE001") == [(None, {"label": "exit"}), (None, {"label": "dove"})]
    assert samples(report, "TREE002") == [(None, {"label": "hen", "parent_label": "animal, zoo"})]
    assert samples(report, "TREE003")[0] == (None, {"label": "animal", "tree_nodes": 6})
    missing = {"ancestor_label": "animal", "descendant_label": "cub", "distance": 2}
    assert samples(report, "TREE004") == [(None, missing)]
    cycle = next(result.message for result in report.results if result.id == "TREE001")
    assert cycle.endswith("exit -> dove -> exit")
    assert failures(tmp_path, "missing_ancestor_pair") == [missing]
    assert failures(tmp_path, "several_parents") == [{"label": "hen", "parents": 2}]
    assert failures(tmp_path, "self_pair") == [
        {"row": 4, "ancestor_label": "cub", "descendant_label": "cub"}
    ]


@pytest.mark.parametrize("name", sorted(load_renderers()))
def test_no_output_has_a_number_that_stands_in_no_file(tmp_path: Path, name: str) -> None:
    report = judged(tmp_path, PAIRS)
    assert {sample.node for result in report.results for sample in result.samples} == {None}
    said = [text for r in report.results for text in (r.message, r.impact or "")]
    assert not list(filter(NUMBERED.search, said))
    printed = load_renderers()[name](report, RenderOptions(verbose=True))
    assert not NUMBERED.search(printed)


def test_labels_that_a_mapping_knows_or_lacks_are_shown_as_the_pairs_have_them(
    tmp_path: Path,
) -> None:
    report = judged(tmp_path, JOINED, MAPPING)
    unsound = {"ancestor_label": "7588", "descendant_label": "7590", "depth_diff": "x"}
    assert samples(report, "PAIR001") == [(3, unsound)]
    assert samples(report, "PAIR002") == [
        (4, {"ancestor_label": 7589, "descendant_label": "x y", "depth_diff": 1}),
        (5, {"ancestor_label": "7588.5", "descendant_label": 7590, "depth_diff": 1}),
    ]
    assert samples(report, "TREE007") == [(None, {"label": 7588})]
    outside = next(result for result in report.results if result.id == "PAIR002")
    assert "2 of 5 rows (40.0 %) name a label that the mapping does not have" in outside.message
    assert failures(tmp_path, "index_out_of_range")[0] == {
        "row": 4,
        "ancestor_label": "7589",
        "descendant_label": "x y",
        "depth_diff": 1,
    }
    reversed_pair = next(result for result in report.results if result.id == "PAIR007")
    assert [(s.node, s.taxid) for s in reversed_pair.samples] == [(2, 7590), (0, 7588)]


def test_pairs_of_idx_are_shown_by_idx(tmp_path: Path) -> None:
    pairs = "ancestor_idx,descendant_idx\n0,1\n0,2\n2,2\n0,9\n"
    report = judged(tmp_path, pairs, MAPPING)
    assert samples(report, "PAIR002") == [(5, {"ancestor_idx": 0, "descendant_idx": 9})]
    assert samples(report, "PAIR005") == [(4, {"ancestor_idx": 2, "descendant_idx": 2})]


def test_held_out_labels_are_shown_by_them(tmp_path: Path) -> None:
    """A pair that is in training too, the same the other way round, and a node only held out."""
    (tmp_path / "pairs.csv").write_text("child,parent\nbear,animal\ncub,bear\ncub,animal\n")
    (tmp_path / "held.csv").write_text("child,parent\nbear,animal\nanimal,cub\ngnu,animal\n")
    report = check(
        Request(pairs=str(tmp_path / "pairs.csv"), held_out=str(tmp_path / "held.csv"), drawn=False)
    )
    shown = [s for result in report.results if result.id == "PAIR012" for s in result.samples]
    assert [(s.row, s.table, s.node, *s.values.values()) for s in shown] == [
        (2, "held-out", None, "animal", "bear"),
        (3, "held-out", None, "cub", "animal"),
    ]
