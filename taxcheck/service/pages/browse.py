"""Datasets and rules: home, a project, a dataset with its badge and feed, where a finding fires."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from taxcheck.model.cause import Cause
from taxcheck.model.rule import Rule
from taxcheck.run.registry import load_causes, load_pages, load_rules
from taxcheck.service.pages import gather, standing
from taxcheck.service.pages.desk import Fields, frame, go, page
from taxcheck.service.pages.values import Doubt, Feed, Firing
from taxcheck.service.store import datasets, runs
from taxcheck.service.store.errors import NotThereError, RefusedError
from taxcheck.service.store.runs import RunRow
from taxcheck.service.store.store import Store
from taxcheck.service.web.guard import visit_in
from taxcheck.service.web.handed import Admin, Reader, TheStore, Watcher

router = APIRouter(include_in_schema=False)
_Name = Annotated[str, Path(max_length=100)]
_FEED = 50


@router.get("/")
def home(request: Request, store: TheStore, caller: Reader) -> Response:
    """All datasets that the caller may see, those that fail first."""
    heads = datasets.heads(store, caller.projects)
    return page("home", gather.home(frame(request, caller), heads))


@router.get("/rules/{name:path}")  # names of plugins may hold a slash
def rule(name: _Name, request: Request, store: TheStore, caller: Reader) -> Response:
    """A rule, by id or name, or a cause: where it fires now."""
    known = _known(name)
    met = datasets.Named(known.id, known.name, "rule") if isinstance(known, Rule) else None
    met = met or (
        datasets.Named(name, name, "cause")
        if known
        else datasets.named(store, name, caller.projects)
    )
    if met is None:
        raise NotThereError(f"{name!r}: no run that came here has a rule or a cause of this name")
    value = Firing(
        frame=frame(request, caller),
        id=met.id,
        name=met.name,
        kind=met.kind,
        fires=gather.fires(datasets.firing(store, name, caller.projects)),
        document=known.document if known else None,
    )
    return page("rule", value)


def _known(name: str) -> Rule | Cause | None:
    """The rule or cause of this name that is installed here."""
    rules = (one for one in load_rules() if name in (one.id, one.name))
    causes = (one for one in load_causes() if one.name == name)
    return next(rules, None) or next(causes, None)


@router.get("/{project}")
def project(project: _Name, request: Request, store: TheStore, caller: Reader) -> Response:
    """The datasets of one project."""
    heads = datasets.heads(store, [project])
    if not heads:
        raise NotThereError(f"project {project}: is not here")
    return page("home", gather.home(frame(request, caller), heads, project))


@router.get("/{project}/{dataset}")
def dataset(
    project: _Name,
    dataset: _Name,
    request: Request,
    store: TheStore,
    caller: Reader,
    metric: Annotated[list[str], Query(max_length=8)] = [],  # noqa: B006 - FastAPI copies it
    last: Annotated[int, Query(ge=2, le=500)] = 100,
) -> Response:
    """One dataset: its runs, its numbers, its rules."""
    names = [name for name in metric if name]
    story = datasets.story(store, project, dataset, names, last)
    report = runs.report(store, story.head.newest, samples=False) if story.head.newest else None
    value = gather.dataset(
        frame(request, caller), story, report, last, caller.may("admin", project)
    )
    return page("dataset", value)


@router.post("/{project}/{dataset}/remove")
def remove(
    project: _Name, dataset: _Name, store: TheStore, caller: Admin, fields: Fields
) -> Response:
    """Remove a dataset, if its name was typed."""
    if fields.get("name") != dataset:
        raise RefusedError(f"dataset {dataset}: to remove it, type its name as it is")
    datasets.remove_dataset(store, project, dataset, caller.person)
    return go("/", "removed")


@router.get("/{project}/{dataset}/badge.svg")
def badge(
    project: _Name,
    dataset: _Name,
    request: Request,
    store: TheStore,
    caller: Watcher,  # noqa: ARG001 - whether they may
    branch: Annotated[str | None, Query(max_length=255)] = None,
) -> Response:
    """How a dataset stands, or a branch of it, in a word, and since which day that is known."""
    head = datasets.one(store, project, dataset)
    if branch is None:
        value = standing.badge(dataset, head, standing.doubt(head))
    else:
        value = standing.badge(dataset, *_of_branch(store, project, dataset, branch))
    drawn = load_pages()[0]["badge"](value)
    return Response(drawn, headers=_shown_elsewhere(request), media_type="image/svg+xml")


def _of_branch(
    store: Store, project: str, dataset: str, branch: str
) -> tuple[RunRow | None, Doubt | None]:
    newest = runs.find(store, project=project, dataset=dataset, branch=branch, limit=1).rows
    if not newest:
        return None, None
    latest = runs.latest(store, project, dataset, branch)
    return newest[0], standing.branch_doubt(newest[0], latest)


def _shown_elsewhere(request: Request) -> dict[str, str]:
    """Pages of others may show what was asked for with a token in its address, and no more.

    The width of a picture tells what is written in it: of a server that is open, any page in a
    browser of its machine could find out.
    """
    if "token" not in request.query_params:
        return {}
    return {"Cross-Origin-Resource-Policy": "cross-origin"}


@router.get("/{project}/{dataset}/feed.xml")
def feed(
    project: _Name,
    dataset: _Name,
    request: Request,
    store: TheStore,
    caller: Watcher,  # noqa: ARG001 - whether they may
    branch: Annotated[str | None, Query(max_length=255)] = None,
) -> Response:
    """The newest runs of a dataset, or of a branch of it."""
    _expect(store, project, dataset)
    rows = runs.find(store, project=project, dataset=dataset, branch=branch, limit=_FEED).rows
    said = f"{visit_in(request).scheme}://{request.headers.get('host', '')}"
    base = (store.settings.address or said).rstrip("/")
    updated = max((row.received for row in rows), default=0)
    value = Feed(base, project, dataset, tuple(map(gather.run_line, rows)), updated)
    return Response(load_pages()[0]["feed"](value), media_type="application/atom+xml")


def _expect(store: Store, project: str, dataset: str) -> None:
    """NotThereError where there is no such dataset."""
    datasets.one(store, project, dataset)
