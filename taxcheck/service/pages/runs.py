"""One run with what can be done with it, and two beside each other."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from taxcheck.commands.compare.compare import beside
from taxcheck.commands.compare.comparison import Comparison
from taxcheck.model.errors import NoReportError
from taxcheck.model.report import RenderOptions, Report
from taxcheck.run.registry import load_renderers
from taxcheck.service.pages import gather
from taxcheck.service.pages import values as v
from taxcheck.service.pages.desk import Fields, frame, go, page
from taxcheck.service.store import datasets, runs
from taxcheck.service.store.errors import NotThereError
from taxcheck.service.store.runs import RunRow
from taxcheck.service.store.store import Store
from taxcheck.service.web.door import ALONE
from taxcheck.service.web.handed import Admin, Reader, TheStore, Writer, own_run

router = APIRouter(include_in_schema=False)
_Id = Annotated[str, Path(max_length=64)]
_Asked = Annotated[str, Query(max_length=64)]


@router.get("/runs/{id}")
def run(id: _Id, request: Request, store: TheStore, caller: Reader) -> Response:
    """A run: its verdict, what changed since the baseline, its report."""
    row = own_run(store, caller, "read", id)
    report = runs.report(store, id)
    head = datasets.one(store, row.project, row.dataset)
    base = _baseline(store, row, head)
    value = v.Run(
        frame=frame(request, caller),
        line=gather.run_line(row),
        report=report,
        drawn=f"{row.digest} {row.erased} {len(report.results)}",
        baseline=gather.run_line(base) if base else None,
        is_baseline=id == (head.baseline or head.newest_pass),
        changed=_changed(store, base, report, id),
        others=tuple(mark for mark in gather.marks(head.recent) if mark.id != id),
        notes=gather.notes(runs.annotations(store, id)),
        may_push=caller.may("push", row.project),
        may_admin=caller.may("admin", row.project),
    )
    return page("run", value)


def _baseline(store: Store, row: RunRow, head: datasets.Head) -> RunRow | None:
    """What the run was held against when it came; where nothing was, what runs are now."""
    for id in (row.baseline, head.baseline or head.newest_pass):
        if id and id != row.id:
            try:
                return runs.one(store, id)
            except NotThereError:  # it was removed a moment ago
                continue
    return None


def _changed(store: Store, base: RunRow | None, report: Report, id: str) -> Comparison | None:
    if base is None:
        return None
    try:
        before = runs.report(store, base.id, samples=False)
    except (NotThereError, NoReportError):
        return None
    return beside(before, report, (base.id, id))


@router.get("/runs/{id}/explorer")
def explorer(id: _Id, store: TheStore, caller: Reader) -> Response:
    """How the explorer of the run's table is made, as a page of its own."""
    own_run(store, caller, "read", id)
    made = load_renderers()["projection"](runs.report(store, id), RenderOptions())
    headers = {"Content-Security-Policy": ALONE}
    return Response(made, media_type="text/html; charset=utf-8", headers=headers)


@router.post("/runs/{id}/pin")
def pin(id: _Id, store: TheStore, caller: Writer, fields: Fields) -> Response:
    """Keep a run, or no longer."""
    own_run(store, caller, "push", id)
    pinned = bool(fields.get("pinned"))
    runs.pin(store, id, pinned, caller.person)
    return go(f"/runs/{id}", "pinned" if pinned else "unpinned")


@router.post("/runs/{id}/baseline")
def baseline(id: _Id, store: TheStore, caller: Admin, fields: Fields) -> Response:
    """Hold other runs against this one, or no longer."""
    row = own_run(store, caller, "admin", id)
    chosen = id if fields.get("set") else None
    datasets.set_baseline(store, row.project, row.dataset, chosen, caller.person)
    return go(f"/runs/{id}", "baseline" if chosen else "no-baseline")


@router.post("/runs/{id}/notes")
def note(id: _Id, store: TheStore, caller: Writer, fields: Fields) -> Response:
    """Write something beside a run."""
    own_run(store, caller, "push", id)
    runs.annotate(store, id, fields.get("text", ""), caller.person)
    return go(f"/runs/{id}#notes", "noted")


@router.post("/runs/{id}/erase")
def erase(id: _Id, store: TheStore, caller: Admin) -> Response:
    """Erase the samples of a run."""
    own_run(store, caller, "admin", id)
    runs.erase_samples(store, id, caller.person)
    return go(f"/runs/{id}", "erased")


@router.post("/runs/{id}/remove")
def remove(id: _Id, store: TheStore, caller: Admin) -> Response:
    """Remove a run."""
    row = own_run(store, caller, "admin", id)
    runs.remove(store, id, caller.person)
    return go(f"/{row.project}/{row.dataset}", "removed")


@router.get("/compare")
def compare(
    request: Request,
    store: TheStore,
    caller: Reader,
    before: _Asked = "",
    after: _Asked = "",
) -> Response:
    """Two runs beside each other, or the form that asks which."""
    around = frame(request, caller)
    if not (before and after):
        return page("compare", v.Compare(frame=around, before=before, after=after))
    try:
        rows = [own_run(store, caller, "read", id) for id in (before, after)]
        value = _compared(store, around, rows)
    except NotThereError as error:
        asked = v.Compare(frame=around, before=before, after=after, line=str(error))
        return page("compare", asked, error.status)
    return page("compare", value)


def _compared(store: Store, around: v.Frame, rows: list[RunRow]) -> v.Compare:
    old, new = rows
    before, after = (runs.report(store, row.id, samples=False) for row in rows)
    return v.Compare(
        frame=around,
        before=old.id,
        after=new.id,
        runs=tuple(map(gather.run_line, rows)),
        comparison=beside(
            before,
            after,
            (old.id, new.id),
            different=(old.project, old.dataset) != (new.project, new.dataset),
        ),
    )
