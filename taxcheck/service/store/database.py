"""One database: SQLite beside the files, or PostgreSQL.

SQLite runs in WAL mode. Whoever writes says so at once (BEGIN IMMEDIATE): a transaction that read
first and then wished to write could be refused half-way, whatever it is ready to wait.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url
from sqlalchemy.pool import ConnectionPoolEntry

from taxcheck.model.errors import UsageError
from taxcheck.service.store.errors import AwayError, NoRoomError

_PATIENCE = 30.0  # seconds that a writer waits for another, and a request for a connection
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "cache_size = -16384",  # KiB of each connection; with 2 MiB a trend reads its pages thrice
)
_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}
_FULL = ("disk is full", "no space left", "could not extend", "disk quota")
_INSTALL = "pip install 'taxcheck[postgres]'"


class Database:
    """Where all transactions come from; ``url`` as SQLAlchemy writes it, the driver left out."""

    def __init__(self, url: str) -> None:
        self.url = _url(url)
        self.engine = _engine(self.url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"  # a file of this machine
        options = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        self._reader = self.engine.execution_options(**options)
        # SQLite lets waiting writers sleep and try again; in one process they queue up here.
        self._turn = threading.Lock() if self.is_sqlite else nullcontext()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state of everything and writes nothing.

        Raises AwayError where the database does not answer.
        """
        with self._told(), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: all of it is kept when the block ends well, else nothing.

        Raises AwayError where the database does not answer, NoRoomError where its disk is full.
        """
        with self._told(), self._turn:
            connection = self.engine.connect().execution_options(writes=True)
            with connection, connection.begin():
                yield connection

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except exc.DBAPIError as error:
            if not _is_away(error):
                raise
            said = " ".join(str(error.orig).split())
            if any(words in said.lower() for words in _FULL):
                raise NoRoomError(f"{self.named}: the disk is full; nothing was kept") from None
            raise AwayError(f"{self.named}: does not answer: {said[:200]}") from None
        except exc.TimeoutError:
            raise AwayError(f"{self.named}: all connections are in use") from None

    @property
    def named(self) -> str:
        """The database as messages name it; never with its password."""
        if self.is_sqlite:
            return f"database {self.url.database}"
        return f"database {self.url.database} on {self.url.host or 'this machine'}"


def now() -> int:
    """The present moment, as the tables hold it."""
    return time.time_ns() // 1_000_000


def _is_away(error: exc.DBAPIError) -> bool:
    """Whether the database is at fault; what it says of a statement is ours."""
    if isinstance(error, exc.OperationalError | exc.InterfaceError | exc.InternalError):
        return True
    no_rights = getattr(error.orig, "sqlstate", None) == "42501"
    return no_rights or type(error) is exc.DatabaseError  # of SQLite: the file is no database


def _url(text: str) -> URL:
    try:
        url = make_url(text)
    except Exception:
        url = None
    if url is None or url.drivername not in _DRIVERS:
        raise UsageError(
            f"database {text.split('://')[0]!r}: is neither sqlite:///FILE nor "
            "postgresql://USER@HOST/NAME"
        )
    return url.set(drivername=_DRIVERS[url.drivername])


def _engine(url: URL) -> Engine:
    if url.drivername != "sqlite":
        try:
            return create_engine(url, pool_size=10, max_overflow=20, pool_pre_ping=True)
        except ModuleNotFoundError:
            raise UsageError(f"database: PostgreSQL needs psycopg: {_INSTALL}") from None
    engine = create_engine(url, connect_args={"timeout": _PATIENCE}, pool_size=10, max_overflow=40)

    @event.listens_for(engine, "connect")
    def prepared(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # it begins no transaction by itself
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
