"""A table of an SQLite database is read; nothing of the file is run, changed or left beside it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from taxcheck.model.errors import InputError
from taxcheck.sources.tables import sqlite
from taxcheck.sources.tables.opening import open_mapping, open_pairs
from taxcheck.sources.taxonomies.opening import read_source

PAIRS = (
    "CREATE TABLE pairs(ancestor INTEGER, descendant); INSERT INTO pairs VALUES (0,1),(0,2),(1,2);"
)
MAPPING = "CREATE TABLE mapping(taxid, idx); INSERT INTO mapping VALUES ('a',0),('b',1),(7,2.0);"


def made(path: Path, script: str) -> str:
    with closing(sqlite3.connect(path)) as opened:
        opened.executescript(script)
        opened.commit()
    return str(path)


def rows(source) -> list[tuple[object, ...]]:
    return [
        row
        for batch in source.batches()
        for row in zip(
            range(batch.first_row, batch.first_row + batch.rows),
            *(column.to_pylist() for column in batch.columns.values()),
            strict=True,
        )
    ]


def test_one_table_is_taken_and_told(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sqlite, "_ROWS", 2)
    path = made(tmp_path / "p.db", PAIRS + "CREATE VIEW other AS SELECT * FROM pairs;")
    before = Path(path).read_bytes()
    source = open_pairs(path)
    assert source.table.notes == ("Read from pairs, the only one in an SQLite database.",)
    assert rows(source) == [(1, 0, 1), (2, 0, 2), (3, 1, 2)]
    assert Path(path).read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["p.db"]


def test_of_several_one_is_named(tmp_path: Path) -> None:
    path = made(tmp_path / "t.db", PAIRS + MAPPING)
    with pytest.raises(InputError, match="of 2: pairs, mapping; name the one") as told:
        open_pairs(path)
    assert "pairs has ancestor, descendant; mapping has taxid, idx" in str(told.value)
    assert len(rows(open_pairs(f"{path}::pairs"))) == 3
    assert rows(open_mapping(f"{path}::mapping")) == [(1, "a", "0"), (2, "b", "1"), (3, "7", "2.0")]
    with pytest.raises(InputError, match="without that; it holds pairs, mapping"):
        open_pairs(f"{path}::pears")


def test_numbers_are_exact_and_names_are_quoted(tmp_path: Path) -> None:
    name = 'x"; DROP TABLE pairs; --'
    script = f"""CREATE TABLE "{name.replace('"', '""')}"(parent, "chi""ld");
    INSERT INTO "{name.replace('"', '""')}" VALUES ({2**60 + 1}, 'a'), ('b', NULL);"""
    path = made(tmp_path / "t.db", script)
    source = open_pairs(path, 'parent=parent,child=chi"ld', mapping_given=False)
    assert rows(source) == [(1, str(2**60 + 1), "a"), (2, "b", None)]


def test_edges_in_a_database_are_a_taxonomy(tmp_path: Path) -> None:
    script = "CREATE TABLE e(child, parent); INSERT INTO e VALUES ('b','a'),('c','b');"
    path = made(tmp_path / "e.db", script + "CREATE TABLE f(child, parent);")
    assert read_source(f"{path}::e").identifiers.to_pylist() == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("script", "part", "said"),
    [
        (PAIRS + "CREATE VIEW v AS SELECT 0 AS ancestor, 1 AS descendant;", "::v", "is a view"),
        ("CREATE VIRTUAL TABLE v USING fts5(ancestor, descendant);", "::v", "is a virtual table"),
        ("CREATE TABLE t(ancestor, descendant AS (hex(9)) VIRTUAL);"
         "INSERT INTO t VALUES (1);", "", "not recognised: 'ancestor';"),
        ("CREATE TABLE t(ancestor, descendant); INSERT INTO t VALUES (0, x'ff00');", "",
         "column 'descendant' holds bytes"),
        ("CREATE TABLE t(ancestor, descendant);", "", "holds no rows"),
        ("CREATE VIEW v AS SELECT 1 AS a;", "", "holds no table"),
    ],
)  # fmt: skip
def test_what_would_be_computed_is_not_read(
    tmp_path: Path, script: str, part: str, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        rows(open_pairs(made(tmp_path / "t.db", script) + part))


def test_changes_beside_the_file_are_not_overlooked(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA journal_mode = wal")
        writer.executescript(PAIRS)
        with pytest.raises(InputError, match=r"changes in t\.db-wal that are not in the file"):
            open_pairs(str(path))
    assert len(rows(open_pairs(str(path)))) == 3
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA journal_mode = delete")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM pairs")
        writer.execute("PRAGMA cache_spill = 1")
        (tmp_path / "t.db-journal").write_bytes(b"x")
        with pytest.raises(InputError, match="in the middle of a change"):
            open_pairs(str(path))


def test_a_damaged_database_is_one_line(tmp_path: Path) -> None:
    path = made(tmp_path / "t.db", PAIRS + "CREATE TABLE u(a);")
    data = Path(path).read_bytes()
    for damaged in (data[:5000], data[:100], data[:4096] + bytes(len(data) - 4096)):
        Path(path).write_bytes(damaged)
        with pytest.raises(InputError, match="SQLite database") as told:
            rows(open_pairs(f"{path}::pairs"))
        assert str(told.value).isprintable()
