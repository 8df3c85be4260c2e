"""Bringing a database up to date: one at a time, all of it or nothing, with a backup first."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, inspect, text

from taxcheck.files import whole_file
from taxcheck.model.errors import InputError
from taxcheck.service.store.database import Database, now
from taxcheck.service.store.errors import NewerSchemaError

if TYPE_CHECKING:  # takes half a second, which a server whose tables are up to date need not wait
    from alembic.script import ScriptDirectory

NEWEST = "0002"  # name of the last step in migrations/versions
_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 8740_0001  # of PostgreSQL, for whoever migrates


def migrate_database(database: Database) -> None:
    """Bring the tables up to date, or make them; a second process waits until the first is done.

    An SQLite file that held something is copied beside itself first, as NAME.SCHEMA.TIME.backup.
    Raises NewerSchemaError where a later taxcheck wrote it.
    """
    if current(database) == NEWEST:
        return
    with database.writing() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        before = _found(connection)
        if before == NEWEST:
            return
        scripts = _known(database, before)
        if database.is_sqlite and before is not None:
            _copy(Path(str(database.url.database)), before)
        _run(connection, scripts)


def expect_current(database: Database) -> None:
    """Raises InputError where the tables are not those of this taxcheck."""
    found = current(database)
    if found != NEWEST:
        _known(database, found)
        raise InputError(
            f"{database.named}: is of an earlier taxcheck, or empty; `taxcheck serve` brings it "
            "up to date when it starts"
        )


def current(database: Database) -> str | None:
    """The step that the tables are at; None where there are none."""
    with database.reading() as connection:
        return _found(connection)


def _found(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _known(database: Database, found: str | None) -> ScriptDirectory:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    if found is not None and found not in {one.revision for one in scripts.walk_revisions()}:
        raise NewerSchemaError(
            f"{database.named}: was written by a later taxcheck (schema {found[:40]}, this one "
            f"knows {NEWEST}); type `pip install -U 'taxcheck[service]'`, or restore the "
            "backup that was made before"
        )
    return scripts


def _copy(path: Path, schema: str) -> None:
    """SQLite's own copy, which is whole whoever writes meanwhile.

    Whoever comes here is alone: a copy that is not whole was left by a process that was killed.
    """
    for left in path.parent.glob(f".{path.name}.*.partial"):
        left.unlink(missing_ok=True)
    backup = path.with_name(f"{path.name}.{schema}.{now()}.backup")
    with (
        whole_file(backup) as partial,
        closing(sqlite3.connect(path)) as old,
        closing(sqlite3.connect(partial)) as new,
    ):
        old.backup(new)


def _run(connection: Connection, scripts: ScriptDirectory) -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext

    def upgrade(revision: Any, _: Any) -> Any:
        return scripts._upgrade_revs("head", revision)

    with EnvironmentContext(Config(), scripts, fn=upgrade) as context:
        context.configure(connection=connection, transactional_ddl=True)
        context.run_migrations()
