"""What goes by itself, and what stays."""

from __future__ import annotations

import dataclasses
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from blake3 import blake3
from msgspec.structs import replace
from sqlalchemy import insert, select

from taxcheck.service.store import database, datasets, ingest, retention, runs, tables
from taxcheck.service.store.blobs import Blobs
from taxcheck.service.store.errors import NotThereError
from taxcheck.service.store.store import open_store
from taxcheck.service.worker import loop
from tests.service.pushing import FIRST_DAY, dated, push, sample

DAY = 86_400_000


@pytest.fixture
def brief(settings, monkeypatch):
    """A store that keeps 30 days and 3 runs, on the hundredth day."""
    moment = int(FIRST_DAY.timestamp() * 1000) + 100 * DAY
    for module in (database, ingest, retention):
        monkeypatch.setattr(module, "now", lambda: moment)
    opened = open_store(dataclasses.replace(settings, keep_days=30, keep_runs=3))
    yield opened
    opened.close()


def ids(store):
    return [row.id for row in runs.find(store, limit=500).rows]


def test_old_runs_go_but_for_the_last_and_those_that_are_held(brief):
    push(brief, dated("healthy", 1), "pass")
    for day in range(2, 20):
        push(brief, dated("incident", day), f"run-{day}")
    push(brief, dated("incident", 1.5), "baseline")
    runs.pin(brief, "run-5")
    datasets.set_baseline(brief, "ncbi", "animals", "baseline")
    push(brief, dated("incident", 1), "alone", dataset="plants")
    swept = retention.sweep(brief)
    left = ["run-19", "run-18", "run-17", "run-5", "baseline", "alone", "pass"]
    assert ids(brief) == left
    assert swept.runs == 21 - len(left)
    head = datasets.one(brief, "ncbi", "animals")
    assert (head.runs, head.newest_pass) == (6, "pass")
    assert [r.id for r in head.recent][-1] == "run-19"
    assert retention.sweep(brief) == retention.Swept(0, 0, 0, 0, 0)


def test_young_runs_stay_however_many(brief):
    for day in range(90, 99):
        push(brief, dated("incident", day))
    assert retention.sweep(brief).runs == 0
    assert len(ids(brief)) == 9


def test_more_than_one_transaction_of_runs(brief, monkeypatch):
    monkeypatch.setattr(retention, "_AT_ONCE", 4)
    for day in range(15):
        push(brief, dated("incident", day), f"run-{day}")
    assert retention.sweep(brief).runs == 12
    assert ids(brief) == ["run-14", "run-13", "run-12"]


def test_files_of_no_run_go_and_others_stay(store):
    push(store, "incident", "one")
    push(store, "healthy", "two")
    orphan = store.blobs.put(b"of a push whose transaction did not come to pass")
    size = store.blobs.size(orphan)
    assert retention.sweep(store) == retention.Swept(0, 0, 0, 1, size)
    runs.remove(store, "one")
    assert retention.sweep(store).files >= 1
    assert runs.report(store, "two") == sample("healthy")
    runs.remove(store, "two")
    retention.sweep(store)
    assert list(store.blobs.all()) == []


def test_what_a_killed_process_left_half_written_goes_after_a_day(store):
    push(store, "incident")
    digest = next(store.blobs.all())[0]
    folder = store.settings.data / "reports" / digest[:2]
    old, young = folder / ".x.zst.old.partial", folder / ".x.zst.young.partial"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 2 * 86_400,) * 2)
    retention.sweep(store)
    assert (old.exists(), young.exists()) == (False, True)


def test_a_push_whose_file_is_swept_in_between_has_it_all_the_same(store, monkeypatch):
    """The sweep runs after the file was written and before the transaction."""
    written = ingest._written

    def swept_first(*arguments):
        assert retention.sweep(store).files == 2
        return written(*arguments)

    monkeypatch.setattr(ingest, "_written", swept_first)
    push(store, "incident", "run")
    assert runs.report(store, "run") == sample("incident")


def test_sweeping_while_many_push_loses_nothing(store):
    over = threading.Event()

    def sweeping():
        while not over.is_set():
            retention.sweep(store)

    with ThreadPoolExecutor(9) as pool:
        sweeper = pool.submit(sweeping)
        report = dated("incident", 1)
        pushes = [
            pool.submit(push, store, replace(report, title=f"run {k % 5}"), f"run-{k}")
            for k in range(60)
        ]
        for one in pushes:
            one.result()
        over.set()
        sweeper.result()
    for k in range(60):
        assert runs.report(store, f"run-{k}").title == f"run {k % 5}"


def test_finished_jobs_go(brief):
    push(brief, dated("incident", 99))
    moment = retention.now()
    with brief.database.writing() as connection:
        dataset = connection.scalar(select(tables.dataset.c.key))
        usual = {"dataset": dataset, "kind": "gate", "asked": "{}", "created": 0}
        rows = [
            {"id": "old", "state": "done", "ended": moment - 31 * DAY},
            {"id": "young", "state": "failed", "ended": moment - 29 * DAY},
            {"id": "queued", "state": "queued", "ended": None},
        ]
        connection.execute(insert(tables.job), [usual | row for row in rows])
    assert retention.sweep(brief).jobs == 1
    with brief.database.reading() as connection:
        assert sorted(connection.scalars(select(tables.job.c.id))) == ["queued", "young"]


def test_how_much_room_is_taken(store):
    assert retention.disk(store).runs == 0
    push(store, "incident", "one")
    push(store, "incident", "two")
    found = retention.disk(store)
    assert found.runs == 2
    assert found.reports == runs.one(store, "one").bytes
    assert found.database > 100_000
    assert found.free > 0


@pytest.mark.parametrize("where", ["folder", "file://{}/bucket"])
def test_files_lie_in_a_folder_or_where_arrow_reaches(tmp_path, where):
    blobs = Blobs(where.format(tmp_path) if "{}" in where else tmp_path / where)
    content = b"content" * 1000
    digest = blobs.put(content)
    assert digest == blobs.put(content) == blake3(content).hexdigest()
    assert blobs.get(digest) == content
    assert list(blobs.all()) == [(digest, blobs.size(digest))]
    assert blobs.size(digest) < 100
    blobs.remove(digest)
    blobs.remove(digest)
    assert (blobs.size(digest), list(blobs.all())) == (None, [])
    with pytest.raises(NotThereError):
        blobs.get(digest)


def test_a_worker_sweeps(brief):
    for day in range(5):
        push(brief, dated("incident", day), f"run-{day}")
    loop.sweep(brief, threading.Event())
    assert ids(brief) == ["run-4", "run-3", "run-2"]
