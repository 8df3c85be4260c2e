"""Jobs: stuck ones first, one with its log, and the form that asks for one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from taxcheck.service.access import Caller
from taxcheck.service.pages import values as v
from taxcheck.service.pages.desk import frame, go, page
from taxcheck.service.pages.sending import sent
from taxcheck.service.store import jobs, uploads
from taxcheck.service.store.asked import Asked
from taxcheck.service.store.errors import RefusedError, StoreError
from taxcheck.service.store.jobs import Job, JobStory
from taxcheck.service.store.store import Store
from taxcheck.service.web.guard import allow, own
from taxcheck.service.web.handed import Reader, Runner, TheStore

router = APIRouter(prefix="/jobs", include_in_schema=False)
_Id = Annotated[str, Path(max_length=32)]
_MOST = 50
_WAITS = 600_000  # milliseconds after which a job that nobody takes up looks stuck
_ORDER = ("running", "queued")


def _line(job: Job, now: int, lease: int) -> v.JobLine:
    known = v.JobLine.__struct_fields__
    fields: dict[str, Any] = {
        name: getattr(job, name) for name in Job.__struct_fields__ if name in known
    }
    if job.progress is not None:
        fields |= {"stage": job.progress.stage}
        if job.progress.whole:
            fields |= {"done": job.progress.done, "whole": job.progress.whole}
    stuck, silent = _stuck(job, now, lease)
    return v.JobLine(**fields, stuck=stuck, silent=silent)


def _stuck(job: Job, now: int, lease: int) -> tuple[str, int]:
    """Why a job looks stuck, and since how long: its worker is silent, or there is none."""
    if job.state == "running" and now - job.lease > lease * 1000:
        return "its worker has said nothing for", now - job.lease + lease * 1000
    if job.state == "queued" and now - job.created > _WAITS:
        return "no worker has taken it up for", now - job.created
    return "", 0


def _ordered(lines: Iterable[v.JobLine]) -> tuple[v.JobLine, ...]:
    def place(line: v.JobLine) -> tuple[bool, int, int]:
        state = _ORDER.index(line.state) if line.state in _ORDER else len(_ORDER)
        return (not line.stuck, state, -line.created)

    return tuple(sorted(lines, key=place))


@router.get("")
def show(
    request: Request,
    store: TheStore,
    caller: Reader,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """All jobs; those that are not over come first, however old they are."""
    around = frame(request, caller)
    found = jobs.jobs(store, cursor=cursor, limit=_MOST, projects=caller.projects)
    going = () if cursor else jobs.jobs(
        store, states=_ORDER, limit=_MOST, projects=caller.projects
    ).jobs  # fmt: skip
    shown = {job.id: job for job in (*going, *found.jobs)}
    lines = (_line(job, around.now, store.settings.lease) for job in shown.values())
    value = v.Jobs(
        frame=around, jobs=_ordered(lines), more=found.next or "", may_run=caller.has("run")
    )
    return page("jobs", value)


@router.get("/new")
def ask(request: Request, store: TheStore, caller: Runner) -> Response:
    """The form that asks for a job."""
    return page("new_job", _form(request, store, caller, {}))


def _form(
    request: Request, store: Store, caller: Caller, typed: Mapping[str, str], line: str = ""
) -> v.NewJob:
    there = uploads.sent(store, caller.projects)
    return v.NewJob(
        frame=frame(request, caller),
        prefixes=tuple(map(str, store.settings.prefixes)),
        uploads=tuple(
            (one.id, f"{one.name}, {one.size:,} bytes, of {one.project}") for one in there
        ),
        typed=dict(typed),
        line=line,
    )


@router.post("/new")
def submit(
    request: Request,
    store: TheStore,
    caller: Runner,
    fields: Annotated[dict[str, str], Depends(sent)],
) -> Response:
    """Ask for a job; where it is refused, the form says why and keeps what was typed and sent."""
    project, dataset = fields.get("project", ""), fields.get("dataset", "")
    allow(caller, "run", project)
    try:
        id = jobs.submit(
            store, project=project, dataset=dataset, asked=_asked(fields), person=caller.person
        )
    except StoreError as error:
        return page("new_job", _form(request, store, caller, fields, str(error)), error.status)
    return go(f"/jobs/{id}")


def _asked(fields: Mapping[str, str]) -> Asked:
    """What the form asks for; RefusedError where a field is not of this kind of job."""
    told = {k: said.strip() for k, said in fields.items() if k not in ("project", "dataset")}
    told = {name: said for name, said in told.items() if said}
    if told.get("kind") == "build" and "taxonomy" in told:
        told["source"] = told.pop("taxonomy")
    try:
        asked: Asked = msgspec.convert(told, type=Asked)
    except msgspec.ValidationError as error:
        said = str(error).replace("Object contains unknown field", "this kind of job has no")
        said = said.replace("Object missing required field", "this kind of job needs")
        raise RefusedError(said.partition(" - at")[0]) from None
    return asked


@router.get("/{id}")
def one(id: _Id, request: Request, store: TheStore, caller: Reader) -> Response:
    """One job."""
    story, around = _own(store, caller, "read", id), frame(request, caller)
    value = v.Job(
        frame=around,
        job=_line(story, around.now, store.settings.lease),
        asked=tuple((k.replace("_", " "), str(said)) for k, said in _told(story)),
        log=story.log,
        outcome=_pretty(story.outcome),
        files=tuple(jobs.results(store, id)),
        exit_code=story.exit_code,
        may_run=caller.may("run", story.project),
    )
    return page("job", value)


def _told(story: JobStory) -> Iterable[tuple[str, object]]:
    asked: dict[str, object] = msgspec.to_builtins(story.asked)
    return asked.items()


def _pretty(outcome: msgspec.Raw | None) -> str:
    """JSON as people read it."""
    return "" if outcome is None else msgspec.json.format(bytes(outcome), indent=2).decode()


@router.post("/{id}/cancel")
def cancel(id: _Id, store: TheStore, caller: Runner) -> Response:
    """Stop a job."""
    _own(store, caller, "run", id)
    jobs.cancel(store, id, person=caller.person)
    return go(f"/jobs/{id}", "cancelled")


def _own(store: Store, caller: Caller, scope: str, id: str) -> JobStory:
    story = jobs.one(store, id)
    own(caller, scope, story.project, f"job {id!r}")
    return story
