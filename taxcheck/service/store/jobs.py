"""Jobs: asked for, taken up by one worker at a time, and ended once.

Who takes a job up gets a fence, a number that grows each time. Everything that a worker says of its
job is guarded by it, so that one who comes late changes nothing. No clock decides: a worker is
silent where others have seen its lease unchanged for as long as a lease lasts, by a clock of their
own that does not jump (``worker/watch.py``).
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Row, Select, func, select, update

from taxcheck.service.store import log
from taxcheck.service.store.asked import Asked, files, kind
from taxcheck.service.store.database import now
from taxcheck.service.store.errors import ConflictError, NotThereError, RefusedError
from taxcheck.service.store.lookup import dataset_key
from taxcheck.service.store.names import checked_name
from taxcheck.service.store.places import place
from taxcheck.service.store.tables import dataset, job, project

if TYPE_CHECKING:
    from taxcheck.service.store.store import Store

LOG_BYTES = 64 << 10  # of the log, its end
ENDED = ("done", "failed", "cancelled")

Sign = tuple[int, int, int]  # key, fence and lease of a running job: what a beat changes


class Progress(Struct, frozen=True):
    """How far a job has come; ``done`` of ``whole`` is 0 of 0 where that is not known."""

    stage: str
    done: int = 0
    whole: int = 0


class Job(Struct, frozen=True, kw_only=True):
    """One job, as people and programs see it; moments are milliseconds since 1970 UTC."""

    id: str
    project: str
    dataset: str
    kind: str
    state: str  # queued, running, done, failed, cancelled
    cancelling: bool  # it is running, and will be stopped
    person: str | None
    created: int
    started: int | None
    ended: int | None
    lease: int  # until when its worker has it, by the clock of that worker; 0: nobody has
    attempts: int
    worker: str | None
    progress: Progress | None
    line: str | None  # of a failure, the one that the command line prints
    exit_code: int | None
    run: str | None  # id of the run that came of it


class JobStory(Job, frozen=True, kw_only=True):
    """The same with everything that only the page of one job shows."""

    asked: Asked
    log: str
    outcome: msgspec.Raw | None  # of a plan or a build: what it says, JSON


class Page(Struct, frozen=True):
    """Jobs, the newest first; ``next`` is the cursor of those that follow, None after the last."""

    jobs: tuple[Job, ...]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A job in the hands of the worker that took it up."""

    key: int
    fence: int
    id: str
    project: str
    dataset: str
    person: str | None
    asked: Asked
    attempts: int


class Beat(StrEnum):
    """What a worker hears when it says that it is still there."""

    GO_ON = "go on"
    CANCEL = "cancel"  # somebody wants the job stopped
    LOST = "lost"  # another has it, or it has ended


_COLUMNS = (
    project.c.name.label("project"),
    dataset.c.name.label("dataset"),
    *(job.c[name] for name in Job.__struct_fields__ if name not in ("project", "dataset")),
)


def submit(
    store: Store, *, project: str, dataset: str, asked: Asked, person: str | None = None
) -> str:
    """Ask for a job; its id. RefusedError where a name or a file cannot be."""
    checked_name("project", project)
    checked_name("dataset", dataset)
    for named in files(asked):
        place(store, project, named)
    new = secrets.token_hex(16)
    with store.database.writing() as connection:
        values = {
            "id": new,
            "dataset": dataset_key(connection, project, dataset),
            "kind": kind(asked),
            "asked": msgspec.json.encode(asked).decode(),
            "person": person,
            "state": "queued",
            "created": now(),
        }
        connection.execute(job.insert().values(**values))
    return new


def claim(store: Store, worker: str) -> Claim | None:
    """Take up the job that has waited longest; None where none waits."""
    first = (
        select(job.c.key)
        .where(job.c.state == "queued")
        .order_by(job.c.key)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    taken = (
        update(job)
        .where(job.c.key == first, job.c.state == "queued")
        .values(
            state="running",
            fence=job.c.fence + 1,
            attempts=job.c.attempts + 1,
            lease=_lease(store),
            worker=worker,
            started=now(),
            progress=None,
            line=None,
            log="",
        )
        .returning(job.c.key)
    )
    with store.database.writing() as connection:
        key = connection.scalar(taken)
        if key is None:
            return None
        row = connection.execute(_of(job.c.asked, job.c.fence, job.c.key, at=key)).one()
    return Claim(
        row.key,
        row.fence,
        row.id,
        row.project,
        row.dataset,
        row.person,
        msgspec.json.decode(row.asked, type=Asked),
        row.attempts,
    )


def beat(
    store: Store, held: Claim, *, progress: Progress | None = None, log: str | None = None
) -> Beat:
    """Say that the worker is there, and how far it has come; ``log`` None leaves it as it is."""
    values: dict[str, Any] = {"lease": _lease(store)}
    if progress is not None:
        values["progress"] = msgspec.json.encode(progress).decode()
    if log is not None:
        values["log"] = log
    said = update(job).where(*_ours(held)).values(**values).returning(job.c.cancelling)
    with store.database.writing() as connection:
        cancelling = connection.scalar(said)
    return Beat.LOST if cancelling is None else Beat.CANCEL if cancelling else Beat.GO_ON


def finish(connection: Connection, held: Claim, state: str, **values: Any) -> None:
    """End a job within a transaction, with what is to be kept of it in ``values``.

    ConflictError where another has it, or it has ended: then the transaction keeps nothing.
    """
    ended = {"state": state, "ended": now(), "lease": 0, "cancelling": False, **values}
    if not connection.execute(update(job).where(*_ours(held)).values(**ended)).rowcount:
        raise ConflictError(f"job {held.id}: was taken up by another, or has ended")


def hand_back(store: Store, held: Claim, why: str | None = None) -> None:
    """Put a job back for others; ``why`` None is no fault of the job and does not count as a try.

    One that was tried as often as the settings allow fails, and ``why`` is its line. One that was
    to be cancelled is.
    """
    _release(store, _ours(held), why)


def signs(store: Store) -> frozenset[Sign]:
    """What all running jobs show of their workers."""
    with store.database.reading() as connection:
        found = select(job.c.key, job.c.fence, job.c.lease).where(job.c.state == "running")
        return frozenset((row.key, row.fence, row.lease) for row in connection.execute(found))


def take_from(store: Store, silent: Iterable[Sign]) -> None:
    """The same with the jobs of workers that are silent; one that has beaten meanwhile keeps its.

    Each of them counts as a try.
    """
    for key, fence, lease in silent:
        seen = (job.c.key == key, job.c.fence == fence, job.c.lease == lease)
        why = "its worker went silent, as where it is killed or its machine stops"
        _release(store, (*seen, job.c.state == "running"), why)


def _release(store: Store, where: tuple[Any, ...], why: str | None) -> None:
    with store.database.writing() as connection:
        columns = select(job.c.attempts, job.c.cancelling).where(*where).with_for_update()
        found = connection.execute(columns).first()
        if found is None:
            return
        values: dict[str, Any] = {"state": "queued", "line": why, "progress": None}
        if why is None:
            values["attempts"] = found.attempts - 1
        if found.cancelling:
            values = {"state": "cancelled", "ended": now(), "cancelling": False}
        elif why is not None and found.attempts >= store.settings.attempts:
            line = f"given up after {found.attempts} tries, the last because {why}"
            values = {"state": "failed", "ended": now(), "line": line}
        connection.execute(update(job).where(*where).values(lease=0, worker=None, **values))


def cancel(store: Store, id: str, *, person: str | None = None) -> None:
    """Stop a job: at once where it waits, else as soon as its worker hears of it.

    NotThereError, or ConflictError where it has ended.
    """
    with store.database.writing() as connection:
        state = connection.scalar(select(job.c.state).where(job.c.id == id).with_for_update())
        if state is None:
            raise _not_there(id)
        if state in ENDED:
            raise ConflictError(f"job {id}: has ended already ({state})")
        waits = {"state": "cancelled", "ended": now()}
        values = waits if state == "queued" else {"cancelling": True}
        connection.execute(update(job).where(job.c.id == id).values(**values))
        log.write(connection, person, "job cancelled", id)


def jobs(
    store: Store,
    *,
    project: str | None = None,
    dataset: str | None = None,
    states: Collection[str] = (),
    cursor: str | None = None,
    limit: int = 50,
    projects: Collection[str] | None = None,
) -> Page:
    """Jobs that match, the newest first; of some ``projects`` alone, or of all.

    RefusedError where the cursor is none.
    """
    found = _of(job.c.key)
    for column, value in ((_PROJECT, project), (_DATASET, dataset)):
        found = found if value is None else found.where(column == value)
    if projects is not None:
        found = found.where(_PROJECT.in_(projects))
    if states:
        found = found.where(job.c.state.in_(states))
    if cursor is not None:
        found = found.where(job.c.key < _after(cursor))
    with store.database.reading() as connection:
        rows = connection.execute(found.order_by(job.c.key.desc()).limit(limit + 1)).all()
    more = str(rows[limit - 1].key) if len(rows) > limit else None
    return Page(tuple(Job(**_fields(row)) for row in rows[:limit]), more)


def one(store: Store, id: str) -> JobStory:
    """A job with its log and what came of it; NotThereError."""
    with store.database.reading() as connection:
        found = _of(job.c.asked, job.c.log, job.c.outcome).where(job.c.id == id)
        row = connection.execute(found).first()
    if row is None:
        raise _not_there(id)
    return JobStory(
        **_fields(row),
        asked=msgspec.json.decode(row.asked, type=Asked),
        log=row.log,
        outcome=None if row.outcome is None else msgspec.Raw(row.outcome),
    )


def results(store: Store, id: str) -> Mapping[str, Path]:
    """The files that a job made, by name, as long as they are kept; NotThereError for the job."""
    with store.database.reading() as connection:
        fence = connection.scalar(select(job.c.fence).where(job.c.id == id))
    if fence is None:
        raise _not_there(id)
    folder = results_folder(store) / f"{id}.{fence}"
    try:
        return {path.name: path for path in sorted(folder.iterdir()) if path.is_file()}
    except FileNotFoundError:
        return {}


def results_folder(store: Store) -> Path:
    """Where what jobs made lies, a folder for each that made files."""
    return store.settings.data / "results"


def counts(store: Store) -> Mapping[str, int]:
    """How many jobs there are in each state."""
    with store.database.reading() as connection:
        found = select(job.c.state, func.count().label("number")).group_by(job.c.state)
        return {row.state: row.number for row in connection.execute(found)}


_PROJECT, _DATASET = project.c.name, dataset.c.name


def _of(*more: Any, at: int | None = None) -> Select[Any]:
    found = select(*_COLUMNS, *more).select_from(job.join(dataset).join(project))
    return found if at is None else found.where(job.c.key == at)


def _fields(row: Row[Any]) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in Job.__struct_fields__}
    if values["progress"] is not None:
        values["progress"] = msgspec.json.decode(values["progress"], type=Progress)
    return values


def _ours(held: Claim) -> tuple[Any, ...]:
    return job.c.key == held.key, job.c.fence == held.fence, job.c.state == "running"


def _lease(store: Store) -> int:
    return now() + store.settings.lease * 1000


def _after(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 19):
        raise RefusedError(f"cursor {cursor[:40]!r}: is none that a page gave")
    return int(cursor)


def _not_there(id: str) -> NotThereError:
    return NotThereError(f"job {id!r}: there is none")
