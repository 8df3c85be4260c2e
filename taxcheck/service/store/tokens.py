"""Tokens, by which programs are known, and the sessions that people make from them.

Only the SHA-256 of a token's 256 random bits is kept: whoever reads the database or its backup
cannot show one. A session is a token of its own, short-lived, and goes with the one it came from.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from msgspec import Struct
from sqlalchemy import Row, Select, literal, or_, select, update

from taxcheck.model.errors import TaxcheckError
from taxcheck.service.store import log, tables
from taxcheck.service.store.database import Database, now
from taxcheck.service.store.errors import NotThereError, RefusedError
from taxcheck.service.store.names import checked, project_key
from taxcheck.service.store.store import Store

SCOPES = ("push", "read", "run", "admin", "watch")
SESSION_HOURS = 12
_HOUR = 3_600_000  # milliseconds
_TOKEN, _SESSION = "tck_", "tcs_"
_LONGEST_DAYS = 36_500


class Token(Struct, frozen=True, kw_only=True):
    """What is known of a token; the token itself is shown once, when it is made."""

    key: int
    name: str
    scopes: tuple[str, ...]  # of push, read, run, admin, watch
    project: str | None  # null: all of them
    created: int  # this and the others: milliseconds since 1970, UTC
    expires: int | None
    used: int | None  # to the hour
    revoked: int | None


def create(
    store: Store,
    name: str,
    scopes: Sequence[str],
    *,
    project: str | None = None,
    days: int | None = None,
    person: str = "command line",
) -> tuple[str, Token]:
    """Make a token: the text that is shown once, and what is kept of it.

    A project that is not there yet is made. ``days`` None: it does not expire. Raises RefusedError
    for a name, scope or time that cannot be.
    """
    name, scopes = checked("name", name), _scopes(scopes)
    if days is not None and not 1 <= days <= _LONGEST_DAYS:
        raise RefusedError(f"days {days}: is not from 1 to {_LONGEST_DAYS:,}")
    text, moment = _new(_TOKEN), now()
    with store.database.writing() as connection:
        key = connection.execute(
            tables.token.insert().values(
                name=name,
                hash=_hash(text),
                project=None if project is None else project_key(connection, project),
                scopes=" ".join(scopes),
                created=moment,
                expires=None if days is None else moment + days * 24 * _HOUR,
            )
        ).inserted_primary_key
        assert key is not None
        log.write(connection, person, "token created", f"{name} ({', '.join(scopes)})")
    return text, one(store, key[0])


def begin_session(store: Store, text: str) -> str | None:
    """The session of whoever shows this token; None where no such token is valid."""
    parent = known(store, text)
    if parent is None:
        return None
    session, moment, table = _new(_SESSION), now(), tables.token
    ends = moment + SESSION_HOURS * _HOUR
    told = {
        "hash": _hash(session),
        "parent": parent.key,
        "created": moment,
        "expires": min(ends, parent.expires or ends),
    }
    same = ("name", "project", "scopes")
    copied = select(
        *(literal(value, table.c[name].type) for name, value in told.items()),
        *(table.c[name] for name in same),
    ).where(table.c.key == parent.key)
    with store.database.writing() as connection:
        over = table.c.parent.is_not(None) & (table.c.expires < moment)
        connection.execute(table.delete().where(over))
        connection.execute(table.insert().from_select([*told, *same], copied))
    return session


def end_session(store: Store, session: str) -> None:
    """Forget a session, if it is one."""
    if session.startswith(_SESSION):
        with store.database.writing() as connection:
            found = tables.token.c.hash == _hash(session)
            connection.execute(tables.token.delete().where(found))


def known(store: Store, text: str) -> Token | None:
    """The token that somebody shows; None where it is none, or is not valid any more."""
    return _valid(store, text) if text.startswith(_TOKEN) else None


def visitor(store: Store, session: str) -> Token | None:
    """The token of a session; None where it is none, is over, or its token is not valid."""
    return _valid(store, session) if session.startswith(_SESSION) else None


def tokens(store: Store, project: str | None = None) -> tuple[Token, ...]:
    """All tokens that were not revoked, or those of a project, the newest first; no sessions."""
    asked = _selected().where(tables.token.c.revoked.is_(None)).order_by(tables.token.c.key.desc())
    if project is not None:
        asked = asked.where(tables.project.c.name == project)
    with store.database.reading() as connection:
        return tuple(_token(row) for row in connection.execute(asked))


def one(store: Store, key: int) -> Token:
    """A token by its key; NotThereError."""
    with store.database.reading() as connection:
        row = connection.execute(_selected().where(tables.token.c.key == key)).first()
    if row is None:
        raise NotThereError(f"token {key}: is not here")
    return _token(row)


def revoke(store: Store, key: int, person: str = "command line") -> None:
    """Make a token and its sessions void; NotThereError where there is none, or it is already."""
    table = tables.token
    with store.database.writing() as connection:
        done = connection.execute(
            update(table)
            .where(table.c.key == key, table.c.parent.is_(None), table.c.revoked.is_(None))
            .values(revoked=now())
        )
        if not done.rowcount:
            raise NotThereError(f"token {key}: is not here")
        connection.execute(table.delete().where(table.c.parent == key))
        log.write(connection, person, "token revoked", str(key))


def any_made(database: Database) -> bool:
    """Whether there ever was a token; that all are void does not open a server again."""
    asked = select(tables.token.c.key).limit(1)
    with database.reading() as connection:
        return connection.execute(asked).first() is not None


def _valid(store: Store, text: str) -> Token | None:
    if len(text) > 100 or not text.isascii():
        return None
    moment, table = now(), tables.token
    with store.database.reading() as connection:
        row = connection.execute(
            _selected(sessions=True).where(table.c.hash == _hash(text), *_still(moment))
        ).first()
    if row is None:
        return None
    token = _token(row)
    if token.used is None or token.used < moment - _HOUR:
        with suppress(TaxcheckError):  # a full disk keeps nobody from reading
            _touch(store, token.key, moment)
    return token


def _still(moment: int) -> tuple[Any, ...]:
    table = tables.token
    return table.c.revoked.is_(None), or_(table.c.expires.is_(None), table.c.expires > moment)


def _touch(store: Store, key: int, moment: int) -> None:
    with store.database.writing() as connection:
        connection.execute(
            update(tables.token).where(tables.token.c.key == key).values(used=moment)
        )


def _selected(sessions: bool = False) -> Select[Any]:
    table = tables.token
    asked = select(
        table.c.key,
        table.c.name,
        table.c.scopes,
        tables.project.c.name.label("project"),
        table.c.created,
        table.c.expires,
        table.c.used,
        table.c.revoked,
    ).select_from(table.outerjoin(tables.project, table.c.project == tables.project.c.key))
    return asked if sessions else asked.where(table.c.parent.is_(None))


def _token(row: Row[Any]) -> Token:
    found = row._asdict()
    return Token(**found | {"scopes": tuple(found["scopes"].split())})


def _scopes(scopes: Sequence[str]) -> tuple[str, ...]:
    if unknown := sorted(set(scopes) - set(SCOPES)):
        raise RefusedError(f"scope {unknown[0][:40]!r}: is none of {', '.join(SCOPES)}")
    if not scopes:
        raise RefusedError(f"a token needs a scope: {', '.join(SCOPES)}")
    return tuple(scope for scope in SCOPES if scope in scopes)


def _new(kind: str) -> str:
    return kind + secrets.token_urlsafe(32)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
