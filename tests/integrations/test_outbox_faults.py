"""The outbox under processes that are killed, and under many that push at once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from taxcheck.integrations.outbox import Outbox, parcel_at
from taxcheck.integrations.push import run_id, send_waiting
from tests.integrations.service import Service, served
from tests.integrations.test_push import named

pytestmark = pytest.mark.long

PUSH = """
import sys, json
from taxcheck.integrations.origin import Origin
from taxcheck.integrations.push import Pusher
from taxcheck.integrations.target import Target

url, first, last, budget = sys.argv[1], *map(int, sys.argv[2:])
pusher = Pusher(Target(url, "demo", "animals", "tck_secret"), of=Origin(), budget=budget)
whole = json.load(open("report.json"))
print("ready", flush=True)
sys.stdin.readline()
for number in range(first, last):
    whole["title"] = str(number)
    done = pusher.push(json.dumps(whole).encode())
    print(done.state, done.line, flush=True)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "report.json").write_bytes(named("x"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def started(folder: Path, service: Service, first: int, last: int, budget: int = 20):
    return subprocess.Popen(
        [sys.executable, "-c", PUSH, service.url, *map(str, (first, last, budget))],
        cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def begun(children: list[subprocess.Popen[str]]) -> None:
    """All at once, when each has imported what it needs."""
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()


def outbox(folder: Path) -> Outbox:
    return Outbox(folder / "state" / "taxcheck" / "outbox")


def expected(numbers: range) -> dict[str, int]:
    raws = {n: json.dumps(json.loads(named("x")) | {"title": str(n)}).encode() for n in numbers}
    from msgspec.json import format

    return {run_id("demo", "animals", format(raw, indent=-1)): n for n, raw in raws.items()}


@pytest.mark.parametrize("processes", [6, pytest.param(20, marks=pytest.mark.slow)])
def test_processes_at_once_send_each_run_once(folder: Path, processes: int):
    runs = 2 * processes
    with served() as service:
        children = [started(folder, service, n, n + 2) for n in range(0, runs, 2)]
        begun(children)
        said = "".join(child.communicate(timeout=60)[0] for child in children)
        assert Counter(line.split()[0] for line in said.splitlines()) == {"sent": runs}
        assert Counter(service.ids) == dict.fromkeys(expected(range(runs)), 1)
        assert outbox(folder).waiting() == []


@pytest.mark.slow
def test_twenty_processes_wait_once_for_a_service_that_hangs(folder: Path):
    with served(always="hang") as service:
        children = [started(folder, service, n, n + 1, budget=2) for n in range(20)]
        begun(children)
        began = time.monotonic()
        said = "".join(child.communicate(timeout=60)[0] for child in children)
        assert time.monotonic() - began < 8
        assert Counter(line.split()[0] for line in said.splitlines()) == {"waiting": 20}
        assert len(service.asked) <= 3
        waiting = [parcel_at(path) for path in outbox(folder).waiting()]
        assert {one.id for one in waiting if one} == set(expected(range(20)))


@pytest.mark.slow
def test_a_kill_at_any_moment_loses_no_run_that_was_begun(folder: Path):
    """What was sent or waits is whole, in its order, and arrives with the next push."""
    moments = random.Random(7)
    at, kills, left = 0, 0, 0
    with served(pause=0.002) as service:
        while at < 120:
            child = started(folder, service, at, at + 40)
            begun([child])
            time.sleep(moments.uniform(0.0, 0.25))
            child.send_signal(signal.SIGKILL)
            said, _ = child.communicate()
            kills += child.returncode == -signal.SIGKILL
            at += len(said.splitlines())
            waiting = [parcel_at(path) for path in outbox(folder).waiting()]
            assert all(one and json.loads(bytes(one.report))["title"] for one in waiting)
            assert len(waiting) <= left + 1  # its last one
            left = len(waiting)
            at += 1  # and the next push begins with the one behind it
        assert kills > 5
        send_waiting(service.url)
        assert outbox(folder).waiting() == []
        number_of = expected(range(at + 40))
        numbers = [number_of[id] for id in service.ids]
        assert numbers == sorted(numbers)  # a run that was killed while it was sent comes again
        assert len(numbers) - len(set(numbers)) <= kills
        missing = set(range(at)) - set(numbers)
        assert len(missing) <= kills  # killed before they were kept
        partial = [p for p in outbox(folder).folder.iterdir() if p.name.endswith(".partial")]
        assert len(partial) <= kills


def test_a_whole_that_was_never_finished_is_swept_away(folder: Path):
    with served() as service:
        box = outbox(folder)
        box.folder.mkdir(parents=True)
        old, new = (box.folder / f".0123.{name}.partial" for name in ("old", "new"))
        for path in (old, new):
            path.write_text("{")
        os.utime(old, (1, 1))
        send_waiting(service.url)
        assert (old.exists(), new.exists()) == (False, True)
