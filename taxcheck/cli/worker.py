"""taxcheck worker: the jobs of a server, done beside it or on another machine."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import click

from taxcheck.cli.service import STORE, takes_settings
from taxcheck.cli.streams import say

if TYPE_CHECKING:
    from taxcheck.service.settings import Settings


@click.command()
@takes_settings(
    *STORE,
    "prefixes",
    "workers",
    "job_seconds",
    "job_bytes",
    "job_niceness",
    "lease",
    "attempts",
    "result_days",
    "upload_hours",
    "keep_days",
    "keep_runs",
    "address",
    "webhook_http",
)
def worker(settings: Settings) -> None:
    """Do the jobs of a server, send its messages, and remove what is kept no longer.

    Any number of workers may run. They and the server share the database, the reports and the
    folder of the data, where uploads lie. SIGTERM and Ctrl-C hand running jobs back; a worker that
    is killed loses its job to another when its lease ends. Exit codes: 0 it was stopped, 2 usage,
    3 the data cannot be used.
    """
    import logging

    from taxcheck.model.errors import UsageError
    from taxcheck.service.store.store import open_store
    from taxcheck.service.worker.loop import Worker

    if not settings.workers:
        raise UsageError("`workers` 0: a worker that does no job; give 1 or more")
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    store = open_store(settings)
    try:
        ours = Worker(store, settings.workers)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ours.stop())
        at_once = f"{settings.workers} job{'s' * (settings.workers != 1)} at once"
        say(f"taxcheck: worker {ours.name}, {at_once}, data in {settings.data.absolute()}")
        ours.run()
    finally:
        store.close()
