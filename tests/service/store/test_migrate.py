"""How a database comes to have its tables."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from taxcheck.model.errors import InputError
from taxcheck.service.store import migrate
from taxcheck.service.store.errors import NewerSchemaError
from taxcheck.service.store.store import open_store
from taxcheck.service.store.tables import metadata
from tests.service.pushing import push
from tests.service.steps import with_a_later_step


def test_the_steps_lead_to_the_tables_that_the_code_has(store):
    with store.database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_last_step_is_the_one_that_is_named(store):
    assert migrate._known(store.database, None).get_current_head() == migrate.NEWEST


def test_what_is_current_is_left_alone(store, settings):
    push(store, "incident")
    before = sorted(settings.data.iterdir())
    again = open_store(settings, migrate=False)
    again.close()
    open_store(settings).close()
    assert sorted(settings.data.iterdir()) == before


def test_a_later_schema_is_refused_with_the_command_to_type(store, settings):
    with store.database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for wanted in (True, False):
        with pytest.raises(NewerSchemaError, match=r"9999.*pip install -U"):
            open_store(settings, migrate=wanted)


def test_an_empty_database_is_not_current(settings):
    with pytest.raises(InputError, match=r"`taxcheck serve` brings it up to date"):
        open_store(settings, migrate=False)


def test_many_that_start_at_once_make_the_tables_once(settings):
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda _: open_store(settings), range(8)))
    for store in opened:
        store.close()
    again = open_store(settings, migrate=False)
    push(again, "incident")
    again.close()


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_what_is_older_is_copied_beside_itself_first(store, settings, monkeypatch, tmp_path):
    id = push(store, "incident")
    store.close()
    folder = with_a_later_step(tmp_path, "CREATE TABLE later (key INTEGER PRIMARY KEY)")
    monkeypatch.setattr(migrate, "_FOLDER", folder)
    monkeypatch.setattr(migrate, "NEWEST", "later")
    later = open_store(settings)
    assert migrate.current(later.database) == "later"
    later.close()
    (backup,) = settings.data.glob("taxcheck.db.0002.*.backup")
    with closing(sqlite3.connect(backup)) as connection:
        assert connection.execute("SELECT id FROM run").fetchall() == [(id,)]
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0002",)
