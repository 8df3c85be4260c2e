"""A worker in a process of its own, whose jobs take a moment; started by ``test_faults``."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from taxcheck.service.settings import Settings
from taxcheck.service.store.store import open_store
from taxcheck.service.worker import work
from taxcheck.service.worker.loop import Worker


def main(data: str, database: str, command: str, lease: str) -> None:
    work.COMMAND = (command,)
    work.readable = lambda *_: ()  # the command notes what it does beside the store
    settings = Settings(data=Path(data), database=database or None, lease=int(lease))
    store = open_store(settings, migrate=False)
    worker = Worker(store, 1, look=0.05)
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    print("ready", flush=True)
    worker.run()
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
