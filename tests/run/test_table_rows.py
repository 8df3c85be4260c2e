"""A table whose rows have labels, in an order of its own: findings name the right node."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from taxcheck.model.report import Report
from taxcheck.run.check import check
from taxcheck.run.request import Request

PAIRS = (
    "ancestor_label,descendant_label\nanimal,bear\nanimal,gnu\nbear,cub\nanimal,cub\nanimal,hen\n"
    "animal,fox\nfox,kit\nanimal,kit\n"
)
ORDER = ("animal", "bear", "gnu", "cub", "hen", "fox", "kit")  # idx, also by appearance
ROWS = {  # row 1 is not finite, row 4 is outside the ball, row 3 repeats row 2
    "kit": (0.3, 0.4, 0.1),
    "hen": (float("nan"), 0.0, 0.0),
    "fox": (0.2, 0.1, -0.3),
    "stray": (0.2, 0.1, -0.3),
    "cub": (1.2, 0.0, 0.0),
    "gnu": (-0.3, 0.2, 0.2),
    "bear": (0.1, -0.2, 0.3),
    "animal": (0.01, 0.0, 0.02),
}
FOUND = {
    "EMB002": ({"table_row": 1}, "hen"),
    "EMB003": ({"table_row": 4, "norm": 1.2}, "cub"),
    "EMB007": ({"table_row": 3, "equal_to": 2}, None),  # nobody is called stray
}


def judged(folder: Path, mapping: bool) -> Report:
    (folder / "pairs.csv").write_text(PAIRS)
    lines = [" ".join((label, *map(str, row))) for label, row in ROWS.items()]
    (folder / "table.vec").write_text("\n".join((f"{len(ROWS)} 3", *lines)) + "\n")
    numbered = "".join(f"{label}\t{idx}\n" for idx, label in enumerate(ORDER))
    (folder / "mapping.tsv").write_text("name\tidx\n" + numbered)
    return check(
        Request(
            mapping=str(folder / "mapping.tsv") if mapping else None,
            pairs=str(folder / "pairs.csv"),
            embeddings=str(folder / "table.vec"),
            geometry="ball",
            failures=folder / "failures",
        )
    )


@pytest.mark.parametrize("mapping", [True, False])
def test_a_row_is_named_by_its_label(tmp_path: Path, mapping: bool) -> None:
    report = judged(tmp_path, mapping)
    for rule, (values, label) in FOUND.items():
        (result,) = (result for result in report.results if result.id == rule)
        (sample,) = result.samples
        node = ORDER.index(label) if mapping and label else None
        assert (dict(sample.values), sample.taxid, sample.node) == (values, label, node)
        assert pq.read_table(tmp_path / "failures" / f"{result.name}.parquet").to_pylist() == [
            values
        ]
    assert report.audit is not None
    assert report.audit.copies is not None
    assert report.audit.copies.largest[0].names == ("fox", "row 3")


def test_without_a_mapping_no_idx_is_told(tmp_path: Path) -> None:
    report = judged(tmp_path, mapping=False)
    assert {sample.node for result in report.results for sample in result.samples} == {None}
    root = next(result for result in report.results if result.id == "HIER007")
    assert root.message.startswith("the root, animal, is the row nearest the origin")
    assert root.observed["root"] == "animal"
    assert report.audit is not None
    assert report.audit.projection is not None
    assert report.audit.projection.idx == ()
    assert "animal" in report.audit.projection.names
