"""In whatever files a dataset is kept, however its rows are dealt: the same findings."""

from __future__ import annotations

import gzip
import json
import pickle
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from taxcheck.model.report import Report
from taxcheck.run.check import check
from taxcheck.run.request import Request
from taxcheck.sources.tables.readers import READERS

# A chain of 30 with branches, of which a pair is missing, one is there twice and one is of itself.
_CHAIN = [(a, d, d - a) for d in range(30) for a in range(d)]
_LEAVES = [(a, 30 + d, d - a + 1) for d in range(30) for a in range(d + 1)]
ROWS = [row for row in _CHAIN + _LEAVES if row != (3, 9, 6)] + [(0, 1, 1), (5, 5, 0)]
PAIRS = pd.DataFrame(ROWS, columns=["ancestor_idx", "descendant_idx", "depth_diff"])
MAPPING = pd.DataFrame({"taxid": np.arange(60) + 1000, "idx": np.arange(60)})


def _lines(frame: pd.DataFrame, path: Path) -> str:
    frame.to_json(path, orient="records", lines=True)
    return str(path)


def _database(path: Path) -> str:
    with closing(sqlite3.connect(path)) as opened, opened:
        PAIRS.to_sql("pairs", opened, index=False)
        MAPPING.to_sql("mapping", opened, index=False)
    return str(path)


def _workbook(path: Path) -> str:
    with pd.ExcelWriter(path, engine="openpyxl") as book:
        PAIRS.to_excel(book, sheet_name="pairs", index=False)
        MAPPING.to_excel(book, sheet_name="mapping", index=False)
    return str(path)


def _archive(path: Path) -> str:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("pairs.csv", PAIRS.to_csv(index=False))
        archive.writestr("mapping.json.gz", gzip.compress(MAPPING.to_json().encode()))
    return str(path)


def _arrays(folder: Path) -> tuple[str, str]:
    np.savez(folder / "p.npz", **{name: PAIRS[name] for name in PAIRS})
    (folder / "w.pkl").write_bytes(pickle.dumps({int(t): int(i) for t, i in MAPPING.to_numpy()}))
    return str(folder / "w.pkl"), str(folder / "p.npz")


def kept(folder: Path, kind: str) -> tuple[str, str]:
    """The dataset in files of a kind: mapping and pairs."""
    if kind == "arrays":
        return _arrays(folder)
    if kind == "json":
        (folder / "m.json").write_text(json.dumps({str(t): int(i) for t, i in MAPPING.to_numpy()}))
        return str(folder / "m.json"), _lines(PAIRS, folder / "p.jsonl")
    if kind == "shards of json":
        (folder / "p").mkdir()
        for k, part in enumerate((PAIRS[:300], PAIRS[300:])):
            _lines(part, folder / "p" / f"{k}.jsonl")
        return _lines(MAPPING, folder / "m.jsonl"), f"{folder}/p/*.jsonl"
    if kind == "orc":
        PAIRS.to_orc(folder / "p.orc")
        return _lines(MAPPING, folder / "m.jsonl"), str(folder / "p.orc")
    made = {"db": _database, "xlsx": _workbook, "zip": _archive}[kind](folder / f"all.{kind}")
    names = ("mapping.json.gz", "pairs.csv") if kind == "zip" else ("mapping", "pairs")
    return f"{made}::{names[0]}", f"{made}::{names[1]}"


def said(report: Report) -> list[tuple[object, ...]]:
    return [(r.id, r.outcome, r.count, r.total) for r in report.results]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[object, ...]]:
    folder = tmp_path_factory.mktemp("plain")
    MAPPING.to_csv(folder / "m.csv", index=False)
    PAIRS.sample(frac=1, random_state=1).to_csv(folder / "p.csv", index=False)
    found = said(check(Request(mapping=str(folder / "m.csv"), pairs=str(folder / "p.csv"))))
    counts = {name: (outcome, count) for name, outcome, count, _ in found}
    assert counts["TREE004"] == ("fail", 1)
    assert counts["PAIR005"] == ("fail", 1)
    assert counts["PAIR006"] == ("fail", 1)
    return found


@pytest.mark.parametrize("kind", ["db", "xlsx", "zip", "arrays", "json", "shards of json", "orc"])
def test_in_files_of_every_kind(tmp_path: Path, kind: str, plain) -> None:
    mapping, pairs = kept(tmp_path, kind)
    assert said(check(Request(mapping=mapping, pairs=pairs, workers=3))) == plain


def test_every_reader_is_told_in_the_documentation() -> None:
    for reader in READERS:
        assert reader.called
        assert reader.told_by
        assert reader.suffixes
        assert reader.extra is None or reader.extra in Path("pyproject.toml").read_text()
