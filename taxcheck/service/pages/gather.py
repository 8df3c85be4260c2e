"""What pages show, made of what the store knows; nothing here is looked up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from taxcheck.model.report import Report
from taxcheck.service.pages import standing
from taxcheck.service.pages import values as v
from taxcheck.service.store.datasets import Firing, Grid, Head, Story, Trend
from taxcheck.service.store.head import FAILED, Recent
from taxcheck.service.store.runs import RunRow

_LINE = v.RunLine.__struct_fields__


def run_line(row: RunRow) -> v.RunLine:
    """A run in a list."""
    return v.RunLine(**{name: getattr(row, name) for name in _LINE})


def dataset_line(head: Head) -> v.DatasetLine:
    """A dataset in a list."""
    return v.DatasetLine(
        project=head.project,
        name=head.name,
        verdict=head.verdict,
        fails=head.exit_code in FAILED,
        doubt=standing.doubt(head),
        branch=head.branch,
        headline=head.headline or "",
        cause=head.cause,
        newest=head.newest or "",
        created=head.created or 0,
        failing_since=head.failing_since,
        runs=head.runs,
        recent=marks(head.recent),
    )


def marks(recent: Iterable[Recent]) -> tuple[v.Mark, ...]:
    """Runs in a strip."""
    return tuple(v.Mark(r.id, r.verdict, r.created, r.cause, r.person or r.branch) for r in recent)


def home(frame: v.Frame, heads: Iterable[Head], project: str | None = None) -> v.Home:
    """Datasets that fail, by cause: what breaks most of them first; then all.

    ``cause`` is empty for those that fail for none, as where a waiver has expired.
    """
    lines = tuple(dataset_line(head) for head in heads)
    groups: dict[str, list[v.DatasetLine]] = {}
    for line in lines:
        if line.fails:
            groups.setdefault(line.cause or "", []).append(line)
    failing = [
        v.Failing(cause, tuple(sorted(some, key=lambda one: one.failing_since or one.created)))
        for cause, some in groups.items()
    ]
    failing.sort(key=lambda group: (-len(group.datasets), group.cause))
    return v.Home(frame, tuple(failing), lines, project)


def dataset(
    frame: v.Frame, story: Story, report: Report | None, last: int, may_admin: bool
) -> v.Dataset:
    """All of one dataset; ``report`` is that of its newest run, for its waivers."""
    return v.Dataset(
        frame=frame,
        line=dataset_line(story.head),
        runs=tuple(
            v.Mark(r.id, r.verdict, r.created, r.cause, r.person or r.branch)
            for r in story.grid.runs
        ),
        grid=_grid(story.grid),
        trends=_trends(story.trend),
        numbers=story.numbers,
        waivers=_waivers(report) if report else (),
        baseline=run_line(story.baseline) if story.baseline else None,
        chosen=story.head.baseline is not None,
        last=last,
        may_admin=may_admin,
    )


def _grid(grid: Grid) -> tuple[v.GridRow, ...]:
    rows = []
    for row in grid.rules:
        newest = row.cells[-1] if row.cells else None
        outcomes = tuple(cell.outcome if cell else "" for cell in row.cells)
        count, total = (newest.count, newest.total) if newest else (None, None)
        rows.append(v.GridRow(row.rule, row.name, outcomes, count, total))
    return tuple(rows)


def _trends(trend: Trend) -> tuple[v.Trend, ...]:
    return tuple(
        v.Trend(
            series.name,
            series.label,
            tuple(
                v.Point(p.id, p.created, value, p.verdict, p.cause, p.branch)
                for p, value in zip(trend.points, series.values, strict=True)
                if value is not None
            ),
            series.baseline,
            series.values.count(None),
        )
        for series in trend.series
    )


def _waivers(report: Report) -> tuple[v.Due, ...]:
    """The waivers of a report; one holds to the end of its last day."""
    return tuple(
        v.Due(status.waiver.rule, status.waiver.owner, _end(status.waiver.expires), status.state)
        for status in report.waivers
    )


def _end(day: dt.date) -> int:
    last = dt.datetime.combine(day, dt.time(23, 59, 59), dt.UTC)
    return int(last.timestamp() * 1000)


def fires(found: Iterable[Firing]) -> tuple[v.Fires, ...]:
    """Where a rule or a cause fires, failing datasets first."""
    made = []
    for one in found:
        of_cause = one.outcome in ("certain", "likely")
        made.append(
            v.Fires(
                one.project,
                one.dataset,
                one.run,
                one.verdict if of_cause else one.outcome,
                one.created,
                one.count,
                one.share,
                one.outcome if of_cause else "",
            )
        )
    return tuple(sorted(made, key=lambda one: one.outcome not in ("fail", "error")))


def notes(found: Iterable[Any]) -> tuple[v.Note, ...]:
    """What was written beside a run."""
    return tuple(v.Note(one.person, one.text, one.created) for one in found)
