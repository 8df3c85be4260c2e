"""Webhooks, and what is to be sent to them: kept with the run, sent until it arrives.

A delivery is sent at least once; its id lets a receiver know one that comes twice. It is tried
again after 1, 2, 4, ... minutes, at last each three hours, for about a day.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from sqlalchemy import Row, delete, func, insert, or_, select, update

from taxcheck.service.store import log
from taxcheck.service.store.addresses import checked_url
from taxcheck.service.store.database import now
from taxcheck.service.store.errors import NotThereError, RefusedError
from taxcheck.service.store.names import project_key
from taxcheck.service.store.tables import dataset, delivery, project, run, webhook

if TYPE_CHECKING:
    from taxcheck.service.store.store import Store

EVENTS = ("failure", "recovery", "regression")
STYLES = ("json", "slack")
OF_RUN = (  # what a message says of the run itself
    "verdict",
    "headline",
    "cause",
    "title",
    "created",
    "commit",
    "branch",
    "person",
    "link",
)
_MINUTE = 60_000  # milliseconds
_LONGEST = 180 * _MINUTE  # between two tries
TRIES = 15  # by then a day has passed
_LEASE = 2 * _MINUTE


class Webhook(Struct, frozen=True, kw_only=True):
    """Where messages go; the secret is shown once, when it is made."""

    id: int
    project: str
    url: str
    style: str  # "json" or "slack"
    events: tuple[str, ...]
    created: int
    paused: bool


class Delivery(Struct, frozen=True, kw_only=True):
    """A message and what became of it; ``due`` is when it is tried next, None when no more."""

    id: int
    event: str
    run: str
    created: int
    attempts: int
    due: int | None
    sent: int | None
    line: str | None  # why the last try failed


class Message(Struct, frozen=True, kw_only=True):
    """A delivery in the hands of who sends it, with all that it tells."""

    key: int
    lease: int
    attempts: int
    url: str
    style: str
    secret: str
    event: str
    project: str
    dataset: str
    run: str
    verdict: str
    headline: str
    cause: str | None
    title: str
    created: int
    commit: str | None
    branch: str | None
    person: str | None
    link: str | None


def create(
    store: Store,
    project: str,
    url: str,
    *,
    style: str = "json",
    events: Collection[str] = EVENTS,
    person: str | None = None,
) -> tuple[Webhook, str]:
    """A new webhook and the secret that signs what it gets; RefusedError where it cannot be."""
    checked_url(url, http=store.settings.webhook_http)
    if style not in STYLES:
        raise RefusedError(f"style {style!r}: is none of {', '.join(STYLES)}")
    unknown = sorted(set(events) - set(EVENTS))
    if unknown or not events:
        raise RefusedError(f"events: {', '.join(EVENTS)} are known, {unknown} are not")
    secret = secrets.token_hex(32)
    with store.database.writing() as connection:
        values = {
            "project": project_key(connection, project),
            "url": url,
            "style": style,
            "secret": secret,
            "events": " ".join(event for event in EVENTS if event in events),
            "created": now(),
        }
        key = connection.scalar(insert(webhook).values(**values).returning(webhook.c.key))
        log.write(connection, person, "webhook created", f"{project} {url}")
    (made,) = (one for one in webhooks(store, [project]) if one.id == key)
    return made, secret


def webhooks(store: Store, projects: Collection[str] | None = None) -> tuple[Webhook, ...]:
    """All webhooks of these projects, or of all, by project."""
    found = select(webhook, project.c.name.label("of")).join(project)
    if projects is not None:
        found = found.where(project.c.name.in_(projects))
    with store.database.reading() as connection:
        rows = connection.execute(found.order_by(project.c.name, webhook.c.key)).all()
    return tuple(_webhook(row) for row in rows)


def one(store: Store, id: int) -> Webhook:
    """A webhook; NotThereError."""
    found = select(webhook, project.c.name.label("of")).join(project).where(webhook.c.key == id)
    with store.database.reading() as connection:
        row = connection.execute(found).first()
    if row is None:
        raise _not_there(id)
    return _webhook(row)


def pause(store: Store, id: int, *, paused: bool, person: str | None = None) -> None:
    """Send nothing until it is resumed: what waits stays, nothing is added. NotThereError."""
    with store.database.writing() as connection:
        changed = update(webhook).where(webhook.c.key == id).values(paused=paused)
        if not connection.execute(changed).rowcount:
            raise _not_there(id)
        log.write(connection, person, "webhook paused" if paused else "webhook resumed", str(id))


def remove(store: Store, id: int, *, person: str | None = None) -> None:
    """Remove a webhook and what was still to be sent to it; NotThereError."""
    with store.database.writing() as connection:
        if not connection.execute(delete(webhook).where(webhook.c.key == id)).rowcount:
            raise _not_there(id)
        log.write(connection, person, "webhook removed", str(id))


def deliveries(store: Store, id: int, limit: int = 20) -> tuple[Delivery, ...]:
    """The newest messages of a webhook."""
    found = (
        select(delivery, run.c.id.label("of"))
        .join(run)
        .where(delivery.c.webhook == id)
        .order_by(delivery.c.key.desc())
        .limit(limit)
    )
    with store.database.reading() as connection:
        return tuple(_delivery(row) for row in connection.execute(found))


def waiting(store: Store) -> Mapping[int, tuple[int, str | None]]:
    """For each webhook with messages that have not arrived: how many, and why one has not."""
    found = (
        select(delivery.c.webhook, func.count(), func.max(delivery.c.line))
        .where(delivery.c.sent.is_(None))
        .group_by(delivery.c.webhook)
    )
    with store.database.reading() as connection:
        return {key: (count, line) for key, count, line in connection.execute(found)}


def due(store: Store, limit: int = 20) -> tuple[Message, ...]:
    """Take messages that are to be sent now; for two minutes nobody else gets them.

    What was put off or taken for much longer than that can be was so by a clock that has jumped.
    """
    moment = now()
    waiting = (
        delivery.c.sent.is_(None),
        delivery.c.attempts < TRIES,
        or_(delivery.c.due <= moment, delivery.c.due > moment + 2 * _LONGEST),
        or_(delivery.c.lease <= moment, delivery.c.lease > moment + 2 * _LEASE),
    )
    with store.database.reading() as connection:
        found = (
            select(delivery.c.key, delivery.c.lease)
            .join(webhook)
            .where(*waiting, webhook.c.paused.is_(False))
            .order_by(delivery.c.due)
            .limit(limit)
        )
        seen = connection.execute(found).all()
    return tuple(
        message for row in seen if (message := _take(store, row.key, row.lease, moment)) is not None
    )


def _take(store: Store, key: int, lease: int, moment: int) -> Message | None:
    """The message, unless another has taken it since."""
    with store.database.writing() as connection:
        free = (delivery.c.key == key, delivery.c.lease == lease, delivery.c.sent.is_(None))
        taken = update(delivery).where(*free).values(lease=moment + _LEASE)
        if not connection.execute(taken).rowcount:
            return None
        row = connection.execute(_message(key)).one()
    return Message(**row._asdict())


def sent(store: Store, message: Message) -> None:
    """Say that a message has arrived."""
    _settle(store, message, sent=now(), line=None)


def failed(store: Store, message: Message, line: str) -> None:
    """Say that it has not, and why; it is tried again later, unless it was tried for a day."""
    wait = min(_MINUTE << message.attempts, _LONGEST)
    _settle(store, message, due=now() + wait, line=line[:500])


def _settle(store: Store, message: Message, **values: Any) -> None:
    ours = (delivery.c.key == message.key, delivery.c.lease == message.lease)
    values |= {"lease": 0, "attempts": message.attempts + 1}
    with store.database.writing() as connection:
        connection.execute(update(delivery).where(*ours).values(**values))


def _message(key: int) -> Any:
    columns = (
        delivery.c.key,
        delivery.c.lease,
        delivery.c.attempts,
        delivery.c.event,
        webhook.c.url,
        webhook.c.style,
        webhook.c.secret,
        project.c.name.label("project"),
        dataset.c.name.label("dataset"),
        run.c.id.label("run"),
        *(run.c[name] for name in OF_RUN),
    )
    return (
        select(*columns)
        .select_from(delivery)
        .join(webhook, webhook.c.key == delivery.c.webhook)
        .join(run, run.c.key == delivery.c.run)
        .join(dataset, dataset.c.key == run.c.dataset)
        .join(project, project.c.key == dataset.c.project)
        .where(delivery.c.key == key)
    )


def _webhook(row: Row[Any]) -> Webhook:
    return Webhook(
        id=row.key,
        project=row.of,
        url=row.url,
        style=row.style,
        events=tuple(row.events.split()),
        created=row.created,
        paused=row.paused,
    )


def _delivery(row: Row[Any]) -> Delivery:
    over = row.sent is not None or row.attempts >= TRIES
    return Delivery(
        id=row.key,
        event=row.event,
        run=row.of,
        created=row.created,
        attempts=row.attempts,
        due=None if over else row.due,
        sent=row.sent,
        line=row.line,
    )


def _not_there(id: int) -> NotThereError:
    return NotThereError(f"webhook {id}: there is none")
