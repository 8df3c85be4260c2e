"""Workers that are killed: every job is done once, whatever happens to those who do it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, select

from taxcheck.model.written import report_to_json
from taxcheck.service.settings import Settings
from taxcheck.service.store import jobs, tables
from taxcheck.service.store.asked import Gate
from taxcheck.service.store.store import Store
from tests.service.pushing import sample

LEASE = 2


class Crew:
    """Workers in processes of their own, on one store."""

    def __init__(self, store: Store, command: Path) -> None:
        self._store = store
        self._command = command
        self._processes: list[subprocess.Popen[bytes]] = []

    def hire(self) -> None:
        settings: Settings = self._store.settings
        given = (str(settings.data), settings.database or "", str(self._command), str(LEASE))
        command = [sys.executable, "-m", "tests.service.worker.one", *given]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        self._processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"

    def kill(self, which: int) -> None:
        """Without a word, as when a machine has no memory left; a new one comes."""
        process = self._processes.pop(which)
        process.kill()
        process.communicate()
        self.hire()

    def send_home(self) -> list[int]:
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            process.communicate(timeout=60)
        return [process.returncode for process in self._processes]

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            process.communicate()


@pytest.fixture
def command(tmp_path: Path) -> Path:
    """In place of `taxcheck`: it waits a moment, and leaves a report."""
    report = tmp_path / "report.json"
    report.write_bytes(report_to_json(sample("healthy")))
    program = tmp_path / "command.sh"
    program.write_text(
        f'#!/bin/sh\necho "$$" >> {tmp_path}/begun\nsleep 0.1\ncp {report} ../out/report.json\n'
    )
    program.chmod(0o700)
    return program


def submit(store: Store, number: int) -> list[str]:
    return [
        jobs.submit(store, project="ncbi", dataset=f"d{k % 7}", asked=Gate()) for k in range(number)
    ]


def ended(store: Store) -> int:
    return sum(jobs.counts(store).get(state, 0) for state in jobs.ENDED)


def wait_until(store: Store, number: int, seconds: float) -> None:
    last = time.monotonic() + seconds
    while ended(store) < number:
        assert time.monotonic() < last, jobs.counts(store)
        time.sleep(0.1)


def expect_each_done_once(store: Store, ids: list[str]) -> None:
    assert jobs.counts(store) == {"done": len(ids)}
    with store.database.reading() as connection:
        made = connection.execute(select(tables.run.c.id, tables.run.c.job)).all()
        counted = connection.scalar(select(func.sum(tables.dataset.c.runs)))
    assert Counter(row.id for row in made) == Counter(ids)
    assert all(row.id == row.job for row in made)
    assert counted == len(ids)


def faults(store: Store, command: Path, number: int, workers: int, kills: int) -> None:
    """So many jobs, workers, and workers that are killed on the way."""
    ids, chance = submit(store, number), random.Random(0)
    with Crew(store, command) as crew:
        for _ in range(workers):
            crew.hire()
        for k in range(kills):
            wait_until(store, number * (k + 1) // (kills + 2), 600)
            time.sleep(chance.random() * 0.3)
            crew.kill(chance.randrange(workers))
        wait_until(store, number, 600)
        assert crew.send_home() == [0] * workers
    expect_each_done_once(store, ids)
    begun = len((command.parent / "begun").read_text().split())
    assert number <= begun <= number + kills * 2


@pytest.mark.slow
@pytest.mark.long
def test_a_worker_that_is_killed_loses_its_job_to_another(store: Store, command: Path) -> None:
    faults(store, command, number=10, workers=2, kills=1)


@pytest.mark.slow
def test_three_hundred_jobs_four_workers_and_six_kills(store: Store, command: Path) -> None:
    faults(store, command, number=300, workers=4, kills=6)


@pytest.mark.long
def test_a_worker_that_is_stopped_hands_its_job_back_and_ends_well(
    store: Store, tmp_path: Path
) -> None:
    program = tmp_path / "slow.sh"
    program.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 600\n")
    program.chmod(0o700)
    (id,) = submit(store, 1)
    with Crew(store, program) as crew:
        crew.hire()
        noted = tmp_path / "pid"
        while not noted.exists() or not noted.read_text():
            time.sleep(0.05)
        began = time.monotonic()
        assert crew.send_home() == [0]
        assert time.monotonic() - began < 30
    with pytest.raises(ProcessLookupError):
        os.kill(int(noted.read_text()), 0)
    story = jobs.one(store, id)
    assert (story.state, story.attempts, story.worker) == ("queued", 0, None)
