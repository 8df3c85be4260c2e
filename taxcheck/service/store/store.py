"""Everything that a server keeps, opened once: the database, brought up to date, and the files."""

from __future__ import annotations

from dataclasses import dataclass

from taxcheck.files import unwritten
from taxcheck.service.settings import Settings
from taxcheck.service.store.blobs import Blobs
from taxcheck.service.store.database import Database
from taxcheck.service.store.migrate import expect_current, migrate_database


@dataclass(frozen=True, slots=True)
class Store:
    """What a server keeps; threads and processes may share it."""

    settings: Settings
    database: Database
    blobs: Blobs

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()


def open_store(settings: Settings, *, migrate: bool = True) -> Store:
    """The store that the settings name, made where there is none.

    A database of an earlier taxcheck is brought up to date; with ``migrate`` False that is an
    error. Raises NewerSchemaError, AwayError, OutputError.
    """
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)  # holds secrets of webhooks
    except OSError as error:
        raise unwritten(settings.data, error) from None
    database = Database(settings.database_url)
    try:
        if migrate:
            migrate_database(database)
        else:
            expect_current(database)
        return Store(settings, database, Blobs(settings.reports or settings.data / "reports"))
    except BaseException:
        database.close()
        raise
