"""Runs: found a page at a time, marked, taken away."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from taxcheck.service.store import log, runs, tables
from taxcheck.service.store.errors import NotThereError, RefusedError
from tests.service.pushing import dated, push, sample


def ids(page):
    return [row.id for row in page.rows]


@pytest.fixture
def many(store):
    """Twelve runs of three days, four of one moment each."""
    for k in range(12):
        name = ("healthy", "incident")[k % 2]
        push(store, dated(name, k // 4), f"run-{k}", dataset=f"d{k % 3}", branch=f"b{k % 2}")
    return store


def test_pages_have_each_run_once_the_newest_first(many):
    found, cursor = [], None
    while True:
        page = runs.find(many, cursor=cursor, limit=5)
        found += ids(page)
        if (cursor := page.next) is None:
            break
    assert found == [f"run-{k}" for k in range(11, -1, -1)]


def test_a_run_that_comes_between_two_pages_is_in_neither_twice(many):
    first = runs.find(many, limit=5)
    push(many, dated("healthy", 9), "later")
    runs.remove(many, "run-7")
    rest = runs.find(many, cursor=first.next, limit=50)
    assert ids(first) + ids(rest) == [f"run-{k}" for k in range(11, -1, -1)]


@pytest.mark.parametrize(("asked", "wanted"), [
    ({"verdict": "fail"}, range(1, 12, 2)),
    ({"dataset": "d1"}, range(1, 12, 3)),
    ({"project": "ncbi", "dataset": "d2", "branch": "b0"}, (2, 8)),
    ({"project": "none"}, ()),
    ({"since": int(1e12)}, range(12)),
    ({"since": 2**70}, ()),
    ({"since": 1767312000000}, range(4, 12)),  # the second of January 2026
    ({"rule": "PAIR003", "verdict": "pass"}, ()),
])  # fmt: skip
def test_runs_are_found_by_what_they_are(many, asked, wanted):
    assert ids(runs.find(many, **asked)) == [f"run-{k}" for k in sorted(wanted, reverse=True)]


@pytest.mark.parametrize(
    "cursor", ["", "1", "a-b", "1-2-3", "-1-2", "9" * 50, f"{2**63}-1", "\u0661-\u0661"]
)
def test_a_cursor_that_is_none_is_refused(store, cursor):
    with pytest.raises(RefusedError, match="is none of this server"):
        runs.find(store, cursor=cursor)


def test_samples_are_erased_and_the_numbers_stay(store):
    push(store, "incident", "run")
    before = runs.report(store, "run")
    assert any(result.samples for result in before.results)
    assert runs.erase_samples(store, "run", "Ada").erased
    after = runs.report(store, "run")
    assert not any(result.samples for result in after.results)
    assert [r.count for r in after.results] == [r.count for r in before.results]
    with store.database.reading() as connection:
        assert connection.scalars(select(tables.sample.c.rule)).all() == []
    push(store, "incident", "run")  # once more, as from an outbox
    assert runs.report(store, "run") == after


def test_notes_stand_beside_a_run(store):
    push(store, "incident", "run")
    runs.annotate(store, "run", " the mapping was swapped\x00 ", "Ada")
    runs.annotate(store, "run", "mended in abc123")
    assert [(note.person, note.text) for note in runs.annotations(store, "run")] == [
        ("Ada", "the mapping was swapped"), (None, "mended in abc123"),
    ]  # fmt: skip
    for text in (" ", "x" * 10_001):
        with pytest.raises(RefusedError, match="a note has"):
            runs.annotate(store, "run", text)


def test_who_changed_what_is_written_down(store):
    push(store, "incident", "run")
    runs.pin(store, "run", person="Ada")
    runs.pin(store, "run", False, person="Ada")
    runs.remove(store, "run", "Bob")
    entries = log.entries(store)
    assert [(entry.person, entry.action) for entry in entries] == [
        ("Bob", "run removed"), ("Ada", "run unpinned"), ("Ada", "run pinned"),
    ]  # fmt: skip
    assert entries[0].subject == "ncbi/animals run"
    assert [e.key for e in log.entries(store, before=entries[0].key, limit=1)] == [entries[1].key]


@pytest.mark.parametrize("call", [
    runs.one, runs.report, runs.remove, runs.pin, runs.erase_samples, runs.annotations,
    lambda store, id: runs.annotate(store, id, "x"),
])  # fmt: skip
def test_a_run_that_is_not_here_is_said_to_be_so(store, call):
    push(store, "incident", "there")
    with pytest.raises(NotThereError, match="run 'gone': is not here"):
        call(store, "gone")


def test_the_report_of_a_removed_run_that_another_has_stays(store):
    push(store, "incident", "one")
    push(store, "incident", "two")
    runs.remove(store, "one")
    assert runs.report(store, "two") == sample("incident")
