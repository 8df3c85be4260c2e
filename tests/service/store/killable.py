"""What processes do that tests kill, each in a child of a server that has imported everything."""

from __future__ import annotations

import os
import random
import time
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread
from typing import Any

from msgspec.structs import replace

from taxcheck.model.written import report_from_json, report_to_json
from taxcheck.service.settings import Settings
from taxcheck.service.store import migrate
from taxcheck.service.store.ingest import keep
from taxcheck.service.store.pushed import Pushed
from taxcheck.service.store.store import open_store
from tests.service.pushing import on_day

CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload([__name__, "alembic.runtime.environment", "taxcheck.model.upgrade"])


def begin(what: Any, *arguments: Any) -> BaseProcess:
    process = CONTEXT.Process(target=what, args=arguments)
    process.start()
    return process


def pushing(settings: Settings, seed: int, reports: list[bytes], told: Path) -> None:
    """Push without end from three threads; what was acknowledged is written down at once."""
    store = open_store(settings, migrate=False)
    out = os.open(told, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    read = [report_from_json(raw) for raw in reports]

    def client(number: int) -> None:
        draw = random.Random(f"{seed} {number}")
        for k in range(10_000):
            id = f"{seed}-{number}-{k}"
            report = replace(draw.choice(read), created=on_day(draw.random() * 300))
            run = Pushed(id=id, project="ncbi", dataset=draw.choice("abc"))
            keep(store, run, report_to_json(report))
            os.write(out, f"{id}\n".encode())

    os.write(out, b"begun\n")
    for number in range(3):
        Thread(target=client, args=(number,)).start()


def migrating(settings: Settings, steps: Path) -> None:
    """Bring the tables to the last of other steps."""
    migrate._FOLDER, migrate.NEWEST = steps, "later"
    open_store(settings).close()


def wait_for(path: Path, lines: int, seconds: float = 60) -> None:
    """Until another process has written so many lines."""
    end = time.monotonic() + seconds
    while path.read_bytes().count(b"\n") < lines:
        assert time.monotonic() < end, f"{path} has not {lines} lines"
        time.sleep(0.002)
