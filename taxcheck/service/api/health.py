"""What watches over a server asks: is it alive, can it work, what does it count."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Request, Response

from taxcheck import __version__
from taxcheck.service.access import Caller
from taxcheck.service.api.answers import REFUSALS, answer, told
from taxcheck.service.store.ready import troubles
from taxcheck.service.web.guard import needs
from taxcheck.service.web.handed import TheStore
from taxcheck.service.web.meter import Meter

router = APIRouter(tags=["health"], responses=REFUSALS)


class Health(msgspec.Struct, frozen=True):
    """How the server is."""

    ready: bool
    version: str
    troubles: tuple[str, ...] = ()  # what it cannot do without, a sentence each


@router.get("/healthz", responses=told(Health, "The process answers."))
def alive() -> Response:
    """Whether the process answers; asks nothing of database and disk."""
    return answer(Health(True, __version__))


@router.get("/readyz", responses=told(Health, "It can work."))
def ready(store: TheStore) -> Response:
    """Whether database and folder can be used; 503 where not."""
    found = tuple(troubles(store))
    headers = {"Retry-After": "5"} if found else {}
    return answer(Health(not found, __version__, found), 503 if found else 200, headers)


@router.get("/metrics", response_class=Response, response_description="In their text format.")
def metrics(request: Request, _: Annotated[Caller, needs("read", everywhere=True)]) -> Response:
    """Numbers for Prometheus."""
    meter: Meter = request.app.state.meter
    return Response(meter.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
