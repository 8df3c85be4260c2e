"""Runs: found, shown, marked, taken away."""

import re
from collections.abc import Collection
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Select, delete, insert, select, tuple_, update

from taxcheck.model.report import Report
from taxcheck.service.store import head, log, tables
from taxcheck.service.store.content import put_together
from taxcheck.service.store.database import now
from taxcheck.service.store.errors import NotThereError, RefusedError
from taxcheck.service.store.store import Store

MOST = 500  # runs of one page
_LONGEST = 10_000  # characters of an annotation
_CURSOR = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")
_END = 2**62  # of all moments


class RunRow(Struct, frozen=True, kw_only=True):
    """A run as lists show it; moments are milliseconds since 1970, UTC."""

    key: int
    id: str
    project: str
    dataset: str
    verdict: str  # "pass", "warn", "fail", "error"; "skipped": nothing was judged
    exit_code: int  # of its command: 0 where it passed, 1 also where `--fail-on warn` met a warning
    headline: str
    cause: str | None  # the name of what leads: of a cause, else of a rule
    title: str
    created: int  # when taxcheck ran, by its own clock and no later than ``received``
    received: int
    commit: str | None
    branch: str | None
    person: str | None
    link: str | None
    tool_version: str
    schema_version: str
    digest: str  # BLAKE3 of the bytes that were pushed
    bytes: int  # that the report takes on the disk
    baseline: str | None  # id of the run that this one was held against when it came
    worse: int  # scores worse than in that run
    pinned: bool
    erased: bool  # its samples were
    job: str | None


class Page(Struct, frozen=True):
    """Some runs, the newest first, and where the next ones begin; None where there are none."""

    rows: tuple[RunRow, ...]
    next: str | None


class Note(Struct, frozen=True):
    """What somebody wrote beside a run."""

    person: str | None
    text: str
    created: int


_RUN = tables.run.c
_EARLIER = tables.run.alias("earlier")


def selected() -> Select[Any]:
    """All columns of a RunRow, to be narrowed."""
    own = [_RUN[name] for name in RunRow.__struct_fields__
           if name not in ("project", "dataset", "baseline")]  # fmt: skip
    return (
        select(
            *own,
            tables.project.c.name.label("project"),
            tables.dataset.c.name.label("dataset"),
            _EARLIER.c.id.label("baseline"),
        )
        .select_from(tables.run)
        .join(tables.dataset, _RUN.dataset == tables.dataset.c.key)
        .join(tables.project, tables.dataset.c.project == tables.project.c.key)
        .outerjoin(_EARLIER, _RUN.baseline == _EARLIER.c.key)
    )


def listed(connection: Connection, query: Select[Any]) -> tuple[RunRow, ...]:
    """The runs that a narrowed ``selected`` gives."""
    return tuple(RunRow(**row) for row in connection.execute(query).mappings())


def find(
    store: Store,
    *,
    project: str | None = None,
    dataset: str | None = None,
    verdict: str | None = None,
    rule: str | None = None,
    branch: str | None = None,
    since: int | None = None,
    cursor: str | None = None,
    limit: int = 50,
    projects: Collection[str] | None = None,
) -> Page:
    """Runs, the newest first, a page at a time.

    ``rule`` is the id or name of a rule that warned or failed, or a cause that was named; ``since``
    is in milliseconds; ``projects`` None is all. Raises RefusedError where the cursor is none.
    """
    limit = min(max(limit, 1), MOST)
    query = selected().order_by(_RUN.created.desc(), _RUN.key.desc()).limit(limit + 1)
    for column, value in ((_RUN.verdict, verdict), (_RUN.branch, branch)):
        if value is not None:
            query = query.where(column == value)
    if project is not None or dataset is not None or projects is not None:
        query = query.where(_RUN.dataset.in_(_datasets(project, dataset, projects)))
    if since is not None:
        query = query.where(_RUN.created >= min(since, _END))
    if rule is not None:
        query = query.where(_RUN.key.in_(fired(rule)))
    if cursor is not None:
        query = query.where(tuple_(_RUN.created, _RUN.key) < tuple_(*_place(cursor)))
    with store.database.reading() as connection:
        rows = listed(connection, query)
    more = rows[limit - 1] if len(rows) > limit else None
    return Page(rows[:limit], f"{more.created}-{more.key}" if more else None)


def _datasets(
    project: str | None, dataset: str | None, projects: Collection[str] | None
) -> Select[Any]:
    query = select(tables.dataset.c.key).join(
        tables.project, tables.dataset.c.project == tables.project.c.key
    )
    if project is not None:
        query = query.where(tables.project.c.name == project)
    if dataset is not None:
        query = query.where(tables.dataset.c.name == dataset)
    if projects is not None:
        query = query.where(tables.project.c.name.in_(projects))
    return query


def fired(rule: str) -> Any:
    """The keys of runs in which a rule, by id or name, warned or failed, or a cause was named."""
    ids = select(tables.rule.c.id).where((tables.rule.c.id == rule) | (tables.rule.c.name == rule))
    by_rule = select(tables.result.c.run).where(tables.result.c.rule.in_(ids), tables.FIRED)
    by_cause = select(tables.run_cause.c.run).where(tables.run_cause.c.name == rule)
    return by_rule.union_all(by_cause)


def _place(cursor: str) -> tuple[int, int]:
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise RefusedError(f"cursor {cursor[:40]!r}: is none of this server")
    return int(found[1]), int(found[2])


def latest(store: Store, project: str, dataset: str, branch: str) -> RunRow | None:
    """The run of a branch that came last, whatever its date; None where there is none."""
    query = selected().where(
        _RUN.dataset.in_(_datasets(project, dataset, None)), _RUN.branch == branch
    )
    with store.database.reading() as connection:
        rows = listed(connection, query.order_by(_RUN.key.desc()).limit(1))
    return rows[0] if rows else None


def one(store: Store, id: str) -> RunRow:
    """A run by its id; NotThereError where there is none."""
    with store.database.reading() as connection:
        return _one(connection, id)


def _one(connection: Connection, id: str) -> RunRow:
    for row in listed(connection, selected().where(_RUN.id == id)):
        return row
    raise _missing(id)


def _missing(id: str) -> NotThereError:
    return NotThereError(f"run {id[:64]!r}: is not here; it was never pushed, or was removed")


def report(store: Store, id: str, *, samples: bool = True) -> Report:
    """The report of a run as it was pushed, but for samples that were erased or are not wanted."""
    with store.database.reading() as connection:
        found = connection.execute(
            select(_RUN.key, _RUN.blob, _RUN.documents).where(_RUN.id == id)
        ).first()
        if found is None:
            raise NotThereError(
                f"run {id[:64]!r}: is not here; it was never pushed, or was removed"
            )
        sample = tables.sample.c
        query = select(sample.rule, sample.rows).where(sample.run == found.key)
        rows = {r.rule: r.rows for r in connection.execute(query)} if samples else {}
    return put_together(store.blobs.get(found.blob), store.blobs.get(found.documents), rows)


def remove(store: Store, id: str, person: str | None = None) -> None:
    """Take a run away for good; its report goes with the next sweep."""
    with store.database.writing() as connection:
        row = _one(connection, id)
        remove_keys(connection, [row.key])
        log.write(connection, person, "run removed", f"{row.project}/{row.dataset} {id}")


def remove_keys(connection: Connection, keys: Collection[int]) -> None:
    """Remove runs of any datasets, which are locked and stand afterwards as if they never came."""
    table, most = tables.dataset, 500
    ordered = sorted(keys)
    for start in range(0, len(ordered), most):
        some = ordered[start : start + most]
        owners = select(_RUN.dataset).where(_RUN.key.in_(some)).group_by(_RUN.dataset)
        mine = sorted(key for (key,) in connection.execute(owners))
        connection.execute(
            select(table.c.key).where(table.c.key.in_(mine)).order_by(table.c.key).with_for_update()
        )
        for dataset in mine:
            gone = connection.execute(
                delete(tables.run).where(_RUN.key.in_(some), _RUN.dataset == dataset)
            ).rowcount
            head.refresh(connection, dataset, -gone)
        connection.execute(update(table).where(table.c.baseline.in_(some)).values(baseline=None))


def pin(store: Store, id: str, pinned: bool = True, person: str | None = None) -> RunRow:
    """Keep a run however old it becomes, or no longer."""
    return _changed(store, id, person, "pinned" if pinned else "unpinned", pinned=pinned)


def erase_samples(store: Store, id: str, person: str | None = None) -> RunRow:
    """Take the samples of a run away for good; its numbers stay."""
    return _changed(store, id, person, "samples erased", erased=True)


def _changed(store: Store, id: str, person: str | None, action: str, **values: bool) -> RunRow:
    with store.database.writing() as connection:
        row = _one(connection, id)
        connection.execute(update(tables.run).where(_RUN.key == row.key).values(**values))
        if values.get("erased"):
            connection.execute(delete(tables.sample).where(tables.sample.c.run == row.key))
        log.write(connection, person, f"run {action}", f"{row.project}/{row.dataset} {id}")
        return _one(connection, id)


def annotate(store: Store, id: str, text: str, person: str | None = None) -> Note:
    """Write something beside a run. Raises RefusedError where it is empty or too long."""
    text = text.replace("\x00", "").strip()
    if not 0 < len(text) <= _LONGEST:
        raise RefusedError(f"a note has 1 to {_LONGEST:,} characters, this one {len(text):,}")
    note = Note(person, text, now())
    with store.database.writing() as connection:
        key = _one(connection, id).key
        values: dict[str, Any] = {"person": person, "text": text, "created": note.created}
        connection.execute(insert(tables.annotation).values(run=key, **values))
    return note


def annotations(store: Store, id: str) -> tuple[Note, ...]:
    """What was written beside a run, the oldest first; NotThereError where there is no run."""
    note = tables.annotation.c
    query = (
        select(note.key, note.person, note.text, note.created)
        .join_from(tables.run, tables.annotation, note.run == _RUN.key, isouter=True)
        .where(_RUN.id == id)
        .order_by(note.key)
    )
    with store.database.reading() as connection:
        rows = connection.execute(query).all()
    if not rows:
        raise _missing(id)
    return tuple(Note(*row[1:]) for row in rows if row.key is not None)
