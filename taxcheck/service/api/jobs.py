"""Jobs: asked for, looked at, stopped; and what a build made."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.responses import FileResponse

from taxcheck.service.access import Caller
from taxcheck.service.api.answers import REFUSALS, answer, told
from taxcheck.service.api.asking import Cursor, Limit, Within
from taxcheck.service.store import jobs
from taxcheck.service.store.asked import Asked
from taxcheck.service.store.errors import NotThereError
from taxcheck.service.store.jobs import Job, JobStory
from taxcheck.service.store.store import Store
from taxcheck.service.web.guard import allow, own
from taxcheck.service.web.handed import Reader, Runner, TheStore
from taxcheck.service.web.refusals import RefusedRequestError

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"], responses=REFUSALS)

_BODY_BYTES = 1 << 16


class NewJob(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A job that is going to be done, for a dataset of a project.

    A file is `upload:` and the id of an upload, or the path of one that the administrator lets jobs
    read.
    """

    project: str
    dataset: str
    job: Asked


class Jobs(msgspec.Struct, frozen=True):
    """The newest first."""

    jobs: tuple[Job, ...]
    next: str | None  # cursor of those that follow; null after the last


class Story(JobStory, frozen=True, kw_only=True):
    """A job with its log, and the files that it made."""

    files: tuple[str, ...]


async def _body(request: Request, caller: Runner) -> NewJob:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _BODY_BYTES:
            raise RefusedRequestError(413, f"a job has at most {_BODY_BYTES:,} bytes")
    try:
        new = msgspec.json.decode(body, type=NewJob)
    except msgspec.ValidationError as error:
        raise RefusedRequestError(422, str(error)) from None
    except msgspec.DecodeError as error:
        raise RefusedRequestError(422, f"the body is no JSON: {error}") from None
    allow(caller, "run", new.project)
    return new


JobId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="Id of a job.")]
State = Literal["queued", "running", "done", "failed", "cancelled"]


@router.post(
    "",
    status_code=201,
    responses=told(Job, "It waits for a worker.", 201),
    openapi_extra={
        "requestBody": {"required": True, "content": told(NewJob, "")[200]["content"]},
    },
)
def submit(new: Annotated[NewJob, Depends(_body)], store: TheStore, caller: Runner) -> Response:
    """Ask for a job: gate, audit, the plan of a repair, or a build."""
    id = jobs.submit(
        store, project=new.project, dataset=new.dataset, asked=new.job, person=caller.person
    )
    return answer(_short(store, id), 201, {"Location": f"{router.prefix}/{id}"})


@router.get("", responses=told(Jobs, "Those that match, the newest first."))
def found(
    store: TheStore,
    caller: Reader,
    project: Within = None,
    dataset: Annotated[str | None, Query(max_length=100)] = None,
    state: Annotated[list[State] | None, Query(description="One of these.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """List jobs."""
    page = jobs.jobs(
        store,
        project=project,
        dataset=dataset,
        states=state or (),
        cursor=cursor,
        limit=limit,
        projects=caller.projects,
    )
    return answer(Jobs(page.jobs, page.next))


@router.get("/{id}", responses=told(Story, "The job, its log and what came of it."))
def one(id: JobId, store: TheStore, caller: Reader) -> Response:
    """Look at a job."""
    story = _own(store, caller, "read", id)
    fields = {name: getattr(story, name) for name in JobStory.__struct_fields__}
    files = tuple(jobs.results(store, id))
    return answer(Story(**fields, files=files), headers={"Cache-Control": "no-store"})


@router.post("/{id}/cancel", responses=told(Job, "It is stopped, or will be."))
def cancel(id: JobId, store: TheStore, caller: Runner) -> Response:
    """Stop a job: at once where it waits, else as soon as its worker hears of it."""
    _own(store, caller, "run", id)
    jobs.cancel(store, id, person=caller.person)
    return answer(_short(store, id))


@router.get("/{id}/files/{name}", response_class=FileResponse, response_description="The file.")
def file(
    id: JobId, name: Annotated[str, Path(max_length=255)], store: TheStore, caller: Reader
) -> Response:
    """Fetch a file that a build made, as long as it is kept."""
    _own(store, caller, "read", id)
    path = jobs.results(store, id).get(name)
    if path is None:
        raise NotThereError(f"job {id}: has no file {name[:100]!r}, or it is kept no longer")
    return FileResponse(
        path,
        media_type="application/octet-stream",
        filename=path.name,
        headers={"X-Content-Type-Options": "nosniff"},
    )


def _own(store: Store, caller: Caller, scope: str, id: str) -> JobStory:
    story = jobs.one(store, id)
    own(caller, scope, story.project, f"job {id!r}")
    return story


def _short(store: Store, id: str) -> Job:
    story = jobs.one(store, id)
    return Job(**{name: getattr(story, name) for name in Job.__struct_fields__})
