"""Projects and datasets: how they stand, over time and rule by rule."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from taxcheck.service.api.answers import DONE, REFUSALS, answer, told
from taxcheck.service.api.asking import RUN_ID, DatasetName, ProjectName, Within
from taxcheck.service.store import datasets
from taxcheck.service.store.datasets import Firing, Grid, Head, Project, Trend
from taxcheck.service.store.errors import NotThereError
from taxcheck.service.store.metrics import label
from taxcheck.service.store.runs import RunRow
from taxcheck.service.web.handed import Admin, Reader, TheStore, own_run

router = APIRouter(prefix="/api/v1", tags=["datasets"], responses=REFUSALS)
_ONE = "/projects/{project}/datasets/{dataset}"
_MOST = 50  # numbers of one trend


class Projects(msgspec.Struct, frozen=True):
    """All that the caller may read."""

    projects: tuple[Project, ...]


class Heads(msgspec.Struct, frozen=True):
    """All that the caller may read."""

    datasets: tuple[Head, ...]


class Metric(msgspec.Struct, frozen=True):
    """A number that a trend can show."""

    name: str
    label: str


class Metrics(msgspec.Struct, frozen=True):
    """All that the last runs of a dataset have."""

    metrics: tuple[Metric, ...]


class Fires(msgspec.Struct, frozen=True):
    """Where it fires, in the newest run of each dataset that the caller may read."""

    fires: tuple[Firing, ...]


class Baseline(BaseModel):
    """The run that others are held against."""

    model_config = ConfigDict(extra="forbid")

    run: str | None = Field(pattern=RUN_ID, description="Its id; null: the newest that passed.")


@router.get("/projects", responses=told(Projects, "By name."))
def projects(store: TheStore, caller: Reader) -> Response:
    """List projects."""
    return answer(Projects(datasets.projects(store, caller.projects)))


@router.get("/datasets", responses=told(Heads, "By project and name."))
def heads(store: TheStore, caller: Reader, project: Within = None) -> Response:
    """List datasets, each with the verdict of its newest run."""
    chosen = caller.projects if project is None else (project,)
    return answer(Heads(datasets.heads(store, chosen)))


@router.get(_ONE, responses=told(Head, "How it stands."))
def one(project: ProjectName, dataset: DatasetName, store: TheStore, _: Reader) -> Response:
    """One dataset."""
    return answer(datasets.one(store, project, dataset))


@router.delete(_ONE, status_code=204, responses=DONE)
def remove(project: ProjectName, dataset: DatasetName, store: TheStore, caller: Admin) -> Response:
    """Remove a dataset with all of its runs."""
    datasets.remove_dataset(store, project, dataset, caller.person)
    return Response(status_code=204)


@router.get(f"{_ONE}/grid", responses=told(Grid, "The oldest run first."))
def grid(
    project: ProjectName,
    dataset: DatasetName,
    store: TheStore,
    _: Reader,
    runs: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """What became of each rule in the last runs."""
    return answer(datasets.grid(store, project, dataset, runs))


@router.get(f"{_ONE}/metrics", responses=told(Metrics, "Those looked at first in front."))
def metrics(project: ProjectName, dataset: DatasetName, store: TheStore, _: Reader) -> Response:
    """The numbers that a trend can show."""
    names = datasets.metric_names(store, project, dataset)
    return answer(Metrics(tuple(Metric(name, label(name)) for name in names)))


@router.get(f"{_ONE}/trend", responses=told(Trend, "The oldest run first."))
def trend(
    project: ProjectName,
    dataset: DatasetName,
    store: TheStore,
    _: Reader,
    metric: Annotated[
        list[Annotated[str, Query(max_length=200)]],
        Query(min_length=1, max_length=_MOST, description="Several times for several numbers."),
    ],
    limit: Annotated[int, Query(ge=1, le=datasets.POINTS, description="Runs, the last.")] = 500,
) -> Response:
    """Numbers over the runs, beside those of the baseline."""
    return answer(datasets.trend(store, project, dataset, metric, limit))


@router.get(f"{_ONE}/baseline", responses=told(RunRow, "The run; its report has an address."))
def baseline(
    project: ProjectName,
    dataset: DatasetName,
    store: TheStore,
    _: Reader,
    which: Literal["baseline", "latest-pass", "latest"] = "baseline",
) -> Response:
    """The run that others are held against: the one that was chosen, or the newest that passed."""
    row = datasets.baseline(store, project, dataset, which)
    if row is None:
        raise NotThereError(f"{project}/{dataset}: has no run yet that could be the {which}")
    link = f'</api/v1/runs/{row.id}/report.json>; rel="describedby"'
    return answer(row, headers={"Link": link})


@router.put(f"{_ONE}/baseline", status_code=204, responses=DONE)
def set_baseline(
    project: ProjectName, dataset: DatasetName, chosen: Baseline, store: TheStore, caller: Admin
) -> Response:
    """Choose the run that others are held against."""
    if chosen.run is not None:
        own_run(store, caller, "admin", chosen.run)
    datasets.set_baseline(store, project, dataset, chosen.run, caller.person)
    return Response(status_code=204)


@router.get("/firing/{name}", responses=told(Fires, "The newest first."))
def firing(
    name: Annotated[str, Path(max_length=100, description="Of a rule or cause, or a rule's id.")],
    store: TheStore,
    caller: Reader,
    project: Within = None,
) -> Response:
    """Where a rule or a cause fires now."""
    chosen = caller.projects if project is None else (project,)
    return answer(Fires(datasets.firing(store, name, chosen)))
