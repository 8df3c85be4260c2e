"""What goes by itself: old runs, finished jobs, uploads left unfinished, files of no run."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from itertools import islice

from msgspec import Struct
from sqlalchemy import Select, delete, func, select, text

from taxcheck.service.store import runs, tables, uploads
from taxcheck.service.store.database import now
from taxcheck.service.store.ingest import SWEEPING
from taxcheck.service.store.store import Store

_DAY = 86_400_000  # milliseconds
_UNFINISHED = 86_400.0  # seconds after which nobody goes on writing a file
_AT_ONCE = 200  # in one transaction, so that nobody waits long
_FINISHED = ("done", "failed", "cancelled")
_RUN = tables.run.c


class Swept(Struct, frozen=True):
    """What went."""

    runs: int
    jobs: int
    uploads: int
    files: int  # of reports
    bytes: int  # of these files


class Disk(Struct, frozen=True):
    """What is taken and what is left, in bytes; ``free`` None where the data is elsewhere."""

    database: int
    reports: int
    free: int | None
    runs: int


def sweep(store: Store) -> Swept:
    """Take away what need not be kept any longer.

    Runs go when they are older than ``keep_days`` and not among the last ``keep_runs`` of their
    dataset. What is pinned, a baseline, or the newest pass of a dataset stays.
    """
    gone = sum(_remove_runs(store, dataset) for dataset in _datasets(store))
    jobs = _remove_jobs(store)
    files = list(_remove_files(store))
    return Swept(gone, jobs, uploads.sweep(store), len(files), sum(files))


def disk(store: Store) -> Disk:
    """How much room all of it takes."""
    distinct = select(func.max(_RUN.bytes).label("bytes")).group_by(_RUN.blob).subquery()
    size = (
        "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        if store.database.is_sqlite
        else "SELECT pg_database_size(current_database())"
    )
    with store.database.reading() as connection:
        reports = connection.scalar(select(func.coalesce(func.sum(distinct.c.bytes), 0))) or 0
        count = connection.scalar(select(func.coalesce(func.sum(tables.dataset.c.runs), 0))) or 0
        database = connection.scalar(text(size)) or 0
    return Disk(
        int(database), int(reports), shutil.disk_usage(store.settings.data).free, int(count)
    )


def _datasets(store: Store) -> Sequence[int]:
    with store.database.reading() as connection:
        return connection.scalars(select(tables.dataset.c.key)).all()


def _remove_runs(store: Store, dataset: int) -> int:
    gone = 0
    while True:
        with store.database.writing() as connection:
            old = connection.scalars(_old(store, dataset)).all()
            runs.remove_keys(connection, old)
        gone += len(old)
        if len(old) < _AT_ONCE:
            return gone


def _old(store: Store, dataset: int) -> Select[int]:
    """Keys of runs of a dataset that may go, the oldest first."""
    table = tables.dataset.c
    before = now() - store.settings.keep_days * _DAY
    own = select(_RUN.key).where(_RUN.dataset == dataset)
    last = own.order_by(_RUN.created.desc(), _RUN.key.desc()).limit(store.settings.keep_runs)
    held = [
        select(func.coalesce(column, 0)).where(table.key == dataset).scalar_subquery()
        for column in (table.baseline, table.newest_pass)
    ]
    return (
        own.where(_RUN.created < before, _RUN.pinned.is_(False), _RUN.key.not_in(last))
        .where(*(_RUN.key != key for key in held))
        .order_by(_RUN.created, _RUN.key)
        .limit(_AT_ONCE)
    )


def _remove_jobs(store: Store) -> int:
    job = tables.job.c
    before = now() - store.settings.keep_days * _DAY
    with store.database.writing() as connection:
        return connection.execute(
            delete(tables.job).where(job.state.in_(_FINISHED), job.ended < before)
        ).rowcount


def _remove_files(store: Store) -> Iterator[int]:
    """Remove files that no run refers to; the bytes of each.

    A push refers to its files before its transaction ends, and looks there whether they are still
    present. While files are removed here, no such transaction runs.
    """
    store.blobs.remove_unfinished(time.time() - _UNFINISHED)
    with store.database.reading() as connection:
        used = set(connection.scalars(select(_RUN.blob).union(select(_RUN.documents))))
    found = ((digest, size) for digest, size in store.blobs.all() if digest not in used)
    while some := dict(islice(found, _AT_ONCE)):
        with store.database.writing() as connection:
            if not store.database.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": SWEEPING})
            referred = (
                select(_RUN.blob)
                .where(_RUN.blob.in_(some))
                .union(select(_RUN.documents).where(_RUN.documents.in_(some)))
            )
            for digest in some.keys() - set(connection.scalars(referred)):
                store.blobs.remove(digest)
                yield some[digest]
