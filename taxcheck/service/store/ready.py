"""Whether a store can be worked with, and what it counts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import func, make_url, select

from taxcheck.model.errors import TaxcheckError
from taxcheck.service.settings import Settings
from taxcheck.service.store import tables
from taxcheck.service.store.migrate import expect_current
from taxcheck.service.store.store import Store

_LEAST = 64 << 20  # free bytes of the disk


class Gauge(NamedTuple):
    """A number as it is now."""

    name: str
    about: str
    labels: dict[str, str]
    value: float


def is_made(settings: Settings) -> bool:
    """Whether there is a database that could be opened; looking for SQLite's file makes none."""
    url = make_url(settings.database_url)
    return url.drivername != "sqlite" or Path(url.database or "").is_file()


def troubles(store: Store) -> Iterator[str]:
    """What a server cannot do without and does not have, a sentence each."""
    try:
        expect_current(store.database)
    except TaxcheckError as error:
        yield str(error)
    data = store.settings.data
    if not os.access(data, os.W_OK | os.X_OK):
        yield f"{data}: cannot be written"
    elif (free := shutil.disk_usage(data).free) < _LEAST:
        yield f"{data}: the disk has {free >> 20} MiB left; what is pushed may be refused"


def gauges(store: Store) -> Iterator[Gauge]:
    """What /metrics tells of the store; of a database that does not answer, only that."""
    try:
        counted = list(_counted(store))
    except TaxcheckError:
        counted = []
    up = "Whether the database answers."
    yield Gauge("taxcheck_database_up", up, {}, float(bool(counted)))
    yield from counted
    free = shutil.disk_usage(store.settings.data).free
    yield Gauge("taxcheck_disk_free_bytes", "Free bytes of the disk of the data.", {}, free)


def _counted(store: Store) -> Iterator[Gauge]:
    dataset, run, job = tables.dataset, tables.run, tables.job
    with store.database.reading() as connection:
        kept = connection.scalar(select(func.coalesce(func.sum(dataset.c.runs), 0)))
        yield Gauge("taxcheck_runs", "Runs that are kept.", {}, float(kept or 0))
        for verdict, count in connection.execute(
            select(run.c.verdict, func.count())
            .select_from(dataset.join(run, dataset.c.newest == run.c.key))
            .group_by(run.c.verdict)
        ):
            about = "Datasets by the verdict of their newest run."
            yield Gauge("taxcheck_datasets", about, {"verdict": verdict}, count)
        for state, count in connection.execute(
            select(job.c.state, func.count()).group_by(job.c.state)
        ):
            yield Gauge("taxcheck_jobs", "Jobs by their state.", {"state": state}, count)
        waiting = connection.scalar(
            select(func.count())
            .select_from(tables.delivery)
            .where(tables.delivery.c.sent.is_(None))
        )
        about = "Messages to webhooks that were not sent."
        yield Gauge("taxcheck_deliveries_unsent", about, {}, float(waiting or 0))
