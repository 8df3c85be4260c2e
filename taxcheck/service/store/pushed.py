"""What a client says about a run that it sends."""

from __future__ import annotations

import re

from msgspec import Struct
from msgspec.structs import force_setattr

from taxcheck.service.store.errors import RefusedError
from taxcheck.service.store.names import checked, checked_name

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # stands in an address as it is
_LINK = re.compile(r"https?://[^\s<>\"'`\\]+", re.IGNORECASE)
_LONGEST = {"commit": 64, "branch": 255, "person": 255, "link": 2000}


class Pushed(Struct, frozen=True, kw_only=True):
    """What is said about a run by whoever sends it; the report says the rest.

    Raises RefusedError where a name, an id or a link is none.
    """

    id: str  # letters, digits, ``.``, ``_`` and ``-``, at most 64; chosen by the client
    project: str
    dataset: str
    commit: str | None = None
    branch: str | None = None
    person: str | None = None
    link: str | None = None  # of the CI job, http or https
    job: str | None = None  # id of the job of this server that made it
    clock: int | None = None  # milliseconds since 1970 by the client's own clock, as it was sent

    def __post_init__(self) -> None:
        expect_id(self.id)
        checked_name("project", self.project)
        checked_name("dataset", self.dataset)
        for name, longest in _LONGEST.items():
            if said := getattr(self, name):
                force_setattr(self, name, checked(name, said, longest))
            else:
                force_setattr(self, name, None)
        if self.link is not None and not _LINK.fullmatch(self.link):
            raise RefusedError(f"link {self.link[:80]!r}: is no address of http or https")


def expect_id(id: str) -> str:
    """The id of a run; RefusedError where none can have it."""
    if not _ID.fullmatch(id):
        raise RefusedError(
            f"run {id[:64]!r}: an id has letters, digits, dots, _ and -, begins with a letter or a "
            "digit, and is at most 64 long"
        )
    return id
