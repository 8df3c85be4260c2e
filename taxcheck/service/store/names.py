"""The names that clients give: of projects and datasets, and of what people call things."""

from __future__ import annotations

import re

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from taxcheck.service.store import tables
from taxcheck.service.store.database import now
from taxcheck.service.store.errors import RefusedError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")  # stands in an address as it is
# Where the server has pages of its own, /PROJECT cannot be one.
# fmt: off
RESERVED = frozenset((
    "admin", "api", "badges", "causes", "compare", "datasets", "docs", "favicon.ico", "feeds",
    "healthz", "jobs", "login", "logout", "metrics", "projects", "readyz", "robots.txt",
    "rules", "runs", "static", "tokens", "uploads", "webhooks",
))
# fmt: on


def checked_name(what: str, name: str) -> str:
    """The name of a "project" or a "dataset"; RefusedError where it cannot be one."""
    if not _NAME.fullmatch(name):
        raise RefusedError(
            f"{what} {name[:100]!r}: a name has letters, digits, dots, _ and -, begins with a "
            "letter or a digit, and is at most 100 long"
        )
    if what == "project" and name.lower() in RESERVED:
        raise RefusedError(f"project {name}: the server has pages of that name; take another")
    return name


def checked(what: str, text: str, longest: int = 100) -> str:
    """A text for people, without blanks around it; RefusedError where it cannot be shown."""
    said = text.strip()
    if not said or len(said) > longest or not said.isprintable():
        raise RefusedError(
            f"{what} {said[:40]!r}: is empty, longer than {longest} characters, or not printable"
        )
    return said


def project_key(connection: Connection, name: str) -> int:
    """The key of a project, which is made where it is not there; RefusedError for its name."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    made = dialect.insert(tables.project).values(name=checked_name("project", name), created=now())
    connection.execute(made.on_conflict_do_nothing())
    asked = select(tables.project.c.key).where(tables.project.c.name == name)
    return int(connection.execute(asked).scalar_one())
