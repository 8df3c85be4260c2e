"""A worker: it takes jobs up, does them, and keeps house."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from taxcheck.model.errors import TaxcheckError
from taxcheck.service.store import jobs, retention
from taxcheck.service.worker.deliveries import deliver
from taxcheck.service.worker.watch import Watch
from taxcheck.service.worker.work import work

if TYPE_CHECKING:
    from taxcheck.service.store.jobs import Claim
    from taxcheck.service.store.store import Store

log = logging.getLogger(__name__)

_LOOK = 0.5  # seconds between two looks for a job that waits
_SEND = 5.0
_SWEEP = 3600.0
_DAY = 86400


class Worker:
    """Does so many jobs at once as it has ``slots``, until it is stopped."""

    def __init__(self, store: Store, slots: int, *, look: float = _LOOK) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self._store = store
        self._slots = threading.BoundedSemaphore(slots)
        self._look = look
        self._stopping = threading.Event()
        self._threads: set[threading.Thread] = set()

    def run(self) -> None:
        """Work until ``stop`` is called; then jobs that run are handed back, and this returns."""
        chores = (
            threading.Thread(target=self._again, args=chore, name=chore[1].__name__)
            for chore in ((_SEND, deliver), (_SWEEP, sweep))
        )
        self._threads.update(chores)
        for thread in tuple(self._threads):
            thread.start()
        watch = Watch(self._store.settings.lease)
        due = time.monotonic()
        while not self._stopping.is_set():
            if time.monotonic() >= due:
                self._take_from_silent(watch)
                due = time.monotonic() + self._store.settings.lease / 4
            if not self._take_one():
                self._stopping.wait(self._look)
        for thread in tuple(self._threads):
            thread.join()

    def stop(self) -> None:
        """Have it stop soon; jobs that run are handed back."""
        self._stopping.set()

    def _take_from_silent(self, watch: Watch) -> None:
        with _logged():
            jobs.take_from(self._store, watch.silent(jobs.signs(self._store)))

    def _take_one(self) -> bool:
        """Take a job up, if one waits and a slot is free."""
        if not self._slots.acquire(blocking=False):
            return False
        held = None
        with _logged():
            held = jobs.claim(self._store, self.name)
        if held is None:
            self._slots.release()
            return False
        thread = threading.Thread(target=self._work, args=(held,), name=f"job {held.id}")
        self._threads.add(thread)
        thread.start()
        return True

    def _again(self, every: float, what: Callable[[Store, threading.Event], object]) -> None:
        """Do something each so many seconds, whatever becomes of it."""
        while not self._stopping.wait(every):
            with _logged():
                what(self._store, self._stopping)

    def _work(self, held: Claim) -> None:
        try:
            work(self._store, held, self._stopping)
        finally:
            self._slots.release()
            self._threads.discard(threading.current_thread())


@contextmanager
def working(store: Store) -> Iterator[None]:
    """Work beside something else, with as many jobs at once as the settings say; 0 is none."""
    if not store.settings.workers:
        yield
        return
    worker = Worker(store, store.settings.workers)
    thread = threading.Thread(target=worker.run, name="worker")
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join()


@contextmanager
def _logged() -> Iterator[None]:
    """Go on whatever happens: a database that is away comes back, a defect hurts one job."""
    try:
        yield
    except TaxcheckError as error:
        log.warning("%s", error)
    except Exception:
        log.exception("a worker goes on after this")


def sweep(store: Store, _: threading.Event) -> None:
    """Remove what is kept no longer: runs, uploads, and what builds made."""
    retention.sweep(store)
    _sweep_results(jobs.results_folder(store), store.settings.result_days * _DAY)


def _sweep_results(folder: Path, seconds: float) -> None:
    with suppress(FileNotFoundError):
        for path in folder.iterdir():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < time.time() - seconds:
                    shutil.rmtree(path, ignore_errors=True)
