"""A table of a DuckDB database is read; nothing of the file is run, changed or left beside it."""

from __future__ import annotations

import builtins
from pathlib import Path

import duckdb
import pytest

from taxcheck.model.errors import InputError
from taxcheck.sources.tables import duckdb_file
from taxcheck.sources.tables.opening import open_mapping, open_pairs
from taxcheck.sources.taxonomies.opening import read_source

PAIRS = "CREATE TABLE pairs(ancestor INT, descendant HUGEINT); INSERT INTO pairs VALUES (0,1),(0,2)"
EDGES = "CREATE TABLE main.edges AS SELECT * FROM (VALUES ('b','a'),('c','b')) AS t(child, parent)"
MAPPING = (
    "CREATE TYPE kind AS ENUM('x', 'y'); CREATE SCHEMA other;"
    'CREATE TABLE other."my map"(taxid kind, idx UTINYINT, next INT GENERATED ALWAYS AS (idx + 1));'
    "INSERT INTO other.\"my map\" VALUES ('y', 0), ('x', 1)"
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("duckdb") / "t.duckdb"
    with duckdb.connect(path) as opened:
        opened.execute(f"{EDGES}; {MAPPING}; {PAIRS}; CREATE VIEW v AS SELECT * FROM pairs")
        opened.execute("CREATE TABLE seen AS SELECT 0 AS ancestor, current_date AS descendant")
        opened.execute("CREATE TABLE long AS SELECT i AS taxid, i AS idx FROM range(200000) t(i)")
    return path


def rows(source) -> list[tuple[object, ...]]:
    return [
        row
        for batch in source.batches()
        for row in zip(
            batch.numbers.tolist(), *(c.to_pylist() for c in batch.columns.values()), strict=True
        )
    ]


def test_a_table_is_named_and_read_exactly(file: Path) -> None:
    before = file.read_bytes()
    assert rows(open_pairs(f"{file}::pairs")) == [(1, 0, "1"), (2, 0, "2")]
    mapping = open_mapping(f"{file}::other.my map")
    assert mapping.table.column_names == ("taxid", "idx"), "what is computed is no column"
    assert rows(mapping) == [(1, "y", 0), (2, "x", 1)]
    assert read_source(f"{file}::edges").identifiers.to_pylist() == ["a", "b", "c"]
    assert file.read_bytes() == before
    assert [one.name for one in file.parent.iterdir()] == [file.name]


@pytest.mark.slow
def test_rows_are_in_the_order_of_the_table(file: Path) -> None:
    assert rows(open_mapping(f"{file}::long")) == [(i + 1, i, i) for i in range(200_000)]


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("", r"of 5: edges, long, pairs, seen, other\.my map; name the one .*edges has child, pa"),
        ("::v", "is a view, whose rows would be computed"),
        ("::w", "without that; it holds edges, long, pairs, seen, v, other"),
        ("::seen", "column 'descendant' is of type date32"),
    ],
)
def test_what_is_not_read_is_said(file: Path, part: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        rows(open_pairs(f"{file}{part}"))


def test_the_file_reaches_nothing_else(file: Path, tmp_path: Path) -> None:
    (other := tmp_path / "other.csv").write_text("a,b\n1,2\n")
    reader = open_pairs(f"{file}::pairs").table._opened
    with pytest.raises(InputError, match="disabled"), reader._open() as opened:
        opened.execute(f"SELECT * FROM read_csv('{other}')")
    with pytest.raises(InputError, match="locked"), reader._open() as opened:
        opened.execute("SET enable_external_access = true")
    with pytest.raises(InputError, match="read-only"), reader._open() as opened:
        opened.execute("CREATE TABLE x(a INT)")


def test_a_damaged_database_and_changes_beside_it_are_one_line(file: Path, tmp_path: Path) -> None:
    data, path = file.read_bytes(), tmp_path / "t.duckdb"
    for damaged in (data[:5000], data[:100], data[:4096] + bytes(len(data) - 4096)):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="cannot be read as a DuckDB database") as told:
            rows(open_pairs(f"{path}::pairs"))
        assert str(told.value).isprintable()
    path.write_bytes(data)
    (tmp_path / "t.duckdb.wal").write_bytes(b"x")
    with pytest.raises(InputError, match=r"has changes in t\.duckdb\.wal .* CHECKPOINT"):
        open_pairs(f"{path}::pairs")


def test_without_duckdb_the_extra_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = builtins.__import__

    def without(name: str, *rest: object, **more: object) -> object:
        if name == "duckdb":
            raise ImportError(name)
        return whole(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    assert duckdb_file.DuckDbReader.format == "duckdb"
    with pytest.raises(InputError, match=r"needs duckdb: pip install 'taxcheck\[duckdb\]'; or exp"):
        open_pairs(str(file))
