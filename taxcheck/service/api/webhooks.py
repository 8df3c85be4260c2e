"""Webhooks of a project, for its administrators."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from taxcheck.service.access import Caller
from taxcheck.service.api.answers import DONE, REFUSALS, answer, told
from taxcheck.service.api.asking import Within
from taxcheck.service.store import webhooks
from taxcheck.service.store.store import Store
from taxcheck.service.store.webhooks import Delivery, Webhook
from taxcheck.service.web.guard import allow, own
from taxcheck.service.web.handed import Admin, TheStore

router = APIRouter(prefix="/api/v1/webhooks", tags=["webhooks"], responses=REFUSALS)

Event = Literal["failure", "recovery", "regression"]
WebhookId = Annotated[int, Path(ge=1, le=2**63 - 1)]


class NewWebhook(BaseModel):
    """A webhook that is going to be made."""

    model_config = ConfigDict(extra="forbid")

    project: str = Field(max_length=100)
    url: str = Field(
        max_length=2000, description="https://…; never of this machine or its network."
    )
    style: Literal["json", "slack"] = "json"
    events: list[Event] = Field(
        ["failure", "recovery", "regression"],
        min_length=1,
        max_length=3,
        description="A dataset begins to fail, passes again, or has scores worse than its "
        "baseline's.",
    )


class Change(BaseModel):
    """What may be changed of a webhook."""

    model_config = ConfigDict(extra="forbid")

    paused: bool = Field(description="Whether what is to be sent is held back.")


class Made(msgspec.Struct, frozen=True):
    """A webhook that was made."""

    secret: str  # signs what is sent; it is shown this once
    webhook: Webhook


class Webhooks(msgspec.Struct, frozen=True):
    """All of them, by project."""

    webhooks: tuple[Webhook, ...]


class Deliveries(msgspec.Struct, frozen=True):
    """The newest messages of a webhook."""

    deliveries: tuple[Delivery, ...]


@router.get("", responses=told(Webhooks, "All that the caller administers."))
def found(store: TheStore, caller: Admin, project: Within = None) -> Response:
    """List webhooks; their secrets are not shown."""
    projects = caller.projects if project is None else (project,)
    return answer(Webhooks(webhooks.webhooks(store, projects)))


@router.post("", status_code=201, responses=told(Made, "It, and its secret.", 201))
def create(new: NewWebhook, store: TheStore, caller: Admin) -> Response:
    """Have changes of a project's datasets told to an address.

    A message carries `X-Taxcheck-Signature: t=SECONDS,v1=HEX`: HMAC-SHA256, by the secret, of the
    seconds since 1970, a dot and the body. It is sent until it is answered with 2xx, for about a
    day; redirects are not followed.
    """
    allow(caller, "admin", new.project)
    webhook, secret = webhooks.create(
        store, new.project, new.url, style=new.style, events=new.events, person=caller.person
    )
    return answer(Made(secret, webhook), 201, {"Cache-Control": "no-store"})


@router.get("/{id}/deliveries", responses=told(Deliveries, "The newest first."))
def deliveries(id: WebhookId, store: TheStore, caller: Admin) -> Response:
    """Look at what was sent, what waits, and what went wrong."""
    _own(store, caller, id)
    return answer(Deliveries(webhooks.deliveries(store, id)))


@router.patch("/{id}", responses=told(Webhook, "As it is now."))
def change(id: WebhookId, new: Change, store: TheStore, caller: Admin) -> Response:
    """Hold back what is to be sent, or go on with it."""
    _own(store, caller, id)
    webhooks.pause(store, id, paused=new.paused, person=caller.person)
    return answer(webhooks.one(store, id))


@router.delete("/{id}", status_code=204, responses=DONE)
def remove(id: WebhookId, store: TheStore, caller: Admin) -> Response:
    """Remove a webhook, and what was still to be sent to it."""
    _own(store, caller, id)
    webhooks.remove(store, id, person=caller.person)
    return Response(status_code=204)


def _own(store: Store, caller: Caller, id: int) -> None:
    own(caller, "admin", webhooks.one(store, id).project, f"webhook {id}")
