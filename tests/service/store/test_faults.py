"""Processes that are killed, disks that fill, databases that go away, clocks that jump."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from collections import Counter

import psycopg
import pytest
from sqlalchemy import func, select, text

from taxcheck.model.written import report_to_json
from taxcheck.service.settings import Settings
from taxcheck.service.store import database, datasets, head, ingest, lookup, migrate, runs, tables
from taxcheck.service.store.errors import AwayError, NoRoomError
from taxcheck.service.store.store import open_store
from tests.service.pushing import dated, push, sample
from tests.service.steps import with_a_later_step
from tests.service.store import killable

KILLS = 200
SLOW = pytest.mark.slow


def expect_whole(store):
    """Every run has all of its parts, and every dataset knows its runs."""
    count = func.count()
    with store.database.reading() as connection:
        rows = connection.execute(select(tables.run)).all()
        results = dict(connection.execute(select(tables.result.c.run, count).group_by("run")).all())
        metrics = dict(connection.execute(select(tables.metric.c.run, count).group_by("run")).all())
        stands = connection.execute(select(tables.dataset)).all()
        if store.database.is_sqlite:
            assert connection.scalar(text("PRAGMA integrity_check")) == "ok"
            assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
    for row in rows:
        report = runs.report(store, row.id)
        assert results[row.key] == len(report.results)
        assert metrics.get(row.key, 0) > 0
    of = Counter(row.dataset for row in rows)
    newest = {}
    for row in rows:
        newest[row.dataset] = max(newest.get(row.dataset, (0, 0)), (row.created, row.key))
    for dataset in stands:
        assert dataset.runs == of[dataset.key]
        assert (dataset.newest or 0) == newest.get(dataset.key, (0, 0))[1]
    return {row.id for row in rows}


@SLOW
def test_what_was_acknowledged_is_there_after_kills_at_any_moment(store, settings, tmp_path):
    told, draw = tmp_path / "told", random.Random(8740)
    push(store, "incident", "first", dataset="a")
    names = ("incident", "healthy", "audited incident")
    reports = [report_to_json(sample(name)) for name in names]
    for seed in range(KILLS):
        told.touch()
        process = killable.begin(killable.pushing, settings, seed, reports, told)
        killable.wait_for(told, 1 + draw.randrange(6))
        time.sleep(draw.random() * 0.1)
        process.kill()
        process.join()
        acknowledged = set(told.read_text().split()) - {"begun"}
        told.rename(tmp_path / f"told-{seed}")
        with store.database.reading() as connection:
            there = set(connection.scalars(select(tables.run.c.id)))
        assert acknowledged <= there
    there = expect_whole(store)
    acknowledged = {
        line for path in tmp_path.glob("told-*") for line in path.read_text().split()
    } - {"begun"}
    assert len(acknowledged) > KILLS  # enough was under way
    assert acknowledged <= there
    push(store, "healthy", "last")


@SLOW
def test_a_migration_that_is_killed_at_any_moment_is_done_or_not(store, settings, tmp_path):
    before = migrate.NEWEST
    push(store, "incident", "run")
    store.close()
    fill = "INSERT INTO later SELECT a.key * 1000 + b.key, 'x' FROM numbers a, numbers b"
    numbers = ", ".join(f"({k})" for k in range(300))
    steps = with_a_later_step(
        tmp_path,
        "CREATE TABLE numbers (key INTEGER PRIMARY KEY)",
        f"INSERT INTO numbers VALUES {numbers}",
        "CREATE TABLE later (key INTEGER PRIMARY KEY, name TEXT)",
        fill,
        "CREATE INDEX ix_later_name ON later (name)",
        "ALTER TABLE run ADD COLUMN later TEXT",
    )
    draw, outcomes, longest = random.Random(8740), Counter(), 1.0
    for _ in range(KILLS):
        begun = time.monotonic()
        process = killable.begin(killable.migrating, settings, steps)
        process.join(draw.random() * longest)
        process.kill()
        process.join()
        done = process.exitcode == 0
        longest = 1.5 * (time.monotonic() - begun) if done else 1.2 * longest
        opened = database.Database(settings.database_url)
        with opened.reading() as connection:
            names = {column["name"] for column in _columns(connection, "run")}
            later = connection.dialect.has_table(connection, "later")
            rows = connection.scalar(text("SELECT count(*) FROM later")) if later else None
            state = migrate._found(connection)
        whole = (state, "later" in names, rows)
        assert whole in ((before, False, None), ("later", True, 90_000))
        outcomes[state] += 1
        if state == "later":
            with opened.writing() as connection:
                for undo in ("DROP TABLE later", "DROP TABLE numbers",
                             "ALTER TABLE run DROP COLUMN later",
                             f"UPDATE alembic_version SET version_num = '{before}'"):  # fmt: skip
                    connection.execute(text(undo))
        opened.close()
        for copy in settings.data.glob("*.backup"):
            copy.unlink()
    assert min(outcomes[before], outcomes["later"]) > KILLS // 20, outcomes
    again = open_store(settings)
    assert expect_whole(again) == {"run"}
    again.close()
    if again.database.is_sqlite:
        assert len(list(settings.data.glob(".*.partial"))) <= 1


def _columns(connection, table):
    from sqlalchemy import inspect

    return inspect(connection).get_columns(table)


@pytest.fixture
def small(tmp_path):
    """A disk of 12 MiB."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root can mount a small disk")
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", folder], capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.slow
def test_a_full_disk_refuses_new_runs_and_shows_the_old(small):
    store = open_store(Settings(data=small / "data"))
    kept, errors = set(), []
    for k in range(3000):
        try:
            kept.add(push(store, dated("audited incident", k / 24), f"run-{k}"))
        except NoRoomError as error:
            errors.append(str(error))
            if len(errors) == 20:
                break
    assert len(errors) == 20
    assert all(said.endswith("the disk is full; nothing was kept") for said in errors)
    assert len(kept) > 20
    assert expect_whole(store) == kept
    assert len(datasets.grid(store, "ncbi", "animals").runs) == min(len(kept), 50)
    again = open_store(Settings(data=small / "data"))
    assert {row.id for row in runs.find(again, limit=500).rows} <= kept
    again.close()
    subprocess.run(["mount", "-o", "remount,size=24m", small], check=True)
    assert push(store, "incident", "later") == "later"
    assert expect_whole(store) == kept | {"later"}
    store.close()


@SLOW
def test_a_database_that_goes_away_comes_back(cluster, tmp_path):
    store = open_store(Settings(data=tmp_path / "data", database=cluster.new()))
    push(store, "incident", "before")
    cluster.stop()
    try:
        for ask in (lambda: runs.one(store, "before"), lambda: push(store, "healthy", "during"),
                    lambda: open_store(store.settings)):  # fmt: skip
            with pytest.raises(AwayError, match=r"database taxcheck_\w+ on 127.0.0.1"):
                ask()
    finally:
        cluster.start()
    assert runs.report(store, "before") == sample("incident")
    push(store, "healthy", "during")
    assert expect_whole(store) == {"before", "during"}
    store.close()


def test_a_message_about_the_database_does_not_show_its_password():
    asked = Settings(database="postgresql://ada:secret@127.0.0.1:1/none")
    with pytest.raises(AwayError) as caught:
        open_store(asked)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_one_line(tmp_path):
    (tmp_path / "taxcheck.db").write_bytes(b"what somebody else keeps here" * 1000)
    with pytest.raises(AwayError, match=r"taxcheck.db: does not answer: file is not a database"):
        open_store(Settings(data=tmp_path))


@SLOW
def test_a_user_who_may_make_no_tables_is_one_line(cluster, tmp_path):
    url = cluster.new()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE ROLE guest LOGIN")
    asked = Settings(data=tmp_path, database=url.replace("postgres@", "guest@"))
    with pytest.raises(AwayError, match="permission denied for schema public"):
        open_store(asked)


def test_clocks_that_jump_lose_and_double_nothing(store, monkeypatch):
    clock, draw = [1_800_000_000_000], random.Random(8740)
    for module in (database, ingest, head, lookup):
        monkeypatch.setattr(module, "now", lambda: clock[0])
    wanted = []
    for k in range(40):
        clock[0] += draw.choice((1, 1000, 86_400_000 * 900, -86_400_000 * 700, -3_600_000))
        wanted.append(push(store, dated("incident", draw.random() * 100), f"run-{k}"))
    found, cursor = [], None
    while True:
        page = runs.find(store, cursor=cursor, limit=7)
        found += [row.id for row in page.rows]
        if (cursor := page.next) is None:
            break
    assert sorted(found) == sorted(wanted)
    assert expect_whole(store) == set(wanted)
