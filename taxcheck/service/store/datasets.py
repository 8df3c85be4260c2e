"""Datasets: how each stands, over time and rule by rule."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Float, Select, cast, delete, func, null, select, update

from taxcheck.service.store import head, log, metrics, runs, tables
from taxcheck.service.store.errors import NotThereError, RefusedError
from taxcheck.service.store.head import Recent
from taxcheck.service.store.runs import RunRow
from taxcheck.service.store.store import Store

POINTS = 1000  # of a trend, at most
STRIP = 50  # runs of a page's strip and grid
_RUN, _DATASET, _PROJECT = tables.run.c, tables.dataset.c, tables.project.c


class Late(Struct, frozen=True):
    """A run that failed, came after the newest one, and is dated before it."""

    id: str
    verdict: str
    created: int


class Head(Struct, frozen=True, kw_only=True):
    """How a dataset stands; what is of its newest run is None where it has no run."""

    project: str
    name: str
    runs: int
    newest: str | None  # id
    verdict: str | None
    exit_code: int | None  # 1 or 4: it fails; 0: it passes, or warns and no more; 3: unjudged
    headline: str | None
    cause: str | None
    created: int | None
    branch: str | None
    person: str | None
    failing_since: int | None  # of the first run that failed and that no pass followed
    baseline: str | None  # id of the run that somebody chose; None: the newest that passed
    newest_pass: str | None  # id
    late: Late | None  # the run that came last, where it denies what the newest one says
    recent: tuple[Recent, ...]  # its last 50 runs, the oldest first


class Cell(Struct, frozen=True):
    """What became of a rule in a run."""

    outcome: str
    count: int | None
    total: int | None
    share: float | None


class GridRow(Struct, frozen=True):
    """A rule over the runs of a grid; None where a run has no such rule."""

    rule: str
    name: str
    cells: tuple[Cell | None, ...]


class Grid(Struct, frozen=True):
    """Rules by id, runs with the oldest first."""

    runs: tuple[RunRow, ...]
    rules: tuple[GridRow, ...]


class Point(Struct, frozen=True):
    """A run of a trend."""

    id: str
    created: int
    verdict: str
    cause: str | None
    branch: str | None


class Series(Struct, frozen=True):
    """One number over the runs of a trend; None where a run does not have it."""

    name: str
    label: str
    values: tuple[float | None, ...]
    baseline: float | None  # of the run that others are held against


class Trend(Struct, frozen=True):
    """Numbers over runs, the oldest first."""

    points: tuple[Point, ...]
    series: tuple[Series, ...]
    baseline: str | None  # id of that run


class Story(Struct, frozen=True, kw_only=True):
    """A dataset for its page: how it stands, its rules and its numbers over its runs."""

    head: Head
    grid: Grid
    numbers: tuple[tuple[str, str], ...]  # name and label of all that can be drawn
    trend: Trend
    baseline: RunRow | None


class Firing(Struct, frozen=True):
    """Where a rule or a cause fires in the newest run of a dataset."""

    project: str
    dataset: str
    run: str
    created: int
    verdict: str
    what: str  # the id of the rule, or the name of the cause
    outcome: str  # of the rule; "certain" or "likely" of a cause
    count: int | None  # offenders, or how many the cause explains
    share: float | None


class Project(Struct, frozen=True):
    """A project and how many datasets and runs it has."""

    name: str
    datasets: int
    runs: int


def heads(store: Store, projects: Collection[str] | None = None) -> tuple[Head, ...]:
    """Every dataset by project and name, in one query; ``projects`` None is all."""
    query = _heads()
    if projects is not None:
        query = query.where(_PROJECT.name.in_(projects))
    with store.database.reading() as connection:
        return tuple(_head(dict(row)) for row in connection.execute(query).mappings())


def one(store: Store, project: str, dataset: str) -> Head:
    """How one dataset stands; NotThereError where there is none."""
    with store.database.reading() as connection:
        return _own(connection, project, dataset)[1]


def _own(connection: Connection, project: str, dataset: str) -> tuple[int, Head]:
    """The key of a dataset and how it stands."""
    query = _heads().where(_PROJECT.name == project, _DATASET.name == dataset)
    row = connection.execute(query.add_columns(_DATASET.key)).mappings().first()
    if row is None:
        raise _missing(project, dataset)
    values = dict(row)
    return values.pop("key"), _head(values)


def _heads() -> Select[Any]:
    chosen, passed = tables.run.alias("chosen"), tables.run.alias("passed")
    latest = tables.run.alias("latest")
    late = {f"late_{name}": latest.c[name] for name in Late.__struct_fields__}
    return (
        select(
            _PROJECT.name.label("project"), _DATASET.name, _DATASET.runs,
            _RUN.id.label("newest"), _RUN.verdict, _RUN.exit_code, _RUN.headline, _RUN.cause,
            _RUN.created, _RUN.branch, _RUN.person, _DATASET.failing_since,
            chosen.c.id.label("baseline"), passed.c.id.label("newest_pass"), _DATASET.recent,
            *(column.label(name) for name, column in late.items()),
        )
        .select_from(tables.dataset)
        .join(tables.project, _DATASET.project == _PROJECT.key)
        .outerjoin(tables.run, _DATASET.newest == _RUN.key)
        .outerjoin(chosen, _DATASET.baseline == chosen.c.key)
        .outerjoin(passed, _DATASET.newest_pass == passed.c.key)
        .outerjoin(
            latest,
            (_DATASET.latest == latest.c.key)
            & (latest.c.key != _DATASET.newest)
            & latest.c.exit_code.in_(head.FAILED),
        )
        .order_by(_PROJECT.name, _DATASET.name)
    )  # fmt: skip


def _head(row: Mapping[str, Any]) -> Head:
    values = dict(row)
    told = [values.pop(f"late_{name}") for name in Late.__struct_fields__]
    late = None if told[0] is None else Late(*told)
    return Head(**{**values, "recent": head.strip(row["recent"]), "late": late})


def grid(store: Store, project: str, dataset: str, runs: int = 50) -> Grid:
    """What became of each rule in the last runs of a dataset."""
    with store.database.reading() as connection:
        return _grid(connection, _last(connection, _key(connection, project, dataset), runs))


def _grid(connection: Connection, shown: tuple[RunRow, ...]) -> Grid:
    result, rule = tables.result.c, tables.rule.c
    rows = connection.execute(
        select(result.run, result.rule, rule.name, result.outcome, result.count, result.total,
               result.share)
        .join_from(tables.result, tables.rule, (result.rule == rule.id) & (rule.kind == "rule"),
                   isouter=True)
        .where(result.run.in_([run.key for run in shown]))
    ).all()  # fmt: skip
    at = {run.key: k for k, run in enumerate(shown)}
    named = {row.rule: row.name or row.rule for row in rows}
    cells: dict[str, list[Cell | None]] = {id: [None] * len(shown) for id in sorted(named)}
    for run, id, _, *cell in rows:
        cells[id][at[run]] = Cell(*cell)
    return Grid(shown, tuple(GridRow(id, named[id], tuple(row)) for id, row in cells.items()))


def _last(connection: Connection, dataset: int, limit: int) -> tuple[RunRow, ...]:
    query = runs.selected().where(_RUN.dataset == dataset)
    newest = query.order_by(_RUN.created.desc(), _RUN.key.desc()).limit(min(limit, POINTS))
    return runs.listed(connection, newest)[::-1]


def trend(
    store: Store, project: str, dataset: str, names: Sequence[str], limit: int = 500
) -> Trend:
    """Numbers over the last runs of a dataset.

    A name is one of ``metric_names``, or the id of a rule, whose share it then is.
    """
    with store.database.reading() as connection:
        key = _key(connection, project, dataset)
        shown = _last(connection, key, max(limit, 1))
        return _trend(connection, shown, _base(connection, key), names)


def _base(connection: Connection, dataset: int) -> RunRow | None:
    """The run that others are held against."""
    query = runs.selected().where(_RUN.key == _baseline_key(), _DATASET.key == dataset)
    return next(iter(runs.listed(connection, query)), None)


def _trend(
    connection: Connection,
    shown: tuple[RunRow, ...],
    base: RunRow | None,
    names: Sequence[str],
) -> Trend:
    wanted = [run.key for run in shown] + ([base.key] if base else [])
    values = _values(connection, wanted, names)
    series = tuple(
        Series(
            name,
            metrics.label(name),
            tuple(values.get((run.key, name)) for run in shown),
            values.get((base.key, name)) if base else None,
        )
        for name in names
    )
    points = tuple(Point(r.id, r.created, r.verdict, r.cause, r.branch) for r in shown)
    return Trend(points, series, base.id if base else None)


def _values(
    connection: Connection, keys: Sequence[int], names: Sequence[str]
) -> dict[tuple[int, str], float | None]:
    metric, named, result = tables.metric.c, tables.metric_name.c, tables.result.c
    numbered = (
        select(metric.run, named.name, metric.value)
        .join(tables.metric_name, metric.name == named.key)
        .where(metric.run.in_(keys), named.name.in_(names))
    )
    shares = select(result.run, result.rule, result.share).where(
        result.run.in_(keys), result.rule.in_(names)
    )
    return {
        (run, name): value for run, name, value in connection.execute(numbered.union_all(shares))
    }


def metric_names(store: Store, project: str, dataset: str) -> tuple[str, ...]:
    """The numbers that the last runs of a dataset have, those looked at first in front."""
    with store.database.reading() as connection:
        return _metric_names(connection, _key(connection, project, dataset))


def _metric_names(connection: Connection, dataset: int) -> tuple[str, ...]:
    last = (
        select(_RUN.key)
        .where(_RUN.dataset == dataset)
        .order_by(_RUN.created.desc(), _RUN.key.desc())
        .limit(50)
    )
    seen = select(tables.metric.c.name).where(tables.metric.c.run.in_(last)).distinct()
    named = tables.metric_name.c
    rows = connection.scalars(
        select(named.name).where(named.key.in_(seen)).order_by(named.key)
    ).all()
    first = [name for name in metrics.FIRST if name in rows]
    return (*first, *(name for name in rows if name not in first))


def story(
    store: Store, project: str, dataset: str, names: Sequence[str] = (), last: int = 100
) -> Story:
    """All that the page of a dataset shows, of one state, in six queries.

    ``names`` are numbers of ``metric_names``; none: those that are usually looked at.
    """
    with store.database.reading() as connection:
        key, found = _own(connection, project, dataset)
        shown = _last(connection, key, max(last, STRIP))
        known = _metric_names(connection, key)
        drawn = names or metrics.usual(known)
        base = _base(connection, key)
        return Story(
            head=found,
            grid=_grid(connection, shown[-STRIP:]),
            numbers=tuple((name, metrics.label(name)) for name in known),
            trend=_trend(connection, shown[-last:], base, drawn),
            baseline=base,
        )


def _baseline_key() -> Any:
    return func.coalesce(_DATASET.baseline, _DATASET.newest_pass)


def baseline(store: Store, project: str, dataset: str, which: str = "baseline") -> RunRow | None:
    """The run that others are held against; None where there is none yet.

    ``which`` is "baseline", the one that was chosen or else the newest that passed;
    "latest-pass"; or "latest".
    """
    columns: dict[str, Any] = {
        "baseline": _baseline_key(),
        "latest-pass": _DATASET.newest_pass,
        "latest": _DATASET.newest,
    }
    if which not in columns:
        raise RefusedError(f"baseline {which[:40]!r}: is none of {', '.join(columns)}")
    with store.database.reading() as connection:
        key = _key(connection, project, dataset)
        chosen = select(columns[which]).where(_DATASET.key == key).scalar_subquery()
        found = runs.listed(connection, runs.selected().where(_RUN.key == chosen))
    return found[0] if found else None


def set_baseline(
    store: Store, project: str, dataset: str, id: str | None, person: str | None = None
) -> None:
    """Choose the run that others are held against; None: the newest that passed, from now on."""
    with store.database.writing() as connection:
        dataset_key, run = _key(connection, project, dataset), None
        if id is not None:
            run = connection.scalar(
                select(_RUN.key).where(_RUN.id == id, _RUN.dataset == dataset_key)
            )
            if run is None:
                raise NotThereError(f"run {id[:64]!r}: is no run of {project}/{dataset}")
        connection.execute(
            update(tables.dataset).where(_DATASET.key == dataset_key).values(baseline=run)
        )
        log.write(connection, person, "baseline chosen", f"{project}/{dataset} {id or 'none'}")


def firing(store: Store, name: str, projects: Collection[str] | None = None) -> tuple[Firing, ...]:
    """Where a rule (by id or name) warns or fails, or a cause is named, in the newest runs."""
    result, cause = tables.result.c, tables.run_cause.c
    ids = select(tables.rule.c.id).where((tables.rule.c.id == name) | (tables.rule.c.name == name))
    newest = select(_DATASET.newest)  # looked at first: a rule may have fired in most runs of years
    of_rule = select(
        result.run, result.rule.label("what"), result.outcome, result.count, result.share
    ).where(result.rule.in_(ids), result.run.in_(newest), tables.FIRED)
    of_cause = select(
        cause.run, cause.name, cause.certainty, cause.explains, cast(null(), Float)
    ).where(cause.name == name, cause.run.in_(newest))
    fires = of_rule.union_all(of_cause).subquery()
    query = (
        select(_PROJECT.name, _DATASET.name, _RUN.id, _RUN.created, _RUN.verdict, fires.c.what,
               fires.c.outcome, fires.c.count, fires.c.share)
        .select_from(tables.dataset)
        .join(tables.project, _DATASET.project == _PROJECT.key)
        .join(tables.run, _DATASET.newest == _RUN.key)
        .join(fires, fires.c.run == _RUN.key)
        .order_by(_RUN.created.desc(), _RUN.key.desc(), fires.c.what)
    )  # fmt: skip
    if projects is not None:
        query = query.where(_PROJECT.name.in_(projects))
    with store.database.reading() as connection:
        return tuple(Firing(*row) for row in connection.execute(query))


class Named(Struct, frozen=True):
    """A rule or a cause that some run had."""

    id: str  # of a rule; of a cause, its name
    name: str
    kind: str  # "rule" or "cause"


def named(store: Store, name: str, projects: Collection[str] | None = None) -> Named | None:
    """What has this id or name in the runs that came here; a rule before a cause.

    Of some ``projects`` only the newest runs are looked at; None is all, and all of their runs.
    """
    rule = tables.rule.c
    query = (
        select(rule.id, rule.name, rule.kind)
        .where((rule.id == name) | (rule.name == name))
        .order_by(rule.kind.desc(), rule.id)
        .limit(1)
    )
    if projects is not None:
        newest = (
            select(_DATASET.newest)
            .join(tables.project, _DATASET.project == _PROJECT.key)
            .where(_PROJECT.name.in_(projects))
        )
        result, cause = tables.result.c, tables.run_cause.c
        seen = select(result.rule).where(result.run.in_(newest))
        query = query.where(
            rule.id.in_(seen.union(select(cause.name).where(cause.run.in_(newest))))
        )
    with store.database.reading() as connection:
        row = connection.execute(query).first()
    return Named(*row) if row else None


def projects(store: Store, only: Collection[str] | None = None) -> tuple[Project, ...]:
    """Every project by name; ``only`` None is all."""
    query = (
        select(_PROJECT.name, func.count(_DATASET.key), func.coalesce(func.sum(_DATASET.runs), 0))
        .select_from(tables.project)
        .outerjoin(tables.dataset, _DATASET.project == _PROJECT.key)
        .group_by(_PROJECT.name)
        .order_by(_PROJECT.name)
    )
    if only is not None:
        query = query.where(_PROJECT.name.in_(only))
    with store.database.reading() as connection:
        return tuple(Project(*row) for row in connection.execute(query))


def remove_dataset(store: Store, project: str, dataset: str, person: str | None = None) -> None:
    """Take a dataset away for good, with all of its runs and jobs."""
    with store.database.writing() as connection:
        key = _key(connection, project, dataset)
        connection.execute(delete(tables.dataset).where(_DATASET.key == key))
        log.write(connection, person, "dataset removed", f"{project}/{dataset}")


def _key(connection: Connection, project: str, dataset: str) -> int:
    key: int | None = connection.scalar(
        select(_DATASET.key)
        .join(tables.project, _DATASET.project == _PROJECT.key)
        .where(_PROJECT.name == project, _DATASET.name == dataset)
    )
    if key is None:
        raise _missing(project, dataset)
    return key


def _missing(project: str, dataset: str) -> NotThereError:
    return NotThereError(
        f"dataset {project[:100]}/{dataset[:100]}: is not here; nothing was pushed to it"
    )
