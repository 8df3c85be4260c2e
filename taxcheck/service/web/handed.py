"""What routes are handed, of REST and of the pages: the store, and a caller who may do this."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from taxcheck.service.access import Caller
from taxcheck.service.store import runs
from taxcheck.service.store.runs import RunRow
from taxcheck.service.store.store import Store
from taxcheck.service.web.guard import needs, own


def _store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


TheStore = Annotated[Store, Depends(_store)]
Reader = Annotated[Caller, needs("read")]
Watcher = Annotated[Caller, needs("watch")]
Writer = Annotated[Caller, needs("push")]
Runner = Annotated[Caller, needs("run")]
Admin = Annotated[Caller, needs("admin")]
AdminOfAll = Annotated[Caller, needs("admin", everywhere=True)]


def own_run(store: Store, caller: Caller, scope: str, id: str) -> RunRow:
    """A run that the caller may do this with; NotThereError also where it is another project's."""
    row = runs.one(store, id)
    own(caller, scope, row.project, f"run {id[:64]!r}")
    return row
