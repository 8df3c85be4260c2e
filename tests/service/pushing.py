"""Reports to push, and runs that are pushed."""

from __future__ import annotations

import datetime as dt
from functools import cache
from itertools import count

from msgspec.structs import replace

from taxcheck.model.report import Report
from taxcheck.model.written import report_to_json, settled
from taxcheck.service.store.ingest import Kept, keep
from taxcheck.service.store.pushed import Pushed
from taxcheck.service.store.store import Store
from tests.reports.sample import REPORTS

_NUMBERS = count(1)
FIRST_DAY = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@cache
def sample(name: str) -> Report:
    return settled(REPORTS[name]())


def dated(name: str, day: float) -> Report:
    """A report of a day, counted from the first of January."""
    return replace(sample(name), created=on_day(day))


def on_day(day: float) -> str:
    return (FIRST_DAY + dt.timedelta(days=day)).isoformat()


def push(
    store: Store, report: Report | str, id: str | None = None, project: str = "ncbi",
    dataset: str = "animals", **said: str,
) -> str:  # fmt: skip
    """The id of a run that was pushed."""
    return pushed(store, report, id, project, dataset, **said)[0]


def pushed(
    store: Store, report: Report | str, id: str | None = None, project: str = "ncbi",
    dataset: str = "animals", **said: str,
) -> tuple[str, Kept]:  # fmt: skip
    report = sample(report) if isinstance(report, str) else report
    id = id or f"run-{next(_NUMBERS)}"
    run = Pushed(id=id, project=project, dataset=dataset, **said)
    return id, keep(store, run, report_to_json(report))
