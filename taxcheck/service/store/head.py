"""The head of a dataset: its newest run, since when it fails, and its strip.

It is written with each run that comes or goes, so that a page of many datasets is one query.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, func, insert, select, tuple_, update

from taxcheck.service.store import tables
from taxcheck.service.store.database import now

# How a run ended the job that made it, by its exit code: a warning fails where `--fail-on warn`
# says so, and 3, where nothing was judged, is neither.
PASSED, FAILED = 0, (1, 4)
_STRIP = 50  # runs
_RUN = tables.run.c
_NEWEST_FIRST = (_RUN.created.desc(), _RUN.key.desc())


class Recent(Struct, frozen=True, array_like=True):
    """A run in the strip of a dataset."""

    id: str
    verdict: str
    cause: str | None
    created: int  # milliseconds since 1970, UTC
    branch: str | None
    person: str | None
    worse: int = 0  # scores worse than in the baseline


_DECODER = msgspec.json.Decoder(tuple[Recent, ...])


def strip(text: str) -> tuple[Recent, ...]:
    """What the table holds of the last runs, the oldest first."""
    return _DECODER.decode(text)


def arrived(connection: Connection, dataset: int, run: int) -> int:
    """Take a new run into the head, and tell webhooks where it changes how the dataset stands.

    Returns how many runs the dataset has. A run that is older than one that came before it, as from
    an outbox, changes nothing for webhooks.
    """
    rows, count = refresh(connection, dataset, 1, run)
    if rows[0].key == run:
        _tell(connection, dataset, rows)
    return count


def refresh(
    connection: Connection, dataset: int, more: int, latest: int | None = None
) -> tuple[list[Any], int]:
    """Write the head anew after ``more`` runs came (or, below 0, went), ``latest`` the last of all.

    Returns the runs of its strip, the newest first, and how many there are in all.
    """
    rows = list(
        connection.execute(
            select(_RUN.key, _RUN.id, _RUN.verdict, _RUN.cause, _RUN.created, _RUN.branch,
                   _RUN.person, _RUN.worse, _RUN.exit_code)
            .where(_RUN.dataset == dataset).order_by(*_NEWEST_FIRST).limit(_STRIP)
        )
    )  # fmt: skip
    passed = _newest_pass(connection, dataset, rows)
    recent = [Recent(*row[1:-1]) for row in reversed(rows)]
    last = select(func.max(_RUN.key)).where(_RUN.dataset == dataset).scalar_subquery()
    count: int = connection.execute(
        update(tables.dataset)
        .where(tables.dataset.c.key == dataset)
        .values(
            newest=rows[0].key if rows else None,
            latest=last if latest is None else latest,
            newest_pass=passed.key if passed else None,
            failing_since=_failing_since(connection, dataset, rows, passed),
            recent=msgspec.json.encode(recent).decode(),
            runs=tables.dataset.c.runs + more,
        )
        .returning(tables.dataset.c.runs)
    ).scalar_one()
    return rows, count


class _Pass(NamedTuple):
    key: int
    created: int


def _newest_pass(connection: Connection, dataset: int, rows: list[Any]) -> _Pass | None:
    for row in rows:
        if row.exit_code == PASSED:
            return _Pass(row.key, row.created)
    if len(rows) < _STRIP:
        return None
    found = [
        connection.execute(
            select(_RUN.key, _RUN.created)
            .where(_RUN.dataset == dataset, _RUN.verdict == verdict, _RUN.exit_code == PASSED)
            .order_by(*_NEWEST_FIRST)
            .limit(1)
        ).first()
        for verdict in ("pass", "warn")  # of which there is an index
    ]
    passed = [_Pass(*row) for row in found if row is not None]
    return max(passed, key=lambda one: (one.created, one.key), default=None)


def _failing_since(
    connection: Connection, dataset: int, rows: list[Any], passed: _Pass | None
) -> int | None:
    """When the first run failed that no pass followed."""
    if len(rows) < _STRIP or any(row.key == passed.key for row in rows if passed):
        order = (passed.created, passed.key) if passed else (-1, -1)
        failed = [r.created for r in rows if r.exit_code in FAILED and (r.created, r.key) > order]
        return min(failed, default=None)
    query = select(func.min(_RUN.created)).where(
        _RUN.dataset == dataset, _RUN.exit_code.in_(FAILED)
    )
    if passed is not None:
        query = query.where(tuple_(_RUN.created, _RUN.key) > tuple_(*passed[::-1]))
    found: int | None = connection.scalar(query)
    return found


def _tell(connection: Connection, dataset: int, rows: list[Any]) -> None:
    """Write down what webhooks are to say of the newest run."""
    events = _events(rows)
    if not events:
        return
    hook = tables.webhook.c
    hooks = connection.execute(
        select(hook.key, hook.events)
        .join(tables.dataset, tables.dataset.c.project == hook.project)
        .where(tables.dataset.c.key == dataset, hook.paused.is_(False))
    )
    moment = now()
    told = [
        {"webhook": key, "run": rows[0].key, "event": event, "created": moment, "due": moment}
        for key, wanted in hooks
        for event in events
        if event in wanted.split()
    ]
    if told:
        connection.execute(insert(tables.delivery), told)


def _events(rows: list[Any]) -> list[str]:
    newest, *before = rows
    judged = (row for row in before if row.exit_code in (PASSED, *FAILED))
    last = next(judged, None)
    events = []
    failed = last if last is not None and last.exit_code in FAILED else None
    if newest.exit_code in FAILED and (failed is None or failed.cause != newest.cause):
        events.append("failure")
    if newest.exit_code == PASSED and failed is not None:
        events.append("recovery")
    if newest.worse:
        events.append("regression")
    return events
