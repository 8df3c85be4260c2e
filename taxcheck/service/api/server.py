"""What administrators of the whole server ask for."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response

from taxcheck.service.api.answers import REFUSALS, answer, told
from taxcheck.service.api.asking import Limit
from taxcheck.service.store import log, retention
from taxcheck.service.store.retention import Disk, Swept
from taxcheck.service.web.handed import AdminOfAll, TheStore

router = APIRouter(prefix="/api/v1", tags=["server"], responses=REFUSALS)


class Log(msgspec.Struct, frozen=True):
    """Who changed what, the newest first."""

    entries: tuple[log.Entry, ...]
    next: int | None  # cursor of what follows; null after the last


@router.get("/log", responses=told(Log, "The newest first."))
def entries(
    store: TheStore,
    _: AdminOfAll,
    cursor: Annotated[
        int | None, Query(ge=0, le=2**63 - 1, description="`next` of the page before.")
    ] = None,
    limit: Limit = 100,
) -> Response:
    """Who changed what; reading is not written down."""
    found = log.entries(store, cursor, limit)
    return answer(Log(found, found[-1].key if len(found) == limit else None))


@router.get("/disk", responses=told(Disk, "In bytes."))
def disk(store: TheStore, _: AdminOfAll) -> Response:
    """How much room everything takes, and how much is left."""
    return answer(retention.disk(store))


@router.post("/sweep", responses=told(Swept, "What went."))
def sweep(store: TheStore, _: AdminOfAll) -> Response:
    """Take away now what need not be kept; the server does so every hour by itself."""
    return answer(retention.sweep(store))
