"""Jobs in the store: taken up once, ended once, whoever is slow, gone or has a clock that jumps."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from taxcheck.model.errors import TaxcheckError
from taxcheck.service.store import database, jobs
from taxcheck.service.store.asked import Asked, Gate
from taxcheck.service.store.errors import ConflictError, NotThereError, RefusedError
from taxcheck.service.store.jobs import Beat, Claim, JobStory, Progress
from taxcheck.service.store.store import Store
from taxcheck.service.store.tables import job
from taxcheck.service.worker.watch import Watch

DAY = 86_400_000  # milliseconds
LEASE = 30.0


def submit(store: Store, dataset: str = "animals", project: str = "ncbi") -> str:
    return jobs.submit(store, project=project, dataset=dataset, asked=Gate(), person="ada")


def claim(store: Store, worker: str = "one") -> Claim:
    held = jobs.claim(store, worker)
    assert held is not None
    return held


def finish(store: Store, held: Claim, state: str = "done", **values: object) -> None:
    with store.database.writing() as connection:
        jobs.finish(connection, held, state, **values)


class Clock:
    """Both clocks of a machine: the one that people set, and the one that only runs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall, self.ran = 1_800_000_000_000, 1000.0
        for module in (database, jobs):
            monkeypatch.setattr(module, "now", lambda: self.wall)

    def run(self, seconds: float) -> None:
        self.wall += round(seconds * 1000)
        self.ran += seconds

    def watch(self) -> Watch:
        return Watch(LEASE, lambda: self.ran)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def look(store: Store, watch: Watch) -> None:
    jobs.take_from(store, watch.silent(jobs.signs(store)))


def test_a_job_is_taken_up_told_of_and_ended(store: Store) -> None:
    id = submit(store)
    assert jobs.one(store, id).state == "queued"
    held = claim(store)
    assert (held.id, held.project, held.dataset, held.person) == (id, "ncbi", "animals", "ada")
    assert (held.asked, held.attempts, held.fence) == (Gate(), 1, 1)
    assert jobs.claim(store, "two") is None
    assert jobs.beat(store, held, progress=Progress("reading", 1, 2), log="so far") is Beat.GO_ON
    assert jobs.beat(store, held) is Beat.GO_ON
    story = jobs.one(store, id)
    assert (story.state, story.worker, story.log) == ("running", "one", "so far")
    assert story.progress == Progress("reading", 1, 2)
    finish(store, held, exit_code=1, run="r", outcome=b'{"a":1}', log="all")
    story = jobs.one(store, id)
    assert (story.state, story.exit_code, story.run, story.log) == ("done", 1, "r", "all")
    assert bytes(story.outcome or b"") == b'{"a":1}'
    assert story.ended is not None
    assert jobs.beat(store, held) is Beat.LOST
    with pytest.raises(ConflictError):
        finish(store, held)


def test_those_that_wait_longest_come_first(store: Store) -> None:
    ids = [submit(store, f"d{k}") for k in range(5)]
    assert [claim(store).id for _ in ids] == ids


@pytest.mark.parametrize("workers", [8])
def test_each_job_is_taken_up_once_however_many_ask(store: Store, workers: int) -> None:
    ids = [submit(store) for _ in range(40)]
    taken: list[str] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            while (held := jobs.claim(store, threading.current_thread().name)) is not None:
                taken.append(held.id)
                finish(store, held)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert Counter(taken) == Counter(ids)
    assert jobs.counts(store) == {"done": 40}


def test_a_silent_worker_loses_its_job_and_is_refused_when_it_comes_back(
    store: Store, clock: Clock
) -> None:
    id, watch = submit(store), clock.watch()
    late = claim(store, "late")
    look(store, watch)
    clock.run(LEASE - 1)
    look(store, watch)
    assert jobs.one(store, id).state == "running"
    clock.run(1)
    look(store, watch)
    assert jobs.one(store, id).state == "queued"
    assert jobs.beat(store, late) is Beat.LOST
    with pytest.raises(ConflictError):
        finish(store, late)
    held = claim(store, "next")
    assert (held.id, held.fence, held.attempts) == (id, late.fence + 1, 2)
    assert jobs.beat(store, late) is Beat.LOST
    jobs.hand_back(store, late)
    with pytest.raises(ConflictError):
        finish(store, late, "failed", line="late")
    finish(store, held)
    assert (jobs.one(store, id).state, jobs.one(store, id).line) == ("done", None)


def test_after_three_tries_it_fails_with_the_reason(store: Store, clock: Clock) -> None:
    id, watch = submit(store), clock.watch()
    for _ in range(3):
        claim(store)
        look(store, watch)
        clock.run(LEASE)
        look(store, watch)
    story = jobs.one(store, id)
    assert (story.state, story.attempts) == ("failed", 3)
    assert story.line is not None
    assert story.line.startswith("given up after 3 tries")
    assert "went silent" in story.line
    assert jobs.claim(store, "one") is None


def test_a_try_that_was_no_fault_of_the_job_does_not_count(store: Store) -> None:
    id = submit(store)
    for _ in range(10):
        jobs.hand_back(store, claim(store))
    assert (jobs.one(store, id).state, jobs.one(store, id).attempts) == ("queued", 0)
    for _ in range(3):
        jobs.hand_back(store, claim(store), "no room")
    story = jobs.one(store, id)
    assert (story.state, story.attempts) == ("failed", 3)
    assert story.line is not None
    assert "no room" in story.line


@pytest.mark.parametrize("jump", [DAY, -DAY])
def test_a_clock_that_jumps_takes_no_job_from_a_worker_that_is_there(
    store: Store, clock: Clock, jump: int
) -> None:
    id, watch = submit(store), clock.watch()
    held = claim(store)
    look(store, watch)
    clock.wall += jump
    for _ in range(20):
        clock.run(LEASE / 3)
        look(store, watch)
        assert jobs.beat(store, held) is Beat.GO_ON
    finish(store, held)
    assert (jobs.one(store, id).state, jobs.one(store, id).attempts) == ("done", 1)


@pytest.mark.parametrize("jump", [DAY, -DAY])
def test_a_clock_that_jumps_keeps_no_job_with_a_worker_that_is_gone(
    store: Store, clock: Clock, jump: int
) -> None:
    id, watch = submit(store), clock.watch()
    claim(store)
    look(store, watch)
    clock.wall += jump
    clock.run(LEASE)
    look(store, watch)
    assert claim(store, "next").id == id


def test_a_job_that_waits_is_cancelled_at_once(store: Store) -> None:
    id = submit(store)
    jobs.cancel(store, id, person="ada")
    assert jobs.one(store, id).state == "cancelled"
    assert jobs.claim(store, "one") is None
    with pytest.raises(ConflictError, match="cancelled"):
        jobs.cancel(store, id)


def test_a_job_that_runs_is_cancelled_by_its_worker(store: Store) -> None:
    id = submit(store)
    held = claim(store)
    jobs.cancel(store, id)
    assert (jobs.one(store, id).state, jobs.one(store, id).cancelling) == ("running", True)
    assert jobs.beat(store, held) is Beat.CANCEL
    finish(store, held, "cancelled")
    assert (jobs.one(store, id).state, jobs.one(store, id).cancelling) == ("cancelled", False)


def test_a_job_whose_worker_is_gone_is_cancelled_in_its_place(store: Store, clock: Clock) -> None:
    id, watch = submit(store), clock.watch()
    claim(store)
    jobs.cancel(store, id)
    look(store, watch)
    clock.run(LEASE)
    look(store, watch)
    assert jobs.one(store, id).state == "cancelled"
    assert jobs.claim(store, "one") is None


def test_a_job_that_is_handed_back_is_cancelled_if_somebody_wants_that(store: Store) -> None:
    id = submit(store)
    held = claim(store)
    jobs.cancel(store, id)
    jobs.hand_back(store, held)
    assert jobs.one(store, id).state == "cancelled"


def test_jobs_are_found_by_what_they_are_of_and_page_by_page(store: Store) -> None:
    ids = [submit(store, f"d{k % 2}", f"p{k % 3}") for k in range(12)]
    claim(store)
    seen, cursor = [], None
    while True:
        page = jobs.jobs(store, cursor=cursor, limit=5)
        seen += [job.id for job in page.jobs]
        cursor = page.next
        if cursor is None:
            break
    assert seen == ids[::-1]
    assert [j.id for j in jobs.jobs(store, states=["running"]).jobs] == ids[:1]
    assert [j.id for j in jobs.jobs(store, project="p1", dataset="d0").jobs] == [ids[10], ids[4]]
    assert {j.project for j in jobs.jobs(store, projects=["p0", "p2"]).jobs} == {"p0", "p2"}
    assert jobs.jobs(store, projects=[]).jobs == ()
    with pytest.raises(RefusedError):
        jobs.jobs(store, cursor="x' OR 1=1")


def test_what_is_not_there_is_said(store: Store) -> None:
    for call in (jobs.one, jobs.cancel, jobs.results):
        with pytest.raises(NotThereError):
            call(store, "0" * 32)


@pytest.mark.parametrize("names", [("../x", "d"), ("p", "a/b"), ("", "d"), ("api", "d")])
def test_a_name_that_cannot_be_is_refused(store: Store, names: tuple[str, str]) -> None:
    with pytest.raises(TaxcheckError):
        submit(store, names[1], names[0])


@pytest.mark.parametrize("asked", [Gate(mapping="/etc/passwd"), Gate(policy="upload:" + "0" * 32)])
def test_a_file_that_may_not_be_read_is_refused_at_once(store: Store, asked: Asked) -> None:
    with pytest.raises(RefusedError):
        jobs.submit(store, project="p", dataset="d", asked=asked)


def test_every_column_of_the_table_is_told_or_is_of_the_lease() -> None:
    told = set(JobStory.__struct_fields__) - {"project"}
    assert told <= {column.name for column in job.columns}
    assert {column.name for column in job.columns} - told == {"key", "fence"}
