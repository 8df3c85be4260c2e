"""An embedding table follows its nodes to their new idx."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from taxcheck.commands.fix.repair import Fixed, fix
from taxcheck.commands.selftest.cases import load_cases
from taxcheck.commands.selftest.folder import Folder, taxonomy
from tests.commands.fix.repaired import repair


def _renumber(folder: Folder, number: Callable[[int], int]) -> None:
    folder.mapping = [(taxid, number(idx)) for taxid, idx in folder.mapping]
    folder.pairs = [(number(a), number(d), *rest) for a, d, *rest in folder.pairs]


def test_rows_follow_where_holes_are_closed(tmp_path):
    """idx 0, 4, 5 ... become 0, 1, 2 ...: the rows 1 to 3 belong to nobody."""
    folder = Folder()
    _renumber(folder, lambda idx: idx + 3 if idx else 0)
    table = np.arange(36, dtype=np.float32).reshape(18, 2) / 100
    np.save(tmp_path / "table.npy", table)
    fixed = repair(folder, tmp_path, embeddings=str(tmp_path / "table.npy"), geometry="ball")
    assert fixed.exit_code == 0
    new = np.load(tmp_path / "fixed" / "embeddings.npy")
    np.testing.assert_array_equal(new, table[[0, *range(4, 18)]])
    moved = pd.read_parquet(tmp_path / "fixed" / "old_to_new.parquet")
    assert moved["old_idx"].tolist() == [0, *range(4, 18)]
    assert moved["new_idx"].tolist() == list(range(15))


def test_added_nodes_start_at_the_origin_of_a_lorentz_table(tmp_path):
    """Canidae is mapped again, at the end; on the sheet of curvature -1 the origin is (1, 0)."""
    folder = load_cases().of_rule["MAP009"].bad()
    radius = np.linspace(0.1, 2, 14)
    table = np.column_stack([np.cosh(radius), np.sinh(radius)])
    np.save(tmp_path / "table.npy", table)
    fixed = repair(folder, tmp_path, embeddings=str(tmp_path / "table.npy"), geometry="lorentz")
    new = np.load(tmp_path / "fixed" / "embeddings.npy")
    np.testing.assert_array_equal(new[:14], table)
    assert new[14].tolist() == [1, 0]
    assert "1 node without a row starts at the origin" in fixed.plan.steps[-1].what
    assert not (tmp_path / "fixed" / "old_to_new.parquet").exists()


def test_rows_with_labels_are_found_by_them(tmp_path):
    """word2vec text names its rows; they stand in another order than the idx."""
    folder = Folder()
    _renumber(folder, lambda idx: idx + 1)
    taxids = [taxid for taxid, _ in folder.mapping]
    lines = [f"{taxid} {taxid / 1e6:.6f} 0.5" for taxid in reversed(taxids)]
    (tmp_path / "table.txt").write_text("\n".join([f"{len(lines)} 2", *lines]) + "\n")
    repair(folder, tmp_path, embeddings=str(tmp_path / "table.txt"), geometry="ball")
    new = np.load(tmp_path / "fixed" / "embeddings.npy")
    np.testing.assert_allclose(new[:, 0], np.array(taxids) / 1e6, atol=1e-6)


def test_where_no_idx_changes_the_table_stays_valid(tmp_path):
    folder = Folder()
    folder.drop((0, 9))
    np.save(tmp_path / "table.npy", np.zeros((15, 2), np.float32))
    fixed = repair(folder, tmp_path, embeddings=str(tmp_path / "table.npy"), geometry="ball")
    assert "embeddings.npy" not in fixed.written
    plan = json.loads((tmp_path / "fixed" / "plan.json").read_text())
    assert [step["rows"] for step in plan["repairs"]] == [1]


def _rotated(path: Path, **more: object) -> Fixed:
    """Every identifier stands one row too low in the mapping, which a taxonomy shows."""
    frame = load_cases().bases["tree with taxonomy"]()
    taxids = np.roll(frame.mapping["taxid"].to_numpy(), 1)
    request = replace(frame, mapping=frame.mapping.assign(taxid=taxids)).write(path / "data")
    return fix(replace(request, **more), path / "fixed")


def test_a_table_without_labels_is_of_either_numbering(tmp_path):
    np.save(tmp_path / "table.npy", np.zeros((2401, 2), dtype=np.float32))
    fixed = _rotated(tmp_path, embeddings=str(tmp_path / "table.npy"), geometry="ball")
    assert fixed.exit_code == 1
    assert "nothing says which" in fixed.plan.lacking[-1].why
    fixed = _rotated(tmp_path / "without")
    assert fixed.exit_code == 0
    assert any("a table that was trained before" in said for said in fixed.after.rests_on)


def test_nor_does_a_table_stay_whose_idx_a_taxonomy_denies(tmp_path):
    """Fifteen nodes are too few for a cause; their pairs are built again from the taxonomy."""
    folder = Folder(taxa=taxonomy())
    taxids = [taxid for taxid, _ in folder.mapping]
    folder.mapping = [(taxids[k - 1], k) for k in range(len(taxids))]
    np.save(tmp_path / "table.npy", np.zeros((15, 2), dtype=np.float32))
    fixed = repair(folder, tmp_path, embeddings=str(tmp_path / "table.npy"), geometry="ball")
    assert fixed.exit_code == 1
    assert "nothing says which" in fixed.plan.lacking[-1].why


def test_a_table_with_labels_goes_where_its_labels_go(tmp_path):
    taxids = load_cases().bases["tree with taxonomy"]().mapping["taxid"].to_numpy()
    lines = [f"{taxid} {taxid / 1e6:.6f} 0.5" for taxid in taxids]
    (tmp_path / "table.txt").write_text("\n".join([f"{len(lines)} 2", *lines]) + "\n")
    fixed = _rotated(tmp_path, embeddings=str(tmp_path / "table.txt"), geometry="ball")
    assert fixed.exit_code == 0
    new = np.load(tmp_path / "fixed" / "embeddings.npy")
    np.testing.assert_allclose(new[:, 0], np.roll(taxids, 1) / 1e6, atol=1e-6)
