"""A table of a DuckDB database, read without a lock, a log or anything of the file being run.

What is sent to DuckDB is one SELECT of quoted columns of one table. The file is opened to be read
alone, without extensions, other files or settings that it may ask for. Views and generated columns
are not read: what they compute is code of the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from taxcheck.model.errors import InputError
from taxcheck.sources.files import damaged, on_disk
from taxcheck.sources.packed import DAMAGES
from taxcheck.sources.readers import Candidate
from taxcheck.sources.tables.batches import RawBatch
from taxcheck.sources.tables.columnar import plain
from taxcheck.sources.tables.databases import quoted, refuse_changes, stored_table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_ROWS = 1 << 17  # of a batch
_AS_TEXT = ("HUGEINT", "UHUGEINT", "UUID")  # which Arrow would round, or call bytes
_CLOSED = {
    "enable_external_access": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_unsigned_extensions": "false",
    "temp_directory": "",
    "memory_limit": "1GB",  # of what was read, which would else be kept
    "preserve_insertion_order": "true",
}
_BESIDE = {
    ".wal": "has changes in {} that are not in the file itself yet; close what writes it, or have "
    "it write them: CHECKPOINT"
}
_TABLES = """
SELECT schema_name, table_name, 'table', estimated_size FROM duckdb_tables()
WHERE NOT internal AND database_name = current_database()
UNION ALL
SELECT schema_name, view_name, 'view', 0 FROM duckdb_views()
WHERE NOT internal AND database_name = current_database()
ORDER BY ALL
"""
_COLUMNS = """
SELECT column_name, data_type FROM information_schema.columns
WHERE table_catalog = current_database() AND table_schema = ? AND table_name = ?
AND is_generated = 'NEVER' ORDER BY ordinal_position
"""


class DuckDbReader:
    """One table of a database; rows are numbered from 1 in the order of the table."""

    format = "duckdb"
    header = True

    def __init__(self, candidate: Candidate) -> None:
        self._shown = candidate.file.shown
        self._file = on_disk(candidate.file)
        refuse_changes(candidate.file, self._file, _BESIDE)
        with self._open() as opened:
            found = opened.execute(_TABLES).fetchall()
            tables = {
                name if schema == "main" else f"{schema}.{name}": (schema, name, kind, rows)
                for schema, name, kind, rows in found
            }
            kinds = {shown: kind for shown, (*_, kind, _) in tables.items()}
            of = {
                shown: self._columns(opened, *tables[shown][:2])
                for shown, kind in kinds.items()
                if kind == "table"
            }
            columns = {shown: list(types) for shown, types in of.items()}
            table = stored_table(candidate, "a DuckDB database", kinds, columns)
            schema, name, _, rows = tables[table]
            self._table = f"{quoted(schema)}.{quoted(name)}"
            self._types = of[table]
            self._about = max(int(rows), 1)
        self.column_names = tuple(self._types)
        self.notes: tuple[str, ...] = ()

    @contextmanager
    def _open(self) -> Iterator[DuckDBPyConnection]:
        try:
            import duckdb
        except ImportError as error:
            raise InputError(
                f"{self._shown}: is a DuckDB database, which needs duckdb: pip install "
                "'taxcheck[duckdb]'; or export the table as Parquet"
            ) from error
        try:
            path = str(self._file.path.absolute())
            with closing(duckdb.connect(path, read_only=True, config=dict(_CLOSED))) as opened:
                opened.execute("SET enable_progress_bar = false; SET lock_configuration = true")
                yield opened
        except (duckdb.Error, *DAMAGES) as error:
            raise damaged(self._shown, "a DuckDB database", error) from error

    def _columns(self, opened: DuckDBPyConnection, schema: str, table: str) -> dict[str, str]:
        """The columns that are stored, and their types."""
        return dict(opened.execute(_COLUMNS, [schema, table]).fetchall())

    def batches(self, columns: Mapping[str, str]) -> Iterator[tuple[RawBatch, float]]:
        """Batches and the share of the table that is read, 0 to 1."""
        names = list(dict.fromkeys(columns.values()))
        wanted = ", ".join(
            f"CAST({quoted(name)} AS VARCHAR)" if self._types[name] in _AS_TEXT else quoted(name)
            for name in names
        )
        first = 1
        with self._open() as opened:
            asked = opened.sql(f"SELECT {wanted} FROM {self._table}")
            for batch in asked.to_arrow_reader(_ROWS):
                cells = {
                    role: plain(batch.column(names.index(name)), name, self._shown)
                    for role, name in columns.items()
                }
                yield RawBatch(first, cells), min(first / self._about, 1.0)
                first += len(batch)
