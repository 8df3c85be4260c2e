"""Who changed what; reading is not written down."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import Connection, insert, select

from taxcheck.service.store import tables
from taxcheck.service.store.database import now
from taxcheck.service.store.store import Store


class Entry(Struct, frozen=True):
    """One change; ``moment`` is milliseconds since 1970, UTC."""

    key: int
    moment: int
    person: str
    action: str  # "run removed", "token created" ...
    subject: str  # what it was done to


def write(connection: Connection, person: str | None, action: str, subject: str) -> None:
    """Add an entry, in the transaction that makes the change."""
    row = {"moment": now(), "person": (person or "the server")[:255], "action": action[:40],
           "subject": subject.replace("\x00", "")}  # fmt: skip
    connection.execute(insert(tables.audit_log).values(row))


def entries(store: Store, before: int | None = None, limit: int = 100) -> tuple[Entry, ...]:
    """The newest entries first; ``before`` is the key of the last one that was seen."""
    table = tables.audit_log.c
    query = select(*(table[name] for name in Entry.__struct_fields__)).order_by(table.key.desc())
    if before is not None:
        query = query.where(table.key < before)
    with store.database.reading() as connection:
        return tuple(Entry(*row) for row in connection.execute(query.limit(limit)))
