"""Lines above a table: comments and Excel's hint are skipped, told, and counted as lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from taxcheck.model.errors import InputError
from taxcheck.sources.tables.opening import open_mapping, open_pairs

ROWS = "51 1 1\n29 1 2\n32 1 3\n"


@pytest.mark.parametrize(("separator", "size"), [(" ", 1 << 24), ("\t", 1 << 24), ("\t", 16)])
def test_the_header_of_savetxt_is_a_comment_as_wide_as_the_table(
    tmp_path: Path, separator: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taxcheck.sources.tables.text._BLOCK", size)
    path = tmp_path / "p.txt"
    table = "ancestor descendant depth\n" + ROWS
    path.write_text("# written by us\n# " + table.replace(" ", separator))
    source = open_pairs(str(path))
    batches = list(source.batches())
    assert source.columns.roles["descendant"] == "descendant"
    assert source.reading().header
    assert batches[0].first_row == 3
    cells = [str(cell) for batch in batches for cell in batch.columns["ancestor"].to_pylist()]
    assert cells == ["51", "29", "32"]


def test_snap_and_the_hint_of_excel(tmp_path: Path) -> None:
    path = tmp_path / "snap.txt"
    path.write_text("# Directed graph\n# Nodes: 3 Edges: 2\n# FromNodeId\tToNodeId\n1\t0\n2\t0\n")
    with pytest.raises(InputError, match="'# FromNodeId', 'ToNodeId'; name them with"):
        open_pairs(str(path))
    path = tmp_path / "m.csv"
    path.write_text("sep=;\ntaxid;idx\n10;0\n11;1;1\n12;2\n")
    source = open_mapping(str(path))
    (batch,) = source.batches()
    assert batch.first_row == 3
    assert batch.columns["malformed"].to_pylist() == [None, "3 fields instead of 2", None]
    assert source.summary().notes[0] == "1 line of comment before the table skipped."


def test_labels_that_begin_so_are_rows(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("#a,#b\n#b,#c\n#a,#c\n")
    source = open_pairs(str(path), mapping_given=False)
    (batch,) = source.batches()
    assert batch.columns["ancestor_taxid"].to_pylist() == ["#a", "#b", "#a"]
