"""Runs: pushed, found, shown in every format, kept or removed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from taxcheck import __version__
from taxcheck.model.report import RenderOptions
from taxcheck.run.registry import load_renderers
from taxcheck.service.access import Caller
from taxcheck.service.api.answers import DONE, REFUSALS, answer, tag_of, told, unchanged
from taxcheck.service.api.asking import Cursor, Limit, Pusher, Raw, RunId, Within
from taxcheck.service.store import ingest, runs
from taxcheck.service.store.ingest import Kept, Pushed
from taxcheck.service.store.runs import Note, Page, RunRow
from taxcheck.service.web.door import ALONE
from taxcheck.service.web.handed import Admin, Reader, TheStore, Writer, own_run
from taxcheck.service.web.refusals import RefusedRequestError

router = APIRouter(prefix="/api/v1/runs", tags=["runs"], responses=REFUSALS)

FORMATS: Mapping[str, tuple[str, str]] = {  # suffix -> renderer, media type
    "json": ("json", "application/json"),
    "html": ("html", "text/html; charset=utf-8"),
    "sarif": ("sarif", "application/sarif+json"),
    "xml": ("junit", "application/xml"),
    "md": ("markdown", "text/markdown; charset=utf-8"),
}

_Text = Annotated[str | None, Query(max_length=2000)]


class Change(BaseModel):
    """What may be changed of a run."""

    model_config = ConfigDict(extra="forbid")

    pinned: bool = Field(description="Whether it stays, however old it gets.")


class NewNote(BaseModel):
    """What somebody has to say of a run."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=10_000)


class Annotations(msgspec.Struct, frozen=True):
    """All that was said of a run, the oldest first."""

    annotations: tuple[Note, ...]


@router.put(
    "/{id}",
    status_code=201,
    responses={
        **told(Kept, "It is kept.", 201),
        **told(Kept, "The same run is here already; nothing changed."),
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "The report, as `taxcheck run --json` writes it.",
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
    },
)
def push(
    id: RunId,
    request: Request,
    store: TheStore,
    caller: Pusher,
    raw: Raw,
    dataset: Annotated[str, Query(max_length=100, description="Which dataset it is of.")],
    project: Annotated[
        str | None,
        Query(max_length=100, description="Of the dataset; default: that of the token."),
    ] = None,
    commit: _Text = None,
    branch: _Text = None,
    person: _Text = None,
    link: _Text = None,
) -> Response:
    """Push a run. Its id is the client's: the same report sent again is the same run.

    A header `Date` says what the client's clock shows: where that is more than a minute off, the
    date of the run is put right.
    """
    pushed = Pushed(
        id=id,
        project=project or _only_project(caller),
        dataset=dataset,
        commit=commit,
        branch=branch,
        person=person or caller.person,
        link=link,
        clock=_clock(request),
    )
    kept = ingest.keep(store, pushed, raw)
    return answer(kept, 201 if kept.created else 200, {"Location": f"{router.prefix}/{id}"})


@router.get("", responses=told(Page, "The newest first."))
def find(
    store: TheStore,
    caller: Reader,
    project: Within = None,
    dataset: Annotated[str | None, Query(max_length=100)] = None,
    verdict: Literal["pass", "warn", "fail", "error", "skipped"] | None = None,
    rule: Annotated[str | None, Query(max_length=100, description="It fails or warns.")] = None,
    branch: Annotated[str | None, Query(max_length=255)] = None,
    since: Annotated[
        datetime | None, Query(description="Not older; without an offset it is UTC.")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Find runs; a page ends with the cursor of the next."""
    page = runs.find(
        store,
        project=project,
        dataset=dataset,
        verdict=verdict,
        rule=rule,
        branch=branch,
        since=milliseconds(since),
        cursor=cursor,
        limit=limit,
        projects=caller.projects,
    )
    return answer(page)


def milliseconds(moment: datetime | None) -> int | None:
    """A moment as the tables hold it; one without an offset is UTC."""
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(aware.timestamp() * 1000)


@router.get("/{id}/report.{suffix}", response_description="The report.")
def report(
    id: RunId,
    suffix: Annotated[Literal["json", "html", "sarif", "xml", "md"], Path()],
    request: Request,
    store: TheStore,
    caller: Reader,
) -> Response:
    """The report of a run in one of its formats."""
    row = own_run(store, caller, "read", id)
    tag = tag_of(row.digest, row.erased, suffix, __version__)
    if same := unchanged(request, tag):
        return same
    renderer, media = FORMATS[suffix]
    text = load_renderers()[renderer](runs.report(store, id), RenderOptions())
    headers = {"ETag": tag}
    if suffix == "html":
        headers["Content-Security-Policy"] = ALONE
    return Response(text, headers=headers, media_type=media)


@router.get("/{id}", responses=told(RunRow, "What is known of it beside its report."))
def one(id: RunId, store: TheStore, caller: Reader) -> Response:
    """One run."""
    return answer(own_run(store, caller, "read", id))


@router.patch("/{id}", responses=told(RunRow, "The run as it is now."))
def change(id: RunId, asked: Change, store: TheStore, caller: Writer) -> Response:
    """Pin a run, or let go of it."""
    own_run(store, caller, "push", id)
    return answer(runs.pin(store, id, asked.pinned, caller.person))


@router.delete("/{id}", status_code=204, responses=DONE)
def remove(id: RunId, store: TheStore, caller: Admin) -> Response:
    """Remove a run with all that is known of it."""
    own_run(store, caller, "admin", id)
    runs.remove(store, id, caller.person)
    return Response(status_code=204)


@router.delete("/{id}/samples", status_code=204, responses=DONE)
def erase(id: RunId, store: TheStore, caller: Admin) -> Response:
    """Erase the sampled rows of a run, which hold names of nodes; its numbers stay."""
    own_run(store, caller, "admin", id)
    runs.erase_samples(store, id, caller.person)
    return Response(status_code=204)


@router.get("/{id}/annotations", responses=told(Annotations, "The oldest first."))
def notes(id: RunId, store: TheStore, caller: Reader) -> Response:
    """What people say of a run."""
    own_run(store, caller, "read", id)
    return answer(Annotations(runs.annotations(store, id)))


@router.post(
    "/{id}/annotations", status_code=201, responses=told(Annotations, "All that was said.", 201)
)
def annotate(id: RunId, note: NewNote, store: TheStore, caller: Writer) -> Response:
    """Say something of a run."""
    own_run(store, caller, "push", id)
    runs.annotate(store, id, note.text, caller.person)
    return answer(Annotations(runs.annotations(store, id)), 201)


def _clock(request: Request) -> int | None:
    """What the client's clock shows, if it says so."""
    try:
        moment = parsedate_to_datetime(request.headers.get("date", ""))
        return milliseconds(moment)
    except (ValueError, OverflowError):
        return None


def _only_project(caller: Caller) -> str:
    if caller.projects is not None and len(caller.projects) == 1:
        return next(iter(caller.projects))
    raise RefusedRequestError(422, "say which project the run belongs to: ?project=NAME")
