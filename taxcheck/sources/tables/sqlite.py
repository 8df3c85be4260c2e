"""A table of an SQLite database, read without a lock, a journal or anything of the file being run.

What is sent to SQLite is one SELECT of quoted columns of one table, and an authorizer refuses all
else. Views, virtual tables and generated columns are not read: what they compute is code of the
file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from urllib.parse import quote

import pyarrow as pa

from taxcheck.model.errors import InputError
from taxcheck.sources.files import damaged, on_disk
from taxcheck.sources.readers import Candidate
from taxcheck.sources.tables.batches import RawBatch
from taxcheck.sources.tables.databases import quoted, refuse_changes, stored_table
from taxcheck.sources.tables.values import array_of, is_text

_ROWS = 1 << 17  # fetched at once
_BYTES_A_ROW = 16  # about, to tell how far a reading is
_LONGEST = 1 << 24  # bytes of a cell or of a statement
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ}
_BESIDE = {
    "-wal": "has changes in {} that are not in the file itself yet; close what writes it, or have "
    "it write them: sqlite3 FILE 'PRAGMA wal_checkpoint(TRUNCATE)'",
    "-journal": "was left in the middle of a change ({}); open it with sqlite3, which undoes it",
}


class SqliteReader:
    """One table of a database; rows are numbered from 1 in the order of the table."""

    format = "sqlite"
    header = True

    def __init__(self, candidate: Candidate) -> None:
        self._shown = candidate.file.shown
        self._file = on_disk(candidate.file)
        refuse_changes(candidate.file, self._file, _BESIDE)
        with self._open() as opened:
            tables = self._tables(opened)
            plain = [name for name, kind in tables.items() if kind == "table"]
            columns = {name: self._columns(opened, name) for name in plain}
            self._table = stored_table(candidate, "an SQLite database", tables, columns)
            self.column_names = tuple(columns[self._table])
            self._about = max(self._file.bytes // _BYTES_A_ROW, 1)
        self.notes: tuple[str, ...] = ()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        # immutable: no lock is taken and no file is made beside it; a change is seen afterwards.
        address = f"file:{quote(str(self._file.path.absolute()))}?mode=ro&immutable=1"
        try:
            # Threads take its batches in turn, one at a time.
            connected = sqlite3.connect(address, uri=True, check_same_thread=False)
            with closing(connected) as opened:
                opened.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
                opened.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, _LONGEST)
                opened.execute("PRAGMA trusted_schema = OFF")
                opened.execute("PRAGMA cell_size_check = ON")
                opened.execute("PRAGMA query_only = ON")
                opened.execute("PRAGMA mmap_size = 0")
                opened.set_authorizer(_only_reading)
                yield opened
        except (sqlite3.Error, OverflowError, UnicodeDecodeError, ValueError) as error:
            raise damaged(self._shown, "an SQLite database", error) from error

    def _tables(self, opened: sqlite3.Connection) -> dict[str, str]:
        """Tables and views, and which of them each is."""
        found = opened.execute(
            "SELECT name, type, sql FROM sqlite_master WHERE type IN ('table', 'view')"
        )
        return {
            str(name): "virtual table"
            if str(sql)[:20].upper().startswith("CREATE VIRTUAL")
            else kind
            for name, kind, sql in found
            if not str(name).startswith("sqlite_")
        }

    def _columns(self, opened: sqlite3.Connection, table: str) -> list[str]:
        described = opened.execute(f"PRAGMA table_xinfo({quoted(table)})")
        return [str(name) for _, name, *_, hidden in described if not hidden]

    def batches(self, columns: Mapping[str, str]) -> Iterator[tuple[RawBatch, float]]:
        """Batches and the share of the table that is read, 0 to 1."""
        names = list(dict.fromkeys(columns.values()))
        wanted = ", ".join(map(quoted, names))
        first = 1
        with self._open() as opened:
            cursor = opened.execute(f"SELECT {wanted} FROM {quoted(self._table)}")
            while rows := cursor.fetchmany(_ROWS):
                values = dict(zip(names, zip(*rows, strict=True), strict=True))
                cells: dict[str, pa.Array] = {}
                for role, name in columns.items():
                    cell = array_of(values[name], text=is_text(role))
                    if cell is None:
                        raise InputError(
                            f"{self._shown}: column {name!r} holds bytes (BLOB), where numbers or "
                            "texts are needed"
                        )
                    cells[role] = cell
                yield RawBatch(first, cells), min(first / self._about, 1.0)
                first += len(rows)


def _only_reading(action: int, about: str | None, *_: object) -> int:
    described = action == sqlite3.SQLITE_PRAGMA and about == "table_xinfo"
    return sqlite3.SQLITE_OK if described or action in _ALLOWED else sqlite3.SQLITE_DENY
